// The program httpd: reads its configuration, listens, logs, and heeds TERM, WINCH, HUP and USR1.
import { ErrnoError, type TcpListener } from '../../network/index.ts';
import { headerOf, serveHttp, type HttpRequest, type HttpResponse } from '../../network/http/index.ts';
import type { OpenFile, Process, Program } from '../../linux/kernel/index.ts';
import { answer, type HttpdWorld } from './answer.ts';
import { ConfigError, readDirectives } from './config.ts';
import { readSettings, type HttpdSettings } from './settings.ts';

const CONFIG_DEFAULT = '/usr/local/apache2/conf/httpd.conf';
const SIGNALS = {
  stop: 'SIGTERM',
  restart: 'SIGHUP',
  graceful: 'SIGUSR1',
  'graceful-stop': 'SIGWINCH',
} as const;

/** httpd of one version, such as `2.4.58`. */
export function makeHttpd(version: string): Program {
  return async (proc) => {
    const words = proc.argv.slice(1);
    const value = (flag: string): string | undefined => {
      const index = words.indexOf(flag);
      return index < 0 ? undefined : words[index + 1];
    };
    if (words.includes('-v') || words.includes('-V')) {
      await proc.stdout.write(
        `Server version: Apache/${version} (Unix)\nServer built:   Feb 12 2025 01:20:26\n`,
      );
      return 0;
    }
    if (words.includes('-h')) {
      await proc.stdout.write(
        'Usage: httpd [-D name] [-d directory] [-f file]\n             [-C "directive"] [-c "directive"]\n             [-k start|restart|graceful|graceful-stop|stop]\n             [-v] [-V] [-h] [-l] [-L] [-t] [-T] [-S] [-X]\n',
      );
      return 1;
    }
    const config = value('-f') ?? CONFIG_DEFAULT;
    let settings: HttpdSettings;
    try {
      settings = load(proc, config);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      await proc.stderr.write(`${error.message}\n`);
      return 1;
    }
    if (settings.serverName === undefined) await warnOfName(proc);
    if (words.includes('-t')) {
      await proc.stderr.write('Syntax OK\n');
      return 0;
    }
    const action = value('-k') ?? 'start';
    if (action !== 'start') return signalServer(proc, settings, action);
    const isForeground = words.some(
      (word, index) =>
        word === '-DFOREGROUND' || (word === '-D' && words[index + 1] === 'FOREGROUND') || word === '-X',
    );
    if (isForeground) return new Server(proc, version, config, settings).run();
    proc.spawn({
      argv: proc.argv,
      program: (child) => new Server(child, version, config, settings).run(),
      newSession: true,
    });
    return 0;
  };
}

function load(proc: Process, config: string): HttpdSettings {
  return readSettings(readDirectives(config, (pattern) => readFiles(proc, pattern)));
}

function readFiles({ fs }: Process, pattern: string): { path: string; text: string }[] {
  if (!/[*?[]/.test(pattern)) {
    if (!fs.exists(pattern)) return [];
    if (fs.stat(pattern).type !== 'directory') return [{ path: pattern, text: fs.readText(pattern) }];
    return fs.readdir(pattern).flatMap(({ name }) => readFiles({ fs } as Process, `${pattern}/${name}`));
  }
  const slash = pattern.lastIndexOf('/');
  const folder = pattern.slice(0, slash);
  if (!fs.exists(folder)) return [];
  const expression = new RegExp(
    `^${pattern
      .slice(slash + 1)
      .replaceAll(/[.+^${}()|\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  );
  return fs
    .readdir(folder)
    .filter(({ name }) => expression.test(name))
    .map(({ name }) => ({ path: `${folder}/${name}`, text: fs.readText(`${folder}/${name}`) }));
}

function warnOfName(proc: Process): Promise<void> {
  const address = proc.net.links
    .list()
    .flatMap((link) => proc.net.addresses.list(link))
    .map((each) => each.address)
    .find((each) => !each.startsWith('127.') && each !== '::1');
  return proc.stderr.write(
    `AH00558: httpd: Could not reliably determine the server's fully qualified domain name, using ${address ?? '127.0.0.1'}. Set the 'ServerName' directive globally to suppress this message\n`,
  );
}

async function signalServer(proc: Process, settings: HttpdSettings, action: string): Promise<number> {
  const signal = SIGNALS[action as keyof typeof SIGNALS];
  if (signal === undefined) {
    await proc.stderr.write(`Usage: httpd [-k start|restart|graceful|graceful-stop|stop]\n`);
    return 1;
  }
  if (!proc.fs.exists(settings.pidFile)) {
    await proc.stderr.write('httpd (no pid file) not running\n');
    return action === 'stop' ? 0 : 1;
  }
  try {
    proc.kill(Number(proc.fs.readText(settings.pidFile)), signal);
    return 0;
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    await proc.stderr.write(`httpd (pid ${proc.fs.readText(settings.pidFile).trim()}?) not running\n`);
    return 1;
  }
}

class Server {
  private readonly proc: Process;
  private readonly version: string;
  private readonly config: string;
  private settings: HttpdSettings;
  private readonly listeners = new Map<number, TcpListener>();
  private readonly serving = new DisposableStack();
  private readonly served = new WeakSet<TcpListener>();
  private readonly logs = new Map<string, OpenFile>();
  private writing: Promise<void> = Promise.resolve();

  constructor(proc: Process, version: string, config: string, settings: HttpdSettings) {
    this.proc = proc;
    this.version = version;
    this.config = config;
    this.settings = settings;
  }

  async run(): Promise<number> {
    const { proc } = this;
    const stop = Promise.withResolvers<string>();
    proc.onSignal('SIGTERM', () => stop.resolve('AH00491: caught SIGTERM, shutting down'));
    proc.onSignal('SIGINT', () => stop.resolve('AH00491: caught SIGTERM, shutting down'));
    proc.onSignal('SIGWINCH', () => stop.resolve('AH00492: caught SIGWINCH, shutting down gracefully'));
    proc.onSignal('SIGHUP', () => void this.reload('AH00494: SIGHUP received.  Attempting to restart'));
    proc.onSignal('SIGUSR1', () => void this.reload('AH00493: SIGUSR1 received.  Doing graceful restart'));
    try {
      this.listen();
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      const why = error.code === 'EADDRINUSE' ? '(98)Address already in use' : `(13)${error.message}`;
      const port = this.settings.ports.find((each) => !this.listeners.has(each)) ?? 80;
      await proc.stderr.write(
        `${why}: AH00072: make_sock: could not bind to address 0.0.0.0:${port}\nno listening sockets available, shutting down\nAH00015: Unable to open logs\n`,
      );
      return 1;
    }
    if (this.settings.serverName === undefined) await warnOfName(proc);
    proc.fs.writeFile(this.settings.pidFile, `${proc.pid}\n`);
    this.started();
    this.serve();
    for (let index = 0; index < 3; index++) this.startChild();
    for (;;) {
      try {
        const message = await proc.interruptible(stop.promise);
        this.log('mpm_event', 'notice', message);
        break;
      } catch (error) {
        if (error instanceof ErrnoError && error.code === 'EINTR') continue;
        this.end();
        throw error;
      }
    }
    await this.writing;
    this.end();
    return 0;
  }

  private started(): void {
    this.log(
      'mpm_event',
      'notice',
      `AH00489: Apache/${this.version} (Unix) configured -- resuming normal operations`,
    );
    this.log(
      'core',
      'notice',
      `AH00094: Command line: '${this.proc.argv.join(' ').replace('-DFOREGROUND', '-D FOREGROUND')}'`,
    );
  }

  /** Children answer in the real one; here they stand in the process list. */
  private startChild(): void {
    this.proc.spawn({
      argv: this.proc.argv,
      program: async (child) => {
        for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGWINCH'] as const) child.onSignal(signal, 'ignore');
        for (;;) await child.sleep(1e12);
      },
    });
  }

  private end(): void {
    this.serving.dispose();
    for (const listener of this.listeners.values()) listener[Symbol.dispose]();
    if (this.proc.fs.exists(this.settings.pidFile)) this.proc.fs.unlink(this.settings.pidFile);
  }

  private listen(): void {
    const owner = this.proc.socketOwner;
    for (const port of this.settings.ports)
      if (!this.listeners.has(port))
        this.listeners.set(
          port,
          this.proc.net.sockets.listenTcp({ address: '0.0.0.0', port }, { owner, backlog: 511 }),
        );
    for (const [port, listener] of this.listeners) {
      if (this.settings.ports.includes(port)) continue;
      listener[Symbol.dispose]();
      this.listeners.delete(port);
    }
  }

  private async reload(message: string): Promise<void> {
    this.log('mpm_event', 'notice', message);
    try {
      this.settings = load(this.proc, this.config);
      this.listen();
    } catch (error) {
      if (!(error instanceof ConfigError) && !(error instanceof ErrnoError)) throw error;
      await this.proc.stderr.write(`${error.message}\n`);
      this.proc.kill(this.proc.pid, 'SIGTERM');
      return;
    }
    this.logs.clear();
    this.serve();
    this.started();
  }

  /** Ports that nobody serves yet. The handler reads the settings of the day. */
  private serve(): void {
    const { proc, version } = this;
    const world = (): HttpdWorld => ({
      proc,
      settings: this.settings,
      version,
      logError: (module, code, message, request) =>
        this.log(
          module,
          'error',
          `[client ${request.peer.address}:${request.peer.port}] ${code}: ${message}`,
        ),
    });
    for (const [port, listener] of this.listeners) {
      if (this.served.has(listener)) continue;
      this.served.add(listener);
      this.serving.use(
        serveHttp(listener, async (request) => {
          const response = await answer(world(), request, port);
          this.logAccess(request, response);
          return response;
        }),
      );
    }
  }

  private logAccess(request: HttpRequest, response: HttpResponse): void {
    const { accessLog, logFormat } = this.settings;
    if (accessLog === undefined) return;
    const length = headerOf(response.headers, 'Content-Length');
    const bytes = request.method === 'HEAD' || length === undefined || length === '0' ? '-' : length;
    const day = new Date(Math.floor(this.proc.clock.now())).toUTCString();
    const line = logFormat.replaceAll(
      /%[<>]?(?:\{([^}]+)\})?([a-zA-Z%])/g,
      (_, name: string | undefined, letter: string) => {
        switch (letter) {
          case 'h':
          case 'a':
            return request.peer.address;
          case 'l':
          case 'u':
            return '-';
          case 't':
            return `[${day.slice(5, 16).replaceAll(' ', '/')}:${day.slice(17, 25)} +0000]`;
          case 'r':
            return `${request.method} ${request.target} HTTP/1.1`;
          case 's':
            return String(response.status);
          case 'b':
            return bytes;
          case 'B':
            return bytes === '-' ? '0' : bytes;
          case 'm':
            return request.method;
          case 'U':
            return request.target.split('?')[0]!;
          case 'i':
            return headerOf(request.headers, name ?? '') ?? '-';
          case 'o':
            return headerOf(response.headers, name ?? '') ?? '-';
          case 'v':
          case 'V':
            return this.settings.serverName ?? '-';
          case '%':
            return '%';
          default:
            return '-';
        }
      },
    );
    this.put(accessLog, `${line}\n`);
  }

  private log(module: string, level: string, message: string): void {
    const { proc } = this;
    const iso = new Date(Math.floor(proc.clock.now()));
    const [weekday = '', day = '', month = '', year = '', time = ''] = iso
      .toUTCString()
      .replace(',', '')
      .split(' ');
    const micros = `${String(iso.getUTCMilliseconds()).padStart(3, '0')}000`;
    this.put(
      this.settings.errorLog,
      `[${weekday} ${month} ${day} ${time}.${micros} ${year}] [${module}:${level}] [pid ${proc.pid}:tid ${proc.pid}] ${message}\n`,
    );
  }

  private put(path: string, text: string): void {
    const { proc } = this;
    const write = async (): Promise<void> => {
      let file = this.logs.get(path);
      if (file === undefined) {
        file =
          path === '/proc/self/fd/1' || path === '/dev/stdout'
            ? proc.stdout
            : path === '/proc/self/fd/2' || path === '/dev/stderr'
              ? proc.stderr
              : proc.fs.open(path, { write: true, append: true, create: true }, 0o644);
        this.logs.set(path, file);
      }
      await file.write(text);
    };
    this.writing = this.writing.then(write).catch((error: unknown) => {
      if (!(error instanceof ErrnoError)) throw error; // A log that can't be written is lost, as there.
    });
  }
}
