// kubectl expose: a Service for a workload, pod or service.
import { CommandError } from '../frame/command-error.ts';
import type { Command, Invocation } from '../frame/command.ts';
import { dryRunOf, dryRunQuery, type DryRun } from '../frame/dry-run.ts';
import { resultPrinter, type ResultPrinter } from '../output/result.ts';
import { mergePatch, strategicPatch } from '../rest/apply-patch.ts';
import type { AnyObject } from '../rest/builder.ts';
import { pathOf } from '../rest/discovery.ts';
import type { ContainerSpec } from '../rest/pods.ts';
import { visitObjects, type Selected } from '../rest/selection.ts';

type Labels = Readonly<Record<string, string>>;
interface PortSpec {
  readonly port: number;
  readonly protocol: string;
}

const EXPOSABLE = ['ReplicationController', 'Service', 'Pod', 'Deployment', 'ReplicaSet'];

export const expose: Command = {
  name: 'expose',
  flags: [
    { name: 'port', kind: 'string' },
    { name: 'generator', kind: 'string', hidden: true },
  ],
  run: runExpose,
};

async function runExpose(invocation: Invocation): Promise<number> {
  const { flags, args } = invocation;
  const dryRun = dryRunOf(flags);
  const print = resultPrinter(invocation, dryRun);
  const selection = { args, continueOnError: true };
  await visitObjects(invocation, selection, (selected) => exposeOne(invocation, selected, dryRun, print));
  return 0;
}

async function exposeOne(
  invocation: Invocation,
  selected: Selected,
  dryRun: DryRun,
  print: ResultPrinter,
): Promise<void> {
  const { kubectl, flags } = invocation;
  const { resource, namespace } = selected;
  if (!EXPOSABLE.includes(resource.kind)) throw new CommandError(`cannot expose a ${resource.kind}`);
  const name = (flags.string('name') || selected.name).slice(0, 63);
  const service = overridden(invocation, serviceFor(invocation, selected, name));
  const services = (await kubectl.mapper()).require('services');
  const shown =
    dryRun === 'client'
      ? { ...service, metadata: { ...service.metadata, ...(kubectl.enforceNamespace ? { namespace } : {}) } }
      : await kubectl.api.json<AnyObject>({
          method: 'POST',
          path: pathOf(services, namespace),
          query: { fieldManager: flags.string('field-manager'), ...dryRunQuery(dryRun) },
          body: JSON.parse(
            JSON.stringify(service, (_, value: unknown) => (value === null ? undefined : value)),
          ) as unknown,
        });
  await print(services, shown as AnyObject, 'exposed');
}

/** The Service of a pod, as `run --expose` makes it too. */
export function serviceFor(
  { flags }: Invocation,
  { resource, object }: Pick<Selected, 'resource' | 'object'>,
  name: string,
): AnyObject {
  const selector =
    flags.string('selector') === ''
      ? selectorOf(resource.kind, object)
      : parseLabels(flags.string('selector'));
  const ports = portsOf(flags, resource.kind, object);
  const targetPort = flags.string('target-port');
  const protocol = flags.string('protocol');
  const labels =
    flags.string('labels') === '' ? object.metadata?.labels : parseLabels(flags.string('labels'));
  const clusterIP = flags.string('cluster-ip');
  const type = flags.string('type');
  const externalIP = flags.string('external-ip');
  const affinity = flags.string('session-affinity');
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { creationTimestamp: null, ...(labels === undefined ? {} : { labels }), name },
    spec: {
      ...(clusterIP === '' ? {} : { clusterIP }),
      ...(externalIP === '' ? {} : { externalIPs: [externalIP] }),
      ...(flags.string('load-balancer-ip') === ''
        ? {}
        : { loadBalancerIP: flags.string('load-balancer-ip') }),
      ports: ports.map((each, index) => ({
        ...(ports.length > 1 ? { name: `port-${index + 1}` } : {}),
        port: each.port,
        protocol: protocol === '' ? each.protocol : protocol,
        targetPort:
          targetPort === '' ? each.port : /^\d+$/.test(targetPort) ? Number(targetPort) : targetPort,
      })),
      selector,
      ...(affinity === '' ? {} : { sessionAffinity: affinity }),
      ...(type === '' ? {} : { type }),
    },
    status: { loadBalancer: {} },
  } as unknown as AnyObject;
}

function selectorOf(kind: string, object: AnyObject): Labels {
  const spec = (object['spec'] ?? {}) as {
    selector?: Labels & { matchLabels?: Labels; matchExpressions?: readonly unknown[] };
  };
  if (kind === 'Pod') {
    const labels = object.metadata?.labels;
    if (labels === undefined || Object.keys(labels).length === 0)
      throw new CommandError(
        "couldn't retrieve selectors via --selector flag or introspection: the pod has no labels and cannot be exposed",
      );
    return labels;
  }
  if (kind === 'Deployment' || kind === 'ReplicaSet') {
    if ((spec.selector?.matchExpressions ?? []).length > 0) {
      throw new CommandError(
        'couldn\'t retrieve selectors via --selector flag or introspection: couldn\'t convert expressions - "[{matchExpressions}]" to map-based selector format',
      );
    }
    return spec.selector?.matchLabels ?? {};
  }
  if (spec.selector === undefined)
    throw new CommandError(
      "couldn't retrieve selectors via --selector flag or introspection: invalid service: no selector",
    );
  return spec.selector;
}

function portsOf(flags: Invocation['flags'], kind: string, object: AnyObject): PortSpec[] {
  const given = flags.string('port');
  const protocolOf = new Map<number, string>();
  const found: PortSpec[] = [];
  if (kind === 'Service') {
    for (const { port, protocol = 'TCP' } of (
      object['spec'] as { ports?: { port: number; protocol?: string }[] }
    ).ports ?? [])
      found.push({ port, protocol });
  } else {
    const spec = object['spec'] as {
      containers?: readonly ContainerSpec[];
      template?: { spec: { containers: readonly ContainerSpec[] } };
    };
    for (const { ports = [] } of spec.template?.spec.containers ?? spec.containers ?? []) {
      for (const { containerPort, protocol = 'TCP' } of ports) found.push({ port: containerPort, protocol });
    }
  }
  for (const { port, protocol } of found) protocolOf.set(port, protocol);
  if (given === '') {
    if (found.length === 0) throw new CommandError("couldn't find port via --port flag or introspection");
    return found;
  }
  return given.split(',').map((text) => {
    if (!/^\d+$/.test(text)) throw new CommandError(`strconv.Atoi: parsing "${text}": invalid syntax`);
    return { port: Number(text), protocol: protocolOf.get(Number(text)) ?? 'TCP' };
  });
}

/** `a=b,c=d`. Throws CommandError. */
export function parseLabels(text: string): Labels {
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const parts = pair.split('=');
      if (parts.length !== 2) throw new CommandError(`unexpected label spec: ${pair}`);
      return parts as [string, string];
    }),
  );
}

/** --overrides over the made object; --override-type says how. Throws CommandError. */
export function overridden({ flags }: Invocation, object: AnyObject): AnyObject {
  const text = flags.string('overrides');
  if (text === '') return object;
  let patch: unknown;
  try {
    patch = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new CommandError('Invalid JSON Patch');
  }
  return (
    flags.string('override-type') === 'strategic'
      ? strategicPatch(object, patch, undefined, undefined)
      : mergePatch(object, patch)
  ) as AnyObject;
}
