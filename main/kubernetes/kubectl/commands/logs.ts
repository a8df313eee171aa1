// kubectl logs: of one container, or of several one after the other (together when followed).
import { CommandError, UsageError } from '../frame/command-error.ts';
import { StatusError } from '../../api/index.ts';
import type { Command, Invocation } from '../frame/command.ts';
import {
  byLogging,
  defaultContainer,
  hasContainer,
  listPods,
  podSelectorOf,
  type PodObject,
} from '../rest/pods.ts';
import { selectObjects, type Selected } from '../rest/selection.ts';

const USAGE =
  "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command";

interface Source {
  readonly pod: PodObject;
  readonly container: string;
}

export const logs: Command = { name: 'logs', run: runLogs };

async function runLogs(invocation: Invocation): Promise<number> {
  const { kubectl, flags, args, path } = invocation;
  const selector = flags.string('selector');
  if (args.length === 0 && selector === '') throw new UsageError(USAGE, path);
  if (args.length > 2) throw new UsageError(USAGE, path);
  if (args.length === 1 && selector !== '')
    throw new UsageError('only a selector (-l) or a POD name is allowed', path);
  const tail = flags.int('tail');
  if (tail < -1) throw new CommandError('--tail must be greater than or equal to -1');
  if (flags.changed('since') && flags.string('since-time') !== '')
    throw new CommandError('at most one of `sinceTime` or `sinceSeconds` may be specified');
  if (args.length === 2 && flags.string('container') !== '')
    throw new UsageError('only one of -c or an inline [CONTAINER] arg is allowed', path);
  if (flags.bool('all-containers') && (flags.string('container') !== '' || args.length === 2))
    throw new CommandError(
      '--all-containers=true should not be specified with container name ' +
        (flags.string('container') || args[1]!),
    );
  const sources = await sourcesOf(invocation, selector, args[1] ?? flags.string('container'));
  if (sources === undefined) {
    await kubectl.err(`No resources found in ${kubectl.namespace} namespace.\n`);
    return 0;
  }
  if (flags.bool('follow') && sources.length > 1) {
    const max = flags.int('max-log-requests');
    if (sources.length > max) {
      throw new CommandError(
        `you are attempting to follow ${sources.length} log streams, but maximum allowed concurrency is ${max}, use --max-log-requests to increase the limit`,
      );
    }
    await Promise.all(sources.map((source) => copyLog(invocation, source, tail)));
    return 0;
  }
  for (const source of sources) await copyLog(invocation, source, tail);
  return 0;
}

async function sourcesOf(
  invocation: Invocation,
  selector: string,
  container: string,
): Promise<Source[] | undefined> {
  const { kubectl, args } = invocation;
  const [name] = args;
  let pods: PodObject[];
  if (selector !== '') {
    pods = await listPods(kubectl, kubectl.namespace, selector);
    if (pods.length === 0) return undefined;
  } else pods = await podsOf(invocation, await selectNamed(invocation, name!));
  const sources: Source[] = [];
  for (const pod of pods) sources.push(...(await containersOf(invocation, pod, container)));
  return sources;
}

async function selectNamed(invocation: Invocation, name: string): Promise<Selected> {
  try {
    const [selected] = await selectObjects(invocation, { args: [name], defaultType: 'pods' });
    return selected!;
  } catch (error) {
    if (!(error instanceof StatusError) || error.reason !== 'NotFound' || name.includes('/')) throw error;
    throw new CommandError(
      `error from server (NotFound): ${error.message} in namespace "${invocation.kubectl.namespace}"`,
    );
  }
}

async function podsOf({ kubectl, flags }: Invocation, selected: Selected): Promise<PodObject[]> {
  if (selected.resource.kind === 'Pod') return [selected.object as PodObject];
  let selector: string;
  try {
    selector = podSelectorOf(selected);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new CommandError(
      `cannot get the logs from *${selected.resource.version}.${selected.resource.kind}: ${error.message}`,
    );
  }
  const namespace = selected.namespace ?? kubectl.namespace;
  const started = kubectl.proc.clock.now();
  for (;;) {
    const found = (await listPods(kubectl, namespace, selector)).toSorted(byLogging);
    if (found.length > 0) {
      if (flags.bool('all-pods')) return found;
      if (found.length > 1)
        await kubectl.err(`Found ${found.length} pods, using pod/${found[0]!.metadata.name}\n`);
      return [found[0]!];
    }
    if (kubectl.proc.clock.now() - started >= flags.durationMs('pod-running-timeout'))
      throw new CommandError('timed out waiting for the condition');
    await kubectl.proc.sleep(500);
  }
}

async function containersOf(
  { kubectl, flags }: Invocation,
  pod: PodObject,
  container: string,
): Promise<Source[]> {
  const { spec } = pod;
  if (flags.bool('all-containers')) {
    return [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])].map(
      ({ name }) => ({ pod, container: name }),
    );
  }
  if (container !== '') {
    if (!hasContainer(pod, container))
      throw new CommandError(`container ${container} is not valid for pod ${pod.metadata.name}`);
    return [{ pod, container }];
  }
  return [{ pod, container: await defaultContainer(kubectl, pod, false) }];
}

async function copyLog(
  { kubectl, flags, proc }: Invocation,
  { pod, container }: Source,
  tail: number,
): Promise<void> {
  const sinceMs = flags.durationMs('since');
  const isSelector = flags.string('selector') !== '';
  const lines =
    isSelector && !flags.changed('tail') && !flags.bool('follow')
      ? 10
      : isSelector && !flags.changed('tail')
        ? 10
        : tail;
  const pieces = kubectl.api.stream({
    method: 'GET',
    path: `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}/log`,
    query: {
      container,
      follow: flags.bool('follow') ? 'true' : undefined,
      insecureSkipTLSVerifyBackend: flags.bool('insecure-skip-tls-verify-backend') ? 'true' : undefined,
      limitBytes: flags.int('limit-bytes') > 0 ? flags.string('limit-bytes') : undefined,
      previous: flags.bool('previous') ? 'true' : undefined,
      sinceSeconds: sinceMs > 0 ? String(Math.ceil(sinceMs / 1000)) : undefined,
      sinceTime: flags.string('since-time') === '' ? undefined : flags.string('since-time'),
      tailLines: lines >= 0 ? String(lines) : undefined,
      timestamps: flags.bool('timestamps') ? 'true' : undefined,
    },
    signal: proc.signal,
  });
  try {
    const prefix = flags.bool('prefix') ? `[pod/${pod.metadata.name}/${container}] ` : '';
    let rest = '';
    const decoder = new TextDecoder();
    for await (const piece of pieces) {
      if (prefix === '') {
        await proc.stdout.write(piece);
        continue;
      }
      const parts = (rest + decoder.decode(piece, { stream: true })).split('\n');
      rest = parts.pop()!;
      await kubectl.out(parts.map((line) => `${prefix}${line}\n`).join(''));
    }
    if (rest !== '') await kubectl.out(prefix + rest);
  } catch (error) {
    if (!flags.bool('ignore-errors') || !(error instanceof StatusError)) throw error;
    await kubectl.err(`error: ${error.message}\n`);
  }
}
