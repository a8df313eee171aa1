// vmstat(8)
import type { Process, Program } from '../../kernel/index.ts';
import { command, Failure } from '../frame/command.ts';

const HEAD = `procs -----------memory---------- ---swap-- -----io---- -system-- ------cpu-----
 r  b   swpd   free   buff  cache   si   so    bi    bo   in   cs us sy id wa st
`;
const UNITS: Readonly<Record<string, number>> = { k: 1000 / 1024, K: 1, m: 1_000_000 / 1024, M: 1024 };

interface Sample {
  readonly user: number;
  readonly idle: number;
}

/** vmstat(8). Differs: there are no disk blocks and no interrupts to count. */
export const vmstat: Program = command(
  {
    short: 'afmnsdDp:S:twV',
    long: ['active>a', 'one-header>n', 'stats>s', 'disk>d', 'unit:>S', 'timestamp>t', 'wide>w'],
    usage: '[options] [delay [count]]',
    version: 'from procps-ng 4.0.2',
  },
  async (it) => {
    const { proc, options } = it;
    const [delay, count] = it.operands.map(Number);
    if (delay !== undefined && !(delay > 0)) throw new Failure('delay must be positive integer');
    const unit = UNITS[options.value('S') ?? 'K'];
    if (unit === undefined) throw new Failure('-S requires k, K, m or M (default is KiB)');
    if (options.has('s', 'd', 'D', 'p', 'f', 'm'))
      throw new Failure("drydock: vmstat -s, -d, -D, -p, -f and -m aren't simulated");
    await it.out.put(HEAD);
    let before: Sample = { user: 0, idle: 0 };
    const times = delay === undefined ? 1 : (count ?? Infinity);
    for (let i = 0; i < times; i++) {
      if (i > 0) {
        await it.out.flush();
        await proc.sleep(delay! * 1000);
      }
      const now = sample(proc);
      await it.out.put(row(proc, unit, { user: now.user - before.user, idle: now.idle - before.idle }));
      before = now;
    }
  },
);

function sample({ fs }: Process): Sample {
  const [, user = 0, nice = 0, system = 0, idle = 0] = fs
    .readText('/proc/stat')
    .split('\n')[0]!
    .split(/\s+/)
    .map(Number);
  return { user: user + nice + system, idle };
}

function row(proc: Process, unit: number, { user, idle }: Sample): string {
  const memory = new Map(
    proc.fs
      .readText('/proc/meminfo')
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf(':')), Number(/\d+/.exec(line)?.[0] ?? 0)]),
  );
  const kib = (name: string): number => Math.floor((memory.get(name) ?? 0) / unit);
  const running = proc.kernel.listProcesses(proc).filter(({ state }) => state === 'R').length;
  const total = user + idle;
  const busy = total === 0 ? 0 : Math.round((100 * user) / total);
  const cells: readonly (readonly [number, number])[] = [
    [running, 2],
    [0, 2],
    [kib('SwapTotal') - kib('SwapFree'), 6],
    [kib('MemFree'), 6],
    [kib('Buffers'), 6],
    [kib('Cached') + kib('SReclaimable'), 6],
    [0, 4],
    [0, 4],
    [0, 5],
    [0, 5],
    [0, 4],
    [0, 4],
    [busy, 2],
    [0, 2],
    [100 - busy, 2],
    [0, 2],
    [0, 2],
  ];
  return `${cells.map(([value, width]) => String(value).padStart(width)).join(' ')}\n`;
}
