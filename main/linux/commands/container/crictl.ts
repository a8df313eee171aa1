// crictl(1): what the kubelet's runtime runs.
import type { Program } from '../../kernel/index.ts';
import { RuntimeError, type Container, type Containerd } from '../../containerd/index.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { strftime, UTC } from '../frame/time.ts';
import { runInContainer, showLogs } from './exec.ts';
import {
  canonicalReference,
  connectRuntime,
  decimalSize,
  findContainer,
  humanAge,
  sandboxOf,
  shortId,
  splitReference,
  table,
} from './runtime.ts';

const UNREACHABLE =
  'validate service connection: validate CRI v1 runtime API for endpoint "unix:///run/containerd/containerd.sock": rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix /run/containerd/containerd.sock: connect: no such file or directory"';

async function fatal(it: Invocation, message: string): Promise<number> {
  const { proc } = it;
  await it.out.flush();
  const time = strftime('%FT%TZ', proc.clock.now(), UTC);
  await proc.stderr.write(
    proc.stderr.tty === undefined
      ? `time="${time}" level=fatal msg=${JSON.stringify(message)}\n`
      : `\u001b[31mFATA\u001b[0m[0000] ${message} \n`,
  );
  return 1;
}

function state(container: Container): string {
  return { created: 'Created', running: 'Running', exited: 'Exited' }[container.state];
}

/** crictl(1): pods, ps, images, inspect, logs, exec, pull, rmi, stop, rm, version, info. */
export const crictl: Program = command(
  {
    short: 'aqr:i:t:Df:o:v',
    long: [
      'all>a',
      'quiet>q',
      'runtime-endpoint:>r',
      'image-endpoint:>i',
      'timeout:>t',
      'debug>D',
      'output:>o',
      'name:',
      'pod:',
      'state:',
      'namespace:',
      'label:',
      'tail:',
      'follow>f',
      'no-trunc',
      'config:',
      'tty>y',
      'interactive>I',
      'image:',
      'digests',
      'latest>l',
      'last:',
      'prune',
      'since:',
      'timestamps',
    ],
    permute: true,
    usage: '[global options] command [command options] [arguments...]',
    version: 'v1.31.1',
    prepare: (args) => prepareExec(args),
  },
  async (it) => {
    const [verb, ...rest] = it.operands;
    if (verb === undefined || verb === 'help') {
      await it.out.put(
        'NAME:\n   crictl - client for CRI\n\nUSAGE:\n   crictl [global options] command [command options] [arguments...]\n\nVERSION:\n   v1.31.1\n\nCOMMANDS:\n   exec                Run a command in a running container\n   images, image, img  List images\n   inspect             Display the status of one or more containers\n   inspecti            Return the status of one or more images\n   inspectp            Display the status of one or more pods\n   logs                Fetch the logs of a container\n   pods                List pods\n   ps                  List containers\n   pull                Pull an image from a registry\n   rm                  Remove one or more containers\n   rmi                 Remove one or more images\n   rmp                 Remove one or more pods\n   stop                Stop one or more running containers\n   stopp               Stop one or more running pods\n   version             Display runtime version information\n',
      );
      return 0;
    }
    let runtime: Containerd;
    try {
      runtime = connectRuntime(it.proc, UNREACHABLE);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return fatal(it, error.message);
    }
    try {
      return await crictlVerb(it, runtime, verb, rest);
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      return fatal(it, `rpc error: code = ${error.code} desc = ${error.message}`);
    }
  },
);

/** `exec -it ID command …`: what follows the id is the command's own. */
function prepareExec(args: string[]): string[] {
  const at = args.indexOf('exec');
  if (at < 0) return args;
  let next = at + 1;
  const flags: string[] = [];
  while (args[next]?.startsWith('-') === true) {
    const flag = args[next++]!;
    if (/^-[it]+$/.test(flag))
      flags.push(...(flag.includes('t') ? ['--tty'] : []), ...(flag.includes('i') ? ['--interactive'] : []));
    else flags.push(flag);
  }
  return [...args.slice(0, at), ...flags, '--', 'exec', ...args.slice(next)];
}

async function crictlVerb(
  it: Invocation,
  runtime: Containerd,
  verb: string,
  rest: readonly string[],
): Promise<number> {
  const { options, proc } = it;
  const now = proc.clock.now();
  const length = options.has('no-trunc') ? 64 : 13;
  switch (verb) {
    case 'ps': {
      const name = options.value('name');
      const wanted = runtime
        .listContainers()
        .filter(
          (one) =>
            (options.has('a') || one.state === 'running') &&
            (name === undefined || new RegExp(name).test(one.spec.name)) &&
            (options.value('pod') === undefined || one.sandboxId.startsWith(options.value('pod')!)) &&
            (options.value('state') === undefined || one.state === options.value('state')!.toLowerCase()),
        )
        .toSorted((a, b) => b.createdMs - a.createdMs);
      if (options.has('q')) for (const one of wanted) await it.out.line(one.id);
      else
        await it.out.put(
          table([
            ['CONTAINER', 'IMAGE', 'CREATED', 'STATE', 'NAME', 'ATTEMPT', 'POD ID', 'POD'],
            ...wanted.map((one) => [
              one.id.slice(0, length),
              shortId(one.imageId, 13),
              `${humanAge(now - one.createdMs)} ago`,
              state(one),
              one.spec.name,
              String(one.spec.attempt),
              one.sandboxId.slice(0, 13),
              sandboxOf(runtime, one)?.spec.podName ?? 'unknown',
            ]),
          ]),
        );
      return 0;
    }
    case 'pods': {
      const wanted = runtime
        .listSandboxes()
        .filter(
          (one) =>
            (options.value('name') === undefined ||
              new RegExp(options.value('name')!).test(one.spec.podName)) &&
            (options.value('namespace') === undefined ||
              one.spec.podNamespace === options.value('namespace')),
        )
        .toSorted((a, b) => b.createdMs - a.createdMs);
      if (options.has('q')) for (const one of wanted) await it.out.line(one.id);
      else
        await it.out.put(
          table([
            ['POD ID', 'CREATED', 'STATE', 'NAME', 'NAMESPACE', 'ATTEMPT', 'RUNTIME'],
            ...wanted.map((one) => [
              one.id.slice(0, length),
              `${humanAge(now - one.createdMs)} ago`,
              one.state === 'ready' ? 'Ready' : 'NotReady',
              one.spec.podName,
              one.spec.podNamespace,
              String(one.spec.attempt),
              '(default)',
            ]),
          ]),
        );
      return 0;
    }
    case 'images':
    case 'image':
    case 'img': {
      const rows = runtime
        .listImages()
        .flatMap((image) =>
          (image.repoTags.length > 0 ? image.repoTags : ['<none>:<none>']).map((reference) => ({
            image,
            ...splitReference(reference, false),
          })),
        )
        .toSorted((a, b) => (a.repository + a.tag < b.repository + b.tag ? -1 : 1));
      if (options.has('q')) for (const row of rows) await it.out.line(row.image.id);
      else
        await it.out.put(
          table(
            [
              ['IMAGE', 'TAG', 'IMAGE ID', 'SIZE'],
              ...rows.map((row) => [
                row.repository,
                row.tag,
                shortId(row.image.id, 13),
                decimalSize(row.image.sizeBytes),
              ]),
            ],
            20,
          ),
        );
      return 0;
    }
    case 'inspect':
    case 'inspectp':
    case 'inspecti':
      return inspect(it, runtime, verb, rest);
    case 'logs': {
      const container = findContainer(runtime, rest[0] ?? '');
      if (container === undefined)
        return fatal(
          it,
          `rpc error: code = NotFound desc = an error occurred when try to find container "${rest[0] ?? ''}": not found`,
        );
      await showLogs(it, container, {
        follow: options.has('f'),
        tail: options.value('tail') === undefined ? undefined : Number(options.value('tail')),
        timestamps: options.has('timestamps'),
      });
      return 0;
    }
    case 'exec': {
      const container = findContainer(runtime, rest[0] ?? '');
      if (container === undefined)
        return fatal(
          it,
          `execing command in container: rpc error: code = NotFound desc = an error occurred when try to find container "${rest[0] ?? ''}": not found`,
        );
      return runInContainer(proc, runtime, container, rest.slice(1), options.has('y'));
    }
    case 'pull': {
      const image = await proc.interruptible(runtime.pullImage(canonicalReference(rest[0] ?? '')));
      await it.out.line(`Image is up to date for ${image.id}`);
      return 0;
    }
    case 'rmi':
      for (const reference of rest) {
        runtime.removeImage(
          runtime.imageStatus(reference) === undefined ? canonicalReference(reference) : reference,
        );
        await it.out.line(`Deleted: ${canonicalReference(reference)}`);
      }
      return 0;
    case 'stop':
    case 'rm':
      for (const id of rest) {
        const container = findContainer(runtime, id);
        if (container === undefined)
          return fatal(
            it,
            `rpc error: code = NotFound desc = an error occurred when try to find container "${id}": not found`,
          );
        if (verb === 'stop') await proc.interruptible(runtime.stopContainer(container.id, 0));
        else await proc.interruptible(runtime.removeContainer(container.id));
        await it.out.line(id);
      }
      return 0;
    case 'stopp':
    case 'rmp':
      for (const id of rest) {
        const sandbox = runtime.listSandboxes().find((one) => one.id.startsWith(id));
        if (sandbox === undefined)
          return fatal(
            it,
            `rpc error: code = NotFound desc = an error occurred when try to find sandbox "${id}": not found`,
          );
        await proc.interruptible(
          verb === 'stopp' ? runtime.stopSandbox(sandbox.id) : runtime.removeSandbox(sandbox.id),
        );
        await it.out.line(`${verb === 'stopp' ? 'Stopped' : 'Removed'} sandbox ${id}`);
      }
      return 0;
    case 'version':
      await it.out.put(
        `Version:  0.1.0\nRuntimeName:  containerd\nRuntimeVersion:  ${runtime.version}\nRuntimeApiVersion:  v1\n`,
      );
      return 0;
    case 'info':
      await it.out.line(
        JSON.stringify(
          {
            status: {
              conditions: [
                { type: 'RuntimeReady', status: true, reason: '', message: '' },
                { type: 'NetworkReady', status: true, reason: '', message: '' },
              ],
            },
          },
          undefined,
          2,
        ),
      );
      return 0;
    default:
      await proc.stderr.write(`No help topic for '${verb}'\n`);
      return 3;
  }
}

async function inspect(
  it: Invocation,
  runtime: Containerd,
  verb: string,
  ids: readonly string[],
): Promise<number> {
  const iso = (ms: number | undefined): string =>
    ms === undefined ? '0001-01-01T00:00:00Z' : strftime('%FT%T.%N', ms, UTC) + 'Z';
  for (const id of ids) {
    let text: unknown;
    if (verb === 'inspecti') {
      const image = runtime.imageStatus(id) ?? runtime.imageStatus(canonicalReference(id));
      if (image === undefined) return fatal(it, `no such image "${id}" present`);
      text = {
        status: {
          id: image.id,
          repoTags: image.repoTags,
          repoDigests: image.repoDigests,
          size: String(image.sizeBytes),
          uid: null,
          username: image.image.user ?? '',
          spec: null,
          pinned: false,
        },
      };
    } else if (verb === 'inspectp') {
      const sandbox = runtime.listSandboxes().find((one) => one.id.startsWith(id));
      if (sandbox === undefined)
        return fatal(
          it,
          `getting pod sandbox status for "${id}": rpc error: code = NotFound desc = an error occurred when try to find sandbox: not found`,
        );
      text = {
        status: {
          id: sandbox.id,
          metadata: {
            attempt: sandbox.spec.attempt,
            name: sandbox.spec.podName,
            namespace: sandbox.spec.podNamespace,
            uid: sandbox.spec.podUid,
          },
          state: sandbox.state === 'ready' ? 'SANDBOX_READY' : 'SANDBOX_NOTREADY',
          createdAt: iso(sandbox.createdMs),
          network: { additionalIps: [], ip: sandbox.ips[0] ?? '' },
          labels: sandbox.spec.labels,
          annotations: sandbox.spec.annotations,
          runtimeHandler: '',
        },
      };
    } else {
      const container = findContainer(runtime, id);
      if (container === undefined)
        return fatal(
          it,
          `getting the status of the container "${id}": rpc error: code = NotFound desc = an error occurred when try to find container "${id}": not found`,
        );
      text = {
        status: {
          id: container.id,
          metadata: { attempt: container.spec.attempt, name: container.spec.name },
          state: `CONTAINER_${container.state.toUpperCase()}`,
          createdAt: iso(container.createdMs),
          startedAt: iso(container.startedMs),
          finishedAt: iso(container.finishedMs),
          exitCode: container.exitCode ?? 0,
          image: { image: container.spec.image },
          imageRef: container.imageId,
          reason: container.reason ?? '',
          message: container.message ?? '',
          labels: container.spec.labels,
          annotations: container.spec.annotations,
          mounts: container.spec.mounts.map((mount) => ({
            containerPath: mount.containerPath,
            hostPath: mount.hostPath,
            propagation: 'PROPAGATION_PRIVATE',
            readonly: mount.readOnly === true,
          })),
          logPath: container.spec.logPath ?? '',
        },
        info: { sandboxID: container.sandboxId, pid: container.pid ?? 0 },
      };
    }
    await it.out.line(JSON.stringify(text, undefined, 2));
  }
  return 0;
}
