// Completion indexes: which pod of an Indexed Job does which part, and the text that sums them up.
import type { Pod, PodTemplateSpec } from '../../api/index.ts';

/** The label and annotation that carry a pod's index. */
const INDEX_KEY = 'batch.kubernetes.io/job-completion-index';
const FAILURE_COUNT = 'batch.kubernetes.io/job-index-failure-count';
const IGNORED_FAILURE_COUNT = 'batch.kubernetes.io/job-index-ignored-failure-count';

export function completionIndex(pod: Pod): number | undefined {
  const text = pod.metadata?.annotations?.[INDEX_KEY];
  return text === undefined ? undefined : Number(text);
}

/** How often the index had failed before this pod, as counted against backoffLimitPerIndex. */
export function failureCount(pod: Pod): number {
  return Number(pod.metadata?.annotations?.[FAILURE_COUNT] ?? '0');
}

/** The failures that a podFailurePolicy says to ignore; they lengthen the wait all the same. */
export function ignoredFailureCount(pod: Pod): number {
  return Number(pod.metadata?.annotations?.[IGNORED_FAILURE_COUNT] ?? '0');
}

/** The annotations that tell a pod how often its index has failed before. */
export function failureAnnotations(counted: number, ignored: number): Record<string, string> {
  return {
    [FAILURE_COUNT]: String(counted),
    ...(ignored === 0 ? {} : { [IGNORED_FAILURE_COUNT]: String(ignored) }),
  };
}

/** `0,2-4,7` as numbers. */
export function parseIndexes(text: string | undefined): number[] {
  if (text === undefined || text === '') return [];
  return text.split(',').flatMap((range) => {
    const [first = '', last = first] = range.split('-');
    return Array.from({ length: Number(last) - Number(first) + 1 }, (_, i) => Number(first) + i);
  });
}

/** Numbers as `0,2-4,7`: two in a row are written apart, three and more as a range. */
export function formatIndexes(indexes: readonly number[]): string {
  const sorted = [...indexes].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let i = 0; i < sorted.length;) {
    let end = i;
    while (sorted[end + 1] === sorted[end]! + 1) end++;
    if (end - i >= 2) parts.push(`${sorted[i]}-${sorted[end]}`);
    else for (let j = i; j <= end; j++) parts.push(String(sorted[j]));
    i = end + 1;
  }
  return parts.join(',');
}

/** The lowest `count` indexes below `completions` that aren't taken. */
export function firstIndexes(count: number, completions: number, taken: ReadonlySet<number>): number[] {
  const indexes: number[] = [];
  for (let index = 0; index < completions && indexes.length < count; index++)
    if (!taken.has(index)) indexes.push(index);
  return indexes;
}

/** The template of one index: it knows its number by label, annotation, environment and host name. */
export function indexedTemplate(template: PodTemplateSpec, job: string, index: number): PodTemplateSpec {
  const tag = { [INDEX_KEY]: String(index) };
  const env = {
    name: 'JOB_COMPLETION_INDEX',
    valueFrom: { fieldRef: { fieldPath: `metadata.labels['${INDEX_KEY}']` } },
  };
  const spec = template.spec!;
  const withIndex = <C extends { env?: { name: string }[] }>(container: C): C =>
    container.env?.some(({ name }) => name === env.name) === true
      ? container
      : { ...container, env: [...(container.env ?? []), env] };
  return {
    metadata: {
      ...template.metadata,
      labels: { ...template.metadata?.labels, ...tag },
      annotations: { ...template.metadata?.annotations, ...tag },
    },
    spec: {
      ...spec,
      hostname: `${job}-${index}`,
      containers: spec.containers.map(withIndex),
      ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(withIndex) }),
    },
  };
}
