// kubectl cordon, uncordon, drain and taint.
import { isStatus, StatusError } from '../../api/index.ts';
import { CommandError, UsageError } from '../frame/command-error.ts';
import type { Command, Invocation } from '../frame/command.ts';
import { dryRunOf, dryRunQuery, dryRunSuffix, type DryRun } from '../frame/dry-run.ts';
import { resultPrinter } from '../output/result.ts';
import type { AnyObject } from '../rest/builder.ts';
import { pathOf } from '../rest/discovery.ts';
import type { PodObject } from '../rest/pods.ts';
import { splitPairs } from '../rest/pairs.ts';
import { selectObjects, visitObjects, type Selected } from '../rest/selection.ts';
import { waitForObject, TimedOut } from '../rest/wait-for.ts';

/** Between attempts at a pod that its budget protects. */
const EVICTION_RETRY_MS = 5000;

export const cordon: Command = { name: 'cordon', run: (invocation) => cordonOrUncordon(invocation, true) };
export const uncordon: Command = {
  name: 'uncordon',
  run: (invocation) => cordonOrUncordon(invocation, false),
};
export const drain: Command = { name: 'drain', run: runDrain };
export const taint: Command = { name: 'taint', run: runTaint };

async function nodesOf(invocation: Invocation): Promise<Selected[]> {
  const { flags, args, path } = invocation;
  const verb = path.split(' ').at(-1)!;
  if (args.length === 0 && flags.string('selector') === '')
    throw new UsageError(`USAGE: ${verb} NODE [flags]`, path);
  if (args.length > 0 && flags.string('selector') !== '')
    throw new CommandError(
      `error: cannot specify both a node name and a --selector option`.replace('error: ', ''),
    );
  return selectObjects(invocation, {
    args: args.length === 0 ? ['nodes'] : ['nodes', ...args],
    labelSelector: args.length === 0 ? flags.string('selector') : '',
  });
}

async function cordonOrUncordon(invocation: Invocation, wanted: boolean): Promise<number> {
  const dryRun = dryRunOf(invocation.flags);
  for (const node of await nodesOf(invocation)) await setUnschedulable(invocation, node, wanted, dryRun);
  return 0;
}

async function setUnschedulable(
  { kubectl }: Invocation,
  { name, object, resource }: Selected,
  wanted: boolean,
  dryRun: DryRun,
): Promise<void> {
  const { unschedulable = false } = (object['spec'] ?? {}) as { unschedulable?: boolean };
  const word = wanted ? 'cordoned' : 'uncordoned';
  if (unschedulable === wanted) return kubectl.out(`node/${name} already ${word}${dryRunSuffix(dryRun)}\n`);
  if (dryRun !== 'client') {
    await kubectl.api.json({
      method: 'PATCH',
      path: pathOf(resource, undefined, name),
      query: dryRunQuery(dryRun),
      contentType: 'application/strategic-merge-patch+json',
      body: { spec: { unschedulable: wanted ? true : null } },
    });
  }
  await kubectl.out(`node/${name} ${word}${dryRunSuffix(dryRun)}\n`);
}

async function runDrain(invocation: Invocation): Promise<number> {
  const { kubectl, flags } = invocation;
  const dryRun = dryRunOf(flags);
  const nodes = await nodesOf(invocation);
  for (const node of nodes) await setUnschedulable(invocation, node, true, dryRun);
  let exitCode = 0;
  for (const [index, node] of nodes.entries()) {
    try {
      await drainNode(invocation, node, dryRun);
      await kubectl.out(`node/${node.name} drained${dryRunSuffix(dryRun)}\n`);
    } catch (error) {
      if (!(error instanceof DrainError)) throw error;
      exitCode = 1;
      await kubectl.err(
        `error: unable to drain node "${node.name}" due to error: ${error.problems.length === 1 ? error.problems[0] : `[${error.problems.join(', ')}]`}, continuing command...\n`,
      );
      await kubectl.err(
        `There are pending nodes to be drained:\n${nodes
          .slice(index)
          .map(({ name }) => ` ${name}\n`)
          .join('')}${error.problems.map((problem) => `${problem}\n`).join('')}`,
      );
    }
  }
  return exitCode;
}

class DrainError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super('drain');
    this.problems = problems;
  }
}

async function drainNode(invocation: Invocation, { name }: Selected, dryRun: DryRun): Promise<void> {
  const { kubectl, flags } = invocation;
  const { items } = await kubectl.api.json<{ items: PodObject[] | null }>({
    method: 'GET',
    path: '/api/v1/pods',
    query: {
      fieldSelector: `spec.nodeName=${name}`,
      labelSelector: flags.string('pod-selector') || undefined,
    },
  });
  const { evicted, problems, warnings } = sortOut(invocation, items ?? []);
  if (problems.length > 0) throw new DrainError(problems);
  if (warnings.length > 0) await kubectl.err(`Warning: ${warnings.join('; ')}\n`);
  if (dryRun !== 'none') {
    for (const { metadata } of evicted)
      await kubectl.err(`evicting pod ${metadata.namespace}/${metadata.name}${dryRunSuffix(dryRun)}\n`);
    return;
  }
  await Promise.all(evicted.map((pod) => evict(invocation, pod)));
}

interface Sorted {
  readonly evicted: PodObject[];
  readonly problems: string[];
  readonly warnings: string[];
}

/** Which pods go, which stay, and what speaks against it (kubectl/pkg/drain filters). */
function sortOut({ flags }: Invocation, pods: readonly PodObject[]): Sorted {
  const groups = { daemon: [] as string[], local: [] as string[], naked: [] as string[] };
  const evicted: PodObject[] = [];
  for (const pod of pods) {
    const metadata = pod.metadata as PodObject['metadata'] & {
      ownerReferences?: { controller?: boolean; kind: string }[];
      annotations?: Record<string, string>;
    };
    if (metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) continue;
    const label = `${metadata.namespace}/${metadata.name}`;
    const isFinished = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
    const controller = metadata.ownerReferences?.find((owner) => owner.controller === true);
    if (controller?.kind === 'DaemonSet') {
      groups.daemon.push(label);
      continue;
    }
    const { volumes = [] } = pod.spec as { volumes?: { emptyDir?: unknown }[] };
    if (volumes.some(({ emptyDir }) => emptyDir !== undefined) && !isFinished) groups.local.push(label);
    if (controller === undefined && !isFinished) groups.naked.push(label);
    evicted.push(pod);
  }
  const problems: string[] = [];
  const warnings: string[] = [];
  if (groups.local.length > 0 && !flags.bool('delete-emptydir-data'))
    problems.push(
      `cannot delete Pods with local storage (use --delete-emptydir-data to override): ${groups.local.join(', ')}`,
    );
  if (groups.naked.length > 0) {
    if (flags.bool('force'))
      warnings.push(`deleting Pods that declare no controller: ${groups.naked.join(', ')}`);
    else
      problems.push(
        `cannot delete cannot delete Pods that declare no controller (use --force to override): ${groups.naked.join(', ')}`,
      );
  }
  if (groups.daemon.length > 0) {
    if (flags.bool('ignore-daemonsets'))
      warnings.unshift(`ignoring DaemonSet-managed Pods: ${groups.daemon.join(', ')}`);
    else
      problems.push(
        `cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): ${groups.daemon.join(', ')}`,
      );
  }
  return { evicted, problems, warnings };
}

async function evict({ kubectl, flags, proc }: Invocation, { metadata }: PodObject): Promise<void> {
  const { namespace, name } = metadata;
  const { uid } = metadata as unknown as { uid: string };
  const until = flags.durationMs('timeout') === 0 ? Infinity : proc.clock.now() + flags.durationMs('timeout');
  const grace = flags.int('grace-period');
  const deleteOptions = grace >= 0 ? { gracePeriodSeconds: grace } : {};
  const isPlainDelete = flags.bool('disable-eviction');
  const resource = (await kubectl.mapper()).require('pods');
  for (;;) {
    await kubectl.err(`${isPlainDelete ? 'deleting' : 'evicting'} pod ${namespace}/${name}\n`);
    try {
      if (isPlainDelete)
        await kubectl.api.json({
          method: 'DELETE',
          path: pathOf(resource, namespace, name),
          body: { kind: 'DeleteOptions', apiVersion: 'v1', ...deleteOptions },
        });
      else
        await kubectl.api.json({
          method: 'POST',
          path: pathOf(resource, namespace, name, 'eviction'),
          body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace }, deleteOptions },
        });
      break;
    } catch (error) {
      if (isStatus(error, 'NotFound')) break;
      if (!(error instanceof StatusError) || error.code !== 429) throw error;
      await kubectl.err(
        `error when evicting pods/"${name}" -n "${namespace}" (will retry after 5s): ${error.message}\n`,
      );
      if (proc.clock.now() + EVICTION_RETRY_MS > until)
        throw new DrainError([
          `error when evicting pods/"${name}" -n "${namespace}": global timeout reached: ${flags.string('timeout')}`,
        ]);
      await proc.sleep(EVICTION_RETRY_MS);
    }
  }
  try {
    await waitForObject(
      kubectl,
      { resource, namespace, name },
      until === Infinity ? 0 : Math.max(1, until - proc.clock.now()),
      (object) => object === undefined || (object.metadata as { uid?: string }).uid !== uid,
    );
  } catch (error) {
    if (!(error instanceof TimedOut)) throw error;
    throw new DrainError([
      `error when waiting for pod "${name}" in namespace "${namespace}" to terminate: global timeout reached: ${flags.string('timeout')}`,
    ]);
  }
  await kubectl.out(`pod/${name} ${isPlainDelete ? 'deleted' : 'evicted'}\n`);
}

interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

async function runTaint(invocation: Invocation): Promise<number> {
  const { kubectl, flags, args } = invocation;
  const split = splitTaints(args);
  const isNode = ['node', 'nodes', 'no'].includes(split.resources[0]?.toLowerCase() ?? '');
  if (split.resources.length === 0)
    throw new CommandError('one or more resources must be specified as <resource> <name>');
  if (!isNode)
    throw new CommandError(`invalid resource type ${split.resources[0]}, only node(s) is supported`);
  if (split.resources.length < 2 && !flags.bool('all') && flags.string('selector') === '')
    throw new CommandError("at least one resource name must be specified since '--all' parameter is not set");
  if (split.pairs.length === 0) throw new CommandError('at least one taint update is required');
  const { added, removed } = parseTaints(split.pairs);
  const dryRun = dryRunOf(flags);
  const print = resultPrinter(invocation, dryRun === 'client' ? 'none' : dryRun);
  await visitObjects(
    invocation,
    {
      args: split.resources,
      all: flags.bool('all'),
      labelSelector: flags.string('selector'),
      continueOnError: true,
    },
    async ({ resource, name, object }) => {
      const before = ((object['spec'] ?? {}) as { taints?: Taint[] }).taints ?? [];
      const clashes = added.filter((each) =>
        before.some((taint_) => taint_.key === each.key && taint_.effect === each.effect),
      );
      if (clashes.length > 0 && !flags.bool('overwrite')) {
        throw new CommandError(
          `node ${name} already has ${clashes.map(({ key }) => key).join(',')} taint(s) with same effect(s) and --overwrite is false`,
        );
      }
      const isRemoved = (each: Taint): boolean =>
        removed.some(
          (taint_) => taint_.key === each.key && (taint_.effect === '' || taint_.effect === each.effect),
        );
      for (const each of removed) {
        if (
          !before.some(
            (taint_) => taint_.key === each.key && (each.effect === '' || each.effect === taint_.effect),
          )
        )
          throw new CommandError(
            `taint ${JSON.stringify(each.effect === '' ? each.key : `${each.key}:${each.effect}`)} not found`,
          );
      }
      const taints = [
        ...added,
        ...before.filter(
          (each) =>
            !isRemoved(each) &&
            !added.some((taint_) => taint_.key === each.key && taint_.effect === each.effect),
        ),
      ];
      const changed =
        dryRun === 'client'
          ? object
          : await kubectl.api.json<AnyObject>({
              method: 'PATCH',
              path: pathOf(resource, undefined, name),
              query: { fieldManager: flags.string('field-manager'), ...dryRunQuery(dryRun) },
              contentType: 'application/merge-patch+json',
              body: { spec: { taints: taints.length === 0 ? null : taints } },
            });
      const operation =
        added.length === 0 ? 'untainted' : clashes.length > 0 || removed.length > 0 ? 'modified' : 'tainted';
      await print(resource, changed, operation);
    },
  );
  return 0;
}

/** A taint holds `:` or `=`, or ends in `-`; those stand behind the nodes. */
function splitTaints(args: readonly string[]): { resources: string[]; pairs: string[] } {
  const marked = args.map((arg) =>
    arg.includes(':') && !arg.includes('=') && !arg.endsWith('-') ? `${arg}=` : arg,
  );
  const { resources, pairs } = splitPairs(marked, 'taint');
  return { resources, pairs: pairs.map((pair) => (args.includes(pair) ? pair : pair.slice(0, -1))) };
}

function parseTaints(texts: readonly string[]): { added: Taint[]; removed: Taint[] } {
  const added: Taint[] = [];
  const removed: Taint[] = [];
  for (const text of texts) {
    if (text.endsWith('-')) {
      const [key = '', effect = ''] = text.slice(0, -1).split(':');
      removed.push({ key: key.split('=')[0]!, effect });
      continue;
    }
    const match = /^([^=:]+)(?:=([^:]*))?(?::(.*))?$/.exec(text);
    const [, key = '', value, effect = ''] = match ?? [];
    if (effect === '')
      throw new CommandError(
        `invalid taint spec: ${text}, ${value === undefined ? 'effect must be specified' : 'invalid taint effect: , unsupported taint effect'}`.replace(
          ', invalid taint effect: , unsupported taint effect',
          '',
        ),
      );
    if (!['NoSchedule', 'PreferNoSchedule', 'NoExecute'].includes(effect))
      throw new UsageError(`invalid taint effect: ${effect}, unsupported taint effect`, 'kubectl taint');
    added.push({ effect, key, ...(value === undefined || value === '' ? {} : { value }) });
  }
  return { added, removed };
}
