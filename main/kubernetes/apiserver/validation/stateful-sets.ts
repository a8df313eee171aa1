// StatefulSets (pkg/apis/apps/validation ValidateStatefulSet, ValidateStatefulSetUpdate).
import type { PersistentVolumeClaim, PodTemplateSpec, StatefulSet } from '../../api/types.ts';
import { cloneTree, equalTrees, type Tree } from '../object.ts';
import { required } from '../refusals.ts';
import { checkAtMostAll, checkIntOrPercent, type Faults } from './checks.ts';
import { checkClaimTemplate } from './claims.ts';
import { internalForm } from './internal-form.ts';
import { checkSelected } from './pod-selection.ts';
import { checkHostLabel } from './pod-spec.ts';
import type { UpdateCheck } from './validator.ts';

export function checkStatefulSet(faults: Faults, set: StatefulSet): void {
  const { spec } = set;
  const policy = spec?.podManagementPolicy;
  if (policy === undefined) faults.add(required('spec.podManagementPolicy'));
  else if (policy !== 'OrderedReady' && policy !== 'Parallel')
    faults.invalid('spec.podManagementPolicy', policy, "must be 'OrderedReady' or 'Parallel'");
  checkStatefulStrategy(faults, spec?.updateStrategy ?? {});
  const retention = spec?.persistentVolumeClaimRetentionPolicy;
  for (const field of ['whenDeleted', 'whenScaled'] as const)
    faults.word(`spec.persistentVolumeClaimRetentionPolicy.${field}`, retention?.[field], [
      'Retain',
      'Delete',
    ]);
  faults.notNegative('spec.replicas', spec?.replicas);
  faults.notNegative('spec.minReadySeconds', spec?.minReadySeconds);
  faults.notNegative('spec.ordinals.start', spec?.ordinals?.start);
  faults.notNegative('spec.revisionHistoryLimit', spec?.revisionHistoryLimit);
  for (const [index, template] of (spec?.volumeClaimTemplates ?? []).entries())
    checkClaimTemplate(faults, `spec.volumeClaimTemplates[${index}]`, template);
  if ((spec?.serviceName ?? '') !== '') checkHostLabel(faults, 'spec.serviceName', spec!.serviceName!);
  checkSelected(faults, withClaims(spec), 'statefulset');
}

type StatefulSpec = NonNullable<StatefulSet['spec']>;

/** The template as its pods will have it: claims stand for volumes of the same name. */
function withClaims(spec: StatefulSpec | undefined): StatefulSpec | undefined {
  const claims = (spec?.volumeClaimTemplates ?? []) as PersistentVolumeClaim[];
  const template = spec?.template as PodTemplateSpec | undefined;
  if (claims.length === 0 || template?.spec === undefined) return spec;
  const volumes = claims.map(({ metadata: { name = '' } = {} }) => ({
    name,
    persistentVolumeClaim: { claimName: name },
  }));
  const names = new Set(volumes.map(({ name }) => name));
  const others = (template.spec.volumes ?? []).filter(({ name }) => !names.has(name));
  return {
    ...spec!,
    template: { ...template, spec: { ...template.spec, volumes: [...volumes, ...others] } } as never,
  };
}

function checkStatefulStrategy(faults: Faults, strategy: NonNullable<StatefulSpec['updateStrategy']>): void {
  const { type, rollingUpdate } = strategy;
  const at = 'spec.updateStrategy';
  if ((type ?? '') === '') faults.add(required(at));
  else if (type === 'OnDelete') {
    if (rollingUpdate !== undefined)
      faults.invalid(
        `${at}.rollingUpdate`,
        internalForm('RollingUpdateStatefulSet', rollingUpdate),
        "only allowed for updateStrategy 'RollingUpdate'",
      );
  } else if (type === 'RollingUpdate') {
    faults.notNegative(`${at}.rollingUpdate.partition`, rollingUpdate?.partition);
    const unavailable = rollingUpdate?.maxUnavailable;
    if (unavailable === undefined) return;
    checkIntOrPercent(faults, `${at}.rollingUpdate.maxUnavailable`, unavailable);
    if (unavailable === 0 || unavailable === '0%')
      faults.invalid(`${at}.rollingUpdate.maxUnavailable`, unavailable, 'cannot be 0');
    checkAtMostAll(faults, `${at}.rollingUpdate.maxUnavailable`, unavailable);
  } else
    faults.invalid(
      at,
      internalForm('StatefulSetUpdateStrategy', strategy),
      "must be 'RollingUpdate' or 'OnDelete'",
    );
}

/** What of a StatefulSet may change. */
const MUTABLE = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
] as const;

export const checkStatefulUpdate: UpdateCheck<StatefulSet> = (faults, now, old) => {
  const [spec, before] = [now, old].map((set) => {
    const copy = cloneTree(set.spec ?? {}) as Tree;
    for (const field of MUTABLE) delete copy[field];
    return copy;
  });
  if (!equalTrees(spec, before))
    faults.forbidden(
      'spec',
      "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
    );
};
