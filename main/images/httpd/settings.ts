// What a configuration means: ports, hosts, what each directory and location allows.
import { ConfigError, type Directive } from './config.ts';

/** Rules for a directory or a place of the URL. */
export interface Scope {
  readonly prefix: string;
  readonly pattern?: RegExp;
  isDenied?: boolean;
  indexes?: boolean;
}

export interface Host {
  /** Undefined: the main server. */
  readonly port: number | undefined;
  readonly names: readonly string[];
  readonly root: string;
  readonly indexFiles: readonly string[];
  readonly aliases: readonly { readonly from: string; readonly to: string }[];
  readonly redirects: readonly {
    readonly from: string | RegExp;
    readonly to: string;
    readonly status: number;
  }[];
  readonly proxies: readonly { readonly from: string; readonly to: string }[];
  readonly headers: readonly { readonly action: string; readonly name: string; readonly value: string }[];
  readonly errorPages: ReadonlyMap<number, string>;
  readonly directories: readonly Scope[];
  readonly locations: readonly Scope[];
}

export interface HttpdSettings {
  readonly serverRoot: string;
  readonly serverName: string | undefined;
  readonly ports: readonly number[];
  readonly main: Host;
  readonly virtualHosts: readonly Host[];
  readonly pidFile: string;
  readonly accessLog: string | undefined;
  readonly logFormat: string;
  readonly errorLog: string;
  readonly showsVersion: boolean;
}

/** Modules that the image's httpd.conf loads, as <IfModule> asks for them. */
const MODULES = new Set([
  'alias_module',
  'authz_core_module',
  'autoindex_module',
  'dir_module',
  'headers_module',
  'log_config_module',
  'mime_module',
  'mpm_event_module',
  'reqtimeout_module',
  'setenvif_module',
  'status_module',
  'unixd_module',
  'version_module',
]);
/** Known, and without effect here. */
const QUIET = new Set(
  (
    'addtype addencoding addhandler addlanguage adddefaultcharset allowoverride scriptalias scriptsock typesconfig user group serveradmin serversignature keepalive keepalivetimeout maxkeepaliverequests timeout ' +
    'requestheader startservers minsparethreads maxsparethreads threadsperchild maxrequestworkers maxconnectionsperchild threadlimit serverlimit loglevel hostnamelookups enablesendfile enablemmap traceenable ' +
    'useCanonicalname requestreadtimeout setenvif setenv proxypreservehost proxyrequests indexoptions serveralias mutex extendedstatus sslrandomseed contentdigest accessfilename directoryslash filesmatch proxypassreverse'
  )
    .toLowerCase()
    .split(' '),
);
const REFUSED = new Set(
  'rewriteengine rewriterule rewritecond authtype authname authuserfile sslengine sslcertificatefile addoutputfilter addoutputfilterbytype proxyhtmlenable cgipassauth dav'.split(
    ' ',
  ),
);

interface Draft {
  root: string | undefined;
  names: string[];
  indexFiles: string[] | undefined;
  aliases: { from: string; to: string }[];
  redirects: { from: string | RegExp; to: string; status: number }[];
  proxies: { from: string; to: string }[];
  headers: { action: string; name: string; value: string }[];
  errorPages: Map<number, string>;
  directories: Scope[];
  locations: Scope[];
}

interface Globals {
  serverRoot: string;
  serverName: string | undefined;
  ports: number[];
  pidFile: string;
  accessLog: string | undefined;
  formats: Map<string, string>;
  format: string;
  errorLog: string;
  showsVersion: boolean;
  loaded: Set<string>;
  hosts: { draft: Draft; port: number | undefined }[];
}

function emptyDraft(): Draft {
  return {
    root: undefined,
    names: [],
    indexFiles: undefined,
    aliases: [],
    redirects: [],
    proxies: [],
    headers: [],
    errorPages: new Map(),
    directories: [],
    locations: [],
  };
}

/** Throws ConfigError for what Apache refuses, and for what isn't simulated. */
export function readSettings(directives: readonly Directive[]): HttpdSettings {
  const globals: Globals = {
    serverRoot: '/usr/local/apache2',
    serverName: undefined,
    ports: [],
    pidFile: 'logs/httpd.pid',
    accessLog: undefined,
    formats: new Map(),
    format: '%h %l %u %t "%r" %>s %b',
    errorLog: 'logs/error_log',
    showsVersion: true,
    loaded: new Set(),
    hosts: [],
  };
  const main = emptyDraft();
  apply(directives, main, globals, undefined);
  if (globals.ports.length === 0)
    throw new ConfigError('no listening sockets available, shutting down\nAH00015: Unable to open logs');
  const finish = (draft: Draft, port: number | undefined): Host => ({
    port,
    names: draft.names,
    root: absolute(draft.root ?? main.root ?? 'htdocs', globals.serverRoot),
    indexFiles: draft.indexFiles ?? main.indexFiles ?? ['index.html'],
    aliases: draft === main ? main.aliases : [...draft.aliases, ...main.aliases],
    redirects: draft.redirects,
    proxies: draft.proxies,
    headers: draft === main ? main.headers : [...main.headers, ...draft.headers],
    errorPages: new Map([...main.errorPages, ...draft.errorPages]),
    directories: draft === main ? main.directories : [...main.directories, ...draft.directories],
    locations: draft === main ? main.locations : [...main.locations, ...draft.locations],
  });
  return {
    serverRoot: globals.serverRoot,
    serverName: globals.serverName,
    ports: globals.ports,
    main: finish(main, undefined),
    virtualHosts: globals.hosts.map(({ draft, port }) => finish(draft, port)),
    pidFile: absolute(globals.pidFile, globals.serverRoot),
    accessLog: globals.accessLog === undefined ? undefined : absolute(globals.accessLog, globals.serverRoot),
    logFormat: globals.formats.get(globals.format) ?? globals.format,
    errorLog: absolute(globals.errorLog, globals.serverRoot),
    showsVersion: globals.showsVersion,
  };
}

function absolute(path: string, root: string): string {
  return path.startsWith('/') ? path.replace(/(.)\/$/, '$1') : `${root}/${path}`;
}

function refuse({ file, line }: Directive, message: string): ConfigError {
  return new ConfigError(`AH00526: Syntax error on line ${line} of ${file}:\n${message}`);
}

function apply(
  directives: readonly Directive[],
  draft: Draft,
  globals: Globals,
  scope: Scope | undefined,
): void {
  for (const directive of directives) {
    const { name, args, block } = directive;
    const key = name.toLowerCase();
    const [first = '', second = ''] = args;
    if (block !== undefined) {
      applySection(directive, block, draft, globals, scope);
      continue;
    }
    switch (key) {
      case 'listen':
        globals.ports.push(Number(first.slice(first.lastIndexOf(':') + 1)));
        break;
      case 'serverroot':
        globals.serverRoot = first;
        break;
      case 'servername':
        if (draft.names.length === 0 && globals.hosts.every((host) => host.draft !== draft))
          globals.serverName = first.replace(/:\d+$/, '');
        draft.names.push(first.replace(/:\d+$/, '').toLowerCase());
        break;
      case 'serveralias':
        draft.names.push(...args.map((each) => each.toLowerCase()));
        break;
      case 'documentroot':
        draft.root = first;
        break;
      case 'directoryindex':
        draft.indexFiles = [...args];
        break;
      case 'pidfile':
        globals.pidFile = first;
        break;
      case 'errorlog':
        globals.errorLog = first;
        break;
      case 'customlog':
        globals.accessLog = first;
        globals.format = second;
        break;
      case 'logformat':
        globals.formats.set(second, first);
        break;
      case 'servertokens':
        globals.showsVersion = !/^prod/i.test(first);
        break;
      case 'loadmodule':
        globals.loaded.add(first);
        break;
      case 'alias':
        draft.aliases.push({ from: first, to: second });
        break;
      case 'redirect':
      case 'redirectpermanent':
      case 'redirecttemp': {
        const explicit = key === 'redirect' && args.length > 2;
        const kind = explicit ? first : key === 'redirectpermanent' ? 'permanent' : 'temp';
        const [from = '', to = ''] = explicit ? args.slice(1) : args;
        draft.redirects.push({
          from,
          to,
          status: { permanent: 301, temp: 302, seeother: 303, gone: 410 }[kind] ?? Number(kind),
        });
        break;
      }
      case 'redirectmatch': {
        const explicit = args.length > 2;
        const [from = '', to = ''] = explicit ? args.slice(1) : args;
        draft.redirects.push({
          from: new RegExp(from),
          to,
          status: explicit ? ({ permanent: 301, temp: 302 }[first] ?? Number(first)) : 302,
        });
        break;
      }
      case 'proxypass':
        draft.proxies.push(
          scope !== undefined && args.length === 1
            ? { from: scope.prefix, to: first }
            : { from: first, to: second },
        );
        break;
      case 'header':
        draft.headers.push({
          action: first === 'always' ? second : first,
          name: first === 'always' ? (args[2] ?? '') : second,
          value: (first === 'always' ? args[3] : args[2]) ?? '',
        });
        break;
      case 'errordocument':
        draft.errorPages.set(Number(first), second);
        break;
      case 'require':
        if (scope !== undefined) scope.isDenied = args.join(' ').toLowerCase() === 'all denied';
        break;
      case 'order':
      case 'allow':
      case 'deny':
      case 'satisfy':
        throw refuse(
          directive,
          `Invalid command '${name}', perhaps misspelled or defined by a module not included in the server configuration`,
        );
      case 'options':
        if (scope !== undefined)
          scope.indexes =
            args.some((each) => /^\+?(indexes|all)$/i.test(each)) &&
            !args.some((each) => /^-indexes$/i.test(each));
        break;
      default:
        if (REFUSED.has(key)) throw refuse(directive, `drydock: httpd's ${name} isn't simulated`);
        if (!QUIET.has(key))
          throw refuse(
            directive,
            `Invalid command '${name}', perhaps misspelled or defined by a module not included in the server configuration`,
          );
    }
  }
}

function applySection(
  directive: Directive,
  block: readonly Directive[],
  draft: Draft,
  globals: Globals,
  scope: Scope | undefined,
): void {
  const { name, args } = directive;
  const first = args[0] ?? '';
  switch (name.toLowerCase()) {
    case 'ifmodule': {
      const wanted = first.replace(/^!/, '');
      const has =
        MODULES.has(wanted) ||
        globals.loaded.has(wanted) ||
        [...MODULES].some((module) => `mod_${module.replace('_module', '.c')}` === wanted);
      if (has !== first.startsWith('!')) apply(block, draft, globals, scope);
      return;
    }
    case 'ifdefine':
    case 'ifversion':
      return;
    case 'virtualhost': {
      const host = emptyDraft();
      const port = /:(\d+|\*)$/.exec(first)?.[1];
      globals.hosts.push({
        draft: host,
        port: port === undefined || port === '*' ? undefined : Number(port),
      });
      apply(block, host, globals, undefined);
      return;
    }
    case 'directory':
    case 'directorymatch':
    case 'location':
    case 'locationmatch':
    case 'files':
    case 'filesmatch': {
      const isPattern = /match$/i.test(name) || first === '~';
      const text = first === '~' ? (args[1] ?? '') : first;
      const isFile = /^files/i.test(name);
      const glob = (pattern: string): RegExp =>
        new RegExp(
          `(^|/)${pattern
            .replaceAll(/[.+^$()|\\]/g, '\\$&')
            .replaceAll('*', '[^/]*')
            .replaceAll('?', '.')}$`,
        );
      const own: Scope = {
        prefix: isPattern ? '' : text,
        ...(isPattern ? { pattern: new RegExp(text) } : isFile ? { pattern: glob(text) } : {}),
      };
      (/^location/i.test(name) ? draft.locations : draft.directories).push(own);
      apply(block, draft, globals, own);
      return;
    }
    case 'requireall':
    case 'requireany':
    case 'limit':
    case 'limitexcept':
    case 'proxy':
    case 'else':
      return;
    default:
      throw refuse(
        directive,
        `Invalid command '<${name}', perhaps misspelled or defined by a module not included in the server configuration`,
      );
  }
}
