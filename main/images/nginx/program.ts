// The program nginx: a master that reads the configuration and holds the sockets, and a worker that answers.
import { Resolver, ResolveError } from '../../network/dns/index.ts';
import { ErrnoError, type TcpListener } from '../../network/index.ts';
import { serveHttp } from '../../network/http/index.ts';
import type { Child, OpenFile, Process, Program } from '../../linux/kernel/index.ts';
import { answer, expandVariables, type AnswerWorld, type Context } from './answer.ts';
import { ConfigError, type Directive } from './config.ts';
import { readConfig, type Config } from './known-configs.ts';
import { type Listen, type NginxSettings } from './settings.ts';

const CONFIG_DEFAULT = '/etc/nginx/nginx.conf';
const USAGE = (version: string): string =>
  `nginx version: nginx/${version}\nUsage: nginx [-?hvVtTq] [-s signal] [-p prefix]\n             [-e filename] [-c filename] [-g directives]\n\n` +
  `Options:\n  -?,-h         : this help\n  -v            : show version and exit\n  -V            : show version and configure options then exit\n` +
  `  -t            : test configuration and exit\n  -T            : test configuration, dump it and exit\n  -q            : suppress non-error messages during configuration testing\n` +
  `  -s signal     : send signal to a master process: stop, quit, reopen, reload\n  -p prefix     : set prefix path (default: /etc/nginx/)\n  -e filename   : set error log file (default: /var/log/nginx/error.log)\n` +
  `  -c filename   : set configuration file (default: /etc/nginx/nginx.conf)\n  -g directives : set global directives out of configuration file\n\n`;

interface Flags {
  readonly config: string;
  readonly globals: string;
  readonly test: boolean;
  readonly dump: boolean;
  readonly signal: string | undefined;
}

/** Makes nginx of one version, such as `1.20.2`. */
export function makeNginx(version: string): Program {
  return async (proc) => {
    if (proc.argv.some((word) => word === '-v' || word === '-V')) {
      await proc.stderr.write(`nginx version: nginx/${version}\n`);
      return 0;
    }
    if (proc.argv.some((word) => word === '-h' || word === '-?')) {
      await proc.stderr.write(USAGE(version));
      return 0;
    }
    const flags = readFlags(proc.argv);
    if (flags.signal !== undefined) return signalMaster(proc, flags);
    let loaded: Loaded;
    try {
      loaded = await load(proc, flags);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const stamp = flags.test ? 'nginx: ' : `${timestamp(proc)} `;
      if (!flags.test) await proc.stderr.write(`${stamp}[emerg] ${proc.pid}#${proc.pid}: ${error.message}\n`);
      await proc.stderr.write(`nginx: [emerg] ${error.message}\n`);
      if (flags.test) await proc.stderr.write(`nginx: configuration file ${flags.config} test failed\n`);
      return 1;
    }
    if (flags.test) {
      await proc.stderr.write(
        `nginx: the configuration file ${flags.config} syntax is ok\nnginx: configuration file ${flags.config} test is successful\n`,
      );
      if (flags.dump)
        await proc.stdout.write(`# configuration file ${flags.config}:\n${proc.fs.readText(flags.config)}\n`);
      return 0;
    }
    if (loaded.settings.daemon) {
      // The master leaves the foreground; the command that the shell waits for is done.
      proc.spawn({
        argv: [`nginx: master process ${proc.argv.join(' ')}`],
        program: (master) => new Master(master, version, flags, loaded).run(),
        newSession: true,
      });
      return 0;
    }
    return new Master(proc, version, flags, loaded).run();
  };
}

function readFlags(argv: readonly string[]): Flags {
  const value = (flag: string): string | undefined => {
    const index = argv.indexOf(flag);
    return index < 0 ? undefined : argv[index + 1];
  };
  return {
    config: value('-c') ?? CONFIG_DEFAULT,
    globals: value('-g') ?? '',
    test: argv.includes('-t') || argv.includes('-T'),
    dump: argv.includes('-T'),
    signal: value('-s'),
  };
}

interface Loaded {
  readonly settings: NginxSettings;
  /** Addresses of the names that proxy_pass and upstreams have. */
  readonly addresses: ReadonlyMap<string, string>;
}

/** Reads the configuration and looks up the names in it, as nginx does once, at the start. Rejects with ConfigError. */
async function load(proc: Process, flags: Flags): Promise<Loaded> {
  const { settings, directives } = readAll(proc, flags);
  const read = (path: string): string | undefined =>
    proc.fs.exists(path) ? proc.fs.readText(path) : undefined;
  const resolver = new Resolver({
    sockets: proc.net.sockets,
    clock: proc.clock,
    random: proc.random.fork('nginx'),
    hosts: () => read('/etc/hosts'),
    resolvConf: () => read('/etc/resolv.conf'),
  });
  const addresses = new Map<string, string>();
  for (const { name, file, line } of hostsIn(directives, new Set(settings.upstreams.keys()))) {
    if (addresses.has(name)) continue;
    try {
      const [address] = (await resolver.resolve(name)).addresses;
      if (address !== undefined) addresses.set(name, address);
    } catch (error) {
      if (!(error instanceof ResolveError || error instanceof ErrnoError)) throw error;
      throw new ConfigError(`host not found in upstream "${name}" in ${file}:${line}`, { cause: error });
    }
  }
  return { settings, addresses };
}

/** Names (not addresses, not variables, not upstreams) that requests may be passed to. */
function hostsIn(
  directives: readonly Directive[],
  upstreams: ReadonlySet<string>,
  isUpstream = false,
): { name: string; file: string; line: number }[] {
  return directives.flatMap(({ name, args, block, file, line }) => {
    const [first = ''] = args;
    const target =
      name === 'proxy_pass'
        ? /^https?:\/\/([^/:$]+)/.exec(first)?.[1]
        : isUpstream && name === 'server'
          ? first.replace(/:\d+$/, '')
          : undefined;
    const isName = target !== undefined && !upstreams.has(target) && !/^[\d.]+$|^unix/.test(target);
    return [
      ...(isName ? [{ name: target, file, line }] : []),
      ...hostsIn(block ?? [], upstreams, name === 'upstream'),
    ];
  });
}

function readAll(proc: Process, flags: Flags): Config {
  return readConfig(flags.config, flags.globals, (pattern) => readFiles(proc, pattern));
}

/** The files that a pattern names, by name. */
function readFiles(proc: Process, pattern: string): { path: string; text: string }[] {
  const { fs } = proc;
  if (!/[*?[]/.test(pattern))
    return fs.exists(pattern) ? [{ path: pattern, text: fs.readText(pattern) }] : [];
  const slash = pattern.lastIndexOf('/');
  const folder = pattern.slice(0, slash);
  const expression = new RegExp(
    `^${pattern
      .slice(slash + 1)
      .replace(/[.+^${}()|\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  );
  if (!fs.exists(folder)) return [];
  return fs
    .readdir(folder)
    .filter(({ name }) => expression.test(name) && !name.startsWith('.'))
    .map(({ name }) => ({ path: `${folder}/${name}`, text: fs.readText(`${folder}/${name}`) }));
}

async function signalMaster(proc: Process, flags: Flags): Promise<number> {
  const signals = { stop: 'SIGTERM', quit: 'SIGQUIT', reload: 'SIGHUP', reopen: 'SIGUSR1' } as const;
  const signal = signals[flags.signal as keyof typeof signals];
  if (signal === undefined) {
    await proc.stderr.write(`nginx: invalid option: "-s ${flags.signal}"\n`);
    return 1;
  }
  try {
    const { pidFile } = readAll(proc, flags).settings;
    const pid = Number(proc.fs.readText(pidFile).trim());
    if (flags.signal === 'reload')
      await proc.stderr.write(
        `${timestamp(proc)} [notice] ${proc.pid}#${proc.pid}: signal process started\n`,
      );
    proc.kill(pid, signal);
    return 0;
  } catch (error) {
    if (error instanceof ConfigError) await proc.stderr.write(`nginx: [emerg] ${error.message}\n`);
    else if (error instanceof ErrnoError && error.code === 'ESRCH')
      await proc.stderr.write(`nginx: [alert] kill(${error.path ?? ''}) failed (3: No such process)\n`);
    else if (error instanceof ErrnoError)
      await proc.stderr.write(`nginx: [error] open() "${error.path}" failed (2: ${error.message})\n`);
    else throw error;
    return 1;
  }
}

function timestamp(proc: Process): string {
  return new Date(Math.floor(proc.clock.now()))
    .toISOString()
    .slice(0, 19)
    .replaceAll('-', '/')
    .replace('T', ' ');
}

/** `20/Nov/2026:16:43:03 +0000`. */
function localTime(proc: Process): string {
  const [, day, month, year, time] = /^\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(
    new Date(Math.floor(proc.clock.now())).toUTCString(),
  )!;
  return `${day}/${month}/${year}:${time} +0000`;
}

class Master {
  private readonly proc: Process;
  private readonly version: string;
  private readonly flags: Flags;
  private settings: NginxSettings;
  private addresses: ReadonlyMap<string, string>;
  private readonly listeners = new Map<string, { listen: Listen; listener: TcpListener }>();
  private serving = new DisposableStack();
  private worker: Child | undefined;
  private connections = 0;
  private readonly logs = new Map<string, OpenFile>();
  private readonly writing = new Map<string, Promise<void>>();

  constructor(proc: Process, version: string, flags: Flags, { settings, addresses }: Loaded) {
    this.proc = proc;
    this.version = version;
    this.flags = flags;
    this.settings = settings;
    this.addresses = addresses;
  }

  async run(): Promise<number> {
    const { proc } = this;
    const stop = Promise.withResolvers<number>();
    proc.onSignal('SIGTERM', () => stop.resolve(0));
    proc.onSignal('SIGINT', () => stop.resolve(0));
    proc.onSignal('SIGQUIT', () => stop.resolve(0));
    proc.onSignal('SIGHUP', () => void this.reload());
    proc.onSignal('SIGUSR1', () => this.logs.clear());
    proc.onSignal('SIGCHLD', () => undefined);
    try {
      this.listen();
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      const line = `[emerg] ${proc.pid}#${proc.pid}: bind() to ${error.path ?? '0.0.0.0:80'} failed (98: ${error.message})`;
      await proc.stderr.write(
        `${timestamp(proc)} ${line}\nnginx: [emerg] bind() to ${error.path ?? '0.0.0.0:80'} failed (98: ${error.message})\n`,
      );
      return 1;
    }
    this.writePid();
    this.notice('using the "epoll" event method');
    this.notice(`nginx/${this.version}`);
    this.notice('start worker processes');
    this.serve();
    this.startWorker();
    for (;;) {
      try {
        const code = await proc.interruptible(stop.promise);
        this.notice('exiting');
        this.end();
        return code;
      } catch (error) {
        if (!(error instanceof ErrnoError && error.code === 'EINTR')) {
          this.end();
          throw error;
        }
      }
    }
  }

  private end(): void {
    this.serving.dispose();
    for (const { listener } of this.listeners.values()) listener[Symbol.dispose]();
    this.worker?.kill('SIGKILL');
    if (this.proc.fs.exists(this.settings.pidFile)) this.proc.fs.unlink(this.settings.pidFile);
  }

  private writePid(): void {
    this.proc.fs.writeFile(this.settings.pidFile, `${this.proc.pid}\n`);
  }

  private listen(): void {
    const wanted = new Map<string, Listen>();
    for (const { listens } of this.settings.servers)
      for (const listen of listens) wanted.set(`${listen.address}:${listen.port}`, listen);
    // A wildcard takes every address of its port.
    for (const key of wanted.keys())
      if (!key.startsWith('0.0.0.0:') && wanted.has(`0.0.0.0:${key.slice(key.lastIndexOf(':') + 1)}`))
        wanted.delete(key);
    const owner = this.proc.socketOwner;
    for (const [key, listen] of wanted) {
      if (this.listeners.has(key)) continue;
      try {
        this.listeners.set(key, {
          listen,
          listener: this.proc.net.sockets.listenTcp(listen, { owner, backlog: 511 }),
        });
      } catch (error) {
        if (error instanceof ErrnoError) throw new ErrnoError(error.code, key, { cause: error });
        throw error;
      }
    }
    for (const [key, { listener }] of this.listeners) {
      if (wanted.has(key)) continue;
      listener[Symbol.dispose]();
      this.listeners.delete(key);
    }
  }

  /** Children answer in the real nginx; here the worker stands for them in the process list. */
  private startWorker(): void {
    this.worker = this.proc.spawn({
      argv: ['nginx: worker process'],
      program: async (worker) => {
        worker.onSignal('SIGHUP', 'ignore');
        for (;;) await worker.sleep(1e12);
      },
    });
    this.notice(`start worker process ${this.worker.pid}`);
  }

  private serve(): void {
    const { proc, settings, version } = this;
    const world: AnswerWorld = {
      proc,
      settings,
      version,
      turns: new Map(),
      addresses: this.addresses,
      logError: (message, context) => this.logError(message, context),
    };
    for (const { listen, listener } of this.listeners.values()) {
      const handler = serveHttp(
        listener,
        async (request) => {
          this.connections++;
          const { response, context } = await answer(world, request, listen);
          this.logAccess(context);
          return response;
        },
        {
          onError: (error) =>
            this.write(
              settings.errorLog,
              `${timestamp(proc)} [alert] ${proc.pid}#${proc.pid}: ${error instanceof Error ? error.message : String(error)}\n`,
            ),
        },
      );
      this.serving.use(handler);
    }
  }

  private async reload(): Promise<void> {
    const { proc } = this;
    this.notice('signal 1 (SIGHUP) received, reconfiguring');
    try {
      ({ settings: this.settings, addresses: this.addresses } = await load(proc, this.flags));
      this.notice('reconfiguring');
      this.serving.dispose();
      this.serving = new DisposableStack();
      this.listen();
    } catch (error) {
      if (!(error instanceof ConfigError || error instanceof ErrnoError)) throw error;
      this.write(
        this.settings.errorLog,
        `${timestamp(proc)} [emerg] ${proc.pid}#${proc.pid}: ${error.message}\n`,
      );
      if (error instanceof ConfigError) return;
    }
    this.serve();
    this.worker?.kill('SIGKILL');
    this.notice('start worker processes');
    this.startWorker();
  }

  private notice(message: string): void {
    this.write(
      this.settings.errorLog,
      `${timestamp(this.proc)} [notice] ${this.proc.pid}#${this.proc.pid}: ${message}\n`,
    );
  }

  private logError(message: string, context: Context): void {
    const { request, server } = context;
    const host = request.headers.find(([name]) => name.toLowerCase() === 'host')?.[1];
    const where = `client: ${request.peer.address}, server: ${server.names[0] ?? ''}, request: "${request.method} ${request.target} HTTP/1.1"${host === undefined ? '' : `, host: "${host}"`}`;
    const pid = this.worker?.pid ?? this.proc.pid;
    this.write(
      this.settings.errorLog,
      `${timestamp(this.proc)} [error] ${pid}#${pid}: *${this.connections} ${message}, ${where}\n`,
    );
  }

  private logAccess(context: Context): void {
    const { accessLog } = context.settings;
    if (accessLog === undefined) return;
    const [path = '', name = 'combined'] = accessLog.split(' ');
    const format = this.settings.logFormats.get(name) ?? this.settings.logFormats.get('combined')!;
    // Empty header values show as a dash.
    const filled = format.split(/(\$\w+)/).map((part) => {
      if (!part.startsWith('$')) return part;
      if (part === '$time_local') return localTime(this.proc);
      return expandVariables(part, context) || '-';
    });
    this.write(path, `${filled.join('')}\n`);
  }

  /** Lines reach each log in the order they were written, though nobody waits for them. */
  private write(path: string, text: string): void {
    const [file = path] = path.split(' ');
    const before = this.writing.get(file) ?? Promise.resolve();
    const line = before.then(async () => {
      try {
        await this.logFile(file).write(text);
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error; // The disk is full, or the reader is gone.
      }
    });
    this.writing.set(file, line);
    line.catch(() => undefined); // The process has ended.
  }

  private logFile(file: string): OpenFile {
    if (file === 'stderr') return this.proc.stderr;
    let log = this.logs.get(file);
    if (log === undefined) {
      log = this.proc.fs.open(file, { write: true, append: true, create: true }, 0o640);
      this.logs.set(file, log);
    }
    return log;
  }
}
