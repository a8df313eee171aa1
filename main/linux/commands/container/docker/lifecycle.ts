// docker start, stop, restart, kill, rm, rename, wait, exec, attach, logs: what happens to containers that are there.
import { EngineError } from '../../../docker/index.ts';
import { RuntimeError } from '../../../containerd/index.ts';
import { ErrnoError } from '../../../../network/index.ts';
import { runOnTerminal } from '../exec.ts';
import { CliError, parseFlags } from './flags.ts';
import { each, usage } from './objects.ts';
import { execIn, findShown, type Shown, type World } from './world.ts';

/** How long between looks at the log of one that is followed, when nobody wakes us: the end of a container makes no write. */
const FOLLOW_MS = 500;

export async function stop(world: World, args: readonly string[]): Promise<number> {
  const flags = parseFlags(`${world.program} stop`, args, 't,time= s,signal=');
  if (flags.operands.length === 0)
    throw usage(
      world,
      'stop',
      'at least 1 argument',
      '[OPTIONS] CONTAINER [CONTAINER...]',
      'Stop one or more running containers',
    );
  const seconds = flags.value('time');
  return each(
    world,
    flags.operands,
    async (name) => {
      await stopOne(
        world,
        findShown(world, name),
        seconds === undefined ? undefined : Number(seconds) * 1000,
      );
      return name;
    },
    false,
  );
}

async function stopOne(world: World, shown: Shown, timeoutMs: number | undefined): Promise<void> {
  if (shown.own !== undefined) await world.engine.stop(shown.id, timeoutMs);
  else await world.runtime!.stopContainer(shown.id, timeoutMs ?? 10_000);
}

export async function start(world: World, args: readonly string[]): Promise<number> {
  const flags = parseFlags(`${world.program} start`, args, 'a,attach i,interactive');
  if (flags.operands.length === 0)
    throw usage(
      world,
      'start',
      'at least 1 argument',
      '[OPTIONS] CONTAINER [CONTAINER...]',
      'Start one or more stopped containers',
    );
  const failed: string[] = [];
  for (const name of flags.operands) {
    try {
      const shown = findShown(world, name);
      if (shown.own === undefined)
        throw new EngineError(
          'conflict',
          "drydock: starting a container of the kubelet's isn't simulated",
          1,
        );
      if (flags.has('attach')) {
        const before = world.proc.clock.now();
        await world.engine.start(shown.id);
        await world.engine.wait(shown.id);
        return await logsOf(world, findShown(world, name), {
          follow: false,
          tail: undefined,
          timestamps: false,
          sinceMs: before,
        });
      }
      await world.engine.start(shown.id);
      await world.print(`${name}\n`);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      failed.push(name);
      await world.complain(`Error response from daemon: ${error.message}\n`);
    }
  }
  if (failed.length > 0) throw new CliError(`Error: failed to start containers: ${failed.join(', ')}`);
  return 0;
}

export async function restart(world: World, args: readonly string[]): Promise<number> {
  const flags = parseFlags(`${world.program} restart`, args, 't,time= s,signal=');
  const seconds = flags.value('time');
  return each(
    world,
    flags.operands,
    async (name) => {
      const shown = findShown(world, name);
      await stopOne(world, shown, seconds === undefined ? undefined : Number(seconds) * 1000);
      if (shown.own !== undefined) await world.engine.start(shown.id);
      return name;
    },
    false,
  );
}

export async function kill(world: World, args: readonly string[]): Promise<number> {
  const flags = parseFlags(`${world.program} kill`, args, 's,signal=');
  const signal = flags.value('signal') ?? 'KILL';
  return each(
    world,
    flags.operands,
    async (name) => {
      const shown = findShown(world, name);
      if (shown.state !== 'running')
        throw new EngineError(
          'not-running',
          `Cannot kill container: ${name}: Container ${shown.id} is not running`,
          1,
        );
      if (shown.own !== undefined) world.engine.kill(shown.id, signal);
      else await world.runtime!.stopContainer(shown.id, 0);
      return name;
    },
    false,
  );
}

export async function remove(world: World, args: readonly string[]): Promise<number> {
  const flags = parseFlags(`${world.program} rm`, args, 'f,force v,volumes l,link');
  if (flags.operands.length === 0)
    throw usage(
      world,
      'rm',
      'at least 1 argument',
      '[OPTIONS] CONTAINER [CONTAINER...]',
      'Remove one or more containers',
    );
  return each(world, flags.operands, async (name) => {
    const shown = findShown(world, name);
    if (shown.own !== undefined)
      await world.engine.remove(shown.id, { force: flags.has('force'), volumes: flags.has('volumes') });
    else {
      if (shown.state === 'running' && !flags.has('force'))
        throw new EngineError(
          'conflict',
          `You cannot remove a running container ${shown.id}. Stop the container before attempting removal or force remove`,
          1,
        );
      await world.runtime!.removeContainer(shown.id);
    }
    return name;
  });
}

export async function rename(world: World, args: readonly string[]): Promise<number> {
  const [from, to] = args;
  if (from === undefined || to === undefined)
    throw usage(world, 'rename', 'exactly 2 arguments', 'CONTAINER NEW_NAME', 'Rename a container');
  const shown = findShown(world, from);
  if (shown.own === undefined)
    throw new CliError("drydock: renaming a container of the kubelet's isn't simulated");
  world.engine.rename(shown.id, to);
  return await Promise.resolve(0);
}

export async function wait(world: World, args: readonly string[]): Promise<number> {
  return each(world, args, async (name) => String(await world.engine.wait(findShown(world, name).id)), false);
}

export async function exec(world: World, args: readonly string[]): Promise<number> {
  const flags = parseFlags(
    `${world.program} exec`,
    args,
    'd,detach i,interactive t,tty e,env= w,workdir= u,user= privileged env-file=',
    true,
  );
  const [name, ...command] = flags.operands;
  if (name === undefined || command.length === 0)
    throw usage(
      world,
      'exec',
      'at least 2 arguments',
      '[OPTIONS] CONTAINER COMMAND [ARG...]',
      'Run a command in a running container',
    );
  const shown = findShown(world, name);
  if (shown.state !== 'running')
    throw new CliError(`Error response from daemon: Container ${shown.id} is not running`);
  if (
    flags.has('tty') &&
    !flags.has('detach') &&
    flags.has('interactive') &&
    world.proc.stdin.tty === undefined
  )
    throw new CliError('the input device is not a TTY');
  // Differs: -u, -w and -e go by way of the container's own env and sh, as the runtime's exec takes none.
  if (flags.value('user') !== undefined) throw new CliError("drydock: docker exec -u isn't simulated");
  const environment = flags
    .values('env')
    .map((entry) => (entry.includes('=') ? entry : `${entry}=${world.proc.env.get(entry) ?? ''}`));
  const folder = flags.value('workdir');
  const words = [
    ...(environment.length > 0 ? ['env', ...environment] : []),
    ...(folder === undefined ? [] : ['sh', '-c', 'cd "$0" && exec "$@"', folder]),
    ...command,
  ];
  try {
    if (flags.has('detach')) {
      void execIn(world, shown, { command: words }).catch(() => undefined); // Nobody is told how it ends.
      return 0;
    }
    return await runOnTerminal(world.proc, flags.has('tty'), flags.has('interactive'), (streams) =>
      execIn(world, shown, { command: words, ...streams }),
    );
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    const text = error.message.replace(/^.*?(OCI runtime exec failed)/, '$1');
    await world.print(`${text}\n`);
    return /executable file not found|permission denied/.test(text)
      ? text.includes('no such file')
        ? 127
        : 126
      : 126;
  }
}

export async function attach(world: World, args: readonly string[]): Promise<number> {
  const flags = parseFlags(`${world.program} attach`, args, 'no-stdin sig-proxy detach-keys=');
  const shown = findShown(world, flags.operands[0] ?? '');
  if (shown.state !== 'running' || shown.own === undefined)
    throw new CliError('You cannot attach to a stopped container, start it first');
  const { proc, engine } = world;
  return runOnTerminal(proc, shown.own.spec.tty, false, async (streams) => {
    if (streams.tty !== undefined)
      return engine.attach(shown.id, { command: [], ...streams, hasInput: !flags.has('no-stdin') });
    const { kernel } = proc;
    const [input, output, errors] = [kernel.pipe(), kernel.pipe(), kernel.pipe()];
    const copied = Promise.all([proc.stdout.copyFrom(output.reader), proc.stderr.copyFrom(errors.reader)]);
    const status = await engine.attach(shown.id, {
      command: [],
      stdio: [input.reader, output.writer, errors.writer],
      hasInput: false,
    });
    await copied;
    return status;
  });
}

interface LogChoice {
  readonly follow: boolean;
  readonly tail: number | undefined;
  readonly timestamps: boolean;
  readonly sinceMs: number | undefined;
}

export async function logs(world: World, args: readonly string[]): Promise<number> {
  const flags = parseFlags(
    `${world.program} logs`,
    args,
    'f,follow n,tail= t,timestamps since= until= details',
  );
  if (flags.operands.length !== 1)
    throw usage(world, 'logs', 'exactly 1 argument', '[OPTIONS] CONTAINER', 'Fetch the logs of a container');
  const tail = flags.value('tail');
  const since = flags.value('since');
  const ago = /^(\d+)([smh])$/.exec(since ?? '');
  const sinceMs =
    ago === null
      ? since === undefined
        ? undefined
        : Date.parse(since)
      : world.proc.clock.now() -
        Number(ago[1]) * { s: 1000, m: 60_000, h: 3_600_000 }[ago[2] as 's' | 'm' | 'h'];
  return logsOf(world, findShown(world, flags.operands[0]!), {
    follow: flags.has('follow'),
    tail: tail === undefined || tail === 'all' ? undefined : Number(tail),
    timestamps: flags.has('timestamps'),
    sinceMs,
  });
}

interface LogLine {
  readonly stream: string;
  readonly text: string;
  readonly time: string;
}

function parseLine(line: string, isJson: boolean): LogLine | undefined {
  if (isJson) {
    const { log, stream, time } = JSON.parse(line) as { log: string; stream: string; time: string };
    return { stream, text: log, time };
  }
  const match = /^(\S+) (stdout|stderr) ([FP]) (.*)$/s.exec(line);
  return match === null
    ? undefined
    : { time: match[1]!, stream: match[2]!, text: match[4]! + (match[3] === 'F' ? '\n' : '') };
}

async function logsOf(
  world: World,
  shown: Shown,
  { follow, tail, timestamps, sinceMs }: LogChoice,
): Promise<number> {
  const { proc } = world;
  const path = shown.logPath;
  if (path === undefined) return 0;
  let offset = 0;
  const read = (): LogLine[] => {
    try {
      const bytes = Buffer.from(proc.fs.readFile(path));
      if (bytes.length < offset) offset = 0; // Rotated.
      const fresh = bytes.subarray(offset);
      const end = fresh.lastIndexOf(10) + 1;
      offset += end;
      return fresh
        .subarray(0, end)
        .toString('utf8')
        .split('\n')
        .filter((line) => line !== '')
        .flatMap((line) => {
          const parsed = parseLine(line, shown.own !== undefined);
          return parsed === undefined || (sinceMs !== undefined && Date.parse(parsed.time) < sinceMs)
            ? []
            : [parsed];
        });
    } catch (error) {
      if (error instanceof ErrnoError) return [];
      throw error;
    }
  };
  const print = async (lines: readonly LogLine[]): Promise<void> => {
    for (const { stream, text, time } of lines)
      await (stream === 'stderr' ? proc.stderr : proc.stdout).write(`${timestamps ? `${time} ` : ''}${text}`);
  };
  const first = read();
  await print(tail === undefined || tail < 0 ? first : tail === 0 ? [] : first.slice(-tail));
  while (follow) {
    const isRunning =
      shown.own === undefined
        ? world.runtime?.containerStatus(shown.id)?.state === 'running'
        : world.engine.list().some((one) => one.id === shown.id && one.state === 'running');
    await print(read());
    if (!isRunning) break;
    let wake: () => void = () => undefined;
    const changed = new Promise<void>((resolve) => (wake = resolve));
    using _watch = proc.fs.watch(path, wake);
    await proc.interruptible(Promise.race([changed, proc.clock.sleep(FOLLOW_MS)]));
  }
  return 0;
}
