// proxy_pass and the directives around it, with what they inherit.
import { ConfigError, errorAt, type Directive } from './config.ts';
import { parseTime } from './directives.ts';
import type { Definitions } from './compile-settings.ts';
import type { CookieRule, ProxyRedirect, ProxySettings, Settings } from './settings.ts';
import { compilePattern, isPlain, type Template } from './template.ts';

interface Reading {
  readonly template: (text: string, at: Directive) => Template;
  readonly definitions: Definitions;
  readonly isIf?: boolean;
  readonly isRegexLocation?: boolean;
  readonly locationPath?: string;
}

const DEFAULTS: ProxySettings = {
  target: [],
  text: '',
  headers: [],
  hidden: [],
  passed: [],
  redirects: 'default',
  cookiePaths: [],
  cookieDomains: [],
  httpVersion: '1.0',
  method: undefined,
  body: undefined,
  passHeaders: true,
  passBody: true,
  connectTimeoutMs: 60_000,
  readTimeoutMs: 60_000,
  sendTimeoutMs: 60_000,
  buffersRequest: true,
  interceptsErrors: false,
  next: ['error', 'timeout'],
  nextTries: Infinity,
  nextTimeoutMs: Infinity,
  sslVerify: false,
  sslServerName: false,
  sslName: undefined,
  sslTrusted: undefined,
  sslCertificate: undefined,
  sslCertificateKey: undefined,
};

type Draft = { -readonly [Key in keyof ProxySettings]?: ProxySettings[Key] };

/**
 * The block's own over the outer block's. An empty target means that nothing is passed on here, only that settings are
 * handed down.
 */
export function readProxy(
  block: readonly Directive[],
  { proxy: outer }: Settings,
  reading: Reading,
): ProxySettings {
  const own: Draft = {};
  for (const directive of block)
    if (directive.name.startsWith('proxy_')) readDirective(directive, own, reading);
  const inherited = outer ?? DEFAULTS;
  // A location inside another doesn't pass on by itself; an `if` does what its location does.
  const target = own.target ?? (reading.isIf === true ? inherited.target : []);
  return { ...inherited, target, text: inherited.text, ...own };
}

function readDirective(directive: Directive, own: Draft, reading: Reading): void {
  const { name, args } = directive;
  const { template } = reading;
  const [first = '', second = ''] = args;
  const on = first.toLowerCase() === 'on';
  const list = <T>(items: readonly T[] | undefined, item: T): T[] => [...(items ?? []), item];
  switch (name) {
    case 'proxy_pass':
      own.target = readTarget(directive, reading);
      own.text = first;
      return;
    case 'proxy_set_header':
      own.headers = list(own.headers, [first, template(second, directive)] as const);
      return;
    case 'proxy_hide_header':
      own.hidden = list(own.hidden, first.toLowerCase());
      return;
    case 'proxy_pass_header':
      own.passed = list(own.passed, first.toLowerCase());
      return;
    case 'proxy_redirect':
      own.redirects = readRedirect(directive, own.redirects, reading);
      return;
    case 'proxy_cookie_path':
      own.cookiePaths = first === 'off' ? [] : list(own.cookiePaths, readCookie(directive, reading));
      return;
    case 'proxy_cookie_domain':
      own.cookieDomains = first === 'off' ? [] : list(own.cookieDomains, readCookie(directive, reading));
      return;
    case 'proxy_http_version':
      own.httpVersion = first as '1.0';
      return;
    case 'proxy_method':
      own.method = template(first, directive);
      return;
    case 'proxy_set_body':
      own.body = template(first, directive);
      return;
    case 'proxy_pass_request_headers':
      own.passHeaders = on;
      return;
    case 'proxy_pass_request_body':
      own.passBody = on;
      return;
    case 'proxy_connect_timeout':
      own.connectTimeoutMs = parseTime(first)!;
      return;
    case 'proxy_read_timeout':
      own.readTimeoutMs = parseTime(first)!;
      return;
    case 'proxy_send_timeout':
      own.sendTimeoutMs = parseTime(first)!;
      return;
    case 'proxy_request_buffering':
      own.buffersRequest = on;
      return;
    case 'proxy_intercept_errors':
      own.interceptsErrors = on;
      return;
    case 'proxy_next_upstream':
      own.next = args;
      return;
    case 'proxy_next_upstream_tries':
      own.nextTries = Number(first) || Infinity;
      return;
    case 'proxy_next_upstream_timeout':
      own.nextTimeoutMs = parseTime(first) || Infinity;
      return;
    case 'proxy_ssl_verify':
      own.sslVerify = on;
      return;
    case 'proxy_ssl_server_name':
      own.sslServerName = on;
      return;
    case 'proxy_ssl_name':
      own.sslName = template(first, directive);
      return;
    case 'proxy_ssl_trusted_certificate':
      own.sslTrusted = first;
      return;
    case 'proxy_ssl_certificate':
      own.sslCertificate = first;
      return;
    case 'proxy_ssl_certificate_key':
      own.sslCertificateKey = first;
      return;
    default:
  }
}

function readTarget(directive: Directive, reading: Reading): Template {
  const [text = ''] = directive.args;
  const target = reading.template(text, directive);
  if (!isPlain(target)) return target;
  const match = /^https?:\/\/([^/]*)(.*)$/i.exec(text);
  if (match === null) throw errorAt(directive, 'invalid URL prefix');
  const [, authority = '', uri = ''] = match;
  if (authority === '') throw errorAt(directive, `no host in upstream "${uri}"`);
  const port = /:([^:\]]*)$/.exec(authority)?.[1];
  if (
    port !== undefined &&
    !authority.startsWith('unix:') &&
    (!/^\d+$/.test(port) || Number(port) > 65_535 || port === '0')
  )
    throw errorAt(directive, `invalid port in upstream "${authority}${uri}"`);
  if (uri !== '' && (reading.isRegexLocation === true || reading.isIf === true))
    throw errorAt(
      directive,
      '"proxy_pass" cannot have URI part in location given by regular expression, or inside named location, or inside "if" statement, or inside "limit_except" block',
    );
  return target;
}

function readRedirect(
  directive: Directive,
  known: Draft['redirects'],
  reading: Reading,
): NonNullable<Draft['redirects']> {
  const [first = '', second] = directive.args;
  if (second === undefined) {
    if (first === 'off') return 'off';
    if (first === 'default') {
      const rest = Array.isArray(known) ? (known as readonly ProxyRedirect[]) : [];
      return rest.length === 0 ? 'default' : [...rest, { from: [], to: [], isDefault: true }];
    }
    throw errorAt(directive, `invalid parameter "${first}"`);
  }
  const pattern = /^~(\*?)(.*)$/.exec(first);
  const rule: ProxyRedirect = {
    from:
      pattern === null
        ? reading.template(first, directive)
        : compilePattern(pattern[2]!.trim(), pattern[1] === '*', directive),
    to: reading.template(second, directive),
    isDefault: false,
  };
  return [...(Array.isArray(known) ? (known as readonly ProxyRedirect[]) : []), rule];
}

function readCookie(directive: Directive, reading: Reading): CookieRule {
  const [first = '', second = ''] = directive.args;
  const pattern = /^~(\*?)(.*)$/.exec(first);
  return {
    from: pattern === null ? first : compilePattern(pattern[2]!.trim(), true, directive),
    to: reading.template(second, directive),
  };
}

/** The parts of a `proxy_pass` target whose variables are filled in. Throws ConfigError for what is no URL. */
export function splitTarget(text: string): {
  readonly scheme: 'http' | 'https';
  /** `host`, `host:port` or `unix:/path`. */
  readonly authority: string;
  readonly host: string;
  readonly port: number;
  /** undefined: the request's own. */
  readonly uri: string | undefined;
} {
  const match = /^(https?):\/\/(unix:[^:]+(?=:|$):?|\[[^\]]+\](?::\d+)?|[^/?]*)(.*)$/i.exec(text);
  if (match === null) throw new ConfigError('invalid URL prefix');
  const [, scheme = 'http', authority = '', uri = ''] = match;
  const port = /:(\d+)$/.exec(authority)?.[1];
  const lower = scheme.toLowerCase() as 'http' | 'https';
  return {
    scheme: lower,
    authority,
    host: authority.replace(/:\d+$/, '').replace(/^\[|\]$/g, ''),
    port: port === undefined ? (lower === 'https' ? 443 : 80) : Number(port),
    uri: uri === '' ? undefined : uri,
  };
}
