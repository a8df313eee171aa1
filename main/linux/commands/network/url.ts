// URLs as curl and wget read them, and curl's globbing.

export interface ParsedUrl {
  readonly scheme: string;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly host: string;
  readonly port: number;
  /** With the query, without the fragment; at least `/`. */
  readonly path: string;
  /** The port as it has to stand in Host: empty if it is the scheme's own. */
  readonly portSuffix: string;
}

const PORTS: Readonly<Record<string, number>> = {
  http: 80,
  https: 443,
  telnet: 23,
  ftp: 21,
  socks5: 1080,
  socks5h: 1080,
  socks4: 1080,
};

/** Reads a URL; undefined if it is malformed. A missing scheme is http. */
export function parseUrl(text: string): ParsedUrl | undefined {
  const match =
    /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):\/\/)?(?:([^/?#@]*)@)?(\[[0-9a-fA-F:.]*\]|[^/?#:]*)(?::([^/?#]*))?([/?][^#]*)?(?:#.*)?$/.exec(
      text,
    );
  if (match === null) return undefined;
  const [, scheme = 'http', credentials, host = '', portText, rest = '/'] = match;
  if ((host === '' && scheme.toLowerCase() !== 'file') || /[\s"<>\\^`{|}]/.test(host)) return undefined;
  if (portText !== undefined && portText !== '' && (!/^\d+$/.test(portText) || Number(portText) > 65_535))
    return undefined;
  const lower = scheme.toLowerCase();
  const own = PORTS[lower] ?? 0;
  const port = portText === undefined || portText === '' ? own : Number(portText);
  const colon = credentials?.indexOf(':') ?? -1;
  return {
    scheme: lower,
    user:
      credentials === undefined ? undefined : decode(colon < 0 ? credentials : credentials.slice(0, colon)),
    password: credentials === undefined || colon < 0 ? undefined : decode(credentials.slice(colon + 1)),
    host: host.replace(/^\[|\]$/g, ''),
    port,
    path: encodePath(rest.startsWith('?') ? `/${rest}` : rest),
    portSuffix: port === own ? '' : `:${port}`,
  };
}

function decode(text: string): string {
  return text.replaceAll(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function encodePath(path: string): string {
  return path.replaceAll(/[^\u0021-\u007e]/gu, (c) =>
    [...new TextEncoder().encode(c)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  );
}

/** A redirect's target, from the URL it came from. */
export function resolveUrl(base: ParsedUrl, location: string): string {
  if (/^[a-zA-Z][a-zA-Z0-9+.-]*:\/\//.test(location)) return location;
  const origin = `${base.scheme}://${base.host.includes(':') ? `[${base.host}]` : base.host}${base.portSuffix}`;
  if (location.startsWith('//')) return `${base.scheme}:${location}`;
  if (location.startsWith('/')) return origin + location;
  if (location.startsWith('?')) return origin + base.path.replace(/\?.*$/, '') + location;
  const directory = base.path.replace(/\?.*$/, '').replace(/[^/]*$/, '');
  const parts: string[] = [];
  for (const part of (directory + location).split('/').slice(1)) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return `${origin}/${parts.join('/')}`;
}

/** A pattern curl can't expand: the message and the column to point at. */
export class GlobError extends Error {
  readonly column: number;
  constructor(message: string, column: number) {
    super(message);
    this.column = column;
  }
}

interface Expanded {
  readonly url: string;
  /** What stood for each pattern, for `#1` in -o. */
  readonly parts: readonly string[];
}

/** curl's URL globbing: `{a,b}`, `[1-10]`, `[1-10:2]`, `[a-z]`. Throws GlobError. */
export function expandUrl(text: string, offset = 0): Expanded[] {
  const at = text.search(/(?<!\\)[[{]/);
  if (at < 0) return [{ url: text.replaceAll(/\\([[\]{}])/g, '$1'), parts: [] }];
  const head = text.slice(0, at);
  const rest = text.slice(at);
  const column = offset + at;
  const ipv6 = /^\[[0-9a-fA-F:]+\](?=[:/]|$)/.exec(rest);
  if (ipv6 !== null && ipv6[0].includes(':'))
    return expandUrl(rest.slice(ipv6[0].length), column + ipv6[0].length).map(({ url, parts }) => ({
      url: head + ipv6[0] + url,
      parts,
    }));
  const join = (items: readonly string[], length: number): Expanded[] =>
    items.flatMap((item) =>
      expandUrl(rest.slice(length), column + length).map(({ url, parts }) => ({
        url: head + item + url,
        parts: [item, ...parts],
      })),
    );
  if (rest.startsWith('{')) {
    const end = rest.indexOf('}');
    if (end < 0) throw new GlobError('unmatched brace', column + 1);
    return join(rest.slice(1, end).split(','), end + 1);
  }
  const range = /^\[(?:(\d+)-(\d+)|([a-zA-Z])-([a-zA-Z]))(?::(\d+))?\]/.exec(rest);
  if (range === null) {
    const digits = /^\[\d+-?\d*/.exec(rest)?.[0].length;
    throw new GlobError('bad range', digits === undefined ? column + 2 : column + digits + 1);
  }
  const step = Number(range[5] ?? 1) || 1;
  const items: string[] = [];
  if (range[1] !== undefined) {
    const width = range[1].startsWith('0') ? range[1].length : 0;
    for (let n = Number(range[1]); n <= Number(range[2]); n += step)
      items.push(String(n).padStart(width, '0'));
  } else
    for (let code = range[3]!.charCodeAt(0); code <= range[4]!.charCodeAt(0); code += step)
      items.push(String.fromCharCode(code));
  return join(items, range[0].length);
}
