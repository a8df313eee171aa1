// docker(1) and nerdctl: the machine's runtime in docker's words.
import type { Program } from '../../kernel/index.ts';
import { RuntimeError, type Container, type Containerd } from '../../containerd/index.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { dockerLoad, dockerSave, dockerTag } from './archive.ts';
import { runInContainer, showLogs } from './exec.ts';
import {
  canonicalReference,
  connectRuntime,
  decimalSize,
  dockerName,
  findContainer,
  humanAge,
  sandboxOf,
  shortId,
  splitReference,
  table,
} from './runtime.ts';

const UNREACHABLE =
  'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?';

/** docker(1): ps, images, pull, exec, logs, inspect, stop, start, rm, rmi, version. Running new containers isn't simulated. */
export const docker: Program = command(
  {
    short: 'aqfitn:dH:o:',
    long: [
      'all>a',
      'quiet>q',
      'no-trunc',
      'format:',
      'filter:',
      'force>f',
      'follow>f',
      'tail:>n',
      'timestamps',
      'interactive>i',
      'tty>t',
      'host:>H',
      'time:',
      'input:',
      'output:>o',
      'version',
    ],
    usage: '[OPTIONS] COMMAND',
    prepare: prepareExec,
  },
  async (it) => {
    const [first = '', ...others] = it.operands;
    const nested = ['container', 'image'].includes(first);
    const verb = nested
      ? first === 'image' && others[0] === 'ls'
        ? 'images'
        : first === 'image' && others[0] === 'rm'
          ? 'rmi'
          : (others[0] ?? '').replace(/^ls$/, 'ps')
      : first;
    const rest = nested ? others.slice(1) : others;
    if (it.options.has('version')) return void (await it.out.line('Docker version 26.1.4, build 5650f9b'));
    if (verb === '' || verb === 'help') {
      await it.out.put(
        "\nUsage:  docker [OPTIONS] COMMAND\n\nA self-sufficient runtime for containers\n\nRun 'docker COMMAND --help' for more information on a command.\n",
      );
      return 0;
    }
    try {
      const runtime = connectRuntime(it.proc, UNREACHABLE);
      return await run(it, runtime, verb, rest);
    } catch (error) {
      await it.out.flush();
      if (error instanceof Failure) await it.proc.stderr.write(`${error.message}\n`);
      else if (error instanceof RuntimeError)
        await it.proc.stderr.write(`Error response from daemon: ${error.message}\n`);
      else throw error;
      return 1;
    }
  },
);

/** What follows the container in `exec` is the command's own. */
function prepareExec(args: string[]): string[] {
  const at = args.indexOf('exec');
  if (at < 0) return args;
  let next = at + 1;
  const flags: string[] = [];
  while (args[next]?.startsWith('-') === true) flags.push(args[next++]!);
  return [...args.slice(0, at), ...flags, '--', 'exec', ...args.slice(next)];
}

async function run(
  it: Invocation,
  runtime: Containerd,
  verb: string,
  rest: readonly string[],
): Promise<number> {
  const { options, proc } = it;
  switch (verb) {
    case 'ps':
      return ps(it, runtime);
    case 'images':
      return images(it, runtime, rest[0]);
    case 'exec': {
      const container = requireContainer(runtime, rest[0] ?? '');
      if (container.state !== 'running')
        throw new Failure(`Error response from daemon: Container ${container.id} is not running`);
      return runInContainer(proc, runtime, container, rest.slice(1), options.has('t'));
    }
    case 'logs': {
      const tail = options.value('n');
      await showLogs(it, requireContainer(runtime, rest[0] ?? ''), {
        follow: options.has('f'),
        tail: tail === undefined || tail === 'all' ? undefined : Number(tail),
        timestamps: options.has('timestamps'),
      });
      return 0;
    }
    case 'inspect':
      return inspect(it, runtime, rest);
    case 'load':
      // -i is --interactive elsewhere; what follows it is the operand.
      return dockerLoad(it, runtime, options.value('input') ?? rest[0]);
    case 'save':
      return dockerSave(it, runtime, options.value('o'), rest);
    case 'tag':
      return dockerTag(runtime, rest);
    case 'pull': {
      const { repository, tag } = splitReference(canonicalReference(rest[0] ?? ''), true);
      if (!(rest[0] ?? '').includes(':')) await it.out.line(`Using default tag: ${tag}`);
      await it.out.line(
        `${tag}: Pulling from ${repository.includes('/') ? repository : `library/${repository}`}`,
      );
      await it.out.flush();
      const image = await proc.interruptible(runtime.pullImage(canonicalReference(rest[0] ?? '')));
      await it.out.put(
        `Digest: ${image.repoDigests[0]?.split('@')[1] ?? image.id}\nStatus: Downloaded newer image for ${repository}:${tag}\n${canonicalReference(rest[0] ?? '')}\n`,
      );
      return 0;
    }
    case 'rmi':
      for (const reference of rest) {
        const image = runtime.imageStatus(canonicalReference(reference)) ?? runtime.imageStatus(reference);
        if (image === undefined)
          throw new Failure(
            `Error response from daemon: No such image: ${reference.includes(':') ? reference : `${reference}:latest`}`,
          );
        if (image.repoTags.length > 1)
          throw new Failure("drydock: removing one of an image's several names isn't simulated");
        runtime.removeImage(canonicalReference(reference));
        await it.out.put(
          `Untagged: ${splitReference(canonicalReference(reference), true).repository}:${splitReference(canonicalReference(reference), true).tag}\nDeleted: ${image.id}\n`,
        );
      }
      return 0;
    case 'stop':
    case 'kill':
    case 'start':
    case 'restart':
    case 'rm':
      for (const id of rest) {
        const container = requireContainer(runtime, id);
        if (verb === 'rm') {
          if (container.state === 'running' && !options.has('f'))
            throw new Failure(
              `Error response from daemon: You cannot remove a running container ${container.id}. Stop the container before attempting removal or force remove`,
            );
          await proc.interruptible(runtime.removeContainer(container.id));
        } else {
          if (verb !== 'start')
            await proc.interruptible(runtime.stopContainer(container.id, verb === 'kill' ? 0 : 10_000));
          if (verb === 'start' || verb === 'restart')
            await proc.interruptible(runtime.startContainer(container.id));
        }
        await it.out.line(id);
      }
      return 0;
    case 'version':
      await it.out.put(
        `Client: Docker Engine - Community\n Version:           26.1.4\n\nServer: Docker Engine - Community\n Engine:\n  Version:          26.1.4\n containerd:\n  Version:          ${runtime.version}\n`,
      );
      return 0;
    case 'run':
    case 'create':
    case 'build':
    case 'import':
    case 'push':
    case 'network':
    case 'volume':
    case 'compose':
    case 'stats':
    case 'top':
    case 'cp':
    case 'info':
    case 'port':
    case 'commit':
    case 'login':
    case 'search':
    case 'system':
      throw new Failure(`drydock: docker ${verb} isn't simulated`);
    default:
      throw new Failure(`docker: '${verb}' is not a docker command.\nSee 'docker --help'`);
  }
}

function requireContainer(runtime: Containerd, id: string): Container {
  const found = id === '' ? undefined : findContainer(runtime, id);
  if (found === undefined) throw new Failure(`Error response from daemon: No such container: ${id}`);
  return found;
}

function commandText(runtime: Containerd, container: Container, full: boolean): string {
  const image = runtime.imageStatus(container.imageId)?.image;
  const words = [
    ...(container.spec.command ?? image?.entrypoint ?? []),
    ...(container.spec.args ?? (container.spec.command === undefined ? (image?.command ?? []) : [])),
  ];
  const text = words.map((word) => (/[\s'"$;|&]/.test(word) ? `'${word}'` : word)).join(' ');
  return `"${full || text.length <= 20 ? text : `${text.slice(0, 19)}…`}"`;
}

function statusText(container: Container, nowMs: number): string {
  if (container.state === 'running') return `Up ${humanAge(nowMs - (container.startedMs ?? nowMs))}`;
  return container.state === 'created'
    ? 'Created'
    : `Exited (${container.exitCode ?? 0}) ${humanAge(nowMs - (container.finishedMs ?? nowMs))} ago`;
}

async function ps(it: Invocation, runtime: Containerd): Promise<number> {
  const { options, proc } = it;
  const now = proc.clock.now();
  const filters = options
    .values('filter')
    .map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)] as const);
  const wanted = runtime
    .listContainers()
    .filter(
      (one) =>
        (options.has('a') || one.state === 'running' || filters.some(([key]) => key === 'status')) &&
        filters.every(([key, value]) =>
          key === 'status'
            ? one.state === value
            : key === 'name'
              ? dockerName(runtime, one).includes(value)
              : key === 'id'
                ? one.id.startsWith(value)
                : true,
        ),
    )
    .toSorted((a, b) => b.createdMs - a.createdMs);
  if (options.has('q')) {
    for (const one of wanted) await it.out.line(options.has('no-trunc') ? one.id : one.id.slice(0, 12));
    return 0;
  }
  const full = options.has('no-trunc');
  const rows = wanted.map((one) => ({
    ID: full ? one.id : one.id.slice(0, 12),
    Image:
      splitReference(one.spec.image, true).repository +
      (one.spec.image.includes('@') || !/:[^/]+$/.test(one.spec.image)
        ? ''
        : `:${splitReference(one.spec.image, true).tag}`),
    Command: commandText(runtime, one, full),
    CreatedAt: `${humanAge(now - one.createdMs)} ago`,
    RunningFor: `${humanAge(now - one.createdMs)} ago`,
    Status: statusText(one, now),
    Ports: '',
    Names: dockerName(runtime, one),
    State: one.state,
  }));
  const format = options.value('format');
  if (format === undefined) {
    await it.out.put(
      table([
        ['CONTAINER ID', 'IMAGE', 'COMMAND', 'CREATED', 'STATUS', 'PORTS', 'NAMES'],
        ...rows.map((row) => [
          row.ID,
          row.Image,
          row.Command,
          row.RunningFor,
          row.Status,
          row.Ports,
          row.Names,
        ]),
      ]),
    );
    return 0;
  }
  await formatted(it, format, rows, { ID: 'CONTAINER ID', RunningFor: 'CREATED' });
  return 0;
}

/** `--format '{{.Names}}\t{{.Status}}'`, with `table` for a header. */
async function formatted(
  it: Invocation,
  format: string,
  rows: readonly Readonly<Record<string, string>>[],
  titles: Readonly<Record<string, string>>,
): Promise<void> {
  const withHeader = format.startsWith('table ');
  const template = (withHeader ? format.slice(6) : format).replaceAll('\\t', '\t').replaceAll('\\n', '\n');
  const fill = (value: (key: string) => string): string =>
    template.replaceAll(/\{\{\s*\.(\w+)\s*\}\}/g, (_, key: string) => value(key));
  const lines = rows.map((row) => fill((key) => row[key] ?? '<no value>'));
  if (!withHeader) {
    for (const line of lines) await it.out.line(line);
    return;
  }
  await it.out.put(
    table([fill((key) => titles[key] ?? key.toUpperCase()), ...lines].map((line) => line.split('\t'))),
  );
}

async function images(it: Invocation, runtime: Containerd, wanted: string | undefined): Promise<number> {
  const now = it.proc.clock.now();
  const rows = runtime
    .listImages()
    .flatMap((image) =>
      (image.repoTags.length > 0 ? image.repoTags : ['<none>:<none>']).map((reference) => ({
        image,
        ...splitReference(reference, true),
      })),
    )
    .filter(
      (row) => wanted === undefined || row.repository === wanted || `${row.repository}:${row.tag}` === wanted,
    );
  const shown = rows.map((row) => ({
    Repository: row.repository,
    Tag: row.tag,
    ID: it.options.has('no-trunc') ? row.image.id : shortId(row.image.id, 12),
    CreatedSince:
      row.image.image.created === undefined
        ? 'N/A'
        : `${humanAge(now - Date.parse(row.image.image.created))} ago`,
    Size: decimalSize(row.image.sizeBytes),
  }));
  const format = it.options.value('format');
  if (it.options.has('q')) for (const row of shown) await it.out.line(row.ID);
  else if (format === undefined)
    await it.out.put(
      table([
        ['REPOSITORY', 'TAG', 'IMAGE ID', 'CREATED', 'SIZE'],
        ...shown.map((row) => [row.Repository, row.Tag, row.ID, row.CreatedSince, row.Size]),
      ]),
    );
  else await formatted(it, format, shown, { ID: 'IMAGE ID', CreatedSince: 'CREATED' });
  return 0;
}

async function inspect(it: Invocation, runtime: Containerd, ids: readonly string[]): Promise<number> {
  const found: unknown[] = [];
  let status = 0;
  for (const id of ids) {
    const container = findContainer(runtime, id);
    const image = container === undefined ? runtime.imageStatus(canonicalReference(id)) : undefined;
    if (container !== undefined) {
      const iso = (ms: number | undefined): string =>
        ms === undefined ? '0001-01-01T00:00:00Z' : new Date(ms).toISOString();
      found.push({
        Id: container.id,
        Created: iso(container.createdMs),
        State: {
          Status: container.state,
          Running: container.state === 'running',
          Pid: container.pid ?? 0,
          ExitCode: container.exitCode ?? 0,
          StartedAt: iso(container.startedMs),
          FinishedAt: iso(container.finishedMs),
        },
        Image: container.imageId,
        Name: `/${dockerName(runtime, container)}`,
        Config: {
          Image: container.spec.image,
          Env: container.spec.env.map(({ name, value }) => `${name}=${value}`),
          Labels: container.spec.labels,
        },
        NetworkSettings: { IPAddress: sandboxOf(runtime, container)?.ips[0] ?? '' },
      });
    } else if (image !== undefined)
      found.push({
        Id: image.id,
        RepoTags: image.repoTags,
        RepoDigests: image.repoDigests,
        Created: image.image.created ?? '',
        Size: image.sizeBytes,
        Config: {
          Env: image.image.env ?? [],
          Cmd: image.image.command ?? null,
          Entrypoint: image.image.entrypoint ?? null,
        },
      });
    else {
      status = 1;
      await it.proc.stderr.write(`Error: No such object: ${id}\n`);
    }
  }
  const format = it.options.value('format');
  if (format === undefined) await it.out.line(JSON.stringify(found, undefined, 4));
  else
    for (const one of found)
      await it.out.line(
        format.replaceAll(/\{\{\s*\.([\w.]+)\s*\}\}/g, (_, keys: string) => {
          let value: unknown = one;
          for (const key of keys.split('.'))
            value =
              typeof value === 'object' && value !== null
                ? (value as Record<string, unknown>)[key]
                : undefined;
          return value === undefined
            ? '<no value>'
            : typeof value === 'string'
              ? value
              : JSON.stringify(value);
        }),
      );
  return status;
}
