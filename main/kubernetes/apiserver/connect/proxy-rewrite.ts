// What a proxy changes in answers: redirects and the links of HTML pages lead through the proxy (apimachinery util/proxy/transport.go).

/** Attributes with an address, by element. */
const LINKS: ReadonlyMap<string, readonly string[]> = new Map([
  ['a', ['href']],
  ['applet', ['codebase']],
  ['area', ['href']],
  ['audio', ['src']],
  ['base', ['href']],
  ['blockquote', ['cite']],
  ['body', ['background']],
  ['button', ['formaction']],
  ['command', ['icon']],
  ['del', ['cite']],
  ['embed', ['src']],
  ['form', ['action']],
  ['frame', ['longdesc', 'src']],
  ['head', ['profile']],
  ['html', ['manifest']],
  ['iframe', ['longdesc', 'src']],
  ['img', ['longdesc', 'src', 'usemap']],
  ['input', ['src', 'usemap', 'formaction']],
  ['ins', ['cite']],
  ['link', ['href']],
  ['object', ['classid', 'codebase', 'data', 'usemap']],
  ['q', ['cite']],
  ['script', ['src']],
  ['source', ['src']],
  ['video', ['poster', 'src']],
]);

/** Where a proxy hangs and what it leads to. */
export interface ProxyPlace {
  /** The path in front of the backend's own, such as `/api/v1/namespaces/default/services/web/proxy`. */
  readonly prefix: string;
  /** The backend as the proxy calls it, such as `10.244.1.5:80`. */
  readonly backendHost: string;
  /** The host that the client asked. */
  readonly requestHost: string;
}

/** One address: absolute paths on the backend's own host are put behind the proxy, others stay. */
export function rewriteUrl(url: string, { prefix, backendHost, requestHost }: ProxyPlace): string {
  const parts = /^(?:([a-z][a-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(.*)$/is.exec(url);
  if (parts === null) return url;
  const [, scheme, host = '', path = '', tail = ''] = parts;
  if (host === '' && scheme !== undefined) return url; // mailto:, data: and their like.
  const isDifferentHost = host !== '' && host !== backendHost && host !== requestHost;
  if (isDifferentHost || !path.startsWith('/')) return url;
  if (path.startsWith(prefix)) return path + tail;
  return joinPaths(prefix, path) + tail;
}

/** Go's path.Join, with a slash at the end kept. */
function joinPaths(prefix: string, path: string): string {
  const kept: string[] = [];
  for (const part of `${prefix}/${path}`.split('/')) {
    if (part === '..') kept.pop();
    else if (part !== '' && part !== '.') kept.push(part);
  }
  return `/${kept.join('/')}${path.endsWith('/') && kept.length > 0 ? '/' : ''}`;
}

const TOKEN =
  /<!--[^]*?(?:-->|$)|<(script|style|textarea|title)\b((?:"[^"]*"|'[^']*'|[^'">])*)>[^]*?(?=<\/\1\b|$)|<([a-z][^\s/>]*)((?:"[^"]*"|'[^']*'|[^'">])*)>/gi;
const ATTRIBUTE = /([^\s=/>"']+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g;

/** A page with its links led through the proxy. Start tags come out as Go's tokenizer writes them, all else unchanged. */
export function rewriteHtml(html: string, place: ProxyPlace): string {
  return html.replaceAll(
    TOKEN,
    (whole: string, raw: string | undefined, rawTail = '', name: string | undefined, tail = '') => {
      if (raw !== undefined) {
        const length = 1 + raw.length + rawTail.length + 1;
        return startTag(raw, rawTail, place) + whole.slice(length);
      }
      return name === undefined ? whole : startTag(name, tail, place);
    },
  );
}

function startTag(name: string, tail: string, place: ProxyPlace): string {
  const tag = name.toLowerCase();
  const links = LINKS.get(tag) ?? [];
  const isSelfClosing = /\/\s*$/.test(tail);
  const attributes = [...tail.matchAll(ATTRIBUTE)].map(([, key = '', ...values]) => {
    const attribute = key.toLowerCase();
    const value = unescapeHtml(values.find((each) => each !== undefined) ?? '');
    const kept = links.includes(attribute) ? rewriteUrl(value, place) : value;
    return ` ${attribute}="${escapeHtml(kept)}"`;
  });
  return `<${tag}${attributes.join('')}${isSelfClosing ? '/' : ''}>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  '#39': "'",
  '#34': '"',
};

function unescapeHtml(text: string): string {
  return text.replaceAll(
    /&(amp|lt|gt|quot|apos|#39|#34);/g,
    (whole, name: string) => ENTITIES[name] ?? whole,
  );
}

/** Go's html.EscapeString. */
function escapeHtml(text: string): string {
  const escapes: Readonly<Record<string, string>> = {
    '&': '&amp;',
    "'": '&#39;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&#34;',
    '\r': '&#13;',
  };
  return text.replaceAll(/[&'<>"\r]/g, (character) => escapes[character]!);
}
