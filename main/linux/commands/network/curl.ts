// curl(1), for HTTP and HTTPS over the virtual network.
import { gunzipSync, inflateSync } from 'node:zlib';

import type { TlsVersion } from '../../../network/tls/index.ts';
import { ErrnoError, parseIpv4, type ByteStream, type TcpSocket } from '../../../network/index.ts';
import { ProcessExit, type OpenFile, type Process, type Program } from '../../kernel/index.ts';
import { readAll } from '../frame/input.ts';
import { CurlUsageError, parseCurlOptions, type CurlOption } from './curl-options.ts';
import { configArguments } from './curl-config.ts';
import { CookieJar } from './curl-cookies.ts';
import { CurlProgress } from './curl-progress.ts';
import { fillWriteOut, type TransferFacts } from './curl-write-out.ts';
import {
  ExchangeError,
  headerValue,
  keepsAlive,
  ResponseReader,
  type ResponseHead,
} from './http-exchange.ts';
import { answerDigest } from './digest-auth.ts';
import { lookupHost } from '../../libc/index.ts';
import { StdioOut } from './stdio-out.ts';
import { openTls, TlsFailure, type TlsSession } from './tls.ts';
import { expandUrl, GlobError, parseUrl, resolveUrl, type ParsedUrl } from './url.ts';

const VERSION = '7.88.1';
const VERSION_TEXT = `curl ${VERSION} (x86_64-pc-linux-gnu) libcurl/${VERSION} OpenSSL/3.0.22 zlib/1.2.13 brotli/1.0.9 zstd/1.5.4 libidn2/2.3.3 libpsl/0.21.2 (+libidn2/2.3.3) libssh2/1.10.0 nghttp2/1.52.0 librtmp/2.3 OpenLDAP/2.5.13
Release-Date: 2023-02-20, security patched: 7.88.1-10+deb12u15
Protocols: dict file ftp ftps gopher gophers http https imap imaps ldap ldaps mqtt pop3 pop3s rtmp rtsp scp sftp smb smbs smtp smtps telnet tftp
Features: alt-svc AsynchDNS brotli GSS-API HSTS HTTP2 HTTPS-proxy IDN IPv6 Kerberos Largefile libz NTLM NTLM_WB PSL SPNEGO SSL threadsafe TLS-SRP UnixSockets zstd
`;
/** Schemes that the real curl speaks and this one doesn't. */
const NOT_SIMULATED = new Set(
  'dict ftp ftps gopher gophers imap imaps ldap ldaps mqtt pop3 pop3s rtmp rtsp scp sftp smb smbs smtp smtps tftp'.split(
    ' ',
  ),
);

/** Bodies larger than this are announced with Expect (lib/http.c, EXPECT_100_THRESHOLD). */
const EXPECT_BYTES = 1_048_576;

/** What ends a transfer; the text follows `curl: (code) `. */
class CurlError extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** curl(1) */
export const curl: Program = async (proc) => {
  let list: CurlOption[];
  try {
    list = readArguments(proc);
  } catch (error) {
    if (!(error instanceof CurlUsageError)) throw error;
    await proc.stderr.write(
      `curl: ${error.message}\ncurl: try 'curl --help' or 'curl --manual' for more information\n`,
    );
    return 2;
  }
  const find = (name: string): CurlOption | undefined => list.findLast((option) => option.name === name);
  const errors = find('stderr')?.value;
  const err =
    errors === undefined
      ? proc.stderr
      : errors === '-'
        ? proc.stdout
        : proc.fs.open(errors, { write: true, create: true, truncate: true }, 0o666);
  const isUnbuffered = find('no-buffer')?.on === true || find('buffer')?.on === false;
  const out = new StdioOut(proc.stdout, isUnbuffered);
  let status = 0;
  for (const group of groupsOf(list)) {
    status = await new Run(proc, group, out, err).main();
    if (status !== 0 && find('fail-early') !== undefined) break;
  }
  await out.flush();
  return status;
};

/** ~/.curlrc, the arguments, and the files of -K in their places. Throws CurlUsageError. */
function readArguments(proc: Process): CurlOption[] {
  const args = proc.argv.slice(1);
  const skips = args[0] === '--disable' || /^-[^-]*q/.test(args[0] ?? '');
  const home = proc.env.get('CURL_HOME') ?? proc.env.get('HOME') ?? '/';
  const expand = (options: readonly CurlOption[], depth: number): CurlOption[] =>
    options.flatMap((option) => {
      if (option.name !== 'config' || depth > 8) return [option];
      try {
        return expand(parseCurlOptions(configArguments(proc.fs.readText(option.value))), depth + 1);
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        throw new CurlUsageError(`cannot read config from '${option.value}'`);
      }
    });
  const file = `${home}/.curlrc`;
  const own = !skips && proc.fs.exists(file) ? parseCurlOptions(configArguments(proc.fs.readText(file))) : [];
  return [...own, ...expand(parseCurlOptions(args), 0)];
}

/** --next: what comes after it starts anew. */
function groupsOf(list: readonly CurlOption[]): CurlOption[][] {
  const shared = list.filter(({ name }) =>
    /^(?:silent|show-error|verbose|progress-bar|no-progress-meter|stderr)$/.test(name),
  );
  const groups: CurlOption[][] = [[]];
  for (const option of list) {
    if (option.name === 'next') groups.push([...shared]);
    else groups.at(-1)!.push(option);
  }
  return groups;
}

interface Connection {
  readonly stream: ByteStream;
  readonly reader: ResponseReader;
  readonly socket: TcpSocket;
  readonly key: string;
  readonly number: number;
  readonly tls: TlsSession | undefined;
  /** Whom it stands to: the proxy, where there is one. */
  readonly host: string;
  /** HTTP/2 streams so far. */
  streams: number;
  /** Session tickets that are still to be told of. */
  tickets: number;
}

/** A field as HTTP/2 has it: its name in lower case, but for Host, which curl shows as it is. */
function lowerField(line: string): string {
  if (/^[A-Z]+ \S+ HTTP\/1\.[01]$/.test(line)) return line.replace(/HTTP\/1\.[01]$/, 'HTTP/2');
  return line.startsWith('Host: ') ? line : line.replace(/^[^:]+/, (name) => name.toLowerCase());
}

/** A response's head as HTTP/2 brings it. */
function asH2(head: ResponseHead): ResponseHead {
  const isOld = (name: string): boolean => /^(?:connection|keep-alive|transfer-encoding)$/i.test(name);
  const headers = head.headers
    .filter(([name]) => !isOld(name))
    .map(([name, value]) => [name.toLowerCase(), value] as const);
  const rawLines = head.rawLines
    .filter((line) => !isOld(line.slice(0, Math.max(0, line.indexOf(':')))))
    .map((line, index) =>
      index === 0
        ? `HTTP/2 ${head.status} \r\n`
        : line.replace(/^[^:\r\n]+(?=:)/, (name) => name.toLowerCase()),
    );
  return { ...head, version: 'HTTP/2', headers, rawLines };
}

class Run {
  private readonly proc: Process;
  private readonly list: readonly CurlOption[];
  private readonly out: StdioOut;
  private readonly err: OpenFile;
  private connection: Connection | undefined;
  private connections = 0;
  private readonly cookies = new CookieJar();
  private facts!: TransferFacts;
  private startMs = 0;
  private deadline: number | undefined;
  private received = 0;
  private expected: number | undefined;
  /** The head as it came, by which the body is read. */
  private framing: ResponseHead | undefined;
  /** What is said of cookies, before the fields that set them. */
  private cookieNotes: string[] = [];
  /** Lines of 1xx answers, for -i. */
  private interim: string[] = [];
  /** `{ [N bytes data]` has been said since the last line of another kind. */
  private tracedData = false;
  /** Names that have been looked up. */
  private readonly cache = new Map<string, readonly string[]>();
  /** Answers a Digest challenge of the URL before. */
  private digest: string | undefined;
  private host: string | undefined;
  private proxyCredentials: string | undefined;

  constructor(proc: Process, list: readonly CurlOption[], out: StdioOut, err: OpenFile) {
    this.proc = proc;
    this.list = list;
    this.out = out;
    this.err = err;
  }

  private has(name: string): boolean {
    return this.list.findLast((option) => option.name === name)?.on === true;
  }

  private value(name: string): string | undefined {
    return this.list.findLast((option) => option.name === name)?.value;
  }

  private values(name: string): string[] {
    return this.list.flatMap((option) => (option.name === name ? [option.value] : []));
  }

  private get verbose(): boolean {
    return this.has('verbose');
  }

  private async note(text: string, mark = '* '): Promise<void> {
    if (!this.verbose) return;
    this.tracedData = false;
    await this.err.write(`${mark}${text}\n`);
  }

  async main(): Promise<number> {
    if (this.has('version')) {
      await this.proc.stdout.write(VERSION_TEXT);
      return 0;
    }
    if (this.has('help')) {
      await this.proc.stdout.write(
        'Usage: curl [options...] <url>\n -d, --data <data>          HTTP POST data\n -f, --fail                 Fail fast with no output on HTTP errors\n -h, --help <category>      Get help for commands\n -i, --include              Include protocol response headers in the output\n -o, --output <file>        Write to file instead of stdout\n -O, --remote-name          Write output to a file named as the remote file\n -s, --silent               Silent mode\n -T, --upload-file <file>   Transfer local FILE to destination\n -u, --user <user:password> Server user and password\n -A, --user-agent <name>    Send User-Agent <name> to server\n -v, --verbose              Make the operation more talkative\n -V, --version              Show version number and quit\n\nThis is not the full help, this menu is stripped into categories.\nUse "--help category" to get an overview of all categories.\nFor all options use the manual or "--help all".\n',
      );
      return 0;
    }
    const urls = this.values('url');
    if (urls.length === 0) {
      await this.err.write(
        `curl: ${this.list.length > 0 ? 'no URL specified!\ncurl: ' : ''}try 'curl --help' or 'curl --manual' for more information\n`,
      );
      return 2;
    }
    await this.loadCookies();
    let status = 0;
    const outputs = this.list.filter((option) => option.name === 'output' || option.name === 'remote-name');
    let index = 0;
    for (const text of urls) {
      let expanded: readonly { readonly url: string; readonly parts: readonly string[] }[];
      try {
        expanded = this.has('globoff') ? [{ url: text, parts: [] }] : expandUrl(text);
      } catch (error) {
        if (!(error instanceof GlobError)) throw error;
        if (!this.has('silent') || this.has('show-error'))
          await this.err.write(
            `curl: (3) ${error.message} in URL position ${error.column}:\n${text}\n${' '.repeat(error.column - 1)}^\n`,
          );
        return 3;
      }
      for (const { url, parts } of expanded) {
        const named = nameFrom(outputs[index], parts);
        status = await this.retrying(
          url,
          this.has('remote-name-all') ? { name: 'remote-name', value: '', on: true } : named,
        );
        if (status !== 0 && this.has('fail-early')) return status;
      }
      index++;
    }
    this.connection?.stream.close();
    await this.saveCookies();
    return status;
  }

  private async retrying(url: string, output: CurlOption | undefined): Promise<number> {
    const retries = Number(this.value('retry') ?? 0);
    for (let attempt = 0; ; attempt++) {
      const status = await this.transfer(url, output);
      const transient =
        status === 28 ||
        [408, 429, 500, 502, 503, 504].includes(this.facts.status) ||
        (status === 7 && this.has('retry-connrefused')) ||
        (status !== 0 && this.has('retry-all-errors')) ||
        status === 6;
      if (attempt >= retries || !transient) return status;
      const delay =
        this.value('retry-delay') === undefined
          ? Math.min(600, 2 ** attempt)
          : Number(this.value('retry-delay'));
      if (!this.has('silent'))
        await this.err.write(
          `Warning: Problem: ${status === 28 ? 'timeout' : status === 7 ? 'connection refused' : status === 6 ? 'could not resolve host' : 'HTTP error'}. Will retry in ${delay} seconds. ${retries - attempt} ${retries - attempt === 1 ? 'retry' : 'retries'} \nWarning: left.\n`,
        );
      await this.proc.sleep(delay * 1000);
    }
  }

  /** One URL, redirects included. */
  private async transfer(text: string, output: CurlOption | undefined): Promise<number> {
    this.startMs = this.proc.clock.now();
    const limit = this.value('max-time');
    this.deadline = limit === undefined ? undefined : this.startMs + Number(limit) * 1000;
    this.received = 0;
    this.expected = undefined;
    this.facts = {
      url: text,
      effectiveUrl: text,
      status: 0,
      exitCode: 0,
      errorMessage: '',
      method: 'GET',
      httpVersion: '0',
      contentType: '',
      redirects: 0,
      redirectUrl: '',
      remoteIp: '',
      remotePort: 0,
      localIp: '',
      localPort: 0,
      sizeDownload: 0,
      sizeUpload: 0,
      sizeHeader: 0,
      sizeRequest: 0,
      connects: 0,
      scheme: '',
      headers: [],
      fileName: '',
      verifyResult: 0,
      lookupMs: 0,
      connectMs: 0,
      appConnectMs: 0,
      preTransferMs: 0,
      startTransferMs: 0,
      redirectMs: 0,
      totalMs: 0,
    };
    let status = 0;
    const progress = new CurlProgress(this.proc, this.err);
    try {
      await this.follow(text, output, progress);
    } catch (error) {
      if (error instanceof ProcessExit) throw error;
      const failure = this.asCurlError(error);
      status = failure.code;
      this.facts.exitCode = status;
      this.facts.errorMessage = failure.message;
      await progress.end(this.received);
      if (error instanceof NamelessError) await this.err.write('curl: Remote file name has no length!\n');
      if (!this.has('silent') || this.has('show-error'))
        await this.err.write(`curl: (${failure.code}) ${failure.message}\n`);
      this.drop();
    }
    this.facts.totalMs = this.proc.clock.now() - this.startMs;
    if (status === 0) await progress.end(this.received);
    const format = this.value('write-out');
    if (format !== undefined) {
      const template = format.startsWith('@')
        ? format === '@-'
          ? await this.proc.stdin.readText()
          : this.proc.fs.readText(format.slice(1)).replaceAll(/[\r\n]/g, '')
        : format;
      const filled = fillWriteOut(template, this.facts);
      await this.out.put(filled.stdout);
      if (filled.stderr !== '') await this.err.write(filled.stderr);
    }
    return status;
  }

  private drop(): void {
    this.connection?.stream.close();
    this.connection = undefined;
  }

  private asCurlError(error: unknown): CurlError {
    if (error instanceof CurlError) return error;
    if (error instanceof TlsFailure) return new CurlError(error.curlCode, error.message);
    if (error instanceof ExchangeError) {
      const codes = {
        empty: 52,
        reset: 56,
        http09: 1,
        partial: 18,
        'too-large': 56,
        weird: 8,
        chunk: 56,
        send: 55,
      } as const;
      return new CurlError(
        codes[error.kind],
        error.kind === 'reset' ? `Recv failure: ${error.message}` : error.message,
      );
    }
    if (error instanceof ErrnoError)
      return new CurlError(
        error.code === 'EPIPE' ? 55 : 56,
        error.code === 'EPIPE' ? `Send failure: ${error.message}` : `Recv failure: ${error.message}`,
      );
    throw error;
  }

  /** Rejects with code 28 when the time of -m (or another limit) is over. */
  private async within<T>(
    work: Promise<T>,
    limitMs: number | undefined,
    onTimeout: () => CurlError,
  ): Promise<T> {
    const now = this.proc.clock.now();
    const until = Math.min(this.deadline ?? Infinity, limitMs === undefined ? Infinity : now + limitMs);
    if (until === Infinity) return work;
    let timer: Disposable | undefined;
    const expired = new Promise<never>((_, reject) => {
      timer = this.proc.clock.after(Math.max(0, until - now), () => reject(onTimeout()));
    });
    try {
      return await Promise.race([work, this.proc.interruptible(expired)]);
    } finally {
      timer?.[Symbol.dispose]();
    }
  }

  private get elapsed(): number {
    return Math.floor(this.proc.clock.now() - this.startMs);
  }

  private async follow(text: string, output: CurlOption | undefined, progress: CurlProgress): Promise<void> {
    let url = await this.withQuery(text);
    let method: string | undefined;
    let body = await this.requestBody();
    this.host = parseUrl(url)?.host;
    const maxRedirects = Number(this.value('max-redirs') ?? 50);
    for (let redirects = 0; ; redirects++) {
      if (redirects === 0 && url.includes(' '))
        throw new CurlError(3, 'URL using bad/illegal format or missing URL');
      const parsed = this.parse(url);
      this.facts.effectiveUrl = /:\/\//.test(url)
        ? url
        : `${parsed.scheme}://${url.replace(/#.*$/, '')}${/[/?]/.test(url) ? '' : '/'}`;
      if (parsed.scheme === 'file') return await this.copyFile(parsed, url, output);
      if (parsed.scheme === 'telnet') return await this.telnet(parsed);
      const chosen =
        method ??
        this.value('request') ??
        (this.has('head')
          ? 'HEAD'
          : this.value('upload-file') !== undefined
            ? 'PUT'
            : body === undefined
              ? 'GET'
              : 'POST');
      this.facts.method = chosen;
      let { head, reader } = await this.exchange(parsed, chosen, body, redirects === 0);
      const again = this.digestFor(parsed, head, chosen);
      if (again !== undefined) {
        await this.deliver(parsed, head, reader, chosen, output, true, progress);
        await this.note(`Issue another request to this URL: '${url}'`);
        this.digest = again;
        ({ head, reader } = await this.exchange(parsed, chosen, body, false));
      }
      const location = headerValue(head, 'location');
      const redirecting =
        location !== undefined && location !== '' && head.status >= 300 && head.status < 400;
      this.facts.redirectUrl = redirecting ? resolveUrl(parsed, location) : '';
      const following = redirecting && (this.has('location') || this.has('location-trusted'));
      await this.deliver(parsed, head, reader, chosen, output, following, progress);
      if (!following) return;
      if (redirects >= maxRedirects) throw new CurlError(47, `Maximum (${maxRedirects}) redirects followed`);
      this.facts.redirects++;
      this.facts.redirectMs = this.proc.clock.now() - this.startMs;
      url = resolveUrl(parsed, location);
      await this.note(`Issue another request to this URL: '${url}'`);
      if (body !== undefined && [301, 302, 303].includes(head.status) && !this.has(`post${head.status}`)) {
        body = undefined;
        if (this.value('request') === undefined) method = 'GET';
        await this.note(head.status === 303 ? 'Switch to GET' : 'Switch from POST to GET');
      }
    }
  }

  /** file:// */
  private async copyFile(url: ParsedUrl, text: string, output: CurlOption | undefined): Promise<void> {
    const path = decodeURIComponent(text.replace(/^file:\/\/[^/]*/i, '').replace(/[?#].*$/, ''));
    let bytes: Uint8Array;
    try {
      bytes = this.proc.fs.readFile(path);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      throw new CurlError(37, `Couldn't open file ${path}`);
    }
    const head: ResponseHead = { version: '', status: 0, reason: '', headers: [], rawLines: [] };
    const sink = this.sink({ ...url, path }, head, output);
    this.received = bytes.length;
    this.facts.sizeDownload = bytes.length;
    if (!this.has('head')) await sink.write(bytes);
    else
      await sink.write(
        `Content-Length: ${bytes.length}\r\nAccept-ranges: bytes\r\nLast-Modified: ${new Date(Math.floor(this.proc.fs.stat(path).modifyMs / 1000) * 1000).toUTCString()}\r\n\r\n`,
      );
    await sink.finish();
  }

  /** telnet://: passes stdin on and shows what comes. */
  private async telnet(url: ParsedUrl): Promise<void> {
    const { stream, number } = await this.connect(url, undefined);
    const { proc } = this;
    const sending = async (): Promise<void> => {
      for (let bytes = await proc.stdin.read(4096); bytes.length > 0; bytes = await proc.stdin.read(4096))
        await stream.write(bytes);
    };
    sending().catch(() => undefined); // The other side is gone: reading tells.
    const receiving = async (): Promise<void> => {
      for (;;) {
        const bytes = await proc.interruptible(stream.read());
        if (bytes === undefined) return;
        await this.out.put(bytes);
      }
    };
    try {
      await this.within(receiving(), undefined, () => new CurlError(28, 'Time-out'));
    } catch (error) {
      if (error instanceof CurlError) {
        await this.note(error.message);
        await this.note(`Closing connection ${number}`);
      }
      throw error;
    }
    await this.note(`Closing connection ${number}`);
    this.drop();
  }

  /** The answer to a Digest challenge that hasn't been answered yet. */
  private digestFor(url: ParsedUrl, head: ResponseHead, method: string): string | undefined {
    if (head.status !== 401 || this.digest !== undefined || !(this.has('digest') || this.has('anyauth')))
      return undefined;
    const credentials = this.credentials(url);
    if (credentials === undefined) return undefined;
    const colon = credentials.indexOf(':');
    const [user, password] = [credentials.slice(0, colon), credentials.slice(colon + 1)];
    for (const [name, value] of head.headers)
      if (name.toLowerCase() === 'www-authenticate') {
        const answer = answerDigest(value, { method, path: url.path, user, password }, this.proc.random);
        if (answer !== undefined) return answer;
      }
    return undefined;
  }

  /** user:password of -u, the URL, or ~/.netrc. Only for the first host, unless --location-trusted. */
  private credentials(url: ParsedUrl): string | undefined {
    if (url.user !== undefined) return `${url.user}:${url.password ?? ''}`;
    if (url.host !== this.host && !this.has('location-trusted')) return undefined;
    const user = this.value('user');
    if (user !== undefined) return user.includes(':') ? user : `${user}:`;
    if (!this.has('netrc')) return undefined;
    const file = `${this.proc.env.get('HOME') ?? ''}/.netrc`;
    if (!this.proc.fs.exists(file)) return undefined;
    const words = this.proc.fs.readText(file).split(/\s+/);
    const at = words.findIndex(
      (word, index) => (word === 'machine' && words[index + 1] === url.host) || word === 'default',
    );
    if (at < 0) return undefined;
    const after = words.slice(at + 1);
    const end = after.findIndex((word) => word === 'machine' || word === 'default');
    const own = end < 0 ? after : after.slice(0, end);
    const value = (key: string): string => own[own.indexOf(key) + 1] ?? '';
    return own.includes('login')
      ? `${value('login')}:${own.includes('password') ? value('password') : ''}`
      : undefined;
  }

  private parse(url: string): ParsedUrl {
    const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):\/\//.exec(url)?.[1]?.toLowerCase();
    if (scheme !== undefined && NOT_SIMULATED.has(scheme))
      throw new CurlError(1, `drydock: ${scheme}:// isn't simulated`);
    if (scheme !== undefined && !['http', 'https', 'telnet', 'file'].includes(scheme))
      throw new CurlError(1, `Protocol "${scheme}" not supported or disabled in libcurl`);
    const bare = parseUrl(url);
    const parsed =
      bare === undefined || this.has('path-as-is') ? bare : { ...bare, path: withoutDots(bare.path) };
    if (parsed === undefined) throw new CurlError(3, 'URL using bad/illegal format or missing URL');
    this.facts.scheme = parsed.scheme.toUpperCase();
    return parsed;
  }

  private async requestBody(): Promise<{ bytes: Uint8Array; type: string } | undefined> {
    const data = this.list.filter((option) =>
      ['data', 'data-raw', 'data-binary', 'data-ascii', 'data-urlencode', 'json'].includes(option.name),
    );
    const form = this.list.filter((option) => option.name === 'form' || option.name === 'form-string');
    const upload = this.value('upload-file');
    if (upload !== undefined)
      return {
        bytes: upload === '-' ? await readAll(this.proc.stdin) : await this.uploadFile(upload),
        type: '',
      };
    if (form.length > 0) return this.formBody(form);
    if (data.length === 0) return undefined;
    const parts: Uint8Array[] = [];
    for (const [index, option] of data.entries()) {
      if (index > 0 && option.name !== 'json') parts.push(Buffer.from('&'));
      parts.push(await this.dataPart(option));
    }
    const bytes = Buffer.concat(parts);
    if (this.has('get')) return undefined;
    return {
      bytes,
      type: data.some((option) => option.name === 'json')
        ? 'application/json'
        : 'application/x-www-form-urlencoded',
    };
  }

  /** -G and --url-query put their data behind the URL; -T its file's name behind a slash. */
  private async withQuery(text: string): Promise<string> {
    let url = text;
    const upload = this.value('upload-file');
    if (upload !== undefined && upload !== '-' && /^(?:[a-z]+:\/\/)?[^/?]+(?:\/[^?]*)?\/$/i.test(url))
      url += upload.replace(/^.*\//, '');
    const parts: string[] = [];
    for (const option of this.list) {
      const isData =
        this.has('get') && /^(?:data|data-raw|data-binary|data-ascii|data-urlencode)$/.test(option.name);
      if (isData) parts.push(Buffer.from(await this.dataPart(option)).toString());
      else if (option.name === 'url-query')
        parts.push(
          option.value.startsWith('+')
            ? option.value.slice(1)
            : Buffer.from(await this.dataPart({ ...option, name: 'data-urlencode' })).toString(),
        );
    }
    if (parts.length === 0) return url;
    const [before = '', fragment] = url.split('#');
    const query = parts.join('&');
    const base = /^[a-z]+:\/\/[^/?]+$/i.test(before) ? `${before}/` : before;
    return `${base}${base.includes('?') ? '&' : '?'}${query}${fragment === undefined ? '' : `#${fragment}`}`;
  }

  private async dataPart(option: CurlOption): Promise<Uint8Array> {
    const { name, value } = option;
    if (name === 'data-urlencode') {
      // `content`, `=content`, `name=content`, `@file` or `name@file`.
      const [, key = '', mark, rest = ''] = /^([^=@]*)([=@])([^]*)$/.exec(value) ?? ['', '', '=', value];
      const content =
        mark === '@'
          ? rest === '-'
            ? await readAll(this.proc.stdin)
            : this.readFile(rest)
          : Buffer.from(rest);
      const encoded = [...content]
        .map((byte) => {
          const char = String.fromCharCode(byte);
          if (/[A-Za-z0-9\-._~]/.test(char)) return char;
          return char === ' ' ? '+' : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
        })
        .join('');
      return Buffer.from(`${key === '' ? '' : `${key}=`}${encoded}`);
    }
    if (name === 'data-raw' || !value.startsWith('@')) return Buffer.from(value);
    const bytes = value === '@-' ? await readAll(this.proc.stdin) : await this.dataFile(value.slice(1));
    if (name === 'data-binary' || name === 'json') return bytes;
    return Buffer.from(bytes).filter((byte) => byte !== 10 && byte !== 13 && byte !== 0);
  }

  private async uploadFile(path: string): Promise<Uint8Array> {
    try {
      return this.proc.fs.readFile(path);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      await this.err.write(
        `curl: Can't open '${path}'!\ncurl: try 'curl --help' or 'curl --manual' for more information\n`,
      );
      throw new CurlError(26, 'Failed to open/read local data from file/application');
    }
  }

  /** A file of -d: one that can't be read makes an empty body. */
  private async dataFile(path: string): Promise<Uint8Array> {
    try {
      return this.proc.fs.readFile(path);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      if (!this.has('silent'))
        await this.err.write(`Warning: Couldn't read data from file "${path}", this makes an empty POST.\n`);
      return new Uint8Array();
    }
  }

  private readFile(path: string): Uint8Array {
    try {
      return this.proc.fs.readFile(path);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      throw new CurlError(26, `Failed to open ${path}`);
    }
  }

  private formBody(form: readonly CurlOption[]): { bytes: Uint8Array; type: string } {
    const boundary = `------------------------${Buffer.from(this.proc.random.bytes(8)).toString('hex')}`;
    const parts: Uint8Array[] = [];
    for (const { name: kind, value } of form) {
      const equals = value.indexOf('=');
      const [name, content] = [value.slice(0, equals), value.slice(equals + 1)];
      const file = kind === 'form' && /^[@<]/.test(content) ? content.slice(1).split(';')[0]! : undefined;
      const bytes =
        file === undefined
          ? Buffer.from(kind === 'form' ? content.replace(/;(?:type|filename)=.*$/, '') : content)
          : this.readFile(file);
      const type = kind === 'form' ? /;type=([^;]*)/.exec(content)?.[1] : undefined;
      const given = /;filename="?([^;"]*)/.exec(content)?.[1];
      const filename =
        file !== undefined && content.startsWith('@')
          ? `; filename="${given ?? file.slice(file.lastIndexOf('/') + 1)}"`
          : '';
      parts.push(
        Buffer.from(
          `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${filename}\r\n${type === undefined && filename === '' ? '' : `Content-Type: ${type ?? typeOfFile(file ?? '')}\r\n`}\r\n`,
        ),
        bytes,
        Buffer.from('\r\n'),
      );
    }
    parts.push(Buffer.from(`--${boundary}--\r\n`));
    return { bytes: Buffer.concat(parts), type: `multipart/form-data; boundary=${boundary}` };
  }

  private proxyFor(url: ParsedUrl): ParsedUrl | undefined {
    const option = this.value('proxy');
    const { env } = this.proc;
    const text =
      option ??
      env.get(`${url.scheme}_proxy`) ??
      (url.scheme === 'https' ? env.get('HTTPS_PROXY') : undefined) ??
      env.get('all_proxy') ??
      env.get('ALL_PROXY');
    if (text === undefined || text === '') return undefined;
    const exempt = (this.value('noproxy') ?? env.get('no_proxy') ?? env.get('NO_PROXY') ?? '')
      .split(/[, ]+/)
      .filter((one) => one !== '');
    if (
      exempt.some((one) => one === '*' || url.host === one || url.host.endsWith(`.${one.replace(/^\./, '')}`))
    )
      return undefined;
    const parsed = parseUrl(text);
    if (parsed === undefined) throw new CurlError(5, `Unsupported proxy syntax in '${text}'`);
    if (parsed.scheme.startsWith('socks'))
      throw new CurlError(97, `drydock: ${parsed.scheme} proxies aren't simulated`);
    this.proxyCredentials = parsed.user === undefined ? undefined : `${parsed.user}:${parsed.password ?? ''}`;
    return /:\d+\/?$/.test(text) ? parsed : { ...parsed, port: 1080 };
  }

  private async exchange(
    url: ParsedUrl,
    method: string,
    body: { bytes: Uint8Array; type: string } | undefined,
    first: boolean,
  ): Promise<{ head: ResponseHead; reader: ResponseReader }> {
    if (
      first &&
      method === this.value('request') &&
      ((body === undefined && method === 'GET' && !this.has('head')) ||
        (body !== undefined && method === 'POST'))
    ) {
      if (this.verbose && !this.has('silent'))
        await this.err.write(`Note: Unnecessary use of -X or --request, ${method} is already inferred.\n`);
    }
    const proxy = this.proxyFor(url);
    const connection = await this.connect(url, proxy);
    await this.send(connection, url, proxy !== undefined && url.scheme === 'http', method, body);
    const onTimeout = (): CurlError =>
      new CurlError(
        28,
        `Operation timed out after ${this.elapsed} milliseconds with ${this.received}${this.expected === undefined ? '' : ` out of ${this.expected}`} bytes received`,
      );
    let head: ResponseHead;
    try {
      head = await this.within(connection.reader.head(), undefined, onTimeout);
      while (head.status >= 100 && head.status < 200 && head.status !== 101) {
        if (this.verbose) await this.err.write(head.rawLines.map((line) => `< ${line}`).join(''));
        this.interim.push(...head.rawLines);
        head = await this.within(connection.reader.head(), undefined, onTimeout);
      }
    } catch (error) {
      const failure = this.asCurlError(error);
      await this.note(failure.message);
      await this.note(`Closing connection ${connection.number}`);
      throw failure;
    }
    if (connection.tickets > 0) {
      for (let n = 0; n < connection.tickets; n++)
        await this.note('TLSv1.3 (IN), TLS handshake, Newsession Ticket (4):');
      if (connection.tickets > 1) await this.note('old SSL session ID is stale, removing');
      connection.tickets = 0;
    }
    this.framing = head;
    if (connection.tls?.protocol === 'h2') head = asH2(head);
    this.facts.startTransferMs = this.proc.clock.now() - this.startMs;
    this.facts.status = head.status;
    this.facts.httpVersion = head.version.replace('HTTP/', '');
    this.facts.contentType = headerValue(head, 'content-type') ?? '';
    this.facts.headers = head.headers;
    this.facts.sizeHeader += head.rawLines.join('').length;
    for (const [name, value] of head.headers)
      if (name.toLowerCase() === 'set-cookie') await this.takeCookie(value, url);
    return { head, reader: connection.reader };
  }

  private async connect(url: ParsedUrl, proxy: ParsedUrl | undefined): Promise<Connection> {
    const target = proxy ?? url;
    const key = `${url.scheme}://${url.host}:${url.port}${proxy === undefined ? '' : ` via ${proxy.host}:${proxy.port}`}`;
    if (this.connection?.key === key) {
      await this.note(`Found bundle for host: 0x${this.connection.number.toString(16)} [serially]`);
      await this.note(
        this.connection.tls?.protocol === 'h2'
          ? 'Can multiplex to host'
          : 'Can not multiplex, even if we wanted to',
      );
      await this.note(`Re-using existing connection #${this.connection.number} with host ${url.host}`);
      return this.connection;
    }
    if (this.connection !== undefined) this.drop();
    const number = this.connections++;
    let { host, port } = target;
    if (proxy === undefined) ({ host, port } = this.redirectedConnect(host, port));
    const addresses = await this.resolve(host, port, number, proxy !== undefined);
    this.facts.lookupMs = this.proc.clock.now() - this.startMs;
    const socket = await this.open(host, addresses, port, number);
    this.facts.connectMs = this.proc.clock.now() - this.startMs;
    this.facts.connects++;
    Object.assign(this.facts, {
      remoteIp: socket.remote.address,
      remotePort: socket.remote.port,
      localIp: socket.local.address,
      localPort: socket.local.port,
    });
    await this.note(`Connected to ${host} (${socket.remote.address}) port ${port} (#${number})`);
    if (this.has('haproxy-protocol')) {
      const { local, remote } = socket;
      await socket.write(
        Buffer.from(`PROXY TCP4 ${local.address} ${remote.address} ${local.port} ${remote.port}\r\n`),
      );
    }
    let stream: ByteStream = socket;
    if (proxy !== undefined && url.scheme === 'https') await this.tunnel(socket, url);
    let tls: TlsSession | undefined;
    if (url.scheme === 'https') {
      try {
        tls = await this.within(
          openTls(this.proc, socket, {
            host: url.host,
            insecure: this.has('insecure'),
            caFile: this.value('cacert'),
            certificateFile: this.value('cert'),
            keyFile: this.value('key'),
            protocols: this.has('http1.1') || this.has('http1.0') ? ['http/1.1'] : ['h2', 'http/1.1'],
            versions: this.tlsVersions(),
            note: (text) => this.note(text),
          }),
          undefined,
          () => new CurlError(28, `SSL connection timeout`),
        );
      } catch (error) {
        if (error instanceof TlsFailure) {
          await this.note(error.message.split('\n')[0]!);
          await this.note(`Closing connection ${number}`);
        }
        throw error;
      }
      ({ stream } = tls);
      this.facts.appConnectMs = this.proc.clock.now() - this.startMs;
    }
    this.connection = {
      stream,
      reader: new ResponseReader(this.proc, stream),
      socket,
      key,
      number,
      tls,
      host: target.host,
      streams: 0,
      tickets: tls?.tickets ?? 0,
    };
    if (tls !== undefined && tls.protocol !== 'h2') await this.note('using HTTP/1.x');
    this.facts.verifyResult = tls?.verifyResult ?? 0;
    return this.connection;
  }

  private tlsVersions(): TlsVersion[] {
    const most = this.value('tls-max');
    const isNew = this.has('tlsv1.3');
    return (['TLSv1.3', 'TLSv1.2'] as const).filter(
      (version) => (most !== '1.2' || version === 'TLSv1.2') && (!isNew || version === 'TLSv1.3'),
    );
  }

  /** --connect-to. */
  private redirectedConnect(host: string, port: number): { host: string; port: number } {
    for (const rule of this.values('connect-to')) {
      const [fromHost = '', fromPort = '', toHost = '', toPort = ''] = rule.split(':');
      if ((fromHost === '' || fromHost === host) && (fromPort === '' || Number(fromPort) === port))
        return { host: toHost === '' ? host : toHost, port: toPort === '' ? port : Number(toPort) };
    }
    return { host, port };
  }

  private async resolve(
    host: string,
    port: number,
    number: number,
    isProxy: boolean,
  ): Promise<readonly string[]> {
    for (const rule of this.values('resolve')) {
      const match = /^\+?([^:]+):(\d+):(.+)$/.exec(rule);
      if (match === null) throw new CurlError(49, `Couldn't parse CURLOPT_RESOLVE entry '${rule}'`);
      await this.note(`Added ${match[1]}:${match[2]}:${match[3]} to DNS cache`);
    }
    for (const rule of this.values('resolve').toReversed()) {
      const [, name = '', rulePort = '', list = ''] = /^\+?([^:]+):(\d+):(.+)$/.exec(rule)!;
      if ((name === '*' || name.toLowerCase() === host.toLowerCase()) && Number(rulePort) === port) {
        await this.note(`Hostname ${host} was found in DNS cache`);
        return list.split(',').map((address) => address.replace(/^\[|\]$/g, ''));
      }
    }
    const key = `${host}:${port}`;
    const cached = this.cache.get(key);
    if (cached !== undefined) {
      await this.note(`Hostname ${host} was found in DNS cache`);
      return cached;
    }
    if (parseIpv4(host) !== undefined) {
      this.cache.set(key, [host]);
      return [host];
    }
    if (host.includes(':')) throw new CurlError(7, `Couldn't connect to server`);
    const limit = this.value('connect-timeout');
    const found = await this.within(
      lookupHost(this.proc, host),
      limit === undefined ? undefined : Number(limit) * 1000,
      () => new CurlError(28, `Resolving timed out after ${this.elapsed} milliseconds`),
    );
    if (found.addresses.length === 0) {
      const text = `Could not resolve ${isProxy ? 'proxy' : 'host'}: ${host}`;
      await this.note(text);
      await this.note(`Closing connection ${number}`);
      throw new CurlError(isProxy ? 5 : 6, text);
    }
    this.cache.set(key, found.addresses);
    return found.addresses;
  }

  private async open(
    host: string,
    addresses: readonly string[],
    port: number,
    number: number,
  ): Promise<TcpSocket> {
    const limit = this.value('connect-timeout');
    const connectMs = limit === undefined ? 300_000 : Number(limit) * 1000;
    const from = this.proc.clock.now();
    const device = this.value('interface');
    for (const address of addresses) {
      await this.note(`  Trying ${address}:${port}...`, '* ');
      const stop = new AbortController();
      const abort = (): void => stop.abort(new ErrnoError('ECANCELED'));
      this.proc.signal.addEventListener('abort', abort, { once: true });
      try {
        const connecting = this.proc.net.sockets.connectTcp(
          { address, port },
          {
            owner: this.proc.socketOwner,
            signal: stop.signal,
            ...(device === undefined
              ? {}
              : parseIpv4(device) === undefined
                ? { device: device.replace(/^(?:if|host)!/, '') }
                : { local: { address: device } }),
          },
        );
        return await this.within(
          this.proc.interruptible(connecting),
          Math.max(0, connectMs - (this.proc.clock.now() - from)),
          () => {
            stop.abort(new ErrnoError('ETIMEDOUT'));
            return new CurlError(28, '');
          },
        );
      } catch (error) {
        if (error instanceof CurlError || stop.signal.aborted) {
          if (this.deadline !== undefined && this.proc.clock.now() >= this.deadline) {
            await this.note(`Connection timed out after ${this.elapsed} milliseconds`);
            await this.note(`Closing connection ${number}`);
            throw new CurlError(28, `Connection timed out after ${this.elapsed} milliseconds`);
          }
          await this.note(`ipv4 connect timeout after ${Math.floor(connectMs)}ms, move on!`);
          const text = `Failed to connect to ${host} port ${port} after ${this.elapsed} ms: Timeout was reached`;
          await this.note(text);
          await this.note(`Closing connection ${number}`);
          throw new CurlError(28, text);
        }
        if (!(error instanceof ErrnoError) || error.code === 'EINTR') throw error;
        await this.note(
          error.code === 'ENETUNREACH' || error.code === 'EADDRNOTAVAIL'
            ? `Immediate connect fail for ${address}: ${error.message}`
            : `connect to ${address} port ${port} failed: ${error.message}`,
        );
      } finally {
        this.proc.signal.removeEventListener('abort', abort);
      }
    }
    const text = `Failed to connect to ${host} port ${port} after ${this.elapsed} ms: Couldn't connect to server`;
    await this.note(text);
    await this.note(`Closing connection ${number}`);
    throw new CurlError(7, text);
  }

  private async tunnel(socket: TcpSocket, url: ParsedUrl): Promise<void> {
    await this.note(`allocate connect buffer`);
    await this.proc.interruptible(
      socket.write(
        Buffer.from(
          `CONNECT ${url.host}:${url.port} HTTP/1.1\r\nHost: ${url.host}:${url.port}\r\nUser-Agent: curl/${VERSION}\r\nProxy-Connection: Keep-Alive\r\n\r\n`,
        ),
      ),
    );
    const head = await new ResponseReader(this.proc, socket).head();
    if (head.status !== 200) throw new CurlError(56, `CONNECT tunnel failed, response ${head.status}`);
  }

  private async send(
    connection: Connection,
    url: ParsedUrl,
    viaProxy: boolean,
    method: string,
    body: { bytes: Uint8Array; type: string } | undefined,
  ): Promise<void> {
    const isOther = url.host !== this.host && !this.has('location-trusted');
    const custom = this.values('header').flatMap((text) =>
      text.startsWith('@') ? this.proc.fs.readText(text.slice(1)).trim().split('\n') : [text],
    );
    if (isOther)
      for (let at = custom.length - 1; at >= 0; at--)
        if (/^(?:authorization|cookie):/i.test(custom[at]!)) custom.splice(at, 1);
    const removed = new Set(
      custom
        .filter((text) => /^[^:]+:\s*$/.test(text))
        .map((text) => text.slice(0, text.indexOf(':')).toLowerCase()),
    );
    const given = new Map(
      custom
        .filter((text) => /^[^:]+:\s*\S/.test(text))
        .map((text) => [text.slice(0, text.indexOf(':')).toLowerCase(), text]),
    );
    const emptied = custom.filter((text) => /^[^:;]+;$/.test(text)).map((text) => `${text.slice(0, -1)}:`);
    const lines: string[] = [];
    const isH2 = connection.tls?.protocol === 'h2';
    const expects =
      body !== undefined &&
      !isH2 &&
      !this.has('http1.0') &&
      !removed.has('expect') &&
      ((this.value('upload-file') !== undefined && body.bytes.length > 0) ||
        body.bytes.length > EXPECT_BYTES);
    const version = this.has('http1.0') ? 'HTTP/1.0' : 'HTTP/1.1';
    const shownHost = url.host.includes(':') ? `[${url.host}]` : url.host;
    const target = viaProxy ? `${url.scheme}://${shownHost}${url.portSuffix}${url.path}` : url.path;
    lines.push(`${method} ${target} ${version}`);
    const standard = (name: string, value: string | undefined): void => {
      const lower = name.toLowerCase();
      if (given.has(lower) && lower === 'host') lines.push(given.get(lower)!);
      else if (value !== undefined && !given.has(lower) && !removed.has(lower))
        lines.push(`${name}: ${value}`);
    };
    standard('Host', shownHost + url.portSuffix);
    const proxyUser = this.value('proxy-user') ?? this.proxyCredentials;
    if (viaProxy && proxyUser !== undefined)
      standard('Proxy-Authorization', `Basic ${Buffer.from(proxyUser).toString('base64')}`);
    const credentials = this.credentials(url);
    if (this.digest !== undefined) {
      await this.note(`Server auth using Digest with user '${credentials?.replace(/:.*$/, '') ?? ''}'`);
      standard('Authorization', this.digest);
    } else if (credentials !== undefined && !this.has('digest') && !this.has('anyauth')) {
      await this.note(
        `Server auth using Basic with user '${credentials.slice(0, credentials.indexOf(':'))}'`,
      );
      standard('Authorization', `Basic ${Buffer.from(credentials).toString('base64')}`);
    }
    const bearer = this.value('oauth2-bearer');
    if (bearer !== undefined && (url.host === this.host || this.has('location-trusted')))
      standard('Authorization', `Bearer ${bearer}`);
    const resume = this.resumeAt();
    const range = this.value('range') ?? (resume > 0 && body === undefined ? `${resume}-` : undefined);
    standard('Range', range === undefined ? undefined : `bytes=${range}`);
    const agent = this.value('user-agent') ?? `curl/${VERSION}`;
    standard('User-Agent', agent === '' ? undefined : agent);
    const isJson = body?.type === 'application/json';
    if (isJson) standard('Content-Type', 'application/json');
    standard('Accept', isJson ? 'application/json' : '*/*');
    standard('Accept-Encoding', this.has('compressed') ? 'deflate, gzip, br, zstd' : undefined);
    standard('Referer', this.value('referer')?.replace(/;auto$/, '') || undefined);
    const since = this.value('time-cond');
    if (since !== undefined) {
      const isBefore = since.startsWith('-');
      const ms = this.conditionMs(since.replace(/^[-+]/, ''));
      if (ms !== undefined)
        standard(isBefore ? 'If-Unmodified-Since' : 'If-Modified-Since', new Date(ms).toUTCString());
    }
    const cookie = this.cookieHeader(url);
    standard('Cookie', cookie);
    if (viaProxy) standard('Proxy-Connection', 'Keep-Alive');
    for (const [name, text] of given) if (name !== 'host') lines.push(text);
    lines.push(...emptied);
    if (body !== undefined) {
      standard('Content-Length', String(body.bytes.length));
      if (expects) lines.push('Expect: 100-continue');
      if (body.type !== '' && !isJson) standard('Content-Type', body.type);
    }
    const headText = `${lines.join('\r\n')}\r\n\r\n`;
    if (isH2) await this.noteStream(connection, url, lines);
    if (this.verbose) {
      const shown = isH2 ? lines.map(lowerField) : lines;
      await this.err.write(`${shown.map((line) => `> ${line}\r\n`).join('')}> \r\n`);
      this.tracedData = false;
    }
    if (body !== undefined) await this.noteData('}', body.bytes.length);
    this.facts.preTransferMs = this.proc.clock.now() - this.startMs;
    this.facts.sizeRequest += headText.length;
    this.facts.sizeUpload = body?.bytes.length ?? 0;
    if (expects && body !== undefined) return this.sendExpecting(connection, headText, body.bytes);
    const bytes =
      body === undefined ? Buffer.from(headText) : Buffer.concat([Buffer.from(headText), body.bytes]);
    try {
      await this.within(
        this.proc.interruptible(connection.stream.write(bytes)),
        undefined,
        () =>
          new CurlError(28, `Operation timed out after ${this.elapsed} milliseconds with 0 bytes received`),
      );
    } catch (error) {
      if (!(error instanceof ErrnoError) || error.code === 'EINTR') throw error;
      // The answer, if any, may still be there to read: a reset shows in the next read.
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') throw error;
    }
  }

  /** Sends the head, waits a second for `100 Continue` (or a refusal), and then the body. */
  private async sendExpecting(connection: Connection, head: string, body: Uint8Array): Promise<void> {
    await this.proc.interruptible(connection.stream.write(Buffer.from(head)));
    const limit = Number(this.value('expect100-timeout') ?? 1) * 1000;
    const peeked = connection.reader.peekSize();
    peeked.catch(() => undefined); // The answer's reading will tell.
    const first = await Promise.race([peeked, this.proc.sleep(limit).then(() => 0)]);
    if (first > 0 && !connection.reader.startsWith('HTTP/1.1 100')) return; // It has answered already.
    if (first === 0) await this.note('Done waiting for 100-continue');
    await this.proc.interruptible(connection.stream.write(body));
    await this.note('We are completely uploaded and fine');
  }

  /** What HTTP/2 makes of a request. Differs: in the session it goes on as HTTP/1.1, which nobody outside can see. */
  private async noteStream(connection: Connection, url: ParsedUrl, lines: readonly string[]): Promise<void> {
    if (connection.streams === 0) await this.note('using HTTP/2');
    connection.streams++;
    const fields = lines.slice(1).map(lowerField);
    const host = fields.find((line) => line.toLowerCase().startsWith('host: '))?.slice(6) ?? url.host;
    const pseudo = [
      `:method: ${this.facts.method}`,
      `:path: ${url.path}`,
      ':scheme: https',
      `:authority: ${host}`,
    ];
    for (const line of [...pseudo, ...fields.filter((each) => !each.toLowerCase().startsWith('host: '))])
      await this.note(`h2h3 [${line}]`);
    const handle = `0x${(0x5588_0000_04b0 + this.proc.pid * 0x1_0000).toString(16)}`;
    await this.note(`Using Stream ID: ${connection.streams * 2 - 1} (easy handle ${handle})`);
  }

  /** -z: a date, or a file's time. */
  private conditionMs(text: string): number | undefined {
    const { fs } = this.proc;
    if (fs.exists(text)) return Math.floor(fs.stat(text).modifyMs / 1000) * 1000;
    const ms = Date.parse(/[A-Z]{3}$|Z$/.test(text) ? text : `${text} GMT`);
    return Number.isNaN(ms) ? undefined : ms;
  }

  /** -C: where a transfer goes on. */
  private resumeAt(): number {
    const at = this.value('continue-at');
    if (at === undefined) return 0;
    if (at !== '-') return Number(at) || 0;
    const file =
      this.value('output') ??
      (this.has('remote-name') ? parseUrl(this.value('url') ?? '')?.path.replace(/^.*\//, '') : undefined);
    return file !== undefined && this.proc.fs.exists(file) ? this.proc.fs.stat(file).sizeBytes : 0;
  }

  /** Whether only the connection's end tells where the body ends. */
  private assumesClose(head: ResponseHead, method: string): boolean {
    return (
      method !== 'HEAD' &&
      head.status >= 200 &&
      head.status !== 204 &&
      head.status !== 304 &&
      headerValue(head, 'content-length') === undefined &&
      !/chunked/i.test(headerValue(head, 'transfer-encoding') ?? '') &&
      (head.version === 'HTTP/1.0'
        ? headerValue(head, 'connection')?.toLowerCase() !== 'keep-alive'
        : headerValue(head, 'connection')?.toLowerCase() !== 'close' && head.version === 'HTTP/1.1')
    );
  }

  /** What -v says of data where stdout isn't a terminal, once until something else is said. */
  private async noteData(mark: '{' | '}', size: number): Promise<void> {
    if (!this.verbose || this.tracedData || size === 0 || this.proc.stdout.tty !== undefined) return;
    this.tracedData = true;
    await this.err.write(`${mark} [${size} bytes data]\n`);
  }

  private cookieHeader(url: ParsedUrl): string | undefined {
    const pairs = this.cookies.for(url.host, url.path, url.scheme === 'https', this.proc.clock.now());
    const given = this.values('cookie').filter((value) => value.includes('='));
    if (given.length > 0) pairs.push(given.join(';'));
    return pairs.length === 0 ? undefined : pairs.join('; ');
  }

  private async loadCookies(): Promise<void> {
    const host = parseUrl(this.value('url') ?? '')?.host ?? '';
    for (const file of this.values('cookie'))
      if (!file.includes('=')) {
        if (this.proc.fs.exists(file))
          this.cookies.load(this.proc.fs.readText(file), this.proc.clock.now(), host);
        else if (file !== '') await this.note(`WARNING: failed to open cookie file "${file}"`);
      }
    if (this.has('junk-session-cookies')) this.cookies.dropSession();
  }

  private async takeCookie(text: string, url: ParsedUrl): Promise<void> {
    if (this.value('cookie') === undefined && this.value('cookie-jar') === undefined) return;
    const said = this.cookies.take(text, url.host, url.path, this.proc.clock.now());
    if (said !== undefined) this.cookieNotes.push(said);
  }

  private async saveCookies(): Promise<void> {
    const jar = this.value('cookie-jar');
    if (jar === undefined) return;
    if (jar === '-') await this.out.put(this.cookies.save());
    else this.proc.fs.writeFile(jar, this.cookies.save());
  }

  private async deliver(
    url: ParsedUrl,
    head: ResponseHead,
    reader: ResponseReader,
    method: string,
    output: CurlOption | undefined,
    skipBody: boolean,
    progress: CurlProgress,
  ): Promise<void> {
    const failing = head.status >= 400 && this.has('fail');
    const connection = this.connection!;
    if (head.version === 'HTTP/1.0' && this.assumesClose(head, method))
      await this.note('HTTP 1.0, assume close after body');
    for (const line of head.rawLines) {
      if (skipBody && /^location:/i.test(line) && this.facts.sizeUpload > 0)
        await this.note('Please rewind output before next send');
      if (/^set-cookie:/i.test(line) && this.cookieNotes.length > 0)
        await this.note(this.cookieNotes.shift()!);
      if (/^\r?\n$/.test(line) && head.version !== 'HTTP/1.0' && this.assumesClose(head, method))
        await this.note('no chunk, no close, no size. Assume close to signal end');
      if (this.verbose) await this.err.write(`< ${line}`);
      this.tracedData = false;
    }
    this.cookieNotes = [];
    const dump = this.value('dump-header');
    const headText = head.rawLines.join('');
    if (dump !== undefined) {
      if (dump === '-') await this.out.put(headText);
      else this.proc.fs.writeFile(dump, headText, { append: this.facts.redirects > 0 });
    }
    if (this.resumeAt() > 0 && head.status === 200 && method === 'GET')
      throw new CurlError(33, "HTTP server doesn't seem to support byte ranges. Cannot resume.");
    const sizeMax = this.value('max-filesize');
    const told = Number(headerValue(head, 'content-length') ?? 0);
    if (sizeMax !== undefined && told > Number(sizeMax))
      throw new CurlError(63, 'Maximum file size exceeded');
    const sink = this.sink(url, head, output);
    const length = headerValue(head, 'content-length');
    this.expected = length === undefined || method === 'HEAD' ? undefined : Number(length);
    if ((this.has('include') || this.has('head')) && this.interim.length > 0)
      await sink.write(this.interim.join(''));
    this.interim = [];
    if ((this.has('include') || this.has('head')) && !failing)
      await sink.write(this.styled(head, sink.terminal));
    const meter = this.meterNeeded(sink.terminal) ? progress : undefined;
    await meter?.start(this.expected);
    this.received = 0;
    if (failing) {
      this.drop();
      await this.note(`The requested URL returned error: ${head.status}`);
      await this.note(`Closing connection ${connection.number}`);
      throw new CurlError(22, `The requested URL returned error: ${head.status}`);
    }
    if (skipBody) await this.note('Ignoring the response-body');
    try {
      await this.within(
        this.copyBody(head, reader, method, skipBody, sink),
        undefined,
        () =>
          new CurlError(
            28,
            `Operation timed out after ${this.elapsed} milliseconds with ${this.received}${this.expected === undefined ? '' : ` out of ${this.expected}`} bytes received`,
          ),
      );
    } catch (error) {
      const failure = this.asCurlError(error);
      await this.note(failure.message);
      await this.note(`Closing connection ${connection.number}`);
      throw failure;
    }
    this.facts.sizeDownload = this.received;
    await sink.finish();
    const excess = length === undefined || method === 'HEAD' ? 0 : reader.buffered;
    if (excess > 0)
      await this.note(
        `Excess found in a read: excess = ${excess}, size = ${length}, maxdownload = ${length}, bytecount = 0`,
      );
    if (
      this.framing?.isCut === true ||
      (excess === 0 && keepsAlive(this.framing ?? head)) ||
      (method === 'HEAD' && headerValue(head, 'connection')?.toLowerCase() !== 'close')
    )
      await this.note(`Connection #${connection.number} to host ${connection.host} left intact`);
    else {
      await this.note(`Closing connection ${connection.number}`);
      this.drop();
    }
    if (head.status >= 400 && this.has('fail-with-body'))
      throw new CurlError(22, `The requested URL returned error: ${head.status}`);
  }

  private meterNeeded(toTerminal: boolean): boolean {
    if (
      this.has('silent') ||
      this.list.findLast((option) => option.name === 'progress-meter')?.on === false ||
      this.has('no-progress-meter')
    )
      return false;
    return !toTerminal;
  }

  private async copyBody(
    head: ResponseHead,
    reader: ResponseReader,
    method: string,
    skip: boolean,
    sink: Sink,
  ): Promise<void> {
    const encoding = headerValue(head, 'content-encoding')?.toLowerCase();
    const isPacked = this.has('compressed') && (encoding === 'gzip' || encoding === 'deflate');
    const packed: Uint8Array[] = [];
    const rate = rateOf(this.value('limit-rate'));
    const length = headerValue(this.framing!, 'content-length');
    if (
      this.verbose &&
      length !== '0' &&
      this.framing!.isCut !== true &&
      reader.hasBody(this.framing!, method)
    )
      await this.noteData('{', await reader.peekSize());
    const iterator = reader.body(this.framing!, method)[Symbol.asyncIterator]();
    for (;;) {
      const next = await this.unlessSlow(iterator.next());
      if (next.done === true) break;
      const piece = next.value;
      this.received += piece.length;
      if (isPacked) packed.push(piece);
      else if (!skip) await sink.write(piece);
      if (rate !== undefined) await this.proc.sleep((piece.length * 1000) / rate);
    }
    if (this.has('include') && !skip && reader.trailers.length > 0)
      await sink.write(reader.trailers.join(''));
    if (!isPacked || skip) return;
    try {
      const bytes = Buffer.concat(packed);
      await sink.write(encoding === 'gzip' ? gunzipSync(bytes) : inflateSync(bytes));
    } catch (error) {
      if (!(error instanceof Error) || error instanceof ErrnoError) throw error;
      throw new CurlError(61, `Error while processing content unencoding: ${error.message}`);
    }
  }

  /** -y and -Y: gives up on a server that says nothing for too long. */
  private unlessSlow<T>(work: Promise<T>): Promise<T> {
    const limit = this.value('speed-limit');
    const time = this.value('speed-time');
    if (limit === undefined && time === undefined) return work;
    const [bytes, seconds] = [Number(limit ?? 1), Number(time ?? 30)];
    return this.within(
      work,
      (seconds + 1) * 1000,
      () =>
        new CurlError(
          28,
          `Operation too slow. Less than ${bytes} bytes/sec transferred the last ${seconds} seconds`,
        ),
    );
  }

  /** Header names in bold and the location as a link, when they go to a terminal. */
  private styled(head: ResponseHead, terminal: boolean): string {
    if (!terminal || this.list.findLast((option) => option.name === 'styled-output')?.on === false)
      return head.rawLines.join('');
    const url = this.facts.effectiveUrl;
    return head.rawLines
      .map((line) => {
        const match = /^([^:\s]+):(.*?)(\r?\n)$/.exec(line);
        if (match === null) return line;
        const [, name = '', value = '', end = ''] = match;
        if (name.toLowerCase() === 'location') {
          const target =
            parseUrl(url) === undefined ? value.trim() : resolveUrl(parseUrl(url)!, value.trim());
          return `\u001b[1m${name}\u001b[0m:\u001b]8;;${target}\u001b\\${value}${end}\u001b]8;;\u001b\\`;
        }
        return `\u001b[1m${name}\u001b[0m:${value}${end}`;
      })
      .join('');
  }

  private sink(url: ParsedUrl, head: ResponseHead, output: CurlOption | undefined): Sink {
    if (output === undefined || (output.name === 'output' && output.value === '-')) {
      const terminal = this.proc.stdout.tty !== undefined;
      return {
        terminal,
        write: async (data) => {
          await this.out.put(data);
        },
        finish: async () => undefined,
      };
    }
    let path = output.value;
    if (output.name === 'remote-name') {
      const disposition = this.has('remote-header-name')
        ? /filename="?([^";]+)"?/i.exec(headerValue(head, 'content-disposition') ?? '')?.[1]
        : undefined;
      path = disposition ?? url.path.replace(/\?.*$/, '').replace(/^.*\//, '');
      if (path === '') throw new NamelessError();
    }
    const directory = this.value('output-dir');
    const full = directory === undefined ? path : `${directory}/${path}`;
    this.facts.fileName = full;
    let file: OpenFile | undefined;
    const open = async (): Promise<OpenFile> => {
      if (file !== undefined) return file;
      try {
        if (this.has('create-dirs') && full.includes('/'))
          this.proc.fs.mkdir(full.slice(0, full.lastIndexOf('/')), { recursive: true });
        const goesOn = this.resumeAt() > 0;
        file = this.proc.fs.open(
          full,
          { write: true, create: true, ...(goesOn ? { append: true } : { truncate: true }) },
          0o666,
        );
        return file;
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        if (!this.has('silent'))
          await this.err.write(`Warning: Failed to open the file ${full}: ${error.message}\n`);
        throw new CurlError(23, 'Failure writing output to destination');
      }
    };
    return {
      terminal: false,
      write: async (data) => {
        await (await open()).write(data);
      },
      finish: async () => {
        if (full !== '/dev/null') await open();
      },
    };
  }
}

/** A path without `.` and `..` (RFC 3986, 5.2.4). */
function withoutDots(path: string): string {
  const mark = path.indexOf('?');
  const [bare, query] = mark < 0 ? [path, ''] : [path.slice(0, mark), path.slice(mark)];
  const parts: string[] = [];
  const words = bare.split('/').slice(1);
  for (const [index, word] of words.entries()) {
    const isLast = index === words.length - 1;
    if (word === '..') parts.pop();
    else if (word !== '.') parts.push(word);
    if (isLast && (word === '.' || word === '..')) parts.push('');
  }
  return `/${parts.join('/')}${query}`;
}

/** The type curl gives a file of a form, by its name's end. */
function typeOfFile(name: string): string {
  const known: Readonly<Record<string, string>> = {
    gif: 'image/gif',
    jpg: 'image/jpeg',
    jpeg: 'image/jpeg',
    png: 'image/png',
    svg: 'image/svg+xml',
    txt: 'text/plain',
    htm: 'text/html',
    html: 'text/html',
    pdf: 'application/pdf',
    xml: 'application/xml',
  };
  return known[/\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? ''] ?? 'application/octet-stream';
}

/** -o with `#1` for what stood in the first braces or brackets. */
function nameFrom(output: CurlOption | undefined, parts: readonly string[]): CurlOption | undefined {
  if (output === undefined || parts.length === 0) return output;
  const value = output.value.replaceAll(
    /#(\d+)/g,
    (whole, digits: string) => parts[Number(digits) - 1] ?? whole,
  );
  return { ...output, value };
}

/** `10k`, `1M` as bytes per second. */
function rateOf(text: string | undefined): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([bkmg]?)$/i.exec(text ?? '');
  if (match === null) return undefined;
  return (
    Number(match[1]) * { '': 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[match[2]!.toLowerCase() as 'k']!
  );
}

interface Sink {
  readonly terminal: boolean;
  write(data: string | Uint8Array): Promise<void>;
  finish(): Promise<void>;
}

/** -O of a URL that ends in a slash. */
class NamelessError extends CurlError {
  constructor() {
    super(23, 'Failed writing received data to disk/application');
  }
}
