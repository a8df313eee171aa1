// nginx's variables (ngx_http_variables.c and those of its modules).
import type { Exchange } from './exchange.ts';
import type { DerivedVariable } from './settings.ts';
import { fill, type Scope } from './template.ts';
import { addressNumber } from './compile-variables.ts';

type Reader = (exchange: Exchange) => string | undefined;

const seconds = (ms: number): string => (ms / 1000).toFixed(3);
const joined = (
  exchange: Exchange,
  read: (each: Exchange['tries'][number]) => string | undefined,
): string | undefined =>
  exchange.tries.length === 0 ? undefined : exchange.tries.map((each) => read(each) ?? '-').join(', ');

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** `20/Nov/2026:16:43:03 +0000`. */
export function localTime(ms: number): string {
  const date = new Date(Math.floor(ms));
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(date.getUTCDate())}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}:${date.toISOString().slice(11, 19)} +0000`;
}

const VARIABLES: Readonly<Record<string, Reader>> = {
  uri: (e) => e.uri,
  document_uri: (e) => e.uri,
  request_uri: (e) => e.head.target,
  args: (e) => e.args,
  query_string: (e) => e.args,
  is_args: (e) => (e.args === '' ? '' : '?'),
  host: (e) => e.host,
  hostname: (e) => e.world.proc.kernel.hostnameOf(e.world.proc.pid),
  remote_addr: (e) => e.clientAddress,
  remote_port: (e) => String(e.clientPort),
  realip_remote_addr: (e) => e.connection.peer.address,
  realip_remote_port: (e) => String(e.connection.peer.port),
  binary_remote_addr: (e) => e.clientAddress,
  remote_user: (e) => e.user ?? basicUser(e),
  server_addr: (e) => e.connection.local.address,
  server_port: (e) => String(e.connection.local.port),
  server_name: (e) => e.server.names[0]!.text,
  server_protocol: (e) => (e.head.version === '0.9' ? 'HTTP/0.9' : `HTTP/${e.head.version}`),
  scheme: (e) => (e.connection.tls === undefined ? 'http' : 'https'),
  https: (e) => (e.connection.tls === undefined ? '' : 'on'),
  request_method: (e) => (e.head.line === '' ? undefined : e.method),
  request: (e) => (e.head.line === '' ? undefined : e.head.line),
  request_filename: (e) => fileName(e),
  document_root: (e) => fill(e.settings.alias ?? e.settings.root, e),
  realpath_root: (e) => fill(e.settings.alias ?? e.settings.root, e),
  request_length: (e) => String(e.head.sizeBytes),
  request_time: (e) => seconds(Math.floor(e.world.proc.clock.now() - e.startMs)),
  request_completion: (e) => e.requestCompleted,
  request_body: () => '',
  request_id: (e) => (e.requestId ??= Buffer.from(e.world.proc.random.bytes(16)).toString('hex')),
  status: (e) => (e.status === 0 ? '000' : String(e.status).padStart(3, '0')),
  body_bytes_sent: (e) => String(e.bodyBytesSent),
  bytes_sent: (e) => String(e.bytesSent),
  content_type: (e) => e.header('Content-Type') ?? '',
  content_length: (e) => e.header('Content-Length') ?? '',
  connection: (e) => String(e.connection.number),
  connection_requests: (e) => String(e.connection.requests),
  connection_time: (e) => seconds(Math.floor(e.world.proc.clock.now() - e.startMs)),
  connections_active: (e) => String(e.world.counters.active),
  connections_reading: (e) => String(e.world.counters.reading),
  connections_writing: (e) => String(e.world.counters.writing),
  connections_waiting: (e) =>
    String(e.world.counters.active - e.world.counters.reading - e.world.counters.writing),
  pid: (e) => String(e.world.workerPid()),
  pipe: () => '.',
  msec: (e) => seconds(Math.floor(e.world.proc.clock.now())),
  time_local: (e) => localTime(e.world.proc.clock.now()),
  time_iso8601: (e) => `${new Date(Math.floor(e.world.proc.clock.now())).toISOString().slice(0, 19)}+00:00`,
  nginx_version: (e) => e.world.version,
  limit_rate: () => '0',
  limit_req_status: (e) => e.limitStatus,
  limit_conn_status: (e) => e.limitStatus,
  gzip_ratio: (e) => e.gzipRatio,
  invalid_referer: (e) => (e.invalidReferer ? '1' : ''),
  proxy_host: (e) => e.proxyHost,
  proxy_port: (e) => e.proxyPort,
  proxy_add_x_forwarded_for: (e) => {
    const known = all(e.head.headers, 'x-forwarded-for');
    return known === undefined ? e.clientAddress : `${known}, ${e.clientAddress}`;
  },
  proxy_protocol_addr: (e) => e.connection.proxyProtocol?.address ?? '',
  proxy_protocol_port: (e) =>
    e.connection.proxyProtocol === undefined ? '' : String(e.connection.proxyProtocol.port),
  proxy_internal_body_length: () => undefined,
  upstream_addr: (e) => joined(e, ({ address }) => address),
  upstream_status: (e) => joined(e, ({ status }) => (status === undefined ? undefined : String(status))),
  upstream_response_time: (e) => joined(e, ({ responseMs }) => seconds(Math.floor(responseMs))),
  upstream_connect_time: (e) =>
    joined(e, ({ connectMs }) => (connectMs === undefined ? undefined : seconds(Math.floor(connectMs)))),
  upstream_header_time: (e) =>
    joined(e, ({ headerMs }) => (headerMs === undefined ? undefined : seconds(Math.floor(headerMs)))),
  upstream_response_length: (e) => joined(e, ({ bytesReceived }) => String(bytesReceived)),
  upstream_bytes_received: (e) => joined(e, ({ bytesReceived }) => String(bytesReceived)),
  upstream_cache_status: () => undefined,
  ssl_protocol: (e) => e.connection.tls?.version ?? '',
  ssl_cipher: (e) => e.connection.tls?.cipher ?? '',
  ssl_server_name: (e) => e.connection.tls?.serverName ?? '',
  ssl_alpn_protocol: (e) => e.connection.tls?.protocol ?? '',
  ssl_session_reused: () => '.',
  ssl_client_s_dn: (e) => e.connection.tls?.clientSubject ?? '',
  ssl_client_verify: (e) => e.connection.tls?.clientVerify ?? '',
  ssl_client_cert: (e) => e.connection.tls?.clientCertificate ?? '',
  ssl_client_escaped_cert: (e) => encodeURIComponent(e.connection.tls?.clientCertificate ?? ''),
  http2: (e) => (e.head.version === '2.0' ? 'h2' : ''),
  tcpinfo_rtt: () => undefined,
  tcpinfo_rttvar: () => undefined,
  tcpinfo_snd_cwnd: () => undefined,
  tcpinfo_rcv_space: () => undefined,
  bytes_received: () => undefined,
  protocol: () => undefined,
  session_time: () => undefined,
  upstream_bytes_sent: () => undefined,
  ssl_preread_server_name: () => undefined,
  fastcgi_script_name: () => undefined,
  fastcgi_path_info: () => undefined,
};

const PREFIXES =
  /^(?:http|sent_http|sent_trailer|upstream_http|upstream_cookie|upstream_trailer|cookie|arg)_./;

/** Whether nginx itself has the variable. */
export function isBuiltinVariable(name: string): boolean {
  return name in VARIABLES || PREFIXES.test(name) || /^\d$/.test(name);
}

/** A variable's value; undefined where it has none. */
export function variableOf(exchange: Exchange, name: string): string | undefined {
  const derived = exchange.world.settings.variables.get(name);
  if (derived !== undefined) return deriveVariable(derived, exchange);
  const reader = VARIABLES[name];
  if (reader !== undefined) return reader(exchange);
  if (name.startsWith('http_')) return all(exchange.head.headers, dashes(name.slice(5)));
  if (name.startsWith('sent_http_')) return all(exchange.responseHeaders, dashes(name.slice(10)));
  if (name.startsWith('upstream_http_')) return all(exchange.upstreamHeaders, dashes(name.slice(14)));
  if (name.startsWith('cookie_')) return cookie(exchange.header('Cookie') ?? '', name.slice(7));
  if (name.startsWith('upstream_cookie_')) {
    const set = exchange.upstreamHeaders.filter(([field]) => field.toLowerCase() === 'set-cookie');
    return set.map(([, value]) => cookie(value, name.slice(16))).find((value) => value !== undefined);
  }
  if (name.startsWith('arg_')) {
    const wanted = `${name.slice(4).toLowerCase()}=`;
    const found = exchange.args.split('&').find((part) => part.toLowerCase().startsWith(wanted));
    return found?.slice(wanted.length);
  }
  return undefined;
}

const dashes = (name: string): string => name.replaceAll('_', '-').toLowerCase();

/** All values of a field, as nginx joins them. */
function all(headers: readonly (readonly [string, string])[], name: string): string | undefined {
  const values = headers.filter(([field]) => field.toLowerCase() === name).map(([, value]) => value);
  return values.length === 0 ? undefined : values.join(name === 'cookie' ? '; ' : ', ');
}

function cookie(text: string, name: string): string | undefined {
  for (const part of text.split(';')) {
    const equals = part.indexOf('=');
    if (equals > 0 && part.slice(0, equals).trim().toLowerCase() === name.toLowerCase())
      return part.slice(equals + 1).trim();
  }
  return undefined;
}

/** The user that an Authorization header names, right or wrong. */
function basicUser(exchange: Exchange): string | undefined {
  const encoded = /^Basic (.+)$/i.exec(exchange.header('Authorization') ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  return text.includes(':') ? text.slice(0, text.indexOf(':')) : undefined;
}

/** The file that the URI stands for (ngx_http_map_uri_to_path). */
export function fileName(exchange: Exchange, uri = exchange.uri): string {
  const { settings, location } = exchange;
  if (settings.alias !== undefined) {
    const alias = fill(settings.alias, exchange);
    if (location === undefined || location.kind === 'regex') return alias;
    return alias + uri.slice(location.path.length);
  }
  return fill(settings.root, exchange).replace(/\/$/, '') + uri;
}

/** The value of a map, geo or split_clients variable. */
export function deriveVariable(variable: DerivedVariable, scope: Scope): string {
  const source = fill(variable.source, scope);
  switch (variable.kind) {
    case 'map': {
      const key = variable.hostnames ? source.toLowerCase().replace(/\.$/, '') : source.toLowerCase();
      const exact = variable.exact.get(key);
      if (exact !== undefined) return fill(exact, scope);
      const wild = variable.wildcards
        .filter(({ pattern }) => wildcardMatches(pattern, key))
        .toSorted((a, b) => b.pattern.length - a.pattern.length)[0];
      if (wild !== undefined) return fill(wild.value, scope);
      for (const { pattern, value } of variable.patterns) {
        const match = pattern.exec(source);
        if (match !== null) {
          scope.setCaptures(match);
          return fill(value, scope);
        }
      }
      return fill(variable.fallback, scope);
    }
    case 'geo': {
      const address = addressNumber(source);
      if (address === undefined) return variable.fallback;
      return (
        variable.ranges.find(({ from, to }) => address >= from && address <= to)?.value ?? variable.fallback
      );
    }
    case 'split': {
      const hash = murmur2(Buffer.from(source));
      return variable.parts.find(({ below }) => hash < below)?.value ?? '';
    }
  }
}

/** `*.example.com`, `.example.com`, `www.*` against a host in lower case. */
export function wildcardMatches(pattern: string, host: string): boolean {
  if (pattern.startsWith('*.')) return host.endsWith(pattern.slice(1)) && host.length > pattern.length - 1;
  if (pattern.startsWith('.')) return host === pattern.slice(1) || host.endsWith(pattern);
  if (pattern.endsWith('.*'))
    return host.startsWith(pattern.slice(0, -1)) && host.length > pattern.length - 1;
  return false;
}

/** MurmurHash2 with seed 0, as split_clients uses it (ngx_murmurhash.c). */
function murmur2(data: Uint8Array): number {
  const M = 0x5bd1e995;
  let hash = data.length >>> 0;
  let at = 0;
  for (; data.length - at >= 4; at += 4) {
    let k = data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24);
    k = Math.imul(k, M);
    k ^= k >>> 24;
    k = Math.imul(k, M);
    hash = Math.imul(hash, M) ^ k;
  }
  const left = data.length - at;
  if (left >= 3) hash ^= data[at + 2]! << 16;
  if (left >= 2) hash ^= data[at + 1]! << 8;
  if (left >= 1) hash = Math.imul(hash ^ data[at]!, M);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, M);
  return (hash ^ (hash >>> 15)) >>> 0;
}

/** CRC-32 (zlib's), which `hash` balancing uses. */
export function crc32(data: string | Uint8Array): number {
  let crc = ~0;
  for (const byte of typeof data === 'string' ? Buffer.from(data) : data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}
