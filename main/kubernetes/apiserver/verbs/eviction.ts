// The eviction subresource: a deletion that disruption budgets may forbid (registry/core/pod/storage/eviction.go).
import { labelSelectorOf, type LabelSelectorSpec } from '../../api/selector.ts';
import type { Pod, PodDisruptionBudget } from '../../api/types.ts';
import { StatusError, type Status } from '../../api/status.ts';
import type { ApiObject, StoredObject } from '../object.ts';
import { badRequest, notFound, tooManyRequests, unknownError } from '../refusals.ts';
import type { DeleteRequestOptions, WriteRequest } from './request.ts';
import type { Writer } from './writing.ts';

const SUCCESS: Status = Object.freeze({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Success',
  code: 201,
});

interface Eviction extends ApiObject {
  deleteOptions?: {
    gracePeriodSeconds?: number;
    propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
    preconditions?: { uid?: string; resourceVersion?: string };
    dryRun?: string[];
  };
}

/** Evicts a pod, or answers 429 when a budget doesn't allow it. */
export function evict(writer: Writer, write: WriteRequest, name: string, eviction: ApiObject): Status {
  const { served, namespace } = write;
  const given = eviction.metadata?.name ?? '';
  if (given !== '' && given !== name) throw badRequest('name in URL does not match name in Eviction object');
  const pod = served.table.get(namespace, name);
  if (pod === undefined) throw notFound(served.resource, name);
  const { deleteOptions } = eviction as Eviction;
  const options: DeleteRequestOptions = {
    gracePeriodSeconds: deleteOptions?.gracePeriodSeconds,
    propagationPolicy: deleteOptions?.propagationPolicy,
    uid: deleteOptions?.preconditions?.uid,
    resourceVersion: deleteOptions?.preconditions?.resourceVersion,
  };
  const dryRun = write.dryRun || deleteOptions?.dryRun?.includes('All') === true;
  // The eviction is what is admitted; the deletion that it becomes isn't told to webhooks.
  const deletion = { ...write, subresource: '', dryRun, webhookCalls: undefined };
  if (!ignoresBudgets(pod)) takeDisruption(writer, { ...write, dryRun }, pod);
  writer.delete(deletion, name, options);
  return SUCCESS;
}

/** Pods that are done, not started or going already may always be evicted. */
function ignoresBudgets(pod: StoredObject): boolean {
  const { phase } = (pod as Pod).status ?? {};
  return (
    phase === 'Succeeded' ||
    phase === 'Failed' ||
    phase === 'Pending' ||
    pod.metadata.deletionTimestamp !== undefined
  );
}

function takeDisruption(writer: Writer, write: WriteRequest, pod: StoredObject): void {
  const budgets = writer.objects
    .list('poddisruptionbudgets', 'policy', write.namespace)
    .filter((budget) => selectsPod(budget as PodDisruptionBudget, pod));
  if (budgets.length === 0) return;
  if (budgets.length > 1) {
    throw unknownError(
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    );
  }
  const budget = budgets[0]! as StoredObject & PodDisruptionBudget;
  const allowed = budget.status?.disruptionsAllowed ?? 0;
  if (allowed <= 0 || (budget.status?.observedGeneration ?? 0) < (budget.metadata.generation ?? 0)) {
    throw refused(budget);
  }
  writer.takeDisruption(write, budget, pod.metadata.name);
}

function selectsPod(budget: PodDisruptionBudget, pod: StoredObject): boolean {
  return labelSelectorOf(budget.spec?.selector as LabelSelectorSpec | undefined).matches(pod.metadata.labels);
}

function refused(budget: StoredObject & PodDisruptionBudget): StatusError {
  const { name } = budget.metadata;
  const { desiredHealthy = 0, currentHealthy = 0, observedGeneration = 0 } = budget.status ?? {};
  const stale = observedGeneration < (budget.metadata.generation ?? 0);
  const error = tooManyRequests(
    "Cannot evict pod as it would violate the pod's disruption budget.",
    stale ? 10 : 0,
  );
  const message = stale
    ? `The disruption budget ${name} is still being processed by the server.`
    : `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
  return new StatusError({
    ...error.status,
    details: { ...error.status.details, causes: [{ reason: 'DisruptionBudget', message }] },
  });
}
