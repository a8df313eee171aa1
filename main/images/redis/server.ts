// redis-server: connections, transactions, publish and subscribe, INFO and CONFIG over the data. Differs: nothing is written to disk.
import { ErrnoError, type TcpListener, type TcpSocket } from '../../network/index.ts';
import { untilStopped } from '../../kubernetes/daemon/index.ts';
import type { Process, Program } from '../../linux/kernel/index.ts';
import { DATA_COMMANDS, Database, globMatches, runDataCommand } from './database.ts';
import {
  array,
  bulk,
  encodeReply,
  failure,
  integer,
  OK,
  ProtocolError,
  RespReader,
  simple,
  texts,
  type Reply,
} from './resp.ts';

const PORT_DEFAULT = 6379;
const DATABASES = 16;
const CLIENTS_MAX = 10_000;
/** Names that are real commands and do nothing here. */
const UNSUPPORTED = new Set(
  'EVAL EVALSHA SCRIPT FUNCTION FCALL XADD XREAD XRANGE XLEN XGROUP XREADGROUP XACK GEOADD GEOSEARCH PFADD PFCOUNT SETBIT GETBIT BITCOUNT BLPOP BRPOP BLMOVE LMOVE REPLICAOF SLAVEOF SYNC PSYNC CLUSTER SENTINEL MODULE MIGRATE DUMP RESTORE SORT OBJECT MONITOR ACL LATENCY SLOWLOG DEBUG WAIT WATCH UNWATCH'.split(
    ' ',
  ),
);

interface Client {
  readonly id: number;
  readonly socket: TcpSocket;
  database: number;
  isTrusted: boolean;
  name: string;
  /** Commands since MULTI. */
  queue: (readonly string[])[] | undefined;
  isSpoilt: boolean;
  readonly channels: Set<string>;
  readonly patterns: Set<string>;
  readonly send: (text: string) => void;
}

/** redis-server of one version, such as `7.4.1`. */
export function makeRedisServer(version: string): Program {
  return async (proc) => {
    const words = proc.argv.slice(1);
    if (words.includes('-v') || words.includes('--version')) {
      await proc.stdout.write(
        `Redis server v=${version} sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=4ed2fba2b0e35b8d\n`,
      );
      return 0;
    }
    const settings = new Map<string, string>([
      ['port', String(PORT_DEFAULT)],
      ['bind', '* -::*'],
      ['protected-mode', 'no'],
      ['databases', String(DATABASES)],
      ['maxmemory', '0'],
      ['maxmemory-policy', 'noeviction'],
      ['appendonly', 'no'],
      ['save', '3600 1 300 100 60 10000'],
      ['requirepass', ''],
      ['dir', proc.cwd],
      ['timeout', '0'],
      ['loglevel', 'notice'],
    ]);
    const file = words[0] !== undefined && !words[0].startsWith('-') ? words[0] : undefined;
    if (file !== undefined) {
      if (!proc.fs.exists(file)) {
        await proc.stdout.write(
          `${stamp(proc, 'C')} # Fatal error, can't open config file '${proc.fs.resolve(file)}': No such file or directory\n`,
        );
        return 1;
      }
      for (const line of proc.fs.readText(file).split('\n')) {
        const [name = '', ...values] = line.trim().split(/\s+/);
        if (name !== '' && !name.startsWith('#'))
          settings.set(name.toLowerCase(), values.join(' ').replaceAll(/^"|"$/g, ''));
      }
    }
    const options = words
      .slice(file === undefined ? 0 : 1)
      .join(' ')
      .split(/(?:^|\s)--/)
      .filter((each) => each.trim() !== '');
    for (const option of options) {
      const [name = '', ...values] = option.trim().split(/\s+/);
      settings.set(name, values.join(' ').replaceAll(/^"|"$/g, ''));
    }
    return new Server(proc, version, settings, file !== undefined || options.length > 0).run();
  };
}

/** `1:M 01 Mar 2024 00:00:00.000`. */
function stamp(proc: Process, role: string): string {
  const now = new Date(Math.floor(proc.clock.now()));
  return `${proc.pid}:${role} ${now.toUTCString().slice(5, 25)}.${String(now.getUTCMilliseconds()).padStart(3, '0')}`;
}

class Server {
  private readonly proc: Process;
  private readonly version: string;
  private readonly settings: Map<string, string>;
  private readonly hasConfig: boolean;
  private readonly databases: Database[];
  private readonly clients = new Map<number, Client>();
  private readonly stop = Promise.withResolvers<number>();
  private readonly startMs: number;
  private lastId = 2;
  private commands = 0;
  private connections = 0;

  constructor(proc: Process, version: string, settings: Map<string, string>, hasConfig: boolean) {
    this.proc = proc;
    this.version = version;
    this.settings = settings;
    this.hasConfig = hasConfig;
    this.startMs = proc.clock.now();
    this.databases = Array.from({ length: DATABASES }, () => new Database(() => proc.clock.now()));
  }

  async run(): Promise<number> {
    const { proc, version } = this;
    const port = Number(this.settings.get('port'));
    await this.log('C', '*', 'oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo');
    await this.log(
      'C',
      '*',
      `Redis version=${version}, bits=64, commit=00000000, modified=0, pid=${proc.pid}, just started`,
    );
    await (this.hasConfig
      ? this.log('C', '*', 'Configuration loaded')
      : this.log(
          'C',
          '#',
          'Warning: no config file specified, using the default config. In order to specify a config file use redis-server /path/to/redis.conf',
        ));
    await this.log('M', '*', 'monotonic clock: POSIX clock_gettime');
    let listener: TcpListener;
    try {
      listener = proc.net.sockets.listenTcp(
        { address: '0.0.0.0', port },
        { owner: proc.socketOwner, backlog: 511 },
      );
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      await this.log(
        'M',
        '#',
        `Warning: Could not create server TCP listening socket *:${port}: bind: ${error.message}`,
      );
      await this.log('M', '#', `Failed listening on port ${port} (tcp), aborting.`);
      return 1;
    }
    using _listener = listener;
    await this.log('M', '*', `Running mode=standalone, port=${port}.`);
    await this.log('M', '*', 'Server initialized');
    await this.log('M', '*', 'Ready to accept connections tcp');
    void this.accept(listener);
    const status = await untilStopped(proc, this.stop.promise);
    await this.log('signal-handler', '', '').catch(() => undefined);
    await this.log('M', '*', 'User requested shutdown...');
    await this.log('M', '#', 'Redis is now ready to exit, bye bye...');
    for (const { socket } of this.clients.values()) socket.close();
    return status;
  }

  private log(role: string, level: string, text: string): Promise<void> {
    if (role === 'signal-handler')
      return this.proc.stdout.write(
        `${this.proc.pid}:signal-handler (${Math.floor(this.proc.clock.now() / 1000)}) Received SIGTERM scheduling shutdown...\n`,
      );
    return this.proc.stdout.write(`${stamp(this.proc, role)} ${level} ${text}\n`);
  }

  private async accept(listener: TcpListener): Promise<void> {
    for (;;) {
      let socket: TcpSocket;
      try {
        socket = await listener.accept();
      } catch (error) {
        if (error instanceof ErrnoError) return; // The server has ended.
        throw error;
      }
      this.connections++;
      if (this.clients.size >= CLIENTS_MAX) socket.close();
      else void this.serve(socket);
    }
  }

  private async serve(socket: TcpSocket): Promise<void> {
    let sending: Promise<void> = Promise.resolve();
    const client: Client = {
      id: ++this.lastId,
      socket,
      database: 0,
      isTrusted: this.settings.get('requirepass') === '',
      name: '',
      queue: undefined,
      isSpoilt: false,
      channels: new Set(),
      patterns: new Set(),
      send: (text) => {
        sending = sending.then(() => socket.write(Buffer.from(text, 'latin1'))).catch(() => undefined); // Gone: its reading ends too.
      },
    };
    this.clients.set(client.id, client);
    const reader = new RespReader(socket);
    try {
      for (;;) {
        const words = await reader.request();
        if (words === undefined) break;
        if (words.length === 0) continue;
        this.commands++;
        const reply = this.answer(client, words);
        if (reply !== undefined) client.send(encodeReply(reply));
        if (words[0]!.toUpperCase() === 'QUIT') break;
      }
    } catch (error) {
      if (error instanceof ProtocolError)
        client.send(encodeReply(failure(`ERR Protocol error: ${error.message}`)));
      else if (!(error instanceof ErrnoError)) throw error;
    }
    await sending;
    this.clients.delete(client.id);
    socket.end();
    socket.close();
  }

  private answer(client: Client, words: readonly string[]): Reply | undefined {
    const name = words[0]!.toUpperCase();
    const args = words.slice(1);
    if (!client.isTrusted && !['AUTH', 'HELLO', 'QUIT'].includes(name))
      return failure('NOAUTH Authentication required.');
    if (client.queue !== undefined && !['EXEC', 'DISCARD', 'MULTI', 'QUIT'].includes(name)) {
      if (!this.isKnown(name)) {
        client.isSpoilt = true;
        return this.unknown(words);
      }
      client.queue.push(words);
      return simple('QUEUED');
    }
    const isListening = client.channels.size + client.patterns.size > 0;
    if (isListening && !/^(P?(UN)?SUBSCRIBE|PING|QUIT|RESET)$/.test(name))
      return failure(
        `ERR Can't execute '${name.toLowerCase()}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`,
      );
    return (
      this.connectionCommand(client, name, args) ??
      this.serverCommand(client, name, args) ??
      runDataCommand(this.databases[client.database]!, name, args) ??
      this.unknown(words)
    );
  }

  private isKnown(name: string): boolean {
    return DATA_COMMANDS[name] !== undefined || CONNECTION_COMMANDS.has(name) || SERVER_COMMANDS.has(name);
  }

  private unknown([name = '', ...args]: readonly string[]): Reply {
    if (UNSUPPORTED.has(name.toUpperCase()))
      return failure(`ERR drydock: ${name.toUpperCase()} isn't simulated`);
    return failure(
      `ERR unknown command '${name}', with args beginning with: ${args.map((each) => `'${each}' `).join('')}`,
    );
  }

  private connectionCommand(client: Client, name: string, args: readonly string[]): Reply | undefined {
    if (!CONNECTION_COMMANDS.has(name)) return undefined;
    const [first = '', second] = args;
    const isListening = client.channels.size + client.patterns.size > 0;
    switch (name) {
      case 'PING':
        return isListening ? texts(['pong', first]) : args.length === 0 ? simple('PONG') : bulk(first);
      case 'ECHO':
        return args.length === 1 ? bulk(first) : failure("ERR wrong number of arguments for 'echo' command");
      case 'QUIT':
        return OK;
      case 'AUTH': {
        const wanted = this.settings.get('requirepass') ?? '';
        if (wanted === '')
          return failure(
            'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
          );
        client.isTrusted = (second ?? first) === wanted && (second === undefined || first === 'default');
        return client.isTrusted
          ? OK
          : failure('WRONGPASS invalid username-password pair or user is disabled.');
      }
      case 'HELLO':
        return first === '3'
          ? failure('NOPROTO unsupported protocol version')
          : texts([
              'server',
              'redis',
              'version',
              this.version,
              'proto',
              '2',
              'id',
              String(client.id),
              'mode',
              'standalone',
              'role',
              'master',
            ]);
      case 'SELECT': {
        const index = Number(first);
        if (!/^-?\d+$/.test(first)) return failure('ERR value is not an integer or out of range');
        if (index < 0 || index >= DATABASES) return failure('ERR DB index is out of range');
        client.database = index;
        return OK;
      }
      case 'CLIENT':
        return this.clientCommand(client, first.toUpperCase(), second ?? '');
      case 'MULTI':
        if (client.queue !== undefined) return failure('ERR MULTI calls can not be nested');
        client.queue = [];
        client.isSpoilt = false;
        return OK;
      case 'DISCARD':
        if (client.queue === undefined) return failure('ERR DISCARD without MULTI');
        client.queue = undefined;
        return OK;
      case 'EXEC': {
        const { queue } = client;
        if (queue === undefined) return failure('ERR EXEC without MULTI');
        client.queue = undefined;
        if (client.isSpoilt) return failure('EXECABORT Transaction discarded because of previous errors.');
        return array(queue.map((words) => this.answer(client, words) ?? OK));
      }
      default:
        return this.pubSub(client, name, args);
    }
  }

  private clientCommand(client: Client, what: string, value: string): Reply {
    if (what === 'SETNAME') client.name = value;
    if (what === 'GETNAME') return bulk(client.name === '' ? undefined : client.name);
    if (what === 'ID') return integer(client.id);
    if (what === 'LIST' || what === 'INFO')
      return bulk(
        Array.from(
          what === 'INFO' ? [client] : this.clients.values(),
          (each) =>
            `id=${each.id} addr=${each.socket.remote.address}:${each.socket.remote.port} laddr=${each.socket.local.address}:${each.socket.local.port} fd=8 name=${each.name} db=${each.database} sub=${each.channels.size} psub=${each.patterns.size} cmd=client\n`,
        ).join(''),
      );
    return ['SETNAME', 'SETINFO', 'NO-EVICT', 'REPLY'].includes(what)
      ? OK
      : failure(`ERR unknown subcommand '${what}'. Try CLIENT HELP.`);
  }

  private pubSub(client: Client, name: string, args: readonly string[]): Reply | undefined {
    if (name === 'PUBLISH') return this.publish(args[0] ?? '', args[1] ?? '');
    if (name === 'PUBSUB')
      return texts(
        Array.from(new Set(Array.from(this.clients.values(), (each) => [...each.channels]).flat())),
      );
    const set = name.startsWith('P') ? client.patterns : client.channels;
    const isLeaving = name.includes('UNSUB');
    const wanted = args.length > 0 ? args : isLeaving ? Array.from(set) : [];
    const word = name.toLowerCase();
    const replies = (wanted.length === 0 ? [undefined] : wanted).map((channel) => {
      if (channel !== undefined) {
        if (isLeaving) set.delete(channel);
        else set.add(channel);
      }
      return array([bulk(word), bulk(channel), integer(client.channels.size + client.patterns.size)]);
    });
    for (const reply of replies.slice(0, -1)) client.send(encodeReply(reply));
    return replies.at(-1);
  }

  private publish(channel: string, message: string): Reply {
    let receivers = 0;
    for (const client of this.clients.values()) {
      if (client.channels.has(channel)) {
        client.send(encodeReply(texts(['message', channel, message])));
        receivers++;
      }
      for (const pattern of client.patterns) {
        if (!globMatches(pattern, channel)) continue;
        client.send(encodeReply(texts(['pmessage', pattern, channel, message])));
        receivers++;
      }
    }
    return integer(receivers);
  }

  private serverCommand(client: Client, name: string, args: readonly string[]): Reply | undefined {
    const [first = '', ...rest] = args;
    switch (name) {
      case 'INFO':
        return bulk(this.info(first.toLowerCase()));
      case 'TIME': {
        const now = this.proc.clock.now();
        return texts([String(Math.floor(now / 1000)), String(Math.floor((now % 1000) * 1000))]);
      }
      case 'COMMAND':
        return first.toUpperCase() === 'COUNT'
          ? integer(Object.keys(DATA_COMMANDS).length + CONNECTION_COMMANDS.size + SERVER_COMMANDS.size)
          : array([]);
      case 'FLUSHALL':
        for (const database of this.databases) database.entries.clear();
        return OK;
      case 'SAVE':
      case 'BGSAVE':
      case 'BGREWRITEAOF':
        return failure(`ERR drydock: ${name} isn't simulated, data lives in memory only`);
      case 'LASTSAVE':
        return integer(Math.floor(this.startMs / 1000));
      case 'ROLE':
        return array([bulk('master'), integer(0), array([])]);
      case 'MEMORY':
        return first.toUpperCase() === 'USAGE'
          ? integer(56 + (rest[0]?.length ?? 0))
          : failure("ERR drydock: MEMORY isn't simulated");
      case 'SWAPDB': {
        const [a, b] = [Number(first), Number(rest[0])];
        [this.databases[a], this.databases[b]] = [this.databases[b]!, this.databases[a]!];
        return OK;
      }
      case 'SHUTDOWN':
        this.stop.resolve(0);
        return OK;
      case 'CONFIG':
        return this.config(first.toUpperCase(), rest);
      case 'MOVE': {
        const [from, to] = [this.databases[client.database]!, this.databases[Number(rest[0])]];
        const entry = from.get(first);
        if (entry === undefined || to === undefined || to.get(first) !== undefined) return integer(0);
        from.entries.delete(first);
        to.entries.set(first, entry);
        return integer(1);
      }
      default:
        return undefined;
    }
  }

  private config(what: string, args: readonly string[]): Reply {
    if (what === 'GET')
      return texts(
        args.flatMap((pattern) =>
          Array.from(this.settings)
            .filter(([key]) => globMatches(pattern.toLowerCase(), key))
            .flat(),
        ),
      );
    if (what === 'SET') {
      const [key = '', value = ''] = args;
      if (!this.settings.has(key.toLowerCase()))
        return failure(`ERR Unknown option or number of arguments for CONFIG SET - '${key}'`);
      this.settings.set(key.toLowerCase(), value);
      return OK;
    }
    if (what === 'RESETSTAT') return OK;
    return what === 'REWRITE'
      ? failure('ERR The server is running without a config file')
      : failure(`ERR unknown subcommand '${what}'. Try CONFIG HELP.`);
  }

  private info(section: string): string {
    const uptime = Math.floor((this.proc.clock.now() - this.startMs) / 1000);
    const keyspace = this.databases.flatMap((database, index) => {
      const keys = database.keys();
      return keys.length === 0
        ? []
        : [
            `db${index}:keys=${keys.length},expires=${keys.filter((key) => database.get(key)?.expiresMs !== undefined).length},avg_ttl=0`,
          ];
    });
    const sections: Readonly<Record<string, readonly string[]>> = {
      Server: [
        `redis_version:${this.version}`,
        'redis_git_sha1:00000000',
        'redis_mode:standalone',
        `os:Linux ${this.proc.kernel.release} x86_64`,
        'arch_bits:64',
        'multiplexing_api:epoll',
        `process_id:${this.proc.pid}`,
        `tcp_port:${this.settings.get('port')}`,
        `uptime_in_seconds:${uptime}`,
        `uptime_in_days:${Math.floor(uptime / 86_400)}`,
      ],
      Clients: [`connected_clients:${this.clients.size}`, `maxclients:${CLIENTS_MAX}`, 'blocked_clients:0'],
      Memory: [
        'used_memory:1048576',
        'used_memory_human:1.00M',
        `maxmemory:${this.settings.get('maxmemory')}`,
        `maxmemory_policy:${this.settings.get('maxmemory-policy')}`,
      ],
      Persistence: ['loading:0', 'rdb_changes_since_last_save:0', 'aof_enabled:0'],
      Stats: [`total_connections_received:${this.connections}`, `total_commands_processed:${this.commands}`],
      Replication: ['role:master', 'connected_slaves:0', 'master_failover_state:no-failover'],
      CPU: ['used_cpu_sys:0.000000', 'used_cpu_user:0.000000'],
      Cluster: ['cluster_enabled:0'],
      Keyspace: keyspace,
    };
    return Object.entries(sections)
      .filter(
        ([name]) =>
          section === '' ||
          section === 'all' ||
          section === 'default' ||
          section === 'everything' ||
          name.toLowerCase() === section,
      )
      .map(([name, lines]) => `# ${name}\r\n${lines.map((line) => `${line}\r\n`).join('')}`)
      .join('\r\n');
  }
}

const CONNECTION_COMMANDS = new Set(
  'PING ECHO QUIT AUTH HELLO SELECT CLIENT MULTI EXEC DISCARD SUBSCRIBE UNSUBSCRIBE PSUBSCRIBE PUNSUBSCRIBE PUBLISH PUBSUB'.split(
    ' ',
  ),
);
const SERVER_COMMANDS = new Set(
  'INFO TIME COMMAND FLUSHALL SAVE BGSAVE BGREWRITEAOF LASTSAVE ROLE MEMORY SWAPDB SHUTDOWN CONFIG MOVE'.split(
    ' ',
  ),
);
