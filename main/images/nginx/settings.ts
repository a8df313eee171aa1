// What a configuration means once its directives are read: the shapes that answering a request goes by.
import type { Template } from './template.ts';

export interface Listen {
  /** `0.0.0.0`, `::` or an address; `unix:…` for a socket file. */
  readonly address: string;
  readonly port: number;
  readonly isDefault: boolean;
  readonly ssl: boolean;
  readonly http2: boolean;
  readonly proxyProtocol: boolean;
  readonly udp: boolean;
  readonly backlog: number;
  readonly ipv6Only: boolean;
}

/** One step of the rewrite module, run in order. */
export type RewriteStep =
  | { readonly kind: 'set'; readonly name: string; readonly value: Template }
  | { readonly kind: 'break' }
  | { readonly kind: 'return'; readonly status: number; readonly text: Template | undefined }
  | {
      readonly kind: 'rewrite';
      readonly pattern: RegExp;
      readonly target: Template;
      readonly flag: '' | 'last' | 'break' | 'redirect' | 'permanent';
      /** The target ends in `?`: the request's arguments are dropped. */
      readonly dropsArgs: boolean;
    }
  | {
      readonly kind: 'if';
      readonly test: Condition;
      readonly steps: readonly RewriteStep[];
      readonly settings: Settings;
    };

export type Condition =
  | { readonly kind: 'true'; readonly variable: Template }
  | { readonly kind: 'equal'; readonly left: Template; readonly right: Template; readonly negated: boolean }
  | { readonly kind: 'match'; readonly left: Template; readonly pattern: RegExp; readonly negated: boolean }
  | {
      readonly kind: 'file';
      readonly path: Template;
      readonly test: 'f' | 'd' | 'e' | 'x';
      readonly negated: boolean;
    };

export interface HeaderRule {
  readonly name: string;
  readonly value: Template;
  readonly always: boolean;
}

export interface AccessRule {
  readonly allow: boolean;
  readonly what: string;
}

export interface AccessLog {
  /** A path, `stderr` or `syslog:…`; may hold variables. */
  readonly path: Template;
  readonly format: LogFormat;
  readonly condition: Template | undefined;
}

export interface LogFormat {
  readonly template: Template;
  readonly escape: 'default' | 'json' | 'none';
}

export interface LimitReq {
  readonly zone: LimitReqZone;
  readonly burst: number;
  /** Requests let through at once: Infinity with `nodelay`. */
  readonly delayAfter: number;
}

export interface LimitReqZone {
  readonly name: string;
  readonly key: Template;
  /** Thousandths of a request per second. */
  readonly rate: number;
}

export interface LimitConnZone {
  readonly name: string;
  readonly key: Template;
}

export interface ProxySettings {
  readonly target: Template;
  /** The words of the directive, for errors. */
  readonly text: string;
  readonly headers: readonly (readonly [string, Template])[];
  readonly hidden: readonly string[];
  readonly passed: readonly string[];
  readonly redirects: 'off' | 'default' | readonly ProxyRedirect[];
  readonly cookiePaths: readonly CookieRule[];
  readonly cookieDomains: readonly CookieRule[];
  readonly httpVersion: '1.0' | '1.1';
  readonly method: Template | undefined;
  readonly body: Template | undefined;
  readonly passHeaders: boolean;
  readonly passBody: boolean;
  readonly connectTimeoutMs: number;
  readonly readTimeoutMs: number;
  readonly sendTimeoutMs: number;
  readonly buffersRequest: boolean;
  readonly interceptsErrors: boolean;
  readonly next: readonly string[];
  readonly nextTries: number;
  readonly nextTimeoutMs: number;
  readonly sslVerify: boolean;
  readonly sslServerName: boolean;
  readonly sslName: Template | undefined;
  readonly sslTrusted: string | undefined;
  readonly sslCertificate: string | undefined;
  readonly sslCertificateKey: string | undefined;
}

export interface ProxyRedirect {
  readonly from: RegExp | Template;
  readonly to: Template;
  readonly isDefault: boolean;
}

export interface CookieRule {
  readonly from: RegExp | string;
  readonly to: Template;
}

export interface Expires {
  readonly kind: 'off' | 'epoch' | 'max' | 'after' | 'modified' | 'daily' | 'variable';
  readonly ms: number;
  readonly template: Template;
}

/** What holds at a place of the configuration, inherited from the blocks around it. */
export interface Settings {
  readonly root: Template;
  readonly alias: Template | undefined;
  readonly index: readonly Template[];
  readonly tryFiles: readonly Template[] | undefined;
  readonly addHeaders: readonly HeaderRule[];
  readonly errorPages: readonly {
    readonly codes: readonly number[];
    /** undefined: keep the error's; 0 (from `=`): what the page's own answer has. */
    readonly status: number | undefined;
    readonly uri: Template;
  }[];
  readonly recursiveErrorPages: boolean;
  readonly types: ReadonlyMap<string, string>;
  readonly defaultType: string;
  readonly autoindex: boolean;
  readonly autoindexExactSize: boolean;
  readonly autoindexFormat: 'html' | 'json' | 'jsonp' | 'xml';
  readonly accessLogs: readonly AccessLog[];
  readonly errorLogs: readonly ErrorLog[];
  readonly logNotFound: boolean;
  readonly serverTokens: 'on' | 'off' | 'build';
  readonly serverNameInRedirect: boolean;
  readonly portInRedirect: boolean;
  readonly absoluteRedirect: boolean;
  readonly charset: string | undefined;
  readonly charsetTypes: readonly string[];
  readonly satisfyAny: boolean;
  readonly access: readonly AccessRule[];
  readonly authBasic: Template | undefined;
  readonly authUserFile: Template | undefined;
  readonly authRequest: string | undefined;
  readonly authRequestSets: readonly (readonly [string, Template])[];
  readonly limitReqs: readonly LimitReq[];
  readonly limitReqStatus: number;
  readonly limitReqLogLevel: LogLevel;
  readonly limitConns: readonly { readonly zone: LimitConnZone; readonly max: number }[];
  readonly limitConnStatus: number;
  readonly limitRate: Template | undefined;
  readonly isInternal: boolean;
  readonly stubStatus: boolean;
  readonly emptyGif: boolean;
  readonly proxy: ProxySettings | undefined;
  readonly exceptMethods: readonly string[] | undefined;
  /** Inside limit_except. */
  readonly exceptAccess: readonly AccessRule[];
  readonly exceptAuthBasic: Template | undefined;
  readonly clientMaxBodyBytes: number;
  readonly clientBodyTimeoutMs: number;
  readonly keepaliveTimeoutMs: number;
  readonly keepaliveHeaderSeconds: number;
  readonly keepaliveRequests: number;
  readonly etag: boolean;
  readonly ifModifiedSince: 'off' | 'exact' | 'before';
  readonly maxRanges: number;
  readonly chunked: boolean;
  readonly expires: Expires | undefined;
  readonly gzip: boolean;
  readonly gzipTypes: readonly string[];
  readonly gzipMinLength: number;
  readonly gzipLevel: number;
  readonly gzipVary: boolean;
  readonly gzipProxied: readonly string[];
  readonly gzipHttp10: boolean;
  readonly gzipStatic: 'off' | 'on' | 'always';
  readonly gunzip: boolean;
  readonly subFilters: readonly { readonly from: Template; readonly to: Template }[];
  readonly subFilterOnce: boolean;
  readonly subFilterTypes: readonly string[];
  readonly subFilterLastModified: boolean;
  readonly addBefore: string | undefined;
  readonly addAfter: string | undefined;
  readonly realIpFrom: readonly string[];
  readonly realIpHeader: string;
  readonly realIpRecursive: boolean;
  readonly msiePadding: boolean;
  readonly resolver: readonly string[] | undefined;
  readonly mirrors: readonly string[];
  readonly methodAllowsPost: boolean;
  readonly validReferers: readonly string[] | undefined;
}

export type LogLevel = 'debug' | 'info' | 'notice' | 'warn' | 'error' | 'crit' | 'alert' | 'emerg';

export interface ErrorLog {
  readonly path: string;
  readonly level: LogLevel;
}

export interface Location {
  readonly kind: 'exact' | 'prefix' | 'prefix-final' | 'regex' | 'named';
  readonly path: string;
  readonly pattern: RegExp | undefined;
  readonly settings: Settings;
  readonly steps: readonly RewriteStep[];
  readonly locations: readonly Location[];
  readonly ignoreCase: boolean;
  /** A prefix with a slash at its end that passes requests on: without the slash it is redirected to. */
  readonly autoRedirects: boolean;
}

export interface ServerTls {
  readonly certificates: readonly { readonly certificate: Template; readonly key: Template }[];
  readonly protocols: readonly string[];
  readonly clientCertificate: string | undefined;
  readonly verifyClient: 'off' | 'on' | 'optional' | 'optional_no_ca';
  readonly rejects: boolean;
}

export interface ServerName {
  readonly text: string;
  readonly pattern: RegExp | undefined;
}

export interface Server {
  readonly listens: readonly Listen[];
  readonly names: readonly ServerName[];
  readonly settings: Settings;
  readonly steps: readonly RewriteStep[];
  readonly locations: readonly Location[];
  readonly tls: ServerTls;
  readonly underscores: boolean;
  readonly ignoresInvalid: boolean;
  readonly mergesSlashes: boolean;
  readonly headerTimeoutMs: number;
  readonly headerBufferBytes: number;
  readonly headerBuffers: number;
}

export interface UpstreamServer {
  /** `host:port` or `unix:…`, as configured. */
  readonly text: string;
  readonly host: string;
  readonly port: number;
  readonly weight: number;
  readonly maxFails: number;
  readonly failTimeoutMs: number;
  readonly maxConnections: number;
  readonly isDown: boolean;
  readonly isBackup: boolean;
}

export interface Upstream {
  readonly name: string;
  readonly servers: readonly UpstreamServer[];
  readonly method: 'round-robin' | 'ip_hash' | 'least_conn' | 'hash' | 'random';
  readonly hashKey: Template | undefined;
  readonly isConsistent: boolean;
  readonly randomTwo: boolean;
  /** Idle connections kept. */
  readonly keepalive: number;
  readonly keepaliveTimeoutMs: number;
  readonly keepaliveRequests: number;
}

/** A variable that a `map`, `geo` or `split_clients` block defines. */
export type DerivedVariable =
  | {
      readonly kind: 'map';
      readonly source: Template;
      readonly exact: ReadonlyMap<string, Template>;
      readonly wildcards: readonly { readonly pattern: string; readonly value: Template }[];
      readonly patterns: readonly { readonly pattern: RegExp; readonly value: Template }[];
      readonly fallback: Template;
      readonly hostnames: boolean;
    }
  | {
      readonly kind: 'geo';
      readonly source: Template;
      readonly ranges: readonly { readonly from: number; readonly to: number; readonly value: string }[];
      readonly fallback: string;
    }
  | {
      readonly kind: 'split';
      readonly source: Template;
      /** Up to which hash, of 2³², a value holds. */
      readonly parts: readonly { readonly below: number; readonly value: string }[];
    };

export interface StreamServer {
  readonly listens: readonly Listen[];
  readonly proxyPass: Template | undefined;
  readonly returns: Template | undefined;
  readonly connectTimeoutMs: number;
  readonly timeoutMs: number;
  readonly sendsProxyProtocol: boolean;
  readonly access: readonly AccessRule[];
  readonly accessLogs: readonly AccessLog[];
  readonly responses: number | undefined;
  readonly tls: ServerTls;
  readonly proxySsl: boolean;
  readonly sslPreread: boolean;
}

export interface NginxSettings {
  readonly servers: readonly Server[];
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly variables: ReadonlyMap<string, DerivedVariable>;
  readonly streamServers: readonly StreamServer[];
  readonly streamUpstreams: ReadonlyMap<string, Upstream>;
  readonly streamVariables: ReadonlyMap<string, DerivedVariable>;
  readonly errorLogs: readonly ErrorLog[];
  readonly workerProcesses: number | 'auto';
  readonly daemon: boolean;
  readonly masterProcess: boolean;
  readonly pidFile: string;
  readonly user: string | undefined;
  readonly env: readonly string[];
  readonly workerConnections: number;
  /** Messages that are no errors, such as conflicting server names: level and text. */
  readonly warnings: readonly string[];
}
