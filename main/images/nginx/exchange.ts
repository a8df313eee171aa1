// One request on its way through nginx: what came, what was decided, what goes back.
import type { ByteStream } from '../../network/index.ts';
import type { HeaderList } from '../../network/http/index.ts';
import type { Process } from '../../linux/kernel/index.ts';
import type { Balancer } from './balance.ts';
import type { Limits } from './limits.ts';
import type { Location, LogLevel, NginxSettings, Server, Settings } from './settings.ts';
import type { Scope } from './template.ts';
import { variableOf } from './variables.ts';

/** What all requests of a running configuration share. */
export interface NginxWorld {
  readonly proc: Process;
  readonly settings: NginxSettings;
  /** `1.20.2`. */
  readonly version: string;
  readonly balancer: Balancer;
  readonly limits: Limits;
  readonly counters: Counters;
  /** Addresses behind the names in the configuration, found when it was read. */
  readonly addresses: ReadonlyMap<string, readonly string[]>;
  readonly log: (
    level: LogLevel,
    message: string,
    exchange: Exchange | undefined,
    connection: number,
  ) => void;
  readonly logAccess: (exchange: Exchange) => void;
  /** Asks the `resolver` servers for a name at run time. Rejects with an Error whose message is nginx's. */
  readonly resolve: (name: string, servers: readonly string[]) => Promise<readonly string[]>;
  readonly workerPid: () => number;
}

/** For stub_status. */
export interface Counters {
  accepted: number;
  handled: number;
  requests: number;
  active: number;
  reading: number;
  writing: number;
}

/** Who is connected, and how. */
export interface ConnectionFacts {
  readonly number: number;
  readonly peer: { readonly address: string; readonly port: number };
  readonly local: { readonly address: string; readonly port: number };
  readonly proxyProtocol: { readonly address: string; readonly port: number } | undefined;
  readonly tls:
    | {
        readonly version: string;
        readonly cipher: string;
        readonly protocol: string | undefined;
        readonly serverName: string | undefined;
        readonly clientSubject: string | undefined;
        readonly clientVerify: string;
        readonly clientCertificate: string | undefined;
      }
    | undefined;
  /** Requests so far, this one included. */
  requests: number;
}

export interface RequestHead {
  readonly method: string;
  /** As sent. */
  readonly target: string;
  readonly version: '0.9' | '1.0' | '1.1' | '2.0';
  readonly headers: HeaderList;
  /** The request line as sent. */
  readonly line: string;
  readonly sizeBytes: number;
}

export interface Result {
  readonly status: number;
  /** With its number, where it isn't nginx's own. */
  readonly statusLine?: string;
  readonly contentType?: string;
  readonly contentLength?: number;
  readonly lastModifiedMs?: number | undefined;
  /** A path of this server, which the header filter completes. Others stand among the headers. */
  /** A path of this server, completed; another target stands among the headers. */
  readonly location?: string;
  /** Of another server's answer, whose field stands among the headers. */
  readonly givenLastModifiedMs?: number;
  /** The rest, in order. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
  /** Whether parts of it may be asked for. */
  readonly allowsRanges?: boolean;
  /** With status 101: both ends' bytes are passed on from here. */
  readonly upgrade?: (client: ByteStream) => Promise<void>;
  /** Whether it comes from another server. */
  readonly isProxied?: boolean;
}

/** What a try of another server was like, for $upstream_* variables. */
export interface UpstreamTry {
  readonly address: string;
  status: number | undefined;
  connectMs: number | undefined;
  headerMs: number | undefined;
  responseMs: number;
  bytesReceived: number;
}

/** An answer that is an error page, unless error_page says otherwise. */
export class HttpError extends Error {
  readonly status: number;
  readonly location: string | undefined;
  readonly headers: readonly (readonly [string, string])[];
  constructor(status: number, headers: readonly (readonly [string, string])[] = [], location?: string) {
    super(String(status));
    this.status = status;
    this.headers = headers;
    this.location = location;
  }
}

/** The connection ends without an answer: `return 444`, or a client that is gone. */
export class HangUp extends Error {}

export class Exchange implements Scope {
  readonly world: NginxWorld;
  readonly head: RequestHead;
  readonly connection: ConnectionFacts;
  readonly startMs: number;
  /** Reads the whole request body. Throws HttpError 413, 400, or HangUp. */
  readonly readBody: () => Promise<Uint8Array>;
  readonly isSubrequest: boolean;
  server: Server;
  settings: Settings;
  location: Location | undefined = undefined;
  uri = '/';
  args: string;
  method: string;
  host: string;
  /** The client's address, perhaps as a proxy before this one told it. */
  clientAddress: string;
  clientPort: number;
  user: string | undefined = undefined;
  isInternal = false;
  /** The URI isn't what the client sent any more. */
  isUriChanged = false;
  hasErrorPage = false;
  status = 0;
  bodyBytesSent = 0;
  bytesSent = 0;
  requestCompleted = '';
  responseHeaders: HeaderList = [];
  readonly tries: UpstreamTry[] = [];
  upstreamHeaders: HeaderList = [];
  readonly assigned = new Map<string, string>();
  limitStatus: string | undefined = undefined;
  invalidReferer = false;
  gzipRatio: string | undefined = undefined;
  /** Ends a connection counted by limit_conn. */
  readonly atEnd: (() => void)[] = [];
  requestId: string | undefined = undefined;
  proxyHost: string | undefined = undefined;
  proxyPort: string | undefined = undefined;
  private captures: readonly (string | undefined)[] = [];

  constructor(options: {
    world: NginxWorld;
    head: RequestHead;
    connection: ConnectionFacts;
    server: Server;
    readBody: () => Promise<Uint8Array>;
    host: string;
    isSubrequest?: boolean;
  }) {
    this.world = options.world;
    this.head = options.head;
    this.connection = options.connection;
    this.server = options.server;
    this.settings = options.server.settings;
    this.readBody = options.readBody;
    this.host = options.host;
    this.isSubrequest = options.isSubrequest ?? false;
    this.method = options.head.method;
    this.startMs = options.world.proc.clock.now();
    const mark = options.head.target.indexOf('?');
    this.args = mark < 0 ? '' : options.head.target.slice(mark + 1).replace(/#.*$/, '');
    this.clientAddress = options.connection.peer.address;
    this.clientPort = options.connection.peer.port;
  }

  get(name: string): string | undefined {
    return this.assigned.get(name) ?? variableOf(this, name);
  }

  capture(index: number): string | undefined {
    return this.captures[index];
  }

  setCaptures(match: RegExpExecArray): void {
    this.captures = [...match];
    for (const [name, value] of Object.entries(match.groups ?? {}))
      if (value !== undefined) this.assigned.set(name, value);
  }

  header(name: string): string | undefined {
    const wanted = name.toLowerCase();
    return this.head.headers.find(([field]) => field.toLowerCase() === wanted)?.[1];
  }

  log(level: LogLevel, message: string): void {
    this.world.log(level, message, this, this.connection.number);
  }
}
