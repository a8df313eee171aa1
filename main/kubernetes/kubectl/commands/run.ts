// kubectl run: a pod with one container; with -it at its terminal.
import { CommandError, UsageError } from '../frame/command-error.ts';
import { ErrnoError } from '../../../network/index.ts';
import type { Command, Invocation } from '../frame/command.ts';
import { dryRunOf, dryRunQuery, type DryRun } from '../frame/dry-run.ts';
import { resultPrinter } from '../output/result.ts';
import type { AnyObject } from '../rest/builder.ts';
import { pathOf, type DiscoveredResource } from '../rest/discovery.ts';
import type { ContainerStatus, PodObject } from '../rest/pods.ts';
import { waitForObject } from '../rest/wait-for.ts';
import { attachTo } from './attach.ts';
import { terminalOf } from './exec.ts';
import { overridden, parseLabels, serviceFor } from './expose.ts';

/** distribution/reference: a name with domain, tag and digest. */
const IMAGE =
  /^(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::\d+)?\/)?[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*(?::\w[\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$/;

export const run: Command = {
  name: 'run',
  required: ['image'],
  flags: [
    { name: 'port', kind: 'string' },
    { name: 'service-overrides', kind: 'string', hidden: true },
    { name: 'target-port', kind: 'string', hidden: true },
    { name: 'protocol', kind: 'string', hidden: true },
    { name: 'labels', short: 'l', kind: 'string' },
  ],
  run: runRun,
};

async function runRun(invocation: Invocation): Promise<number> {
  const { kubectl, flags, args, path } = invocation;
  const [name] = args;
  if (name === undefined || invocation.dash === 0) throw new UsageError('NAME is required for run', path);
  const dryRun = dryRunOf(flags);
  const restart = restartPolicy(invocation);
  const attached = isAttached(invocation, dryRun);
  const print = resultPrinter(invocation, dryRun);
  const pod = overridden(invocation, podFor(invocation, name, restart));
  const mapper = await kubectl.mapper();
  const pods = mapper.require('pods');
  if (flags.bool('expose')) {
    if (flags.string('port') === '') throw new UsageError('--port must be set when exposing a service', path);
    const service = serviceFor(invocation, { resource: pods, object: pod }, name);
    const services = mapper.require('services');
    await print(services, await send(invocation, services, withoutLabelsOf(service), dryRun), 'created');
  }
  if (!attached) {
    await print(pods, await send(invocation, pods, pod, dryRun), 'created');
    return 0;
  }
  const created = await send(invocation, pods, pod, dryRun);
  let end: AttachEnd = { exitCode: 0, words: '' };
  try {
    end = await attachAndWait(invocation, created as PodObject, restart);
  } finally {
    if (flags.bool('rm')) await remove(invocation, pods, created);
  }
  if (end.words !== '') await kubectl.err(end.words);
  return end.exitCode;
}

function withoutLabelsOf(service: AnyObject): AnyObject {
  const { labels: _, ...metadata } = service.metadata as Record<string, unknown>;
  return { ...service, metadata } as AnyObject;
}

function restartPolicy({ flags, path }: Invocation): string {
  const text = flags.string('restart');
  if (text === '' || text === 'Always' || text === 'OnFailure' || text === 'Never')
    return text === '' ? 'Always' : text;
  throw new UsageError(`invalid restart policy: ${text}`, path);
}

function isAttached({ flags, path }: Invocation, dryRun: DryRun): boolean {
  const image = flags.string('image');
  if (!IMAGE.test(image)) throw new CommandError(`Invalid image name "${image}": invalid reference format`);
  if (flags.bool('tty') && !flags.bool('stdin'))
    throw new UsageError('-i/--stdin is required for containers with -t/--tty=true', path);
  if (flags.bool('expose') && flags.string('port') === '')
    throw new UsageError('--port must be set when exposing a service', path);
  const pull = flags.string('image-pull-policy');
  if (pull !== '' && !['Always', 'IfNotPresent', 'Never'].includes(pull))
    throw new UsageError(`invalid image pull policy: ${pull}`, path);
  const attached = flags.changed('attach') ? flags.bool('attach') : flags.bool('stdin');
  if (flags.bool('rm') && !attached)
    throw new UsageError('--rm should only be used for attached containers', path);
  if (attached && dryRun !== 'none')
    throw new UsageError(
      '--dry-run=' + dryRun + " can't be used with attached containers options (--attach, --stdin, or --tty)",
      path,
    );
  return attached;
}

function podFor({ flags, args }: Invocation, name: string, restart: string): AnyObject {
  const command = args.slice(1);
  const env = flags.list('env').map((text) => {
    const equals = text.indexOf('=');
    if (equals <= 0) throw new CommandError(`invalid env: ${text}`);
    return { name: text.slice(0, equals), value: text.slice(equals + 1) };
  });
  const annotations = Object.fromEntries(
    flags.list('annotations').map((text) => [text.split('=')[0]!, text.slice(text.indexOf('=') + 1)]),
  );
  const port = flags.string('port');
  if (port !== '' && !/^\d+$/.test(port))
    throw new CommandError(`strconv.ParseInt: parsing "${port}": invalid syntax`);
  const pull = flags.string('image-pull-policy');
  const stdin = flags.bool('stdin');
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
      creationTimestamp: null,
      labels: flags.string('labels') === '' ? { run: name } : parseLabels(flags.string('labels')),
      name,
    },
    spec: {
      containers: [
        {
          ...(command.length === 0 ? {} : flags.bool('command') ? { command } : { args: command }),
          ...(env.length > 0 ? { env } : {}),
          image: flags.string('image'),
          ...(pull === '' ? {} : { imagePullPolicy: pull }),
          name,
          ...(port === '' ? {} : { ports: [{ containerPort: Number(port) }] }),
          resources: {},
          ...(flags.bool('privileged') ? { securityContext: { privileged: true } } : {}),
          ...(stdin ? { stdin: true, stdinOnce: !flags.bool('leave-stdin-open') } : {}),
          ...(flags.bool('tty') ? { tty: true } : {}),
        },
      ],
      dnsPolicy: 'ClusterFirst',
      restartPolicy: restart,
    },
    status: {},
  } as unknown as AnyObject;
}

async function send(
  { kubectl, flags }: Invocation,
  resource: DiscoveredResource,
  object: AnyObject,
  dryRun: DryRun,
): Promise<AnyObject> {
  if (dryRun === 'client')
    return kubectl.enforceNamespace
      ? ({ ...object, metadata: { ...object.metadata, namespace: kubectl.namespace } } as AnyObject)
      : object;
  return kubectl.api.json<AnyObject>({
    method: 'POST',
    path: pathOf(resource, kubectl.namespace),
    query: { fieldManager: flags.string('field-manager'), ...dryRunQuery(dryRun) },
    body: JSON.parse(
      JSON.stringify(object, (_, value: unknown) => (value === null ? undefined : value)),
    ) as unknown,
  });
}

/** How it ended there, and what is to be said of it at the very end. */
interface AttachEnd {
  readonly exitCode: number;
  readonly words: string;
}

async function attachAndWait(invocation: Invocation, pod: PodObject, restart: string): Promise<AttachEnd> {
  const { kubectl, flags, proc } = invocation;
  const { name, namespace } = pod.metadata;
  const resource = (await kubectl.mapper()).require('pods');
  const timeoutMs = flags.durationMs('pod-running-timeout');
  let last = pod;
  await waitForObject(kubectl, { resource, namespace, name }, timeoutMs, (object) => {
    if (object === undefined) throw new CommandError(`pods "${name}" not found`);
    last = object as PodObject;
    return ['Running', 'Succeeded', 'Failed'].includes(last.status?.phase ?? '');
  });
  const container = last.spec.containers[0]!.name;
  const tty = flags.bool('tty') && (await terminalOf(invocation));
  if (['Succeeded', 'Failed'].includes(last.status?.phase ?? '')) await printLog(invocation, last, container);
  else {
    try {
      await attachTo(kubectl, last, container, flags.bool('stdin'), tty, flags.bool('quiet'));
    } catch (error) {
      if (!(error instanceof Error) || proc.signal.aborted) throw error;
      await kubectl.err(
        `warning: couldn't attach to pod/${name}, falling back to streaming logs: ${error.message}\n`,
      );
      await printLog(invocation, last, container);
    }
  }
  if (restart === 'Always') {
    if (!flags.bool('rm') && !flags.bool('quiet')) {
      const attachWords =
        flags.bool('tty') && flags.bool('stdin') ? ' -i -t' : flags.bool('stdin') ? ' -i' : '';
      await kubectl.out(
        `Session ended, resume using '${`kubectl attach ${name} -c ${container}${attachWords}`}' command when the pod is running\n`,
      );
    }
    return { exitCode: 0, words: '' };
  }
  let ended: ContainerStatus['state'];
  await waitForObject(kubectl, { resource, namespace, name }, timeoutMs, (object) => {
    if (object === undefined) return true;
    const { status } = object as PodObject;
    ended = status?.containerStatuses?.[0]?.state;
    return status?.phase === 'Succeeded' || status?.phase === 'Failed';
  });
  const { terminated } = ended ?? {};
  if (terminated === undefined || terminated.exitCode === 0) return { exitCode: 0, words: '' };
  const why = terminated.message === undefined || terminated.message === '' ? '' : `\n${terminated.message}`;
  return {
    exitCode: terminated.exitCode,
    words: `pod ${namespace}/${name} terminated (${terminated.reason ?? 'Error'})${why}\n`,
  };
}

async function printLog(
  { kubectl, proc }: Invocation,
  { metadata }: PodObject,
  container: string,
): Promise<void> {
  const request = {
    method: 'GET',
    path: `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}/log`,
    query: { container, follow: 'true' },
    signal: proc.signal,
  };
  for await (const piece of kubectl.api.stream(request)) await proc.stdout.write(piece);
}

async function remove(
  { kubectl, flags }: Invocation,
  resource: DiscoveredResource,
  { metadata }: AnyObject,
): Promise<void> {
  const name = metadata?.name ?? '';
  try {
    await kubectl.api.json({
      method: 'DELETE',
      path: pathOf(resource, metadata?.namespace, name),
      body: { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background' },
    });
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error; // A killed process can't ask any more.
    return;
  }
  if (!flags.bool('quiet')) await kubectl.out(`pod "${name}" deleted\n`);
}
