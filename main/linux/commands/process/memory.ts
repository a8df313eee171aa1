// free(1), uptime(1), w(1), who(1), last(1)
import type { Process, ProcessInfo, Program } from '../../kernel/index.ts';
import { userName } from '../frame/accounts.ts';
import { command } from '../frame/command.ts';
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
export function memoryOf(proc: Process): Memory {
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

export function uptimeLine(proc: Process): string {
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
