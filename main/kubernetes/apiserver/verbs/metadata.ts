// The system's part of metadata: what creation sets, what updates may not touch, what is checked (apimachinery ValidateObjectMeta).
import { labelKeyProblems, labelValueProblems } from '../../api/selector.ts';
import type { ObjectMeta } from '../../api/meta.ts';
import { metaOf, type ApiObject, type StoredObject } from '../object.ts';
import { forbiddenField, invalidValue, required, tooLong, type FieldError } from '../refusals.ts';

/** Annotations of one object together, in bytes. */
const ANNOTATIONS_BYTES_MAX = 256 * 1024;

/** Finalizers that needn't be qualified. */
const PLAIN_FINALIZERS = new Set(['orphan', 'foregroundDeletion', 'kubernetes']);

/** What is wrong with an object's metadata. */
export function validateMetadata(
  object: ApiObject,
  namespaced: boolean,
  nameProblems: (name: string, prefix: boolean) => string[],
): FieldError[] {
  const meta = metaOf(object);
  const errors: FieldError[] = [];
  const { name = '', generateName = '', namespace = '' } = meta;
  if (generateName !== '') {
    for (const problem of nameProblems(generateName, true)) {
      errors.push(invalidValue('metadata.generateName', generateName, problem));
    }
  }
  if (name === '') errors.push(required('metadata.name', 'name or generateName is required'));
  else
    for (const problem of nameProblems(name, false))
      errors.push(invalidValue('metadata.name', name, problem));
  if (!namespaced && namespace !== '') {
    errors.push(forbiddenField('metadata.namespace', 'not allowed on this type'));
  }
  return [
    ...errors,
    ...validateMetaParts(meta, 'metadata'),
    ...validateFinalizers(meta),
    ...validateFinalizerNames(meta),
  ];
}

/** Labels, annotations and owners. */
function validateMetaParts(meta: ObjectMeta, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if ((meta.generation ?? 0) < 0)
    errors.push(invalidValue(`${path}.generation`, meta.generation, 'must be greater than or equal to 0'));
  errors.push(...validateLabels(meta.labels, `${path}.labels`));
  errors.push(...validateAnnotations(meta.annotations, `${path}.annotations`));
  errors.push(...validateOwners(meta, `${path}.ownerReferences`));
  return errors;
}

/** Finalizers as qualified names. */
function validateFinalizers({ finalizers }: ObjectMeta): FieldError[] {
  return (finalizers ?? []).flatMap((finalizer) =>
    labelKeyProblems(finalizer).map((problem) => invalidValue('metadata.finalizers', finalizer, problem)),
  );
}

/** Finalizers as the server's own or as somebody's, who is named (pkg/apis/core/validation ValidateFinalizerName). */
function validateFinalizerNames({ finalizers }: ObjectMeta): FieldError[] {
  return (finalizers ?? []).flatMap((finalizer, index) =>
    finalizer.includes('/') || PLAIN_FINALIZERS.has(finalizer)
      ? []
      : [
          invalidValue(
            `metadata.finalizers[${index}]`,
            finalizer,
            'name is neither a standard finalizer name nor is it fully qualified',
          ),
        ],
  );
}

export function validateLabels(
  labels: Readonly<Record<string, string>> | undefined,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  for (const [key, value] of sortedEntries(labels)) {
    for (const problem of labelKeyProblems(key)) errors.push(invalidValue(path, key, problem));
    for (const problem of labelValueProblems(value)) errors.push(invalidValue(path, value, problem));
  }
  return errors;
}

export function validateAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  let sizeBytes = 0;
  for (const [key, value] of sortedEntries(annotations)) {
    for (const problem of labelKeyProblems(key.toLowerCase())) errors.push(invalidValue(path, key, problem));
    sizeBytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (sizeBytes > ANNOTATIONS_BYTES_MAX) errors.push(tooLong(path, ANNOTATIONS_BYTES_MAX));
  return errors;
}

export function sortedEntries<T>(map: Readonly<Record<string, T>> | undefined): [string, T][] {
  return Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}

function validateOwners(meta: ObjectMeta, path: string): FieldError[] {
  const errors: FieldError[] = [];
  let controller: string | undefined;
  for (const owner of meta.ownerReferences ?? []) {
    const field = path; // The list is named without the index.
    if (owner.apiVersion === '' || owner.apiVersion.split('/').at(-1) === '') {
      errors.push(invalidValue(`${field}.apiVersion`, owner.apiVersion, 'version must not be empty'));
    }
    if (owner.kind === '') errors.push(invalidValue(`${field}.kind`, owner.kind, 'must not be empty'));
    if (owner.name === '') errors.push(invalidValue(`${field}.name`, owner.name, 'must not be empty'));
    if (owner.uid === '') errors.push(invalidValue(`${field}.uid`, owner.uid, 'must not be empty'));
    if (owner.kind === 'Event' && owner.apiVersion === 'v1') {
      errors.push(invalidValue(field, owner, '/v1, Kind=Event is disallowed from being an owner'));
    }
    if (owner.controller !== true) continue;
    const name = `${owner.kind}/${owner.name}`;
    if (controller === undefined) controller = name;
    else {
      errors.push(
        invalidValue(
          path,
          meta.ownerReferences,
          `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${name}`,
        ),
      );
    }
  }
  return errors;
}

/**
 * What an update may not do to metadata. Upstream looks twice, in the generic store and in the kind's strategy, and
 * some kinds' strategies look at the whole object once more; each time leaves its causes.
 */
export function validateMetadataUpdate(
  object: ApiObject,
  old: StoredObject,
  plural: string,
  nameProblems: (name: string, prefix: boolean) => string[],
): FieldError[] {
  const changes = validateChanges(object, old);
  return [
    ...changes,
    ...changes,
    ...validateFinalizerNames(metaOf(object)),
    ...(CHECKED_WHOLE.has(plural) ? validateMetadata(object, true, nameProblems) : []),
  ];
}

/** Kinds whose update validation begins with that of a new object. */
const CHECKED_WHOLE = new Set([
  'pods',
  'services',
  'configmaps',
  'secrets',
  'persistentvolumes',
  'persistentvolumeclaims',
  'limitranges',
  'serviceaccounts',
  'roles',
  'clusterroles',
  'rolebindings',
  'clusterrolebindings',
]);

/** Checks of metadata against what it was (apimachinery ValidateObjectMetaAccessorUpdate). */
function validateChanges(object: ApiObject, old: StoredObject): FieldError[] {
  const meta = metaOf(object);
  const errors: FieldError[] = [];
  if (old.metadata.deletionTimestamp !== undefined) {
    const added = (meta.finalizers ?? []).filter(
      (finalizer) => !(old.metadata.finalizers ?? []).includes(finalizer),
    );
    if (added.length > 0) {
      errors.push(
        forbiddenField(
          'metadata.finalizers',
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((item) => JSON.stringify(item)).join(', ')}}`,
        ),
      );
    }
  }
  immutable(errors, 'metadata.name', meta.name, old.metadata.name);
  immutable(errors, 'metadata.namespace', meta.namespace, old.metadata.namespace);
  immutable(errors, 'metadata.uid', meta.uid, old.metadata.uid);
  immutable(errors, 'metadata.creationTimestamp', meta.creationTimestamp, old.metadata.creationTimestamp);
  immutable(errors, 'metadata.deletionTimestamp', meta.deletionTimestamp, old.metadata.deletionTimestamp);
  immutable(
    errors,
    'metadata.deletionGracePeriodSeconds',
    meta.deletionGracePeriodSeconds,
    old.metadata.deletionGracePeriodSeconds,
  );
  return [...errors, ...validateMetaParts(meta, 'metadata')];
}

function immutable(errors: FieldError[], field: string, now: unknown, before: unknown): void {
  if (now !== before) errors.push(invalidValue(field, now ?? '', 'field is immutable'));
}
