// Boots a bare machine for tests of linux/: a kernel over a small root, a clock to advance, and `run`.
import {
  makeKernel,
  makeLayer,
  makeOverlay,
  makeTmpfs,
  SIGNAL_NUMBERS,
  type Kernel,
  type LayerFile,
  type Program,
  type StartOptions,
  type WaitStatus,
} from '../../main/linux/kernel/index.ts';
import { createNamespace, Trace, type NetworkNamespace } from '../../main/network/index.ts';
import { makeRandom, Simulation } from '../../main/simulation/index.ts';
import { hostLoop } from './host-loop.ts';

/** 2024-03-01T00:00:00Z, a Friday. */
export const TEST_START_MS = Date.UTC(2024, 2, 1);

export interface BareMachine {
  readonly kernel: Kernel;
  readonly clock: Simulation;
  /** What programs threw that they should not have; a test that expects none asserts that it is empty. */
  readonly faults: unknown[];
}

export interface BareMachineOptions {
  readonly seed?: number;
  /** Programs by path, such as `/usr/bin/cat`. */
  readonly programs?: ReadonlyMap<string, Program> | Readonly<Record<string, Program>>;
  readonly files?: ReadonlyMap<string, LayerFile> | Readonly<Record<string, LayerFile | string>>;
  readonly hostname?: string;
  readonly net?: NetworkNamespace;
  readonly simulation?: Simulation;
}

const BASE_FILES: Readonly<Record<string, string>> = {
  '/etc/passwd':
    'root:x:0:0:root:/root:/bin/bash\nnobody:x:99:99:Nobody:/:/sbin/nologin\nalice:x:1000:1000::/home/alice:/bin/bash\n',
  '/etc/group': 'root:x:0:\ntty:x:5:\nnobody:x:99:\nalice:x:1000:\n',
  '/etc/hostname': 'master1\n',
  '/etc/hosts': '127.0.0.1   localhost localhost.localdomain\n',
};

const BASE_DIRECTORIES: Readonly<Record<string, { mode: number; uid?: number; gid?: number }>> = {
  '/root': { mode: 0o550 },
  '/tmp': { mode: 0o1777 },
  '/home/alice': { mode: 0o700, uid: 1000, gid: 1000 },
  '/dev': { mode: 0o755 },
  '/proc': { mode: 0o555 },
  '/sys': { mode: 0o555 },
  '/run': { mode: 0o755 },
  '/usr/bin': { mode: 0o755 },
  '/usr/sbin': { mode: 0o755 },
  '/var/log': { mode: 0o755 },
};

/** A simulation on this Node process's loop, paused at TEST_START_MS; what tasks throw lands in `faults`. */
export function makeTestSimulation(faults: unknown[] = []): Simulation {
  return new Simulation({ startMs: TEST_START_MS, host: hostLoop, onFault: (error) => faults.push(error) });
}

/** A network namespace of its own, with `lo` up. */
export function makeTestNet(clock: Simulation, name = 'test'): NetworkNamespace {
  const net = createNamespace({ name, clock, random: makeRandom(name), trace: new Trace() });
  net.links.setUp(net.links.loopback);
  return net;
}

export function makeBareMachine(options: BareMachineOptions = {}): BareMachine {
  const faults: unknown[] = [];
  const clock = options.simulation ?? makeTestSimulation(faults);
  const files = new Map<string, LayerFile>();
  for (const [path, directory] of Object.entries(BASE_DIRECTORIES))
    files.set(path, { type: 'directory', ...directory });
  for (const [path, target] of [
    ['/bin', 'usr/bin'],
    ['/sbin', 'usr/sbin'],
  ] as const)
    files.set(path, { type: 'symlink', target });
  for (const [path, content] of Object.entries(BASE_FILES)) files.set(path, { type: 'file', content });
  for (const [path, file] of entriesOf(options.files))
    files.set(path, typeof file === 'string' ? { type: 'file', content: file } : file);
  for (const [path, program] of entriesOf(options.programs)) {
    files.set(path, { type: 'program', program, name: path.slice(path.lastIndexOf('/') + 1) });
  }
  const now = (): number => clock.now();
  const root = makeOverlay('root', [makeLayer('base', files, TEST_START_MS)], makeTmpfs({ id: 'disk', now }));
  const kernel = makeKernel({
    clock,
    random: makeRandom(options.seed ?? 1),
    net: options.net ?? makeTestNet(clock),
    hostname: options.hostname ?? 'master1',
    root,
    onFault: (error) => faults.push(error),
  });
  return { kernel, clock, faults };
}

export interface RunOptions extends Omit<StartOptions, 'argv' | 'program' | 'stdio' | 'tty'> {
  readonly argv?: readonly string[];
  readonly stdin?: string;
  /** Virtual time after which a run that hasn't ended is an error. */
  readonly withinMs?: number;
}

export interface RunResult {
  readonly stdout: string;
  readonly stderr: string;
  /** As a shell's `$?`. */
  readonly status: number;
  readonly ended: WaitStatus;
}

/** Runs a command or a program to its end, as root with a login's environment, advancing the clock as needed. */
export async function run(
  machine: BareMachine,
  what: readonly string[] | Program,
  options: RunOptions = {},
): Promise<RunResult> {
  const { kernel, clock } = machine;
  const [input, output, errors] = [kernel.pipe(), kernel.pipe(), kernel.pipe()];
  const task = kernel.start({
    env: new Map([
      ['PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin'],
      ['HOME', '/root'],
      ['USER', 'root'],
      ['LANG', 'en_US.UTF-8'],
    ]),
    cwd: '/root',
    ...options,
    ...(typeof what === 'function' ? { program: what, argv: options.argv ?? ['program'] } : { argv: what }),
    stdio: [input.reader, output.writer, errors.writer],
  });
  kernel.start({
    argv: ['feeder'],
    program: async (proc) => {
      await proc.stdout.write(options.stdin ?? '');
      return 0;
    },
    stdio: [kernel.nullFile(), input.writer, kernel.nullFile()],
  });
  let ended: WaitStatus | undefined;
  const texts = Promise.all([output.reader.readText(), errors.reader.readText()]);
  void task.ended.then((status) => {
    ended = status;
  });
  let closed = false;
  void texts.then(() => {
    closed = true;
  });
  await clock.advanceUntil(() => ended !== undefined && closed, { ms: options.withinMs ?? 60_000 });
  if (ended === undefined)
    throw new Error(`still running after ${options.withinMs ?? 60_000} ms: ${task.process.argv.join(' ')}`);
  const [stdout, stderr] = await texts;
  return { stdout, stderr, status: statusNumber(ended), ended };
}

function statusNumber(status: WaitStatus): number {
  return status.kind === 'exited' ? status.exitCode : 128 + SIGNAL_NUMBERS[status.signal];
}

function entriesOf<Value>(
  source: ReadonlyMap<string, Value> | Readonly<Record<string, Value>> | undefined,
): [string, Value][] {
  if (source === undefined) return [];
  return source instanceof Map
    ? Array.from(source as ReadonlyMap<string, Value>)
    : Object.entries(source as Readonly<Record<string, Value>>);
}
