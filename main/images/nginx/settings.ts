// What nginx's directives mean: servers, locations and upstreams, with values inherited from the blocks around them.
import { ConfigError, type Directive } from './config.ts';

export interface Listen {
  readonly address: string;
  readonly port: number;
  readonly isDefault: boolean;
}

/** What a location (or the server itself) says about answering. */
export interface Settings {
  readonly root: string;
  readonly alias: string | undefined;
  readonly index: readonly string[];
  readonly tryFiles: readonly string[] | undefined;
  readonly returns: { readonly status: number; readonly text: string | undefined } | undefined;
  readonly rewrites: readonly {
    readonly pattern: RegExp;
    readonly replacement: string;
    readonly flag: string;
  }[];
  readonly proxyPass: string | undefined;
  readonly proxyHeaders: readonly (readonly [string, string])[];
  readonly addHeaders: readonly { readonly name: string; readonly value: string; readonly always: boolean }[];
  readonly errorPages: readonly {
    readonly codes: readonly number[];
    readonly status: number | undefined;
    readonly uri: string;
  }[];
  readonly types: ReadonlyMap<string, string>;
  readonly defaultType: string;
  readonly autoindex: boolean;
  readonly accessLog: string | undefined;
  readonly serverTokens: boolean;
  readonly charset: string | undefined;
  /** allow and deny in order. */
  readonly access: readonly { readonly allow: boolean; readonly what: string }[];
  readonly isInternal: boolean;
  readonly stubStatus: boolean;
}

export interface Location {
  readonly kind: 'exact' | 'prefix' | 'prefix-final' | 'regex' | 'named';
  readonly path: string;
  readonly pattern: RegExp | undefined;
  readonly settings: Settings;
  readonly locations: readonly Location[];
}

export interface Server {
  readonly listens: readonly Listen[];
  readonly names: readonly string[];
  readonly settings: Settings;
  readonly locations: readonly Location[];
}

export interface Upstream {
  readonly servers: readonly {
    readonly address: string;
    readonly weight: number;
    readonly isDown: boolean;
    readonly isBackup: boolean;
  }[];
  readonly byClient: boolean;
}

export interface NginxSettings {
  readonly servers: readonly Server[];
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly errorLog: string;
  readonly logFormats: ReadonlyMap<string, string>;
  readonly workerProcesses: number | 'auto';
  readonly daemon: boolean;
  readonly pidFile: string;
}

/** nginx's built-in `combined`. */
const COMBINED =
  '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"';

const DEFAULTS: Settings = {
  root: '/etc/nginx/html',
  alias: undefined,
  index: ['index.html'],
  tryFiles: undefined,
  returns: undefined,
  rewrites: [],
  proxyPass: undefined,
  proxyHeaders: [],
  addHeaders: [],
  errorPages: [],
  types: new Map([
    ['html', 'text/html'],
    ['gif', 'image/gif'],
    ['jpg', 'image/jpeg'],
  ]),
  defaultType: 'text/plain',
  autoindex: false,
  accessLog: '/var/log/nginx/access.log combined',
  serverTokens: true,
  charset: undefined,
  access: [],
  isInternal: false,
  stubStatus: false,
};

/** Directives that are known but change nothing that can be seen here. */
const INERT = new Set(
  (
    'user worker_rlimit_nofile events worker_connections use multi_accept sendfile tcp_nopush tcp_nodelay keepalive_timeout keepalive_requests ' +
    'gzip gzip_types gzip_min_length gzip_comp_level gzip_vary gzip_proxied gzip_disable client_max_body_size client_body_timeout ' +
    'client_header_timeout send_timeout types_hash_max_size server_names_hash_bucket_size proxy_http_version proxy_connect_timeout ' +
    'proxy_read_timeout proxy_send_timeout proxy_buffering proxy_redirect proxy_buffer_size proxy_buffers proxy_cache proxy_set_body ' +
    'proxy_request_buffering proxy_next_upstream expires etag log_not_found reset_timedout_connection large_client_header_buffers ' +
    'client_body_buffer_size resolver resolver_timeout real_ip_header set_real_ip_from worker_shutdown_timeout worker_priority absolute_redirect ' +
    'port_in_redirect server_name_in_redirect keepalive zone ip_hash least_conn'
  ).split(' '),
);

/** Makes sense of a parsed file. Throws ConfigError for what nginx (or this one) doesn't know. */
export function readSettings(directives: readonly Directive[]): NginxSettings {
  const http = directives.find(({ name }) => name === 'http')?.block ?? [];
  const value = (name: string): string | undefined =>
    directives.findLast((directive) => directive.name === name)?.args[0];
  const known = new Set([
    'http',
    'events',
    'error_log',
    'pid',
    'daemon',
    'worker_processes',
    'master_process',
    'load_module',
    ...INERT,
  ]);
  for (const directive of directives) if (!known.has(directive.name)) throw unknown(directive);

  const base = inherit(DEFAULTS, http, new Set(['server', 'upstream', 'log_format', 'map', 'error_log']));
  const upstreams = new Map<string, Upstream>();
  for (const { name, args, block } of http)
    if (name === 'upstream') upstreams.set(args[0] ?? '', readUpstream(block ?? []));
  const logFormats = new Map([['combined', COMBINED]]);
  for (const { name, args } of http) {
    if (name === 'log_format')
      logFormats.set(args[0] ?? '', args.slice(args[1]?.startsWith('escape=') === true ? 2 : 1).join(''));
  }
  const workers = value('worker_processes') ?? '1';
  return {
    servers: http.filter(({ name }) => name === 'server').map((server) => readServer(server, base)),
    upstreams,
    errorLog: value('error_log') ?? '/var/log/nginx/error.log',
    logFormats,
    workerProcesses: workers === 'auto' ? 'auto' : Number(workers),
    daemon: value('daemon') !== 'off',
    pidFile: value('pid') ?? '/var/run/nginx.pid',
  };
}

function unknown({ name, file, line }: Directive): ConfigError {
  return new ConfigError(`unknown directive "${name}" in ${file}:${line}`);
}

function readUpstream(block: readonly Directive[]): Upstream {
  const servers = block
    .filter(({ name }) => name === 'server')
    .map(({ args: [address = '', ...flags] }) => ({
      address: address.includes(':') ? address : `${address}:80`,
      weight: Number(flags.find((flag) => flag.startsWith('weight='))?.slice(7) ?? 1),
      isDown: flags.includes('down'),
      isBackup: flags.includes('backup'),
    }));
  return { servers, byClient: block.some(({ name }) => name === 'ip_hash') };
}

function readServer({ block = [] }: Directive, base: Settings): Server {
  const listens = (block ?? []).filter(({ name }) => name === 'listen').map(({ args }) => readListen(args));
  return {
    listens:
      listens.length > 0
        ? listens.filter(({ address }) => !address.includes(':'))
        : [{ address: '0.0.0.0', port: 80, isDefault: false }],
    names: (block ?? []).filter(({ name }) => name === 'server_name').flatMap(({ args }) => args),
    ...readScope(block ?? [], base),
  };
}

function readListen([text = '80', ...flags]: readonly string[]): Listen {
  const isDefault = flags.includes('default_server') || flags.includes('default');
  const colon = text.lastIndexOf(':');
  if (text.startsWith('[')) return { address: '::', port: Number(text.slice(colon + 1)), isDefault };
  if (colon < 0 && /^\d+$/.test(text)) return { address: '0.0.0.0', port: Number(text), isDefault };
  const address = colon < 0 ? text : text.slice(0, colon);
  return {
    address: address === '*' ? '0.0.0.0' : address,
    port: colon < 0 ? 80 : Number(text.slice(colon + 1)),
    isDefault,
  };
}

function readScope(
  block: readonly Directive[],
  outer: Settings,
): { settings: Settings; locations: Location[] } {
  const settings = inherit(outer, block, new Set(['listen', 'server_name', 'location', 'error_log']));
  return {
    settings,
    locations: block
      .filter(({ name }) => name === 'location')
      .map((location) => readLocation(location, settings)),
  };
}

function readLocation({ args, block }: Directive, outer: Settings): Location {
  const [first = '/', second = ''] = args;
  const scope = readScope(block ?? [], {
    ...outer,
    rewrites: [],
    returns: undefined,
    tryFiles: undefined,
    proxyPass: undefined,
  });
  if (first === '=') return { kind: 'exact', path: second, pattern: undefined, ...scope };
  if (first === '^~') return { kind: 'prefix-final', path: second, pattern: undefined, ...scope };
  if (first === '~' || first === '~*')
    return { kind: 'regex', path: second, pattern: new RegExp(second, first === '~*' ? 'i' : ''), ...scope };
  return { kind: first.startsWith('@') ? 'named' : 'prefix', path: first, pattern: undefined, ...scope };
}

/** The values of a block over those of the block around it. Lists replace the outer list as a whole. */
function inherit(outer: Settings, block: readonly Directive[], others: ReadonlySet<string>): Settings {
  const own: { -readonly [Key in keyof Settings]?: Settings[Key] } = {};
  const list = <T>(items: readonly T[] | undefined, item: T): T[] => [...(items ?? []), item];
  for (const directive of block) {
    const { name, args } = directive;
    const [first = '', second = ''] = args;
    switch (name) {
      case 'root':
        own.root = first;
        break;
      case 'alias':
        own.alias = first;
        break;
      case 'index':
        own.index = args;
        break;
      case 'try_files':
        own.tryFiles = args;
        break;
      case 'return':
        own.returns = /^\d{3}$/.test(first)
          ? { status: Number(first), text: args[1] }
          : { status: 302, text: first };
        break;
      case 'rewrite':
        own.rewrites = list(own.rewrites, {
          pattern: new RegExp(first),
          replacement: second,
          flag: args[2] ?? '',
        });
        break;
      case 'proxy_pass':
        own.proxyPass = first;
        break;
      case 'proxy_set_header':
        own.proxyHeaders = list(own.proxyHeaders, [first, second] as const);
        break;
      case 'add_header':
        own.addHeaders = list(own.addHeaders, { name: first, value: second, always: args[2] === 'always' });
        break;
      case 'error_page': {
        const uri = args.at(-1) ?? '';
        const codes = args
          .slice(0, -1)
          .filter((word) => !word.startsWith('='))
          .map(Number);
        const status = args.find((word) => /^=\d+$/.test(word));
        own.errorPages = list(own.errorPages, {
          codes,
          status: status === undefined ? undefined : Number(status.slice(1)),
          uri,
        });
        break;
      }
      case 'types':
        own.types = new Map(
          (directive.block ?? []).flatMap((type) =>
            type.args.map((extension) => [extension, type.name] as const),
          ),
        );
        break;
      case 'default_type':
        own.defaultType = first;
        break;
      case 'autoindex':
        own.autoindex = first === 'on';
        break;
      case 'access_log':
        own.accessLog = first === 'off' ? undefined : `${first} ${second === '' ? 'combined' : second}`;
        if (first === 'off') Object.assign(own, { accessLog: undefined });
        break;
      case 'server_tokens':
        own.serverTokens = first !== 'off';
        break;
      case 'charset':
        own.charset = first === 'off' ? undefined : first;
        break;
      case 'allow':
      case 'deny':
        own.access = list(own.access, { allow: name === 'allow', what: first });
        break;
      case 'internal':
        own.isInternal = true;
        break;
      case 'stub_status':
        own.stubStatus = true;
        break;
      default:
        if (!INERT.has(name) && !others.has(name)) {
          if (
            ['if', 'set', 'auth_basic', 'fastcgi_pass', 'ssl_certificate', 'limit_req', 'map'].includes(name)
          ) {
            throw new ConfigError(
              `drydock: nginx's directive "${name}" isn't simulated in ${directive.file}:${directive.line}`,
            );
          }
          throw unknown(directive);
        }
    }
  }
  return { ...outer, alias: undefined, isInternal: false, stubStatus: false, ...own };
}
