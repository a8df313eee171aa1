// A pod's quality-of-service class (pkg/apis/core/v1/helper/qos).
import { parseQuantity } from '../../api/quantity.ts';
import type { PodSpec } from '../../api/types.ts';

type Amounts = Record<string, string | number> | undefined;
const COMPUTE = ['cpu', 'memory'] as const;

function positive(amounts: Amounts, name: string): bigint | undefined {
  const text = amounts?.[name];
  const nano = text === undefined ? undefined : parseQuantity(text)?.nano;
  return nano !== undefined && nano > 0n ? nano : undefined;
}

export function qosClassOf(spec: PodSpec): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const parts: { requests?: Amounts; limits?: Amounts }[] =
    spec.resources !== undefined
      ? [spec.resources]
      : [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ resources }) => resources ?? {});
  let any = false;
  let guaranteed = parts.length > 0;
  for (const { requests, limits } of parts) {
    for (const name of COMPUTE) {
      const request = positive(requests, name);
      const limit = positive(limits, name);
      if (request !== undefined || limit !== undefined) any = true;
      if (limit === undefined || (request !== undefined && request !== limit)) guaranteed = false;
    }
  }
  if (!any) return 'BestEffort';
  return guaranteed ? 'Guaranteed' : 'Burstable';
}
