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
  return [...errors, ...validateMetaParts(meta, 'metadata')];
}

/** Labels, annotations, owners and finalizers; also of pod templates. */
function validateMetaParts(meta: ObjectMeta, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if ((meta.generation ?? 0) < 0)
    errors.push(invalidValue(`${path}.generation`, meta.generation, 'must be greater than or equal to 0'));
  errors.push(...validateLabels(meta.labels, `${path}.labels`));
  errors.push(...validateAnnotations(meta.annotations, `${path}.annotations`));
  errors.push(...validateOwners(meta, `${path}.ownerReferences`));
  for (const [index, finalizer] of (meta.finalizers ?? []).entries()) {
    const field = `${path}.finalizers`;
    const problems = labelKeyProblems(finalizer);
    for (const problem of problems) errors.push(invalidValue(field, finalizer, problem));
    if (problems.length === 0 && !finalizer.includes('/') && !PLAIN_FINALIZERS.has(finalizer)) {
      errors.push(
        invalidValue(
          `${field}[${index}]`,
          finalizer,
          'name is neither a standard finalizer name nor is it fully qualified',
        ),
      );
    }
  }
  return errors;
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
  for (const [index, owner] of (meta.ownerReferences ?? []).entries()) {
    const field = `${path}[${index}]`;
    if (owner.apiVersion === '' || owner.apiVersion.split('/').at(-1) === '') {
      errors.push(invalidValue(`${field}.apiVersion`, owner.apiVersion, 'version must not be empty'));
    }
    if (owner.kind === '') errors.push(invalidValue(`${field}.kind`, owner.kind, 'must not be empty'));
    if (owner.name === '') errors.push(invalidValue(`${field}.name`, owner.name, 'must not be empty'));
    if (owner.uid === '') errors.push(invalidValue(`${field}.uid`, owner.uid, 'must not be empty'));
    if (owner.kind === 'Event' && owner.apiVersion === 'v1') {
      errors.push(invalidValue(field, owner, 'is disallowed from being an owner'));
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

/** What an update may not do to metadata (apimachinery ValidateObjectMetaUpdate). */
export function validateMetadataUpdate(object: ApiObject, old: StoredObject): FieldError[] {
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
