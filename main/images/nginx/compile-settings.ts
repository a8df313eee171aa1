// The values of a block over those of the block around it: what each directive of http, server and location sets.
import { errorAt, LateConfigError, type Directive } from './config.ts';
import { parseSize, parseTime } from './directives.ts';
import { addressRange } from './compile-variables.ts';
import { readProxy } from './compile-proxy.ts';
import type {
  AccessLog,
  ErrorLog,
  Expires,
  LimitConnZone,
  LimitReqZone,
  LogFormat,
  LogLevel,
  Settings,
} from './settings.ts';
import { compileTemplate, variablesOf, type Template } from './template.ts';

/** What is defined once for all of `http`. */
export interface Definitions {
  readonly prefix: string;
  readonly logFormats: Map<string, LogFormat>;
  readonly limitReqZones: Map<string, LimitReqZone>;
  readonly limitConnZones: Map<string, LimitConnZone>;
  readonly upstreams: ReadonlySet<string>;
  /** Names that templates use, to be checked when all variables are known. */
  readonly used: Set<string>;
}

/** Directives of nginx that this one doesn't carry out: using them is an error that says so. */
const NOT_SIMULATED = new Set(
  'fastcgi_pass uwsgi_pass scgi_pass grpc_pass memcached_pass perl js_import dav_methods flv mp4 ssi secure_link secure_link_md5 secure_link_secret proxy_cache proxy_store auth_delay random_index slice image_filter xslt_stylesheet userid add_trailer charset_map'.split(
    ' ',
  ),
);

/** nginx's built-in `combined`. */
const COMBINED =
  '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"';

const NOWHERE = { file: '', line: 0 };
const plain = (text: string): Template => [text];

export function defaultSettings(definitions: Definitions): Settings {
  return {
    root: plain(`${definitions.prefix}html`),
    alias: undefined,
    index: [plain('index.html')],
    tryFiles: undefined,
    addHeaders: [],
    errorPages: [],
    recursiveErrorPages: false,
    types: new Map([
      ['html', 'text/html'],
      ['gif', 'image/gif'],
      ['jpg', 'image/jpeg'],
    ]),
    defaultType: 'text/plain',
    autoindex: false,
    autoindexExactSize: true,
    autoindexFormat: 'html',
    accessLogs: [
      {
        path: plain('/var/log/nginx/access.log'),
        format: definitions.logFormats.get('combined')!,
        condition: undefined,
      },
    ],
    errorLogs: [],
    logNotFound: true,
    serverTokens: 'on',
    serverNameInRedirect: false,
    portInRedirect: true,
    absoluteRedirect: true,
    charset: undefined,
    charsetTypes: [
      'text/html',
      'text/xml',
      'text/plain',
      'text/vnd.wap.wml',
      'application/javascript',
      'application/rss+xml',
    ],
    satisfyAny: false,
    access: [],
    authBasic: undefined,
    authUserFile: undefined,
    authRequest: undefined,
    authRequestSets: [],
    limitReqs: [],
    limitReqStatus: 503,
    limitReqLogLevel: 'error',
    limitConns: [],
    limitConnStatus: 503,
    limitRate: undefined,
    isInternal: false,
    stubStatus: false,
    emptyGif: false,
    proxy: undefined,
    exceptMethods: undefined,
    exceptAccess: [],
    exceptAuthBasic: undefined,
    clientMaxBodyBytes: 1_048_576,
    clientBodyTimeoutMs: 60_000,
    keepaliveTimeoutMs: 75_000,
    keepaliveHeaderSeconds: 0,
    keepaliveRequests: 1000,
    etag: true,
    ifModifiedSince: 'exact',
    maxRanges: Infinity,
    chunked: true,
    expires: undefined,
    gzip: false,
    gzipTypes: ['text/html'],
    gzipMinLength: 20,
    gzipLevel: 1,
    gzipVary: false,
    gzipProxied: ['off'],
    gzipHttp10: false,
    gzipStatic: 'off',
    gunzip: false,
    subFilters: [],
    subFilterOnce: true,
    subFilterTypes: ['text/html'],
    subFilterLastModified: false,
    addBefore: undefined,
    addAfter: undefined,
    realIpFrom: [],
    realIpHeader: 'X-Real-IP',
    realIpRecursive: false,
    msiePadding: true,
    resolver: undefined,
    mirrors: [],
    methodAllowsPost: false,
    validReferers: undefined,
  };
}

/** What isn't inherited by an inner block. */
const OWN: Partial<Settings> = {
  alias: undefined,
  isInternal: false,
  stubStatus: false,
  emptyGif: false,
  tryFiles: undefined,
  exceptMethods: undefined,
  exceptAccess: [],
  exceptAuthBasic: undefined,
};

type Draft = { -readonly [Key in keyof Settings]?: Settings[Key] };

/** The settings of a block. `isIf`: its content handler is that of the location around it. Throws ConfigError. */
export function inherit(
  outer: Settings,
  block: readonly Directive[],
  definitions: Definitions,
  options: {
    readonly isIf?: boolean;
    readonly isRegexLocation?: boolean;
    readonly locationPath?: string;
  } = {},
): Settings {
  const own: Draft = {};
  const template = (text: string, at: Directive): Template => {
    const compiled = compileTemplate(text, at);
    for (const name of variablesOf(compiled)) definitions.used.add(name);
    return compiled;
  };
  for (const directive of block) readDirective(directive, own, outer, template, definitions);
  if (
    outer.proxy === undefined ||
    options.isIf === true ||
    block.some(({ name }) => name.startsWith('proxy_'))
  )
    own.proxy = readProxy(block, outer, { template, definitions, ...options });
  const kept = options.isIf === true ? { alias: outer.alias, stubStatus: outer.stubStatus } : {};
  return { ...outer, ...OWN, ...kept, ...own };
}

const on = (value: string | undefined): boolean => value?.toLowerCase() === 'on';
const append = <T>(items: readonly T[] | undefined, item: T): T[] => [...(items ?? []), item];

function readDirective(
  directive: Directive,
  own: Draft,
  outer: Settings,
  template: (text: string, at: Directive) => Template,
  definitions: Definitions,
): void {
  const { name, args } = directive;
  const [first = '', second = ''] = args;
  const under = (path: string): string =>
    path.startsWith('/') || path.startsWith('$') ? path : `${definitions.prefix}${path}`;
  if (NOT_SIMULATED.has(name) && first !== 'off')
    throw errorAt(directive, `drydock: nginx's directive "${name}" isn't simulated`);
  switch (name) {
    case 'root':
      own.root = template(under(first).replace(/(.)\/$/, '$1'), directive);
      return;
    case 'alias':
      own.alias = template(under(first), directive);
      return;
    case 'index':
      own.index = [...(own.index ?? []), ...args.map((arg) => template(arg, directive))];
      return;
    case 'try_files':
      own.tryFiles = args.map((arg) => template(arg, directive));
      return;
    case 'add_header':
      if (args[2] !== undefined && args[2] !== 'always')
        throw errorAt(directive, `invalid parameter "${args[2]}"`);
      own.addHeaders = append(own.addHeaders, {
        name: first,
        value: template(second, directive),
        always: args[2] === 'always',
      });
      return;
    case 'error_page':
      own.errorPages = append(own.errorPages, readErrorPage(directive, template));
      return;
    case 'recursive_error_pages':
      own.recursiveErrorPages = on(first);
      return;
    case 'types':
      own.types = new Map(
        (directive.block ?? []).flatMap((type) =>
          type.args.map((extension) => [extension.toLowerCase(), type.name] as const),
        ),
      );
      return;
    case 'default_type':
      own.defaultType = first;
      return;
    case 'autoindex':
      own.autoindex = on(first);
      return;
    case 'autoindex_exact_size':
      own.autoindexExactSize = on(first);
      return;
    case 'autoindex_format':
      own.autoindexFormat = first as 'html';
      return;
    case 'access_log':
      own.accessLogs =
        first === 'off' ? [] : append(own.accessLogs, readAccessLog(directive, template, definitions));
      return;
    case 'error_log':
      own.errorLogs = append(own.errorLogs, readErrorLog(directive, definitions.prefix));
      return;
    case 'log_not_found':
      own.logNotFound = on(first);
      return;
    case 'server_tokens':
      if (!['on', 'off', 'build'].includes(first)) throw errorAt(directive, `invalid value "${first}"`);
      own.serverTokens = first as 'on';
      return;
    case 'server_name_in_redirect':
      own.serverNameInRedirect = on(first);
      return;
    case 'port_in_redirect':
      own.portInRedirect = on(first);
      return;
    case 'absolute_redirect':
      own.absoluteRedirect = on(first);
      return;
    case 'charset':
      own.charset = first === 'off' ? undefined : first;
      return;
    case 'charset_types':
      own.charsetTypes = ['text/html', ...args];
      return;
    case 'satisfy':
      own.satisfyAny = first === 'any';
      return;
    case 'allow':
    case 'deny':
      if (
        first !== 'all' &&
        !/^unix:$|^[0-9a-fA-F]*:[0-9a-fA-F:.]*(?:\/\d+)?$/.test(first) &&
        addressRange(first) === undefined
      )
        throw errorAt(directive, `invalid parameter "${first}"`);
      own.access = append(own.access, { allow: name === 'allow', what: first });
      return;
    case 'auth_basic':
      own.authBasic = first === 'off' ? undefined : template(first, directive);
      if (first === 'off') Object.assign(own, { authBasic: undefined });
      return;
    case 'auth_basic_user_file':
      own.authUserFile = template(under(first), directive);
      return;
    case 'auth_request':
      own.authRequest = first === 'off' ? undefined : first;
      return;
    case 'auth_request_set':
      own.authRequestSets = append(own.authRequestSets, [
        first.replace(/^\$/, ''),
        template(second, directive),
      ] as const);
      return;
    case 'limit_req':
      own.limitReqs = append(own.limitReqs, readLimitReq(directive, definitions));
      return;
    case 'limit_req_status':
      own.limitReqStatus = Number(first);
      return;
    case 'limit_req_log_level':
      own.limitReqLogLevel = first as LogLevel;
      return;
    case 'limit_conn': {
      const zone = definitions.limitConnZones.get(first);
      if (zone === undefined) throw new LateConfigError(`zero size shared memory zone "${first}"`);
      if (!/^\d+$/.test(second)) throw errorAt(directive, `invalid number of connections "${second}"`);
      own.limitConns = append(own.limitConns, { zone, max: Number(second) });
      return;
    }
    case 'limit_conn_status':
      own.limitConnStatus = Number(first);
      return;
    case 'limit_rate':
      own.limitRate = template(first, directive);
      return;
    case 'internal':
      own.isInternal = true;
      return;
    case 'stub_status':
      own.stubStatus = true;
      return;
    case 'empty_gif':
      own.emptyGif = true;
      return;
    case 'limit_except': {
      const block = directive.block ?? [];
      own.exceptMethods = args.flatMap((method) =>
        method.toUpperCase() === 'GET' ? ['GET', 'HEAD'] : [method.toUpperCase()],
      );
      own.exceptAccess = block.flatMap(({ name: rule, args: [what = ''] }) =>
        rule === 'allow' || rule === 'deny' ? [{ allow: rule === 'allow', what }] : [],
      );
      const basic = block.find(({ name: rule }) => rule === 'auth_basic');
      own.exceptAuthBasic = basic === undefined ? undefined : template(basic.args[0] ?? '', basic);
      const file = block.find(({ name: rule }) => rule === 'auth_basic_user_file');
      if (file !== undefined) own.authUserFile = template(under(file.args[0] ?? ''), file);
      return;
    }
    case 'client_max_body_size':
      own.clientMaxBodyBytes = parseSize(first) || Infinity;
      return;
    case 'client_body_timeout':
      own.clientBodyTimeoutMs = parseTime(first)!;
      return;
    case 'keepalive_timeout': {
      const timeout = parseTime(first);
      if (timeout === undefined) throw errorAt(directive, '"keepalive_timeout" directive invalid value');
      own.keepaliveTimeoutMs = timeout;
      own.keepaliveHeaderSeconds = Math.floor((parseTime(second || '0') ?? 0) / 1000);
      return;
    }
    case 'keepalive_requests':
      own.keepaliveRequests = Number(first);
      return;
    case 'etag':
      own.etag = on(first);
      return;
    case 'if_modified_since':
      own.ifModifiedSince = first as 'off';
      return;
    case 'max_ranges':
      own.maxRanges = Number(first);
      return;
    case 'chunked_transfer_encoding':
      own.chunked = on(first);
      return;
    case 'expires':
      own.expires = readExpires(directive, template);
      return;
    case 'gzip':
      own.gzip = on(first);
      return;
    case 'gzip_types':
      own.gzipTypes = args.includes('*') ? ['*'] : ['text/html', ...args];
      return;
    case 'gzip_min_length':
      own.gzipMinLength = parseSize(first)!;
      return;
    case 'gzip_comp_level':
      if (Number(first) < 1 || Number(first) > 9)
        throw errorAt(
          directive,
          Number(first) < 1 ? 'value must be equal to or greater than 1' : 'value must be between 1 and 9',
        );
      own.gzipLevel = Number(first);
      return;
    case 'gzip_vary':
      own.gzipVary = on(first);
      return;
    case 'gzip_proxied':
      own.gzipProxied = args;
      return;
    case 'gzip_http_version':
      own.gzipHttp10 = first === '1.0';
      return;
    case 'gzip_static':
      own.gzipStatic = first as 'on';
      return;
    case 'gunzip':
      own.gunzip = on(first);
      return;
    case 'sub_filter':
      own.subFilters = append(own.subFilters, {
        from: template(first, directive),
        to: template(second, directive),
      });
      return;
    case 'sub_filter_once':
      own.subFilterOnce = on(first);
      return;
    case 'sub_filter_types':
      own.subFilterTypes = args.includes('*') ? ['*'] : ['text/html', ...args];
      return;
    case 'sub_filter_last_modified':
      own.subFilterLastModified = on(first);
      return;
    case 'add_before_body':
      own.addBefore = first;
      return;
    case 'add_after_body':
      own.addAfter = first;
      return;
    case 'set_real_ip_from':
      own.realIpFrom = append(own.realIpFrom, first);
      return;
    case 'real_ip_header':
      own.realIpHeader = first;
      return;
    case 'real_ip_recursive':
      own.realIpRecursive = on(first);
      return;
    case 'msie_padding':
      own.msiePadding = on(first);
      return;
    case 'resolver':
      own.resolver = args.filter((arg) => !/^(?:valid|ipv4|ipv6|status_zone)=/.test(arg));
      return;
    case 'mirror':
      own.mirrors = first === 'off' ? [] : append(own.mirrors, first);
      return;
    case 'valid_referers':
      own.validReferers = args;
      return;
    default:
      void outer;
  }
}

function readErrorPage(
  directive: Directive,
  template: (text: string, at: Directive) => Template,
): Settings['errorPages'][number] {
  const { args } = directive;
  const uri = args.at(-1) ?? '';
  const words = args.slice(0, -1);
  const answer = words.at(-1)?.startsWith('=') === true ? words.pop()!.slice(1) : undefined;
  if (uri.startsWith('=')) throw errorAt(directive, `invalid value "${uri}"`);
  if (answer !== undefined && answer !== '' && !/^\d+$/.test(answer))
    throw errorAt(directive, `invalid value "=${answer}"`);
  for (const word of words) {
    if (!/^\d+$/.test(word)) throw errorAt(directive, `invalid value "${word}"`);
    if (Number(word) < 300 || Number(word) > 599)
      throw errorAt(directive, `value "${word}" must be between 300 and 599`);
  }
  return {
    codes: words.map(Number),
    status: answer === undefined ? undefined : Number(answer === '' ? 0 : answer),
    uri: template(uri, directive),
  };
}

/** access_log of http and of stream. */
export function readAccessLog(
  directive: Directive,
  template: (text: string, at: Directive) => Template,
  definitions: Pick<Definitions, 'logFormats' | 'prefix'>,
): AccessLog {
  const [path = '', ...rest] = directive.args;
  const options = rest.filter((word) => /^(?:buffer|gzip|flush|if)=|^gzip$/.test(word));
  const [name = 'combined'] = rest.filter((word) => !options.includes(word));
  const format = definitions.logFormats.get(name);
  if (format === undefined) throw errorAt(directive, `unknown log format "${name}"`);
  const condition = options.find((word) => word.startsWith('if='))?.slice(3);
  const full = /^(?:\/|\$|syslog:|stderr$)/.test(path) ? path : `${definitions.prefix}${path}`;
  return {
    path: template(full, directive),
    format,
    condition: condition === undefined ? undefined : template(condition, directive),
  };
}

const LEVELS = ['debug', 'info', 'notice', 'warn', 'error', 'crit', 'alert', 'emerg'];

export function readErrorLog(directive: Directive, prefix: string): ErrorLog {
  const [path = '', level = 'error'] = directive.args;
  if (!LEVELS.includes(level) && !level.startsWith('debug_'))
    throw errorAt(directive, `invalid log level "${level}"`);
  return {
    path: /^(?:\/|syslog:|memory:|stderr$)/.test(path) ? path : `${prefix}${path}`,
    level: level.startsWith('debug') ? 'debug' : (level as LogLevel),
  };
}

function readLimitReq(directive: Directive, definitions: Definitions): Settings['limitReqs'][number] {
  let zone: LimitReqZone | undefined;
  let [burst, delayAfter] = [0, 0];
  for (const word of directive.args) {
    const [key, value = ''] = word.split('=');
    if (key === 'zone') {
      zone = definitions.limitReqZones.get(value);
      if (zone === undefined) throw new LateConfigError(`zero size shared memory zone "${value}"`);
    } else if (key === 'burst') {
      if (!/^\d+$/.test(value) || Number(value) === 0)
        throw errorAt(directive, `invalid burst value "${word}"`);
      burst = Number(value);
    } else if (key === 'delay') {
      if (!/^\d+$/.test(value) || Number(value) === 0)
        throw errorAt(directive, `invalid delay value "${word}"`);
      delayAfter = Number(value);
    } else if (word === 'nodelay') delayAfter = Infinity;
    else throw errorAt(directive, `invalid parameter "${word}"`);
  }
  if (zone === undefined) throw errorAt(directive, `"limit_req" must have "zone" parameter`);
  return { zone, burst, delayAfter };
}

function readExpires(directive: Directive, template: (text: string, at: Directive) => Template): Expires {
  const [first = '', second] = directive.args;
  const none = { ms: 0, template: [] };
  if (first === 'off' || first === 'epoch' || first === 'max') return { kind: first, ...none };
  if (first.startsWith('$')) return { kind: 'variable', ms: 0, template: template(first, directive) };
  const isModified = first === 'modified';
  const value = readExpiresTime(isModified ? (second ?? '') : first);
  if (value === undefined) throw errorAt(directive, '"expires" directive invalid value');
  return { ...value, kind: isModified ? 'modified' : value.kind, template: [] };
}

/** `1h`, `-1`, `@15h30m`; undefined for what is no time. */
export function readExpiresTime(text: string): { kind: 'after' | 'daily'; ms: number } | undefined {
  const isDaily = text.startsWith('@');
  const isNegative = text.startsWith('-');
  const ms = parseTime(text.replace(/^[@+-]/, ''));
  if (ms === undefined) return undefined;
  return { kind: isDaily ? 'daily' : 'after', ms: isNegative ? -ms : ms };
}

/** log_format's directive as a template. */
export function readLogFormat(
  { args, file, line }: Directive,
  used: Set<string>,
): { name: string; format: LogFormat } {
  const [name = '', ...parts] = args;
  const escape = parts[0]?.startsWith('escape=') === true ? parts.shift()!.slice(7) : 'default';
  if (!['default', 'json', 'none'].includes(escape))
    throw errorAt({ file, line }, `unknown log format escaping "${escape}"`);
  const template = compileTemplate(parts.join(''), { file, line });
  for (const each of variablesOf(template)) used.add(each);
  return { name, format: { template, escape: escape as 'default' } };
}

/** The built-in format, as if it had been read. */
export function combinedFormat(): LogFormat {
  return { template: compileTemplate(COMBINED, NOWHERE), escape: 'default' };
}
