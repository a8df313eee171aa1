// curl's command line: options with and without a parameter, in its own words when it is wrong.

/** A wrong command line; the message follows `curl: `. */
export class CurlUsageError extends Error {}

const WITH_PARAMETER: Readonly<Record<string, string>> = {
  A: 'user-agent',
  b: 'cookie',
  c: 'cookie-jar',
  C: 'continue-at',
  d: 'data',
  D: 'dump-header',
  e: 'referer',
  E: 'cert',
  F: 'form',
  H: 'header',
  h: 'help',
  K: 'config',
  m: 'max-time',
  o: 'output',
  Q: 'quote',
  r: 'range',
  T: 'upload-file',
  t: 'telnet-option',
  u: 'user',
  U: 'proxy-user',
  w: 'write-out',
  x: 'proxy',
  X: 'request',
  y: 'speed-time',
  Y: 'speed-limit',
  z: 'time-cond',
};
const PLAIN: Readonly<Record<string, string>> = {
  '0': 'http1.0',
  '4': 'ipv4',
  '6': 'ipv6',
  a: 'append',
  f: 'fail',
  g: 'globoff',
  G: 'get',
  i: 'include',
  I: 'head',
  j: 'junk-session-cookies',
  J: 'remote-header-name',
  k: 'insecure',
  l: 'list-only',
  L: 'location',
  M: 'manual',
  n: 'netrc',
  N: 'no-buffer',
  O: 'remote-name',
  p: 'proxytunnel',
  q: 'disable',
  R: 'remote-time',
  s: 'silent',
  S: 'show-error',
  v: 'verbose',
  V: 'version',
  Z: 'parallel',
  '#': 'progress-bar',
  ':': 'next',
};
const LONG_WITH_PARAMETER: readonly string[] = [
  ...Object.values(WITH_PARAMETER),
  'resolve',
  'connect-to',
  'connect-timeout',
  'retry',
  'retry-delay',
  'retry-max-time',
  'interface',
  'cacert',
  'capath',
  'key',
  'cert-type',
  'data-raw',
  'data-binary',
  'data-urlencode',
  'data-ascii',
  'json',
  'max-redirs',
  'noproxy',
  'limit-rate',
  'local-port',
  'proto',
  'proto-redir',
  'socks5',
  'socks5-hostname',
  'stderr',
  'url',
  'url-query',
  'unix-socket',
  'ciphers',
  'trace',
  'trace-ascii',
  'max-filesize',
  'output-dir',
  'keepalive-time',
  'pass',
  'tls-max',
  'oauth2-bearer',
  'expect100-timeout',
  'form-string',
  'dns-servers',
  'create-file-mode',
];
const LONG_PLAIN: readonly string[] = [
  ...Object.values(PLAIN),
  'retry-connrefused',
  'retry-all-errors',
  'compressed',
  'fail-with-body',
  'fail-early',
  'no-progress-meter',
  'progress-meter',
  'http1.1',
  'http2',
  'http2-prior-knowledge',
  'http3',
  'post301',
  'post302',
  'post303',
  'location-trusted',
  'tcp-nodelay',
  'tcp-fastopen',
  'tlsv1',
  'tlsv1.2',
  'tlsv1.3',
  'ssl',
  'basic',
  'digest',
  'anyauth',
  'create-dirs',
  'path-as-is',
  'raw',
  'no-keepalive',
  'no-sessionid',
  'styled-output',
  'buffer',
  'http0.9',
  'ssl-no-revoke',
  'haproxy-protocol',
  'remote-name-all',
  'xattr',
  'keepalive',
  'alpn',
];

export interface CurlOption {
  /** The long name. */
  readonly name: string;
  readonly value: string;
  /** False for `--no-name`. */
  readonly on: boolean;
}

/** Options whose parameter is a number. */
const NUMERIC = new Set(
  'max-time connect-timeout retry retry-delay retry-max-time max-redirs speed-time speed-limit keepalive-time expect100-timeout'.split(
    ' ',
  ),
);

function checkNumber(name: string, value: string, shown: string): void {
  if (NUMERIC.has(name) && !/^-?\d+(?:\.\d*)?$/.test(value))
    throw new CurlUsageError(`option ${shown}: expected a proper numerical parameter`);
}

/** Reads curl's arguments: options in order, and URLs as options named `url`. Throws CurlUsageError. */
export function parseCurlOptions(args: readonly string[]): CurlOption[] {
  const list: CurlOption[] = [];
  let onlyUrls = false;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (onlyUrls || !arg.startsWith('-') || arg === '-') list.push({ name: 'url', value: arg, on: true });
    else if (arg === '--') onlyUrls = true;
    else if (arg.startsWith('--')) {
      const { name, on } = findLong(arg.slice(2), arg);
      const takes = LONG_WITH_PARAMETER.includes(name) && name !== 'help';
      if (takes && args[i + 1] === undefined) throw new CurlUsageError(`option ${arg}: requires parameter`);
      const value = takes ? args[++i]! : '';
      if (takes) checkNumber(name, value, arg);
      list.push({ name, value, on });
    } else {
      for (let k = 1; k < arg.length; k++) {
        const letter = arg[k]!;
        const plain = PLAIN[letter];
        if (plain !== undefined) {
          list.push({ name: plain, value: '', on: true });
          continue;
        }
        const name = WITH_PARAMETER[letter];
        if (name === undefined)
          throw new CurlUsageError(
            `option ${k === 1 && arg.length === 2 ? arg : `-${arg.slice(1)}`}: is unknown`,
          );
        if (name === 'help') {
          list.push({ name, value: '', on: true });
          continue;
        }
        const rest = arg.slice(k + 1);
        if (rest === '' && args[i + 1] === undefined)
          throw new CurlUsageError(`option ${arg}: requires parameter`);
        const value = rest === '' ? args[++i]! : rest;
        checkNumber(name, value, `-${letter}`);
        list.push({ name, value, on: true });
        break;
      }
    }
  }
  return list;
}

function findLong(text: string, arg: string): { name: string; on: boolean } {
  const all = [...LONG_WITH_PARAMETER, ...LONG_PLAIN];
  if (all.includes(text)) return { name: text, on: true };
  if (text.startsWith('no-') && LONG_PLAIN.includes(text.slice(3))) return { name: text.slice(3), on: false };
  const candidates = all.filter((name) => name.startsWith(text));
  if (candidates.length === 1) return { name: candidates[0]!, on: true };
  throw new CurlUsageError(`option ${arg}: is ${candidates.length === 0 ? 'unknown' : 'ambiguous'}`);
}
