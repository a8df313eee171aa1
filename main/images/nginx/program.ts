// The program nginx: its command line, and a master that reads the configuration, holds the sockets and has workers answer.
import { ErrnoError } from '../../network/index.ts';
import type { Process, Program } from '../../linux/kernel/index.ts';
import { toText } from './bytes.ts';
import { ConfigError, LateConfigError } from './config.ts';
import { timestamp } from './logs.ts';
import { load, readAll, type Loaded } from './load.ts';
import { Master } from './master.ts';

const CONFIG_DEFAULT = '/etc/nginx/nginx.conf';
const USAGE = (version: string): string =>
  `nginx version: nginx/${version}\nUsage: nginx [-?hvVtTq] [-s signal] [-p prefix]\n             [-e filename] [-c filename] [-g directives]\n\n` +
  `Options:\n  -?,-h         : this help\n  -v            : show version and exit\n  -V            : show version and configure options then exit\n` +
  `  -t            : test configuration and exit\n  -T            : test configuration, dump it and exit\n  -q            : suppress non-error messages during configuration testing\n` +
  `  -s signal     : send signal to a master process: stop, quit, reopen, reload\n  -p prefix     : set prefix path (default: /etc/nginx/)\n  -e filename   : set error log file (default: /var/log/nginx/error.log)\n` +
  `  -c filename   : set configuration file (default: /etc/nginx/nginx.conf)\n  -g directives : set global directives out of configuration file\n\n`;
const BUILT_WITH =
  'built by gcc 12.2.0 (Debian 12.2.0-14+deb12u1) \nbuilt with OpenSSL 3.0.17 1 Jul 2025\nTLS SNI support enabled\nconfigure arguments: --prefix=/etc/nginx --sbin-path=/usr/sbin/nginx --modules-path=/usr/lib/nginx/modules --conf-path=/etc/nginx/nginx.conf --error-log-path=/var/log/nginx/error.log --http-log-path=/var/log/nginx/access.log --pid-path=/var/run/nginx.pid --lock-path=/var/run/nginx.lock --user=nginx --group=nginx --with-compat --with-http_addition_module --with-http_auth_request_module --with-http_gunzip_module --with-http_gzip_static_module --with-http_realip_module --with-http_ssl_module --with-http_stub_status_module --with-http_sub_module --with-http_v2_module --with-stream --with-stream_realip_module --with-stream_ssl_module --with-stream_ssl_preread_module\n';

export interface Flags {
  readonly config: string;
  readonly globals: string;
  readonly test: boolean;
  readonly dump: boolean;
  readonly quiet: boolean;
  readonly signal: string | undefined;
  readonly errorLog: string | undefined;
  readonly show: 'version' | 'build' | 'help' | undefined;
}

/** Makes nginx of one version, such as `1.20.2`. */
export function makeNginx(version: string): Program {
  return async (proc) => {
    const flags = readFlags(proc.argv);
    if (typeof flags === 'string') {
      await proc.stderr.write(`nginx: ${flags}\n`);
      return 1;
    }
    if (flags.show !== undefined) {
      await proc.stderr.write(
        flags.show === 'help'
          ? USAGE(version)
          : `nginx version: nginx/${version}\n${flags.show === 'build' ? BUILT_WITH : ''}`,
      );
      return 0;
    }
    if (flags.signal !== undefined) return signalMaster(proc, flags);
    let loaded: Loaded;
    try {
      loaded = await load(proc, flags);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      if (!flags.test)
        await proc.stderr.write(
          `${timestamp(proc.clock.now())} [emerg] ${proc.pid}#${proc.pid}: ${error.message}\n`,
        );
      if (flags.test && !flags.quiet && error instanceof LateConfigError)
        await proc.stderr.write(`nginx: the configuration file ${flags.config} syntax is ok\n`);
      await proc.stderr.write(`nginx: [emerg] ${error.message}\n`);
      if (flags.test) await proc.stderr.write(`nginx: configuration file ${flags.config} test failed\n`);
      return 1;
    }
    for (const warning of loaded.settings.warnings) await proc.stderr.write(`nginx: [warn] ${warning}\n`);
    if (flags.test) return report(proc, flags, loaded);
    const { daemon } = loaded.settings;
    const master = new Master(proc, version, flags, loaded);
    const problem = await master.listen();
    if (problem !== undefined) return 1;
    if (!daemon) return master.run();
    // The master leaves the foreground; the command that the shell waits for is done.
    master.release();
    proc.spawn({
      argv: [`nginx: master process ${proc.argv.join(' ')}`],
      program: async (child) => {
        const own = new Master(child, version, flags, loaded);
        return (await own.listen()) === undefined ? own.run() : 1;
      },
      newSession: true,
      // A daemon lets go of its starter's terminal and pipes.
      fds: new Map([0, 1, 2].map((fd) => [fd, proc.kernel.nullFile()])),
    });
    return 0;
  };
}

async function report(proc: Process, flags: Flags, loaded: Loaded): Promise<number> {
  if (!flags.quiet)
    await proc.stderr.write(
      `nginx: the configuration file ${flags.config} syntax is ok\nnginx: configuration file ${flags.config} test is successful\n`,
    );
  if (flags.dump)
    for (const { path, text } of loaded.files)
      await proc.stdout.write(toText(`# configuration file ${path}:\n${text}\n`));
  return 0;
}

/** The flags, or what is wrong with them. */
function readFlags(argv: readonly string[]): Flags | string {
  const flags = {
    config: CONFIG_DEFAULT,
    globals: '',
    test: false,
    dump: false,
    quiet: false,
    signal: undefined as string | undefined,
    errorLog: undefined as string | undefined,
    show: undefined as Flags['show'],
  };
  const needs: Readonly<Record<string, string>> = {
    c: 'file name',
    g: 'parameter',
    s: 'parameter',
    p: 'directory name',
    e: 'file name',
  };
  for (let at = 1; at < argv.length; at++) {
    const word = argv[at]!;
    if (!word.startsWith('-')) return `invalid option: "${word}"`;
    for (let k = 1; k < word.length; k++) {
      const letter = word[k]!;
      if (letter === '?' || letter === 'h') flags.show = 'help';
      else if (letter === 'v') flags.show ??= 'version';
      else if (letter === 'V') flags.show = 'build';
      else if (letter === 't') flags.test = true;
      else if (letter === 'T') flags.test = flags.dump = true;
      else if (letter === 'q') flags.quiet = true;
      else if (letter in needs) {
        const value = word.slice(k + 1) || argv[++at];
        if (value === undefined) return `option "-${letter}" requires ${needs[letter]}`;
        if (letter === 'c') flags.config = value.startsWith('/') ? value : `/etc/nginx/${value}`;
        else if (letter === 'g') flags.globals = value;
        else if (letter === 'e') flags.errorLog = value;
        else if (letter === 's') {
          if (!['stop', 'quit', 'reopen', 'reload'].includes(value)) return `invalid option: "-s ${value}"`;
          flags.signal = value;
        }
        break;
      } else return `invalid option: "${letter}"`;
    }
  }
  return flags;
}

async function signalMaster(proc: Process, flags: Flags): Promise<number> {
  const signals = {
    stop: ['SIGTERM', 15],
    quit: ['SIGQUIT', 3],
    reload: ['SIGHUP', 1],
    reopen: ['SIGUSR1', 10],
  } as const;
  const [signal, number] = signals[flags.signal as keyof typeof signals];
  const say = async (level: string, message: string): Promise<void> => {
    await proc.stderr.write(`nginx: [${level}] ${message}\n`);
  };
  try {
    const { settings } = readAll(proc, flags);
    if (settings.errorLogs.some(({ level }) => ['notice', 'info', 'debug'].includes(level)))
      await proc.stderr.write(
        `${timestamp(proc.clock.now())} [notice] ${proc.pid}#${proc.pid}: signal process started\n`,
      );
    const text = proc.fs.readText(settings.pidFile).trim();
    if (!/^\d+$/.test(text)) {
      await say('error', `invalid PID number "${text}" in "${settings.pidFile}"`);
      return 1;
    }
    try {
      proc.kill(Number(text), signal);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      await say(
        'alert',
        `kill(${text}, ${number}) failed (${error.code === 'EPERM' ? 1 : 3}: ${error.message})`,
      );
      return 1;
    }
    return 0;
  } catch (error) {
    if (error instanceof ConfigError) await say('emerg', error.message);
    else if (error instanceof ErrnoError)
      await say('error', `open() "${error.path}" failed (2: ${error.message})`);
    else throw error;
    return 1;
  }
}
