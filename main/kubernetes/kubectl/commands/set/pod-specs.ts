// Changing the pod templates of objects: what set image, env, resources and serviceaccount share.
import { StatusError } from '../../../api/index.ts';
import { CommandError } from '../../frame/command-error.ts';
import type { Invocation } from '../../frame/command.ts';
import { dryRunOf, dryRunQuery } from '../../frame/dry-run.ts';
import { resultPrinter } from '../../output/result.ts';
import type { AnyObject } from '../../rest/builder.ts';
import { pathOf } from '../../rest/discovery.ts';
import { visitObjects, type Selected } from '../../rest/selection.ts';
import { threeWayPatch } from '../../rest/three-way.ts';

export interface MutableContainer {
  name: string;
  image?: string;
  env?: { name: string; value?: string; valueFrom?: unknown }[];
  resources?: { limits?: Record<string, string>; requests?: Record<string, string> };
}

export interface MutablePodSpec {
  containers: MutableContainer[];
  initContainers?: MutableContainer[];
  serviceAccountName?: string;
  serviceAccount?: string;
}

/** The pod spec within an object; undefined for kinds without one. */
function podSpecOf(object: AnyObject): MutablePodSpec | undefined {
  const spec = object['spec'] as
    | {
        containers?: unknown;
        template?: { spec?: MutablePodSpec };
        jobTemplate?: { spec: { template: { spec: MutablePodSpec } } };
      }
    | undefined;
  if (object.kind === 'Pod') return spec as unknown as MutablePodSpec;
  return (
    spec?.jobTemplate?.spec.template.spec ??
    (object.kind === 'PodTemplate'
      ? (object['template'] as { spec: MutablePodSpec }).spec
      : spec?.template?.spec)
  );
}

export interface Change {
  /** Of the resources on the line. */
  readonly args: readonly string[];
  /** `image updated`, as the answer says. */
  readonly done: string;
  /** `failed to patch image update to pod template`: before the server's refusal. */
  readonly failure: string;
  /** Changes a copy in place. Throws CommandError. */
  readonly apply: (copy: AnyObject, selected: Selected) => void | Promise<void>;
}

/** Changes each object and sends what changed; objects that stay as they are, aren't spoken of. */
export async function changeEach(invocation: Invocation, change: Change): Promise<number> {
  const { kubectl, flags } = invocation;
  const dryRun = dryRunOf(flags);
  const isLocal = flags.bool('local');
  const print = resultPrinter(invocation, isLocal ? 'none' : dryRun);
  const selection = {
    args: change.args,
    all: flags.bool('all'),
    labelSelector: flags.string('selector'),
    unfetched: isLocal,
    continueOnError: true,
  };
  await visitObjects(invocation, selection, async (selected) => {
    const { resource, namespace, name, object } = selected;
    const copy = structuredClone(object);
    await change.apply(copy, selected);
    if (isLocal || dryRun === 'client') {
      await print(resource, copy, change.done);
      return;
    }
    const schemas = await kubectl.openApi.schemas(resource.group, resource.version);
    const tree = object as Record<string, unknown>;
    const patch = threeWayPatch(
      tree,
      copy as Record<string, unknown>,
      tree,
      schemas,
      schemas.forKind(resource),
    );
    if (Object.keys(patch).length === 0) return;
    try {
      const patched = await kubectl.api.json<AnyObject>({
        method: 'PATCH',
        path: pathOf(resource, namespace, name),
        query: { fieldManager: flags.string('field-manager'), ...dryRunQuery(dryRun) },
        contentType: 'application/strategic-merge-patch+json',
        body: patch,
      });
      await print(resource, patched, change.done);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      throw new CommandError(`${change.failure} ${error.message}`);
    }
  });
  return 0;
}

/** The pod spec of a copy. Throws CommandError for a kind without one. */
export function requirePodSpec(copy: AnyObject, { resource, name }: Selected): MutablePodSpec {
  const spec = podSpecOf(copy);
  if (spec !== undefined) return spec;
  throw new CommandError(
    `${resource.plural}/${name} the object is not a pod or does not have a pod template: *${resource.version}.${resource.kind}`,
  );
}

/** Container names may be given with `*`. */
export function matches(name: string, pattern: string): boolean {
  return (
    pattern === '*' ||
    name === pattern ||
    new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`).test(name)
  );
}
