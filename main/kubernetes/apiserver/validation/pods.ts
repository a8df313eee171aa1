// Pods and PodTemplates: what they may be and what updates may change (pkg/apis/core/validation ValidatePodCreate, ValidatePodUpdate).
import type { Pod, PodSpec, PodTemplateSpec } from '../../api/types.ts';
import { cloneTree, equalTrees } from '../object.ts';
import { required } from '../refusals.ts';
import type { Faults } from './checks.ts';
import { internalForm, labelsForm } from './internal-form.ts';
import { checkImage } from './pod-containers.ts';
import { checkPodSpec, checkTemplate } from './pod-spec.ts';
import { diffOf } from './unified-diff.ts';
import { validator, type Validator } from './validator.ts';

/** Marks the API's copy of a pod that a node runs from a file. */
const MIRROR = 'kubernetes.io/config.mirror';
const ACTIVE_SECONDS_MAX = 2_147_483_647;

const UPDATE_MESSAGE =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

type Taint = NonNullable<PodSpec['tolerations']>[number];

function checkPod(faults: Faults, pod: Pod): void {
  checkPodSpec(faults, 'spec', pod.spec, pod.metadata);
}

function checkNewPod(faults: Faults, pod: Pod): void {
  checkMirror(faults, pod);
  checkPod(faults, pod);
  if ((pod.spec?.ephemeralContainers ?? []).length > 0)
    faults.forbidden('spec.ephemeralContainers', 'cannot be set on create');
  if ((pod.spec?.schedulingGates ?? []).length > 0 && (pod.spec?.nodeName ?? '') !== '')
    faults.forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared');
}

function checkMirror(faults: Faults, { metadata, spec }: Pod): void {
  const mirror = metadata?.annotations?.[MIRROR];
  if (mirror !== undefined && (spec?.nodeName ?? '') === '')
    faults.invalid(
      `metadata.annotations[${MIRROR}]`,
      mirror,
      'must set spec.nodeName if mirror pod annotation is set',
    );
}

function checkPodUpdate(faults: Faults, pod: Pod, old: Pod): void {
  if (pod.metadata?.annotations?.[MIRROR] !== old.metadata?.annotations?.[MIRROR])
    faults.invalid(
      `metadata.annotations[${MIRROR}]`,
      pod.metadata?.annotations?.[MIRROR] ?? '',
      'field is immutable',
    );
  checkPod(faults, pod);
  const [spec, before] = [pod.spec ?? { containers: [] }, old.spec ?? { containers: [] }];
  for (const list of ['containers', 'initContainers'] as const)
    if (!checkImages(faults, `spec.${list}`, spec[list] ?? [], before[list] ?? [])) return;
  if (!checkActiveSeconds(faults, spec, before)) return;
  checkTolerations(faults, spec, before);
  checkGates(faults, spec, before);
  const munged = asBefore(faults, spec, before);
  if (equalTrees(munged, before)) return;
  const [was, is] = [before, munged].map((value) => internalForm('PodSpec', value));
  faults.forbidden('spec', `${UPDATE_MESSAGE}\n${diffOf(was, is)}`);
}

type Containers = PodSpec['containers'];

/** False when containers came or went, which ends the comparison. */
function checkImages(faults: Faults, path: string, now: Containers, before: Containers): boolean {
  if (now.length !== before.length) {
    faults.forbidden(path, 'pod updates may not add or remove containers');
    return false;
  }
  for (const [index, { image = '' }] of now.entries()) {
    if (image === '') faults.add(required(`${path}[${index}].image`));
    else checkImage(faults, `${path}[${index}]`, image);
  }
  return true;
}

/** A running deadline may only come nearer. */
function checkActiveSeconds(faults: Faults, spec: PodSpec, before: PodSpec): boolean {
  const field = 'spec.activeDeadlineSeconds';
  const [seconds, had] = [spec.activeDeadlineSeconds, before.activeDeadlineSeconds];
  if (seconds === undefined) {
    if (had !== undefined)
      faults.invalid(field, null, 'must not update from a positive integer to nil value');
    return true;
  }
  if (seconds < 0 || seconds > ACTIVE_SECONDS_MAX) {
    faults.between(field, seconds, 0, ACTIVE_SECONDS_MAX);
    return false;
  }
  if (had === undefined || seconds <= had) return true;
  faults.invalid(field, seconds, 'must be less than or equal to previous value');
  return false;
}

function checkTolerations(faults: Faults, spec: PodSpec, before: PodSpec): void {
  const timeless = (toleration: Taint): Taint => ({ ...toleration, tolerationSeconds: undefined });
  const lost = (before.tolerations ?? []).some(
    (toleration) =>
      !(spec.tolerations ?? []).some((other) =>
        // How long it's tolerated may change, where that counts.
        toleration.effect === 'NoExecute'
          ? equalTrees(timeless(other), timeless(toleration))
          : equalTrees(other, toleration),
      ),
  );
  if (lost)
    faults.forbidden(
      'spec.tolerations',
      'existing toleration can not be modified except its tolerationSeconds',
    );
}

function checkGates(faults: Faults, spec: PodSpec, before: PodSpec): void {
  const gates = new Set((before.schedulingGates ?? []).map(({ name }) => name));
  for (const [index, { name }] of (spec.schedulingGates ?? []).entries())
    if (!gates.has(name))
      faults.forbidden(
        `spec.schedulingGates[${index}].name`,
        `only deletion is allowed, but found new scheduling gate '${name}'`,
      );
}

/** The new spec with everything that may change put back. */
function asBefore(faults: Faults, spec: PodSpec, before: PodSpec): PodSpec {
  const munged = cloneTree(spec);
  for (const list of ['containers', 'initContainers'] as const)
    for (const [index, container] of (munged[list] ?? []).entries())
      putBack(container, before[list]![index]!, 'image');
  for (const field of ['activeDeadlineSeconds', 'tolerations', 'schedulingGates'] as const)
    putBack(munged, before, field);
  const graceSeconds = before.terminationGracePeriodSeconds;
  if (graceSeconds !== undefined && graceSeconds < 0 && spec.terminationGracePeriodSeconds === 1)
    munged.terminationGracePeriodSeconds = graceSeconds;
  if ((before.schedulingGates ?? []).length > 0) narrowed(faults, munged, before);
  return munged;
}

function putBack<T extends object>(target: T, source: Readonly<T>, field: keyof T): void {
  if (source[field] === undefined) delete target[field];
  else target[field] = source[field];
}

/** While a pod is gated its choice of nodes may be narrowed (KEP-3838). */
function narrowed(faults: Faults, munged: PodSpec, before: PodSpec): void {
  const selector = Object.entries(before.nodeSelector ?? {});
  if (!equalTrees(munged.nodeSelector, before.nodeSelector)) {
    if (selector.some(([key, value]) => munged.nodeSelector?.[key] !== value))
      faults.invalid(
        'spec.nodeSelector',
        labelsForm(munged.nodeSelector),
        'only additions to spec.nodeSelector are allowed (no mutations or deletions)',
      );
    putBack(munged, before, 'nodeSelector');
  }
  const [affinity, had] = [munged.affinity?.nodeAffinity, before.affinity?.nodeAffinity];
  if (equalTrees(affinity, had)) return;
  checkNarrowedAffinity(faults, 'spec.affinity.nodeAffinity', affinity, had);
  if (had === undefined && before.affinity === undefined) delete munged.affinity;
  else munged.affinity = { ...munged.affinity, nodeAffinity: had };
}

type NodeAffinity = NonNullable<NonNullable<PodSpec['affinity']>['nodeAffinity']>;
const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';

function checkNarrowedAffinity(
  faults: Faults,
  path: string,
  now: NodeAffinity | undefined,
  before: NodeAffinity | undefined,
): void {
  const had = before?.[REQUIRED]?.nodeSelectorTerms;
  if (had === undefined) return; // Nothing was asked for, so anything narrows it.
  const field = `${path}.${REQUIRED}`;
  const terms = now?.[REQUIRED]?.nodeSelectorTerms ?? [];
  if (terms.length !== had.length) {
    faults.invalid(
      `${field}.nodeSelectorTerms`,
      terms.map((term) => internalForm('NodeSelectorTerm', term)),
      'no additions/deletions to non-empty NodeSelectorTerms list are allowed',
    );
    return;
  }
  for (const [index, term] of terms.entries()) {
    const at = `${field}.nodeSelectorTerms[${index}]`;
    const keeps = (['matchExpressions', 'matchFields'] as const).every((list) =>
      (had[index]![list] ?? []).every((item, position) => equalTrees(term[list]?.[position], item)),
    );
    if (!keeps)
      faults.invalid(
        at,
        internalForm('NodeSelectorTerm', term),
        'only additions are allowed (no mutations or deletions)',
      );
  }
}

const pods = validator<Pod>({
  create: checkNewPod,
  update: (faults, pod, old, { subresource }) => {
    // Bindings and the subresources with rules of their own change what updates may not.
    if (subresource === '') checkPodUpdate(faults, pod, old);
    else if (subresource !== 'binding') checkPod(faults, pod);
  },
});

export const podValidators: Readonly<Record<string, Validator>> = {
  pods,
  podtemplates: validator<{ template?: PodTemplateSpec }>({
    create: (faults, { template }) => checkTemplate(faults, 'template', template),
  }),
};
