// PersistentVolumeClaims and templates of them (pkg/apis/core/validation ValidatePersistentVolumeClaim).
import type { LabelSelectorSpec } from '../../api/selector.ts';
import type { PersistentVolumeClaim } from '../../api/types.ts';
import { subdomainProblems } from '../kinds/names.ts';
import { cloneTree, equalTrees } from '../object.ts';
import { required } from '../refusals.ts';
import { validateAnnotations, validateLabels } from '../verbs/metadata.ts';
import { checkLabelSelector, type Faults } from './checks.ts';
import { internalForm } from './internal-form.ts';
import { nanoOf } from './resources.ts';
import { diffOf } from './unified-diff.ts';
import { both, immutable, validator, type Validator } from './validator.ts';

type ClaimSpec = NonNullable<PersistentVolumeClaim['spec']>;

const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
/** Alone or not at all. */
const SINGLE_POD = 'ReadWriteOncePod';

/** Access modes of a claim or a volume. */
export function checkAccessModes(faults: Faults, field: string, modes: readonly string[]): void {
  for (const mode of modes) faults.word(field, mode, ACCESS_MODES);
  if (modes.length > 1 && modes.includes(SINGLE_POD))
    faults.forbidden(field, `may not use ${SINGLE_POD} with other access modes`);
}

export function checkVolumeMode(faults: Faults, field: string, mode: string | undefined): void {
  faults.word(field, mode, ['Block', 'Filesystem']);
}

interface DataSource {
  readonly apiGroup?: string | null;
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
}

function checkDataSource(faults: Faults, at: string, source: DataSource): void {
  const { apiGroup, kind = '', name = '' } = source;
  faults.required(`${at}.name`, name);
  faults.required(`${at}.kind`, kind);
  const group = apiGroup ?? '';
  if (group === '' && kind !== 'PersistentVolumeClaim') faults.invalid(at, kind, '');
  if (group !== '') faults.problems(`${at}.apiGroup`, group, subdomainProblems(group));
}

/** A claim's spec, also in a template. */
function checkClaimSpec(faults: Faults, path: string, spec: ClaimSpec | undefined): void {
  const modes: readonly string[] = spec?.accessModes ?? [];
  if (modes.length === 0) faults.add(required(`${path}.accessModes`, 'at least 1 access mode is required'));
  checkLabelSelector(faults, `${path}.selector`, spec?.selector as LabelSelectorSpec | undefined);
  checkAccessModes(faults, `${path}.accessModes`, modes);
  const storage = spec?.resources?.requests?.['storage'];
  if (storage === undefined) faults.add(required(`${path}.resources[storage]`));
  else if (nanoOf(storage) <= 0n)
    faults.invalid(`${path}.resources[storage]`, String(storage), 'must be greater than zero');
  if ((spec?.storageClassName ?? '') !== '')
    faults.subdomain(`${path}.storageClassName`, spec!.storageClassName!);
  checkVolumeMode(faults, `${path}.volumeMode`, spec?.volumeMode);
  checkSources(faults, path, spec);
  if (spec?.volumeAttributesClassName !== undefined && spec.volumeAttributesClassName !== '')
    faults.subdomain(`${path}.volumeAttributesClassName`, spec.volumeAttributesClassName);
}

function checkSources(faults: Faults, path: string, spec: ClaimSpec | undefined): void {
  const { dataSource, dataSourceRef } = spec ?? {};
  if (dataSource !== undefined) checkDataSource(faults, `${path}.dataSource`, dataSource as DataSource);
  if (dataSourceRef !== undefined)
    checkDataSource(faults, `${path}.dataSourceRef`, dataSourceRef as DataSource);
  if (dataSource === undefined || dataSourceRef === undefined) return;
  const { namespace = '', ...rest } = dataSourceRef as DataSource;
  // The value that upstream shows here is a path, which prints as an empty struct.
  if (namespace !== '')
    faults.invalid(path, {}, 'may not be specified when dataSourceRef.namespace is specified');
  else if (!equalTrees(dataSource, rest)) faults.invalid(path, {}, 'must match dataSourceRef');
}

export function checkClaimTemplate(
  faults: Faults,
  path: string,
  template: { readonly metadata?: unknown; readonly spec?: unknown },
): void {
  const meta = (template.metadata ?? {}) as {
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  faults.add(...validateLabels(meta.labels, `${path}.metadata.labels`));
  faults.add(...validateAnnotations(meta.annotations, `${path}.metadata.annotations`));
  checkClaimSpec(faults, `${path}.spec`, template.spec as ClaimSpec);
}

const checkClaim = (faults: Faults, { spec }: PersistentVolumeClaim): void =>
  checkClaimSpec(faults, 'spec', spec);

const IMMUTABLE_SPEC =
  'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';

/** Only a bound claim may ask for more; who binds it fills in what it left open. */
function checkClaimUpdate(faults: Faults, claim: PersistentVolumeClaim, old: PersistentVolumeClaim): void {
  const [spec, before] = [cloneTree(claim.spec ?? {}), cloneTree(old.spec ?? {})];
  if ((before.volumeName ?? '') === '') takeOver(before, spec, 'volumeName');
  // A class may be given to a claim that waits without one (KEP-3333).
  if (before.storageClassName === undefined) delete spec.storageClassName;
  if (claim.status?.phase === 'Bound') {
    const storage = before.resources?.requests?.['storage'];
    if (spec.resources?.requests !== undefined && storage !== undefined)
      spec.resources.requests['storage'] = storage;
    takeOver(spec, before, 'volumeAttributesClassName');
  }
  if (!equalTrees(spec, before)) {
    const [was, is] = [before, spec].map((value) => internalForm('PersistentVolumeClaimSpec', value));
    faults.forbidden('spec', `${IMMUTABLE_SPEC}\n${diffOf(was, is)}`);
  }
  const [requested, granted] = [claim, old].map(({ spec: { resources } = {} }) =>
    nanoOf(resources?.requests?.['storage'] as string | undefined),
  );
  // Shrinking undoes an expansion that failed; volumes themselves never shrink (KEP-1790).
  if (requested! < granted! && requested! <= nanoOf(old.status?.capacity?.['storage'] as string | undefined))
    faults.forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity');
  immutable(faults, 'volumeMode', claim.spec?.volumeMode, old.spec?.volumeMode);
  if (
    claim.spec?.volumeAttributesClassName === undefined &&
    old.spec?.volumeAttributesClassName !== undefined
  )
    faults.forbidden('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden');
}

function takeOver<T extends object>(target: T, source: Readonly<T>, field: keyof T): void {
  if (source[field] === undefined) delete target[field];
  else target[field] = source[field];
}

export const claimValidators: Readonly<Record<string, Validator>> = {
  persistentvolumeclaims: validator<PersistentVolumeClaim>({
    create: checkClaim,
    update: both<PersistentVolumeClaim>(checkClaim, checkClaimUpdate),
    status(faults, claim) {
      for (const [name, value] of Object.entries(claim.status?.capacity ?? {}))
        if (nanoOf(value as string) < 0n)
          faults.invalid(`status.capacity[${name}]`, String(value), 'must be greater than or equal to 0');
    },
  }),
};
