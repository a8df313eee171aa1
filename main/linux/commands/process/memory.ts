// free(1), uptime(1), w(1), who(1), last(1), top(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Process, ProcessInfo, Program } from '../../kernel/index.ts';
import { userName } from '../frame/accounts.ts';
import { command, Failure } from '../frame/command.ts';
import { strftime, zoneOf } from '../frame/time.ts';

interface Memory {
  readonly total: number;
  readonly used: number;
  readonly free: number;
  readonly shared: number;
  readonly cache: number;
  readonly available: number;
}

/** Memory of a machine in bytes, from what its processes use. */
function memoryOf(proc: Process): Memory {
  const total = proc.kernel.memoryBytes;
  const processes = proc.kernel.listProcesses().reduce((sum, info) => sum + info.memoryBytes, 0);
  const used = Math.min(total, processes + Math.round(total * 0.04));
  const cache = Math.min(total - used, Math.round(total * 0.02) + 64 * 1_048_576);
  return {
    total,
    used,
    free: total - used - cache,
    shared: 561_152,
    cache,
    available: total - used - Math.round(cache / 4),
  };
}

const FREE_USAGE = `
Usage:
 free [options]

Options:
 -b, --bytes         show output in bytes
     --kilo          show output in kilobytes
     --mega          show output in megabytes
     --giga          show output in gigabytes
     --tera          show output in terabytes
     --peta          show output in petabytes
 -k, --kibi          show output in kibibytes
 -m, --mebi          show output in mebibytes
 -g, --gibi          show output in gibibytes
     --tebi          show output in tebibytes
     --pebi          show output in pebibytes
 -h, --human         show human-readable output
     --si            use powers of 1000 not 1024
 -l, --lohi          show detailed low and high memory statistics
 -t, --total         show total for RAM + swap
 -v, --committed     show committed memory and commit limit
 -s N, --seconds N   repeat printing every N seconds
 -c N, --count N     repeat printing N times, then exit
 -w, --wide          wide output

     --help     display this help and exit
 -V, --version  output version information and exit

For more details see free(1).
`;

/** free(1) */
export const free: Program = command(
  {
    short: 'bkmghltvs:c:wV',
    long: [
      'bytes>b',
      'kilo',
      'mega',
      'giga',
      'tera',
      'peta',
      'kibi>k',
      'mebi>m',
      'gibi>g',
      'tebi',
      'pebi',
      'human>h',
      'si',
      'lohi>l',
      'total>t',
      'committed>v',
      'seconds:>s',
      'count:>c',
      'wide>w',
    ],
    help: FREE_USAGE,
    hint: () => FREE_USAGE,
    version: 'from procps-ng 4.0.2',
  },
  async (it) => {
    const { options } = it;
    const units: Readonly<Record<string, number>> = {
      b: 1,
      k: 1024,
      m: 1024 ** 2,
      g: 1024 ** 3,
      kilo: 1000,
      mega: 1e6,
      giga: 1e9,
      tera: 1e12,
      peta: 1e15,
      tebi: 1024 ** 4,
      pebi: 1024 ** 5,
    };
    const unit = units[options.last(...Object.keys(units)) ?? 'k'] ?? 1024;
    const show = (bytes: number): string =>
      options.has('h') ? human(bytes, options.has('si')) : String(Math.floor(bytes / unit));
    const row = (label: string, values: readonly number[]): string =>
      label.padEnd(9) + values.map((value, index) => show(value).padStart(index === 0 ? 11 : 12)).join('');
    const repeat = options.has('s')
      ? Number(options.value('c') ?? Infinity)
      : Number(options.value('c') ?? 1);
    for (let i = 0; i < repeat; i++) {
      if (i > 0) await it.proc.sleep(Number(options.value('s') ?? 1) * 1000);
      const memory = memoryOf(it.proc);
      if (options.has('w'))
        await it.out.put(
          `               total        used        free      shared     buffers       cache   available\n${row('Mem:', [memory.total, memory.used, memory.free, memory.shared, 2_400_256, memory.cache - 2_400_256, memory.available])}\n`,
        );
      else
        await it.out.put(
          `               total        used        free      shared  buff/cache   available\n${row('Mem:', [memory.total, memory.used, memory.free, memory.shared, memory.cache, memory.available])}\n`,
        );
      await it.out.line(row('Swap:', [0, 0, 0]));
      if (options.has('t')) await it.out.line(row('Total:', [memory.total, memory.used, memory.free]));
      if (options.has('s')) await it.out.put('\n');
      await it.out.flush();
    }
    return 0;
  },
);

function human(bytes: number, si: boolean): string {
  const base = si ? 1000 : 1024;
  const units = si ? ['B', 'K', 'M', 'G', 'T'] : ['B', 'Ki', 'Mi', 'Gi', 'Ti'];
  let value = bytes;
  let unit = 0;
  while (value >= base && unit < units.length - 1) {
    value /= base;
    unit++;
  }
  return unit > 0 && value < 9.95
    ? `${value.toFixed(1)}${units[unit]}`
    : `${Math.round(value)}${units[unit]}`;
}

const UPTIME_USAGE = `
Usage:
 uptime [options]

Options:
 -p, --pretty   show uptime in pretty format
 -h, --help     display this help and exit
 -s, --since    system up since
 -V, --version  output version information and exit

For more details see uptime(1).
`;

function logins(proc: Process): ProcessInfo[] {
  return proc.kernel.listProcesses().filter((info) => info.tty !== undefined && info.session === info.pid);
}

function uptimeLine(proc: Process): string {
  const now = proc.clock.now();
  const seconds = Math.floor((now - proc.kernel.bootMs) / 1000);
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  const up = `${days > 0 ? `${days} day${days === 1 ? '' : 's'}, ` : ''}${hours > 0 ? `${String(hours).padStart(2)}:${String(minutes).padStart(2, '0')}` : `${minutes} min`}`;
  const users = logins(proc).length;
  const load = loadAverage(proc);
  return ` ${strftime('%H:%M:%S', now, zoneOf(proc))} up ${up},  ${users} user${users > 1 ? 's' : ''},  load average: ${load.map((value) => value.toFixed(2)).join(', ')}`;
}

/** One, five and fifteen minutes, from the CPU time of the processes that live. */
function loadAverage(proc: Process): [number, number, number] {
  const now = proc.clock.now();
  const up = Math.max(60_000, now - proc.kernel.bootMs);
  const busy = proc.kernel.listProcesses().reduce((sum, info) => sum + info.cpuMs, 0) / up;
  return [busy, busy, busy];
}

/** uptime(1) */
export const uptime: Program = command(
  {
    short: 'phsV',
    long: ['pretty>p', 'since>s'],
    help: UPTIME_USAGE,
    hint: () => UPTIME_USAGE,
    version: 'from procps-ng 4.0.2',
  },
  async (it) => {
    const { proc, options } = it;
    if (options.has('h')) return void (await it.out.put(UPTIME_USAGE));
    if (options.has('s'))
      return void (await it.out.line(strftime('%F %T', proc.kernel.bootMs, zoneOf(proc))));
    if (!options.has('p')) return void (await it.out.line(uptimeLine(proc)));
    const minutes = Math.floor((proc.clock.now() - proc.kernel.bootMs) / 60_000);
    const parts = (
      [
        ['week', Math.floor(minutes / 10_080)],
        ['day', Math.floor(minutes / 1440) % 7],
        ['hour', Math.floor(minutes / 60) % 24],
        ['minute', minutes % 60],
      ] as const
    )
      .filter(([, n]) => n > 0)
      .map(([unit, n]) => `${n} ${unit}${n === 1 ? '' : 's'}`);
    await it.out.line(`up ${parts.length > 0 ? parts.join(', ') : '0 minutes'}`);
  },
);

/** who(1) */
export const who: Program = command(
  {
    short: 'abdHlmpqrstTuw',
    long: ['all>a', 'boot>b', 'heading>H', 'count>q', 'message>T', 'users>u'],
    usage: '[OPTION]... [ FILE | ARG1 ARG2 ]',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const { proc } = it;
    if (it.options.has('H')) await it.out.line('NAME     LINE         TIME             COMMENT');
    if (it.options.has('b'))
      return void (await it.out.line(
        `         system boot  ${strftime('%F %R', proc.kernel.bootMs, zoneOf(proc))}`,
      ));
    for (const info of logins(proc)) {
      if ((it.options.has('m') || it.operands.length === 2) && info.tty !== proc.stdin.tty?.path) continue;
      await it.out.line(
        `${userName(proc, info.credentials.uid).padEnd(8)} ${info.tty!.replace('/dev/', '').padEnd(12)} ${strftime('%F %R', info.startMs, zoneOf(proc))}`,
      );
    }
  },
);

/** w(1) */
export const w: Program = command(
  { short: 'hsfoi', long: ['no-header>h', 'short>s', 'from>f'], version: 'from procps-ng 4.0.2' },
  async (it) => {
    const { proc } = it;
    if (!it.options.has('h'))
      await it.out.put(
        `${uptimeLine(proc)}\nUSER     TTY      FROM             LOGIN@   IDLE   JCPU   PCPU WHAT\n`,
      );
    for (const info of logins(proc))
      await it.out.line(
        `${userName(proc, info.credentials.uid).padEnd(8)} ${info.tty!.replace('/dev/', '').padEnd(8)} ${'-'.padEnd(16)} ${strftime('%H:%M', info.startMs, zoneOf(proc))}    0.00s  ${(info.cpuMs / 1000).toFixed(2)}s  ${(info.cpuMs / 1000).toFixed(2)}s ${info.argv.join(' ')}`,
      );
  },
);

/** top(1): a screen that refreshes; -b for batches; q leaves. */
export const top: Program = command(
  {
    short: 'bcd:n:p:u:o:iHsSw::E:e:1',
    usage: '-hv | -bcEeHiOSs1 -d secs -n max -u|U user -p pids -o field -w [cols]',
    prepare: (args) =>
      args.flatMap((arg) => (/^-b(?:n\d*|d\d*)/.test(arg) ? ['-b', `-${arg.slice(2)}`] : [arg])),
  },
  async (it) => {
    const { proc, options } = it;
    const batch = options.has('b');
    const tty = proc.stdout.tty;
    if (!batch && (tty === undefined || proc.stdin.tty === undefined)) throw new Failure('failed tty get');
    const rounds = Number(options.value('n') ?? Infinity);
    const delay = Number(options.value('d') ?? 3) * 1000;
    let previous = new Map<number, number>();
    let last = proc.kernel.bootMs;
    const saved = batch ? undefined : { ...proc.stdin.tty!.modes };
    if (!batch) {
      proc.stdin.tty!.setModes({ canonical: false, echo: false });
      await proc.stdout.write('\u001b[?1h\u001b=\u001b[?25l\u001b[H\u001b[2J');
    }
    let keys = '';
    let wake: (() => void) | undefined;
    const listen = async (): Promise<void> => {
      for (;;) {
        const chunk = await proc.stdin.read(64);
        if (chunk.length === 0) return;
        keys += Buffer.from(chunk).toString();
        wake?.();
      }
    };
    const listening = batch ? undefined : listen();
    listening?.catch(() => undefined); // The terminal went away or the process ended: the loop below sees it too.
    let interrupted = false;
    if (!batch)
      proc.onSignal('SIGINT', () => {
        interrupted = true;
      });
    try {
      for (let round = 0; round < rounds; round++) {
        const now = proc.clock.now();
        const infos = proc.kernel.listProcesses(proc);
        const user = options.value('u');
        const wanted = options.value('p')?.split(',');
        const rows = infos
          .filter(
            (info) =>
              (user === undefined || userName(proc, info.credentials.uid) === user) &&
              (wanted === undefined || wanted.includes(String(info.pid))),
          )
          .map((info) => ({
            info,
            percent:
              now > last
                ? (100 * (info.cpuMs - (previous.get(info.pid) ?? (round === 0 ? 0 : info.cpuMs)))) /
                  (now - last)
                : 0,
          }))
          .toSorted(
            (a, b) =>
              (options.value('o')?.includes('MEM') === true
                ? b.info.memoryBytes - a.info.memoryBytes
                : b.percent - a.percent) || a.info.pid - b.info.pid,
          );
        previous = new Map(infos.map((info) => [info.pid, info.cpuMs]));
        last = now;
        const lines = [
          ...summary(
            proc,
            infos,
            rows.reduce((sum, row) => sum + row.percent, 0),
          ),
          '',
          '    PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND',
          ...rows.map((row) => topRow(proc, row.info, row.percent, options.has('c'))),
        ];
        if (batch) await proc.stdout.write(`${round > 0 ? '\n' : ''}${lines.join('\n')}\n`);
        else {
          const shown = lines
            .slice(0, tty!.size.rows)
            .map((line, index) =>
              index === 6
                ? `\u001b[7m${line.padEnd(tty!.size.columns)}\u001b[0m`
                : `${line.slice(0, tty!.size.columns)}\u001b[K`,
            );
          await proc.stdout.write(`\u001b[H${shown.join('\r\n')}\u001b[J`);
        }
        if (round + 1 >= rounds || interrupted) break;
        const pressed = new Promise<void>((resolve) => {
          wake = resolve;
        });
        if (batch) await proc.sleep(delay);
        else await Promise.race([proc.sleep(delay), proc.interruptible(pressed)]);
        if (/[qQ\u0003]/.test(keys)) break;
        keys = '';
      }
    } catch (error) {
      if (!(error instanceof ErrnoError) || error.code !== 'EINTR' || !interrupted) throw error;
    } finally {
      if (saved !== undefined) {
        proc.stdin.tty!.setModes(saved);
        await proc.stdout.write(`\u001b[?1l\u001b>\u001b[${tty!.size.rows};1H\n\u001b[?25h\u001b[K`);
      }
    }
    return 0;
  },
);

function summary(proc: Process, infos: readonly ProcessInfo[], busy: number): string[] {
  const count = (state: string): string =>
    String(infos.filter((info) => info.state === state).length).padStart(3);
  const memory = memoryOf(proc);
  const mib = (bytes: number): string => (bytes / 1_048_576).toFixed(1).padStart(8);
  const user = Math.min(100, busy / proc.kernel.cpuCount);
  const idle = (100 - user).toFixed(1).padStart(5);
  return [
    `top -${uptimeLine(proc)}`,
    `Tasks: ${String(infos.length).padStart(3)} total, ${count('R')} running, ${count('S')} sleeping, ${count('T')} stopped, ${count('Z')} zombie`,
    `%Cpu(s): ${user.toFixed(1).padStart(4)} us,  0.0 sy,  0.0 ni,${idle} id,  0.0 wa,  0.0 hi,  0.0 si,  0.0 st `,
    `MiB Mem :${mib(memory.total)} total,${mib(memory.free)} free,${mib(memory.used)} used,${mib(memory.cache)} buff/cache     `,
    `MiB Swap:${mib(0)} total,${mib(0)} free,${mib(0)} used.${mib(memory.available)} avail Mem `,
  ];
}

function topRow(proc: Process, info: ProcessInfo, percent: number, full: boolean): string {
  const kib = Math.round(info.memoryBytes / 1024);
  const centis = Math.floor(info.cpuMs / 10);
  const time = `${Math.floor(centis / 6000)}:${String(Math.floor(centis / 100) % 60).padStart(2, '0')}.${String(centis % 100).padStart(2, '0')}`;
  return `${String(info.pid).padStart(7)} ${userName(proc, info.credentials.uid).slice(0, 8).padEnd(8)}  20   0 ${String(kib * 4).padStart(7)} ${String(kib).padStart(6)} ${String(Math.round(kib / 2)).padStart(6)} ${info.state} ${percent.toFixed(1).padStart(5)} ${((100 * info.memoryBytes) / proc.kernel.memoryBytes).toFixed(1).padStart(5)} ${time.padStart(9)} ${full && info.argv.length > 0 ? info.argv.join(' ') : info.command}`;
}
