// docker run and create: from flags to a container, and the terminal's part in running it.
import {
  EngineError,
  type EngineContainer,
  type EngineMount,
  type EngineSpec,
  type PublishedPort,
} from '../../../docker/index.ts';
import { RuntimeError, type ImageRecord } from '../../../containerd/index.ts';
import { runOnTerminal } from '../exec.ts';
import { canonicalReference, splitReference } from '../runtime.ts';
import { CliError, parseFlags, type Flags } from './flags.ts';
import { usage } from './objects.ts';
import type { World } from './world.ts';

const RUN_FLAGS =
  'd,detach i,interactive t,tty rm name= p,publish= P,publish-all e,env= env-file= v,volume= mount= tmpfs= w,workdir= u,user= h,hostname= network= net= network-alias= l,label= restart= entrypoint= m,memory= memory-swap= c,cpu-shares= cpus= cpuset-cpus= ' +
  'read-only privileged cap-add= cap-drop= add-host= dns= dns-search= stop-signal= stop-timeout= pid= ipc= uts= init pull= platform= log-driver= log-opt= security-opt= ulimit= shm-size= sysctl= device= gpus= a,attach= expose= health-cmd= no-healthcheck q,quiet ip= link= cidfile= pids-limit= oom-score-adj= group-add= volumes-from= sig-proxy';
/** Known flags that have no part here. */
const NOT_SIMULATED = [
  'health-cmd',
  'volumes-from',
  'gpus',
  'link',
  'ip',
  'device',
  'tmpfs',
  'sysctl',
  'ulimit',
  'pids-limit',
  'group-add',
  'cpuset-cpus',
];

export async function run(world: World, args: readonly string[]): Promise<number> {
  const { flags, container } = await prepared(world, 'run', args);
  const { proc, engine } = world;
  const { id } = container;
  const isDetached = flags.has('detach');
  if (isDetached) {
    await world.print(`${id}\n`);
    await guarded(world, () => engine.start(id));
    return 0;
  }
  const stop = forwardSignals(world, id, container.spec.tty);
  try {
    const hasInput = flags.has('interactive');
    let fault: unknown;
    const status = await runOnTerminal(proc, container.spec.tty, hasInput, async (streams) => {
      if (streams.tty !== undefined) {
        const { ended } = await engine.start(id, { command: [], ...streams, hasInput });
        return await ended!;
      }
      // Attached clients' files are closed at the end, so these are pipes of our own.
      const { kernel } = proc;
      const [input, output, errors] = [kernel.pipe(), kernel.pipe(), kernel.pipe()];
      const copied = Promise.all([proc.stdout.copyFrom(output.reader), proc.stderr.copyFrom(errors.reader)]);
      if (hasInput) void feed(world, input.writer);
      try {
        const { ended } = await engine.start(id, {
          command: [],
          stdio: [input.reader, output.writer, errors.writer],
          hasInput,
        });
        const result = await ended!;
        await copied;
        return result;
      } catch (error) {
        fault = error;
        for (const file of [output.writer, errors.writer]) kernel.closeFile(file);
        await copied;
        return { kind: 'exited', exitCode: 125 };
      }
    });
    if (fault !== undefined) await guarded(world, () => Promise.reject(fault as Error));
    return status;
  } catch (error) {
    if (error instanceof EngineError) return await guarded<number>(world, () => Promise.reject(error));
    throw error;
  } finally {
    stop();
    if (flags.has('rm') && engine.list().some((each) => each.id === id && each.state === 'created'))
      await engine.remove(id, { force: true, volumes: true });
  }
}

/** Carries standard input into the container until its end. */
async function feed(
  { proc }: World,
  writer: Parameters<World['proc']['kernel']['closeFile']>[0],
): Promise<void> {
  try {
    await writer.copyFrom(proc.stdin);
  } catch {
    // The container has ended: nobody wants more. Its status is what counts.
  }
  proc.kernel.closeFile(writer);
}

/** --sig-proxy: without a terminal, what docker is told goes to the container. Gives what undoes it. */
function forwardSignals({ proc, engine }: World, id: string, isTty: boolean): () => void {
  const signals = isTty ? [] : (['SIGINT', 'SIGTERM', 'SIGHUP'] as const);
  for (const signal of signals)
    proc.onSignal(signal, () => {
      if (engine.list().some((each) => each.id === id && each.state === 'running')) engine.kill(id, signal);
    });
  return () => {
    for (const signal of signals) proc.onSignal(signal, 'default');
  };
}

export async function create(world: World, args: readonly string[]): Promise<number> {
  const { container } = await prepared(world, 'create', args);
  await world.print(`${container.id}\n`);
  return 0;
}

/** What went wrong, in docker run's words and with its status. */
async function guarded<T>(world: World, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    const isUsage = error.kind === 'invalid' || error.kind === 'conflict' || error.kind === 'not-found';
    const stop = error.message.endsWith('.') ? '' : '.';
    const hint = isUsage ? `\nSee '${world.program} run --help'.` : '';
    throw new CliError(
      `${world.program}: Error response from daemon: ${error.message}${stop}${hint}`,
      error.exitCode,
    );
  }
}

async function prepared(
  world: World,
  command: 'run' | 'create',
  args: readonly string[],
): Promise<{ flags: Flags; container: EngineContainer }> {
  const flags = parseFlags(`${world.program} ${command}`, args, RUN_FLAGS, true);
  const [image, ...words] = flags.operands;
  if (image === undefined)
    throw usage(
      world,
      command,
      'at least 1 argument',
      '[OPTIONS] IMAGE [COMMAND] [ARG...]',
      command === 'run' ? 'Run a command in a new container' : 'Create a new container',
    );
  const unknown = NOT_SIMULATED.find((name) => flags.value(name) !== undefined);
  if (unknown !== undefined) throw new CliError(`drydock: docker run --${unknown} isn't simulated`, 125);
  if (flags.has('rm') && flags.value('restart') !== undefined && flags.value('restart') !== 'no')
    throw new CliError(
      `${world.program}: Conflicting options: --restart and --rm.\nSee '${world.program} run --help'.`,
      125,
    );
  const spec = specOf(world, flags, image, words);
  const record = await guarded(world, () => requireImage(world, image, flags.value('pull') ?? 'missing'));
  const container = await guarded(world, () =>
    Promise.resolve().then(() =>
      world.engine.create({ ...spec, imageReference: record.id, ports: portsOf(flags, record) }),
    ),
  );
  const file = flags.value('cidfile');
  if (file !== undefined) world.proc.fs.writeFile(file, container.id);
  return { flags, container };
}

/** The image, pulled if it isn't there. */
async function requireImage(world: World, image: string, policy: string): Promise<ImageRecord> {
  const canonical = canonicalReference(image);
  const here =
    world.images.status(canonical) ??
    (/^[0-9a-f]{4,64}$|^sha256:/.test(image) ? world.images.status(image) : undefined);
  if (here !== undefined && policy !== 'always') return here;
  const { repository, tag } = splitReference(canonical, true);
  if (policy === 'never') throw new EngineError('not-found', `No such image: ${repository}:${tag}`);
  await world.complain(`Unable to find image '${repository}:${tag}' locally\n`);
  return pullImage(world, image, world.complain);
}

/** Pulls with docker's progress. Rejects with EngineError in the daemon's words. */
export async function pullImage(
  world: World,
  image: string,
  say: (text: string) => Promise<void>,
): Promise<ImageRecord> {
  const canonical = canonicalReference(image);
  const { repository, tag } = splitReference(canonical, true);
  const known = world.images.status(canonical);
  try {
    const record = await world.proc.interruptible(world.images.pull(canonical));
    const path = canonical
      .replace(/^docker\.io\//, '')
      .replace(/:[^:/]+$/, '')
      .replace(/^[^/]*\.[^/]*\//, '');
    await say(`${tag}: Pulling from ${path}\n`);
    const layer = record.id.slice(7, 19);
    if (known === undefined)
      await say(`${layer}: Pulling fs layer\n${layer}: Download complete\n${layer}: Pull complete\n`);
    const digest = record.repoDigests[0]?.split('@')[1] ?? record.id;
    await say(
      `Digest: ${digest}\nStatus: ${known?.id === record.id ? `Image is up to date for ${repository}:${tag}` : `Downloaded newer image for ${repository}:${tag}`}\n`,
    );
    return record;
  } catch (error) {
    if (error instanceof RuntimeError)
      throw new EngineError('not-found', pullFault(error.message, repository, tag));
    throw error;
  }
}

function pullFault(message: string, repository: string, tag: string): string {
  const lookup = /Head "(https:\/\/[^/]+\/v2\/).*?": (.*)$/.exec(message);
  if (lookup !== null) return `Get "${lookup[1]}": ${lookup[2]}`;
  if (message.includes('pull access denied'))
    return `pull access denied for ${repository}, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`;
  if (message.includes('invalid reference format')) return 'invalid reference format';
  return message.endsWith('not found')
    ? `manifest for ${repository}:${tag} not found: manifest unknown: manifest unknown`
    : message;
}

function specOf(world: World, flags: Flags, image: string, words: readonly string[]): EngineSpec {
  const { proc } = world;
  const env = [
    ...flags.values('env-file').flatMap((file) =>
      proc.fs
        .readText(file)
        .split('\n')
        .filter((line) => line.trim() !== '' && !line.startsWith('#')),
    ),
    ...flags
      .values('env')
      .flatMap((entry) =>
        entry.includes('=') ? [entry] : proc.env.has(entry) ? [`${entry}=${proc.env.get(entry)}`] : [],
      ),
  ];
  const [policy = 'no', times] = (flags.value('restart') ?? 'no').split(':');
  if (!['no', 'always', 'unless-stopped', 'on-failure', ''].includes(policy))
    throw new CliError(
      `${world.program}: Error response from daemon: invalid restart policy '${policy}'.\nSee '${world.program} run --help'.`,
      125,
    );
  const entrypoint = flags.value('entrypoint');
  return {
    name: flags.value('name') ?? '',
    namespace: world.namespace,
    image,
    imageReference: canonicalReference(image),
    entrypoint: entrypoint === undefined ? undefined : entrypoint === '' ? [] : [entrypoint],
    command: words,
    env,
    labels: Object.fromEntries(
      flags.values('label').map((each) => {
        const [key = '', value = ''] = each.split(/=(.*)/s);
        return [key, value];
      }),
    ),
    hostname: flags.value('hostname'),
    user: flags.value('user'),
    workingDirectory: flags.value('workdir'),
    tty: flags.has('tty'),
    stdin: flags.has('interactive'),
    mounts: [
      ...flags.values('volume').map((text) => volumeOf(world, text)),
      ...flags.values('mount').map(mountOf),
    ],
    ports: [],
    network: flags.value('network') ?? flags.value('net') ?? 'bridge',
    addHosts: flags.values('add-host'),
    dns: flags.values('dns'),
    restart: {
      name: (policy === '' ? 'no' : policy) as EngineSpec['restart']['name'],
      max: Number(times ?? 0),
    },
    autoRemove: flags.has('rm'),
    memoryMaxBytes: flags.value('memory') === undefined ? undefined : sizeOf(flags.value('memory')!),
    cpus: flags.value('cpus') === undefined ? undefined : Number(flags.value('cpus')),
    readOnlyRoot: flags.has('read-only'),
    privileged: flags.has('privileged'),
    capabilities: { add: flags.values('cap-add'), drop: flags.values('cap-drop') },
    stopSignal: flags.value('stop-signal'),
    pidOfMachine: flags.value('pid') === 'host',
  };
}

/** `250m`, `1g`. */
function sizeOf(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([bkmg]?)b?$/i.exec(text);
  if (match === null)
    throw new CliError(
      `invalid argument "${text}" for "-m, --memory" flag: invalid size: '${text}'\nSee 'docker run --help'.`,
      125,
    );
  return (
    Number(match[1]) * ({ '': 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[match[2]!.toLowerCase()] ?? 1)
  );
}

function volumeOf({ proc, program }: World, text: string): EngineMount {
  const parts = text.split(':');
  if (parts.length === 1) return { type: 'volume', source: '', target: text, readOnly: false };
  const [source = '', target = '', mode = ''] = parts;
  if (!target.startsWith('/'))
    throw new CliError(
      `${program}: Error response from daemon: invalid volume specification: '${text}': invalid mount config for type "volume": invalid mount path: '${target}' mount path must be absolute.\nSee '${program} run --help'.`,
      125,
    );
  const isPath = source.startsWith('/') || source.startsWith('.') || source.startsWith('~');
  return {
    type: isPath ? 'bind' : 'volume',
    source: isPath ? proc.fs.resolve(source) : source,
    target: target.replace(/(.)\/$/, '$1'),
    readOnly: mode.split(',').includes('ro'),
  };
}

function mountOf(text: string): EngineMount {
  const fields = new Map(text.split(',').map((each) => each.split(/=(.*)/s).slice(0, 2) as [string, string]));
  const get = (...names: readonly string[]): string =>
    names.map((name) => fields.get(name)).find((value) => value !== undefined) ?? '';
  const type = get('type') || 'volume';
  if (type === 'tmpfs') throw new CliError("drydock: docker run --mount type=tmpfs isn't simulated", 125);
  if (type !== 'bind' && type !== 'volume')
    throw new CliError(`invalid argument "${text}" for "--mount" flag: mount type unknown: "${type}"`, 125);
  return {
    type,
    source: get('source', 'src'),
    target: get('target', 'dst', 'destination'),
    readOnly: fields.has('readonly') || fields.has('ro'),
  };
}

/** `8080:80`, `127.0.0.1:8080:80/udp`, `80`, `8000-8001:80-81`; -P publishes what the image exposes. */
function portsOf(flags: Flags, image: ImageRecord): PublishedPort[] {
  const given = flags.values('publish').flatMap((text) => {
    const match = /^(?:(?:([\d.]+):)?(\d*(?:-\d+)?):)?(\d+(?:-\d+)?)(?:\/(tcp|udp))?$/.exec(text);
    if (match === null)
      throw new CliError(
        `docker: invalid publish opts format (should be name=value but got '${text}').\nSee 'docker run --help'.`,
        125,
      );
    const [, hostIp = '0.0.0.0', host = '', container = '', protocol = 'tcp'] = match;
    const [from = 0, to = from] = container.split('-').map(Number);
    const hostFrom = host === '' ? undefined : Number(host.split('-')[0]);
    return Array.from({ length: to - from + 1 }, (_, index): PublishedPort => ({
      hostIp,
      hostPort: hostFrom === undefined ? 0 : hostFrom + index,
      containerPort: from + index,
      protocol: protocol as 'tcp' | 'udp',
    }));
  });
  if (!flags.has('publish-all')) return given;
  const exposed = (image.image.exposedPorts ?? []).map((each): PublishedPort => ({
    hostIp: '0.0.0.0',
    hostPort: 0,
    containerPort: Number.parseInt(each, 10),
    protocol: each.endsWith('/udp') ? 'udp' : 'tcp',
  }));
  return [
    ...given,
    ...exposed.filter(({ containerPort }) => !given.some((each) => each.containerPort === containerPort)),
  ];
}
