// Figures of many terminals at once: what shells in `while sleep 1; do date; done` cost, and how long the loop of events waits.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { TtyMaster } from '../../linux/kernel/index.ts';
import { makeFolder, msText, openWorld, timed, type Row } from './world.ts';

const NANOS_PER_MS = 1e6;
const NODES = 3;
const LOOP = 'while sleep 1; do date; done\r';
/** Shells start over so long a time, as people do. */
const START_MS = 4000;
const WARM_UP_MS = 5000;
const MEASURED_MS = 20_000;
const SIZE = { columns: 80, rows: 24 };

/** Opens so many shells on a cluster whose clock goes with the wall, and watches them for a while. */
export async function measureShells(count: number): Promise<Row[]> {
  using folder = makeFolder();
  using world = openWorld(folder.path, NODES);
  const { cluster, clock } = world;
  await cluster.start();
  await clock.advance({ seconds: 60 });
  clock.setSpeed(1);
  const idle = await cpuOver(WARM_UP_MS);
  const machines = [...cluster.machines.values()];
  let bytes = 0;
  const terminals: TtyMaster[] = [];
  for (let i = 0; i < count; i++) {
    const machine = machines[i % machines.length]!;
    const terminal = machine.kernel.openTty(SIZE);
    terminals.push(terminal);
    machine.login({ user: 'root', tty: terminal });
    void watch(terminal, (size) => (bytes += size));
    await delay(START_MS / count);
    terminal.input(LOOP);
  }
  await delay(WARM_UP_MS);
  const before = bytes;
  const loop = monitorEventLoopDelay({ resolution: 1 });
  loop.enable();
  const { result: cpu, ms } = await timed(() => cpuOver(MEASURED_MS));
  loop.disable();
  for (const terminal of terminals) terminal[Symbol.dispose]();
  const name = `${count} shells in \`${LOOP.trim()}\``;
  const cpuPerSecond = (cpu / ms) * 1000;
  return [
    {
      what: `${name}, event loop delay p99 / max`,
      figure: `${msText(loop.percentile(99) / NANOS_PER_MS)} / ${msText(loop.max / NANOS_PER_MS)}`,
    },
    {
      what: '  lines a second',
      figure: String(Math.round((bytes - before) / 'Fri Mar  1 00:00:00 UTC 2024\r\n'.length / (ms / 1000))),
    },
    {
      what: '  CPU a second, of which the idle cluster takes',
      figure: `${msText(cpuPerSecond)} / ${msText((idle / WARM_UP_MS) * 1000)}`,
    },
    {
      what: '  CPU of one shell a second',
      figure: msText((cpuPerSecond - (idle / WARM_UP_MS) * 1000) / count),
    },
  ];
}

async function watch(terminal: TtyMaster, onOutput: (sizeBytes: number) => void): Promise<void> {
  for (;;) {
    const output = await terminal.output();
    if (output === undefined) return;
    onOutput(output.length);
  }
}

/** CPU time in ms that this process takes in so long a time. */
async function cpuOver(ms: number): Promise<number> {
  const start = process.cpuUsage();
  await delay(ms);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}
