// curl -w: what a transfer was, and the format that tells it.

/** Gathered while a transfer runs. Times in ms since its start. */
export interface TransferFacts {
  url: string;
  effectiveUrl: string;
  status: number;
  exitCode: number;
  errorMessage: string;
  method: string;
  httpVersion: string;
  contentType: string;
  redirects: number;
  redirectUrl: string;
  remoteIp: string;
  remotePort: number;
  localIp: string;
  localPort: number;
  sizeDownload: number;
  sizeUpload: number;
  sizeHeader: number;
  sizeRequest: number;
  connects: number;
  scheme: string;
  headers: readonly (readonly [string, string])[];
  fileName: string;
  /** OpenSSL's number; 0 where nothing is wrong. */
  verifyResult: number;
  lookupMs: number;
  connectMs: number;
  appConnectMs: number;
  preTransferMs: number;
  startTransferMs: number;
  redirectMs: number;
  totalMs: number;
}

const seconds = (ms: number): string => (ms / 1000).toFixed(6);

const VARIABLES: Readonly<Record<string, (facts: TransferFacts) => string>> = {
  content_type: (f) => f.contentType,
  errormsg: (f) => f.errorMessage,
  exitcode: (f) => String(f.exitCode),
  filename_effective: (f) => f.fileName,
  http_code: (f) => String(f.status).padStart(3, '0'),
  http_connect: () => '000',
  http_version: (f) => f.httpVersion,
  local_ip: (f) => f.localIp,
  local_port: (f) => String(f.localPort),
  method: (f) => f.method,
  num_connects: (f) => String(f.connects),
  num_headers: (f) => String(f.headers.length),
  num_redirects: (f) => String(f.redirects),
  redirect_url: (f) => f.redirectUrl,
  remote_ip: (f) => f.remoteIp,
  remote_port: (f) => String(f.remotePort),
  response_code: (f) => String(f.status).padStart(3, '0'),
  scheme: (f) => f.scheme,
  size_download: (f) => String(f.sizeDownload),
  size_header: (f) => String(f.sizeHeader),
  size_request: (f) => String(f.sizeRequest),
  size_upload: (f) => String(f.sizeUpload),
  speed_download: (f) => String(f.totalMs > 0 ? Math.floor((f.sizeDownload * 1000) / f.totalMs) : 0),
  speed_upload: (f) => String(f.totalMs > 0 ? Math.floor((f.sizeUpload * 1000) / f.totalMs) : 0),
  ssl_verify_result: (f) => String(f.verifyResult),
  time_appconnect: (f) => seconds(f.appConnectMs),
  time_connect: (f) => seconds(f.connectMs),
  time_namelookup: (f) => seconds(f.lookupMs),
  time_pretransfer: (f) => seconds(f.preTransferMs),
  time_redirect: (f) => seconds(f.redirectMs),
  time_starttransfer: (f) => seconds(f.startTransferMs),
  time_total: (f) => seconds(f.totalMs),
  url: (f) => f.url,
  url_effective: (f) => f.effectiveUrl,
  urlnum: () => '0',
};

/** Fills a -w format: `%{name}`, `%header{name}`, `%{json}`, `%{stderr}`, and escapes. */
export function fillWriteOut(format: string, facts: TransferFacts): { stdout: string; stderr: string } {
  const parts = { stdout: '', stderr: '' };
  let to: 'stdout' | 'stderr' = 'stdout';
  for (const [whole, header, name, escape] of format.matchAll(
    /%%|%header\{([^}]*)\}|%\{([^}]*)\}|\\([nrt\\])|[^]/g,
  )) {
    if (whole === '%%') parts[to] += '%';
    else if (header !== undefined)
      parts[to] += facts.headers.find(([key]) => key.toLowerCase() === header.toLowerCase())?.[1] ?? '';
    else if (name === 'stderr' || name === 'stdout') to = name;
    else if (name === 'onerror') {
      if (facts.exitCode === 0) break;
    } else if (name === 'json')
      parts[to] += JSON.stringify(
        Object.fromEntries(Object.entries(VARIABLES).map(([key, value]) => [key, value(facts)])),
      );
    else if (name === 'header_json') parts[to] += headerJson(facts.headers);
    else if (name !== undefined) {
      const read = VARIABLES[name];
      if (read === undefined) parts.stderr += `curl: unknown --write-out variable: '${name}'\n`;
      else parts[to] += read(facts);
    } else if (escape !== undefined) parts[to] += { n: '\n', r: '\r', t: '\t', '\\': '\\' }[escape];
    else parts[to] += whole;
  }
  return parts;
}

/** %{header_json}: each field with all its values, a line for each. */
function headerJson(headers: TransferFacts['headers']): string {
  const all = new Map<string, string[]>();
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    all.set(key, [...(all.get(key) ?? []), value]);
  }
  return `{${[...all].map(([name, values]) => `${JSON.stringify(name)}:${JSON.stringify(values)}`).join(',\n')}\n}`;
}
