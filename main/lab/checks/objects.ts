// Checks of API objects: a CEL expression over one object, or over a list.
import { evaluate } from '@marcbachmann/cel-js';
import { builtInResources, isStatus, type KubernetesObject } from '../../kubernetes/api/index.ts';
import type { ObjectsCondition } from '../lab.ts';
import type { World as LabWorld } from '../../cluster/index.ts';
import { HOLDS, missing, type Verdict } from './verdict.ts';

export async function checkObjects(world: LabWorld, condition: ObjectsCondition): Promise<Verdict> {
  const resource = builtInResources.find(
    ({ plural, group }) => condition.resource === (group === '' ? plural : `${plural}.${group}`),
  );
  if (resource === undefined) {
    return missing(
      `没有名为 ${condition.resource} 的资源类型。`,
      `There is no resource called ${condition.resource}.`,
    );
  }
  const scope = condition.namespace === undefined ? {} : { namespace: condition.namespace };
  if (condition.name === undefined) {
    const selector = condition.selector === undefined ? {} : { labelSelector: condition.selector };
    const { items } = await world.api.list<KubernetesObject>(resource, { ...scope, ...selector });
    return judge({ items }, condition, `${items.length} × ${resource.kind}`);
  }
  const label = `${resource.kind} ${condition.name}`;
  try {
    const object = await world.api.get<KubernetesObject>(resource, condition.name, scope);
    return judge({ object }, condition, label);
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error;
    return missing(
      `${condition.namespace === undefined ? '' : `命名空间 ${condition.namespace} 里`}还没有 ${label}。`,
      `There is no ${label}${condition.namespace === undefined ? '' : ` in namespace ${condition.namespace}`} yet.`,
    );
  }
}

function judge(variables: Record<string, unknown>, { cel }: ObjectsCondition, label: string): Verdict {
  let result: unknown;
  try {
    result = evaluate(cel, toCel(variables) as Record<string, unknown>);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // A field that isn't there is the usual case; the expression simply does not hold.
    const reason = error.message.split('\n')[0]!;
    return missing(
      `${label} 还不满足要求：${cel}（${reason}）。`,
      `${label} doesn't satisfy ${cel} (${reason}).`,
    );
  }
  return result === true
    ? HOLDS
    : missing(`${label} 还不满足要求：${cel}。`, `${label} doesn't satisfy ${cel}.`);
}

/** JSON as CEL sees it: whole numbers are int, which the library takes as bigint. */
function toCel(value: unknown): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(toCel);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toCel(member)]));
  }
  return value;
}
