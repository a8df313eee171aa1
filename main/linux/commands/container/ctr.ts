// ctr(8): containerd's own client, namespace by namespace. It pulls, runs and lists without docker's comforts.
import { createHash } from 'node:crypto';
import { ErrnoError } from '../../../network/index.ts';
import type { Process, Program } from '../../kernel/index.ts';
import { containerdSocket, RuntimeError, type Containerd, type ImageRecord } from '../../containerd/index.ts';
import {
  EngineError,
  nerdSocket,
  type Engine,
  type EngineContainer,
  type EngineImages,
  type EngineSpec,
} from '../../docker/index.ts';
import { runOnTerminal } from './exec.ts';

const ADDRESS = '/run/containerd/containerd.sock';
const MANIFEST_TYPE = 'application/vnd.docker.distribution.manifest.list.v2+json';

interface World {
  readonly proc: Process;
  readonly namespace: string;
  readonly runtime: Containerd;
  readonly engine: Engine;
  readonly images: EngineImages;
}

/** Gives up with a text after `ctr: `. */
class CtrError extends Error {}

interface Words {
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly rest: readonly string[];
}

/** Flags of one level: those in `values` take a value. The first operand ends them. */
function split(args: readonly string[], values: string): Words {
  const takes = new Set(values.split(' '));
  const flags = new Map<string, string[]>();
  let index = 0;
  for (; index < args.length; index++) {
    const word = args[index]!;
    const match = /^--?([A-Za-z][\w-]*)(?:=(.*))?$/s.exec(word);
    if (match === null) break;
    const name = match[1]!;
    flags.set(name, [
      ...(flags.get(name) ?? []),
      match[2] ?? (takes.has(name) ? (args[++index] ?? '') : 'true'),
    ]);
  }
  return { flags, rest: args.slice(index) };
}

/** Go's tabwriter as ctr sets it: each column to its widest cell and `padding` blanks, the last one too. */
function table(rows: readonly (readonly string[])[], padding: number): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)) + padding);
  return rows.map((row) => `${row.map((cell, column) => cell.padEnd(widths[column]!)).join('')}\n`).join('');
}

/** ctr(8). */
export const ctr: Program = async (proc) => {
  const { flags, rest } = split(proc.argv.slice(1), 'n namespace a address timeout connect-timeout');
  const [object, ...args] = rest;
  if (flags.has('version') || flags.has('v')) {
    await proc.stdout.write('ctr github.com/containerd/containerd 1.7.22\n');
    return 0;
  }
  if (object === undefined || object === 'help' || object === 'h' || flags.has('help') || flags.has('h')) {
    await proc.stdout.write(
      'NAME:\n   ctr - \n        __\n  _____/ /______\n / ___/ __/ ___/\n/ /__/ /_/ /\n\\___/\\__/_/\n\ncontainerd CLI\n\nUSAGE:\n   ctr [global options] command [command options] [arguments...]\n\nCOMMANDS:\n   version                   Print the client and server versions\n   containers, c, container  Manage containers\n   events, event             Display containerd events\n   images, image, i          Manage images\n   namespaces, namespace, ns  Manage namespaces\n   run                       Run a container\n   tasks, t, task            Manage tasks\n   help, h                   Shows a list of commands or help for one command\n',
    );
    return 0;
  }
  const namespace =
    (flags.get('n') ?? flags.get('namespace'))?.at(-1) ?? proc.env.get('CONTAINERD_NAMESPACE') ?? 'default';
  const known: Readonly<Record<string, (world: World, args: readonly string[]) => Promise<number>>> = {
    version,
    images,
    image: images,
    i: images,
    containers,
    container: containers,
    c: containers,
    tasks,
    task: tasks,
    t: tasks,
    namespaces,
    namespace: namespaces,
    ns: namespaces,
    run,
    events,
    event: events,
  };
  const command = known[object];
  if (command === undefined) {
    const isReal = [
      'plugins',
      'content',
      'leases',
      'snapshots',
      'pprof',
      'shim',
      'install',
      'oci',
      'sandboxes',
      'info',
      'deprecations',
    ].includes(object);
    await proc.stderr.write(
      isReal ? `drydock: ctr ${object} isn't simulated\n` : `No help topic for '${object}'\n`,
    );
    return isReal ? 1 : 3;
  }
  const client =
    'Client:\n  Version:  1.6.33\n  Revision: d2d58213f83a351ca8f528a95fbd145f5654e957\n  Go version: go1.20.13\n\n';
  if (object === 'version') await proc.stdout.write(client);
  try {
    return await command(open(proc, namespace), args);
  } catch (error) {
    if (error instanceof CtrError || error instanceof RuntimeError || error instanceof EngineError) {
      await proc.stderr.write(`ctr: ${error.message}\n`);
      return 1;
    }
    if (error instanceof ErrnoError && error.path !== undefined) {
      await proc.stderr.write(`ctr: open ${error.path}: ${error.message.toLowerCase()}\n`);
      return 1;
    }
    throw error;
  }
};

function open(proc: Process, namespace: string): World {
  try {
    const runtime = proc.kernel.connectService(containerdSocket);
    const engine = proc.kernel.connectService(nerdSocket);
    return { proc, namespace, runtime, engine, images: engine.images(namespace) };
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    if (proc.credentials.uid !== 0)
      throw new CtrError(
        `failed to dial "${ADDRESS}": connection error: desc = "transport: error while dialing: dial unix ${ADDRESS}: connect: permission denied"`,
      );
    throw new CtrError(
      `failed to dial "${ADDRESS}": context deadline exceeded: connection error: desc = "transport: error while dialing: dial unix://${ADDRESS}: timeout"`,
    );
  }
}

async function version({ proc, runtime }: World): Promise<number> {
  await proc.stdout.write(
    `Server:\n  Version:  ${runtime.version}\n  Revision: d2d58213f83a351ca8f528a95fbd145f5654e957\n  UUID: ${uuidOf(proc.kernel.hostname)}\n`,
  );
  return 0;
}

/** One for each machine, always the same. */
function uuidOf(name: string): string {
  const hex = createHash('sha1').update(`containerd/${name}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-9${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function digestOf(image: ImageRecord): string {
  return image.repoDigests[0]?.split('@')[1] ?? image.id;
}

function sizeText(bytes: number): string {
  return bytes >= 1024 ** 2 ? `${(bytes / 1024 ** 2).toFixed(1)} MiB` : `${(bytes / 1024).toFixed(1)} KiB`;
}

async function images(world: World, args: readonly string[]): Promise<number> {
  const { proc, images: store, namespace } = world;
  const [verb = 'ls', ...others] = args;
  const { flags, rest } = split(
    others,
    'platform label base-name digests index-name user u hosts-dir snapshotter',
  );
  switch (verb) {
    case 'ls':
    case 'list': {
      const label = namespace === 'k8s.io' ? 'io.cri-containerd.image=managed' : '-';
      const named = store
        .list()
        .flatMap((image) =>
          [...image.repoTags, ...(namespace === 'k8s.io' ? [...image.repoDigests, image.id] : [])].map(
            (name) => ({ name, image }),
          ),
        );
      const chosen = named
        .filter(
          ({ name }) => rest.length === 0 || rest.some((filter) => name === filter.replace(/^name==/, '')),
        )
        .toSorted((a, b) => (a.name < b.name ? -1 : 1));
      if (flags.has('q') || flags.has('quiet')) {
        await proc.stdout.write(chosen.map(({ name }) => `${name}\n`).join(''));
        return 0;
      }
      await proc.stdout.write(
        table(
          [
            ['REF', 'TYPE', 'DIGEST', 'SIZE', 'PLATFORMS', 'LABELS'],
            ...chosen.map(({ name, image }) => [
              name,
              MANIFEST_TYPE,
              digestOf(image),
              sizeText(image.sizeBytes),
              'linux/amd64',
              label,
            ]),
          ],
          1,
        ),
      );
      return 0;
    }
    case 'check': {
      const rows = store
        .list()
        .flatMap((image) =>
          image.repoTags.map((name) => [
            name,
            MANIFEST_TYPE,
            digestOf(image),
            'complete (2/2)',
            `${sizeText(image.sizeBytes)}/${sizeText(image.sizeBytes)}`,
            'true',
          ]),
        );
      await proc.stdout.write(table([['REF', 'TYPE', 'DIGEST', 'STATUS', 'SIZE', 'UNPACKED'], ...rows], 1));
      return 0;
    }
    case 'pull':
      return pull(world, rest);
    case 'tag': {
      const [source = '', ...names] = rest;
      const image = requireImage(world, source);
      for (const name of names) {
        if (store.status(name)?.repoTags.includes(name) === true && !flags.has('force'))
          throw new CtrError(`image "${name}": already exists`);
        store.tag(image.id, name);
        await proc.stdout.write(`${name}\n`);
      }
      return 0;
    }
    case 'rm':
    case 'del':
    case 'delete':
    case 'remove': {
      for (const name of rest) {
        if (store.status(name) === undefined)
          throw new CtrError(`unable to delete ${name}: image "${name}": not found`);
        if (/@|^sha256:/.test(name)) store.remove(name);
        else store.untagImage(name);
        await proc.stdout.write(`${name}\n`);
      }
      return 0;
    }
    case 'import': {
      const file = rest[0] ?? '';
      const archive = file === '-' ? Buffer.from(await readAll(proc)) : proc.fs.readFile(file);
      for (const image of store.importArchive(archive))
        for (const tag of image.repoTags.slice(-1))
          await proc.stdout.write(`unpacking ${tag} (${digestOf(image)})...done\n`);
      return 0;
    }
    case 'export': {
      const [file = '', ...names] = rest;
      const archive = store.export(names.map((name) => (requireImage(world, name), name)));
      if (file === '-') await proc.stdout.write(archive);
      else proc.fs.writeFile(file, archive);
      return 0;
    }
    case 'label':
    case 'mount':
    case 'unmount':
    case 'push':
    case 'convert':
    case 'usage':
      throw new CtrError(`drydock: ctr images ${verb} isn't simulated`);
    default:
      await proc.stderr.write(`No help topic for '${verb}'\n`);
      return 3;
  }
}

async function readAll(proc: Process): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let part = await proc.stdin.read(65_536); part.length > 0; part = await proc.stdin.read(65_536))
    parts.push(part);
  return Buffer.concat(parts);
}

/** ctr wants whole references: `nginx` is none. */
function requireImage({ images: store }: World, name: string): ImageRecord {
  const image = store.status(name);
  if (
    image === undefined ||
    (!image.repoTags.includes(name) && !image.repoDigests.includes(name) && image.id !== name)
  )
    throw new CtrError(`image "${name}": not found`);
  return image;
}

async function pull({ proc, images: store }: World, [name = '']: readonly string[]): Promise<number> {
  if (name === '') throw new CtrError('please provide an image reference to pull');
  if (!/^[^/]*[.:][^/]*\//.test(name))
    throw new CtrError(`failed to resolve reference "${name}": object required`);
  try {
    const image = await proc.interruptible(store.pull(name));
    const hash = digestOf(image);
    const bar = '++++++++++++++++++++++++++++++++++++++';
    await proc.stdout.write(
      `${name}:`.padEnd(58) +
        ` resolved       |${bar}| \nmanifest-${hash}: done           |${bar}| \nconfig-${image.id}:   done           |${bar}| \nelapsed: 1.2 s` +
        `${' '.repeat(20)}total:  ${sizeText(image.sizeBytes)} (${sizeText(image.sizeBytes / 1.2)}/s)${' '.repeat(39)}\nunpacking linux/amd64 ${hash}...\ndone: 120.5ms\t\n`,
    );
    return 0;
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    throw new CtrError(
      error.message
        .replace(/^failed to pull and unpack image "[^"]*": /, '')
        .replace(/^failed to resolve image:/, `failed to resolve reference "${name}":`),
    );
  }
}

/** What ctr sees in a namespace: containers and sandboxes of the kubelet's, or the engine's. */
interface Listed {
  readonly id: string;
  readonly image: string;
  readonly pid: number | undefined;
  readonly isRunning: boolean;
  readonly own: EngineContainer | undefined;
}

function listed({ runtime, engine, namespace }: World): Listed[] {
  const own = engine.list(namespace).map((each): Listed => ({
    id: each.spec.name === each.id.slice(0, 12) ? each.id : (each.spec.labels['ctr.id'] ?? each.id),
    image: each.spec.image,
    pid: each.pid,
    isRunning: each.state === 'running',
    own: each,
  }));
  if (namespace !== 'k8s.io') return own.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const pods = runtime.listContainers().map((each): Listed => ({
    id: each.id,
    image: runtime.imageStatus(each.imageId)?.repoTags[0] ?? each.spec.image,
    pid: each.pid,
    isRunning: each.state === 'running',
    own: undefined,
  }));
  const pauses = runtime.listSandboxes().map((each): Listed => ({
    id: each.id,
    image: runtime.sandboxImage,
    pid: undefined,
    isRunning: each.state === 'ready',
    own: undefined,
  }));
  return [...own, ...pods, ...pauses].toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

function find(world: World, id: string, kind: 'container' | 'task'): Listed {
  const found = listed(world).find((each) => each.id === id);
  if (found === undefined)
    throw new CtrError(
      kind === 'container'
        ? `container "${id}" in namespace "${world.namespace}": not found`
        : `no running task found: task ${id} not found: not found`,
    );
  return found;
}

async function containers(world: World, args: readonly string[]): Promise<number> {
  const { proc, engine, runtime, namespace } = world;
  const [verb = 'ls', ...others] = args;
  switch (verb) {
    case 'ls':
    case 'list': {
      const rows = listed(world);
      const isQuiet = others.includes('-q') || others.includes('--quiet');
      await proc.stdout.write(
        isQuiet
          ? rows.map(({ id }) => `${id}\n`).join('')
          : table(
              [
                ['CONTAINER', 'IMAGE', 'RUNTIME'],
                ...rows.map(({ id, image }) => [id, image === '' ? '-' : image, 'io.containerd.runc.v2']),
              ],
              4,
            ),
      );
      return 0;
    }
    case 'rm':
    case 'del':
    case 'delete':
    case 'remove': {
      const { rest } = split(others, '');
      for (const id of rest) {
        const found = find(world, id, 'container');
        if (found.isRunning)
          throw new CtrError(
            `cannot delete a non stopped container: {running 0 0001-01-01 00:00:00 +0000 UTC}`,
          );
        if (found.own !== undefined) await engine.remove(found.own.id, { force: false, volumes: true });
        else await runtime.removeContainer(id);
      }
      return 0;
    }
    case 'info': {
      const found = find(world, others[0] ?? '', 'container');
      const createdMs = found.own?.createdMs ?? runtime.containerStatus(found.id)?.createdMs ?? 0;
      await proc.stdout.write(
        `${JSON.stringify({ ID: found.id, Labels: found.own?.spec.labels ?? runtime.containerStatus(found.id)?.spec.labels ?? {}, Image: found.image, Runtime: { Name: 'io.containerd.runc.v2', Options: null }, SnapshotKey: found.id, Snapshotter: 'overlayfs', CreatedAt: new Date(Math.floor(createdMs)).toISOString() }, undefined, 4)}\n`,
      );
      return 0;
    }
    case 'create': {
      const { flags, rest } = split(others, RUN_VALUES);
      create(world, flags, rest);
      return 0;
    }
    default:
      if (['label', 'checkpoint', 'restore', 'update'].includes(verb))
        throw new CtrError(`drydock: ctr -n ${namespace} containers ${verb} isn't simulated`);
      await proc.stderr.write(`No help topic for '${verb}'\n`);
      return 3;
  }
}

async function tasks(world: World, args: readonly string[]): Promise<number> {
  const { proc, engine, runtime } = world;
  const [verb = 'ls', ...others] = args;
  const { flags, rest } = split(others, 'exec-id s signal cwd user log-uri');
  const [id = '', ...words] = rest;
  switch (verb) {
    case 'ls':
    case 'list': {
      const rows = listed(world).filter(({ isRunning }) => isRunning);
      await proc.stdout.write(
        table(
          [['TASK', 'PID', 'STATUS'], ...rows.map((each) => [each.id, String(each.pid ?? 0), 'RUNNING'])],
          4,
        ),
      );
      return 0;
    }
    case 'ps': {
      const found = find(world, id, 'task');
      const cgroup = found.own?.cgroup;
      const rows = proc.kernel
        .listProcesses()
        .filter((each) => (cgroup === undefined ? each.cgroup.endsWith(`/${id}`) : each.cgroup === cgroup));
      await proc.stdout.write(table([['PID', 'INFO'], ...rows.map((each) => [String(each.pid), '-'])], 4));
      return 0;
    }
    case 'exec': {
      if (!flags.has('exec-id')) throw new CtrError('exec id must be provided');
      const found = find(world, id, 'task');
      return runOnTerminal(proc, flags.has('t') || flags.has('tty'), true, (streams) =>
        found.own === undefined
          ? runtime.exec(id, { command: words, ...streams })
          : engine.exec(found.own.id, { command: words, ...streams }),
      );
    }
    case 'kill': {
      const found = find(world, id, 'task');
      const signal = (flags.get('s') ?? flags.get('signal'))?.at(-1) ?? 'SIGTERM';
      if (found.own !== undefined) engine.kill(found.own.id, signal);
      else if (found.pid !== undefined)
        proc.kill(found.pid, signal === '9' || signal === 'SIGKILL' ? 'SIGKILL' : 'SIGTERM');
      return 0;
    }
    case 'start': {
      const found = find(world, id, 'container');
      if (found.own === undefined)
        throw new CtrError("drydock: starting a task of the kubelet's isn't simulated");
      await engine.start(found.own.id);
      return flags.has('d') || flags.has('detach') ? 0 : await engine.wait(found.own.id);
    }
    case 'rm':
    case 'delete':
    case 'del':
    case 'remove': {
      const found = find(world, id, 'task');
      if (found.isRunning && !flags.has('force') && !flags.has('f'))
        throw new CtrError(
          `unable to delete ${id}: task must be stopped before deletion: running: failed precondition`,
        );
      if (found.isRunning && found.own !== undefined) await engine.stop(found.own.id, 0);
      return 0;
    }
    case 'pause':
    case 'resume':
    case 'metrics':
    case 'attach':
    case 'checkpoint':
      throw new CtrError(`drydock: ctr tasks ${verb} isn't simulated`);
    default:
      await proc.stderr.write(`No help topic for '${verb}'\n`);
      return 3;
  }
}

async function namespaces(world: World, args: readonly string[]): Promise<number> {
  const [verb = 'ls'] = args;
  if (verb !== 'ls' && verb !== 'list') throw new CtrError(`drydock: ctr namespaces ${verb} isn't simulated`);
  const names = new Set(world.engine.list().map(({ spec }) => spec.namespace));
  if (world.runtime.listImages().length > 0 || world.runtime.listSandboxes().length > 0) names.add('k8s.io');
  if (world.engine.images('default').list().length > 0) names.add('default');
  if (
    world.proc.fs.exists('/run/docker.sock') ||
    world.proc.kernel.listProcesses().some(({ argv }) => argv[0]?.endsWith('dockerd') === true)
  )
    names.add('moby');
  await world.proc.stdout.write(
    table([['NAME', 'LABELS'], ...[...names].toSorted().map((name) => [name, ''])], 1),
  );
  return 0;
}

const RUN_VALUES =
  'env mount label cwd hostname cgroup user u memory-limit with-ns platform runtime snapshotter cap-add cap-drop pid-file config cpus log-uri gpus rootfs-propagation';

function create(
  world: World,
  flags: ReadonlyMap<string, readonly string[]>,
  [image = '', id = '', ...words]: readonly string[],
): EngineContainer {
  if (image === '') throw new CtrError('image ref must be provided');
  if (id === '') throw new CtrError('container id must be provided');
  const record = requireImage(world, image);
  if (listed(world).some((each) => each.id === id)) throw new CtrError(`container "${id}": already exists`);
  const mounts = (flags.get('mount') ?? []).map((text) => {
    const fields = new Map(
      text.split(',').map((each) => each.split(/=(.*)/s).slice(0, 2) as [string, string]),
    );
    return {
      type: 'bind' as const,
      source: fields.get('src') ?? fields.get('source') ?? '',
      target: fields.get('dst') ?? fields.get('destination') ?? '',
      readOnly: (fields.get('options') ?? '').split(':').includes('ro'),
    };
  });
  const spec: EngineSpec = {
    name: id.length > 1 ? id : `${id}-`,
    namespace: world.namespace,
    image,
    imageReference: record.id,
    entrypoint: words.length > 0 ? [] : undefined,
    command: words,
    env: flags.get('env') ?? [],
    labels: {
      'ctr.id': id,
      ...Object.fromEntries(
        (flags.get('label') ?? []).map((each) => each.split(/=(.*)/s).slice(0, 2) as [string, string]),
      ),
    },
    hostname: flags.get('hostname')?.at(-1),
    user: (flags.get('user') ?? flags.get('u'))?.at(-1),
    workingDirectory: flags.get('cwd')?.at(-1),
    tty: flags.has('t') || flags.has('tty'),
    stdin: true,
    mounts,
    ports: [],
    network: flags.has('net-host') ? 'host' : 'none',
    addHosts: [],
    dns: [],
    restart: { name: 'no', max: 0 },
    autoRemove: false,
    memoryMaxBytes: flags.has('memory-limit') ? Number(flags.get('memory-limit')!.at(-1)) : undefined,
    readOnlyRoot: flags.has('read-only'),
    privileged: flags.has('privileged'),
    capabilities: { add: flags.get('cap-add') ?? [], drop: flags.get('cap-drop') ?? [] },
    stopSignal: undefined,
    pidOfMachine: false,
  };
  return world.engine.create(spec);
}

async function run(world: World, args: readonly string[]): Promise<number> {
  const { proc, engine } = world;
  const { flags, rest } = split(args, RUN_VALUES);
  const container = create(world, flags, rest);
  if (flags.has('d') || flags.has('detach')) {
    await engine.start(container.id);
    return 0;
  }
  try {
    return await runOnTerminal(proc, container.spec.tty, true, async (streams) => {
      if (streams.tty !== undefined)
        return (await engine.start(container.id, { command: [], ...streams })).ended!;
      const { kernel } = proc;
      const [input, output, errors] = [kernel.pipe(), kernel.pipe(), kernel.pipe()];
      const copied = Promise.all([proc.stdout.copyFrom(output.reader), proc.stderr.copyFrom(errors.reader)]);
      const { ended } = await engine.start(container.id, {
        command: [],
        stdio: [input.reader, output.writer, errors.writer],
        hasInput: false,
      });
      const status = await ended!;
      await copied;
      return status;
    });
  } finally {
    if (flags.has('rm')) await engine.remove(container.id, { force: true, volumes: true });
  }
}

async function events({ proc, engine, namespace }: World): Promise<number> {
  let writing = Promise.resolve();
  using _events = engine.onEvent(({ timeMs, type, action, id }) => {
    const stamp = `${new Date(Math.floor(timeMs)).toISOString().slice(0, 23).replace('T', ' ')}000000 +0000 UTC`;
    writing = writing.then(() =>
      proc.stdout.write(
        `${stamp} ${namespace} /${type === 'container' ? 'tasks' : type}s/${action} {"container_id":"${id}"}\n`,
      ),
    );
  });
  for (;;) await proc.sleep(1e9);
}
