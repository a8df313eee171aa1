// What the API server's validators say of an object, as one text per fault: for tests of single kinds without a server.
import { defaulterOf } from '../../main/kubernetes/apiserver/kinds/defaults.ts';
import type { WriteContext } from '../../main/kubernetes/apiserver/kinds/kind.ts';
import type { ApiObject, StoredObject } from '../../main/kubernetes/apiserver/object.ts';
import type { FieldError } from '../../main/kubernetes/apiserver/refusals.ts';
import { validators } from '../../main/kubernetes/apiserver/validation/validators.ts';

function prepared(plural: string, given: object): ApiObject {
  const object = structuredClone(given) as ApiObject;
  object.metadata = { name: 'x', namespace: 'default', uid: 'u', ...object.metadata };
  defaulterOf(plural)?.(object);
  return object;
}

const texts = (errors: readonly FieldError[]): string[] =>
  errors.map(({ field, body }) => `${field}: ${body}`);

/** The validators look at nothing of the circumstances but the subresource. */
const context = (subresource: string): WriteContext => ({ subresource }) as WriteContext;

/** Faults of a new object, once defaulted. */
export function faultsOf(plural: string, given: object): string[] {
  return texts(validators[plural]!.validate!(prepared(plural, given), context('')));
}

/** Faults of an update from one state to another, both defaulted. */
export function updateFaultsOf(plural: string, before: object, after: object, subresource = ''): string[] {
  const old = prepared(plural, before) as StoredObject;
  return texts(validators[plural]!.validateUpdate!(prepared(plural, after), old, context(subresource)));
}

/** Faults of an update of the status alone. */
export function statusFaultsOf(plural: string, before: object, after: object): string[] {
  const old = prepared(plural, before) as StoredObject;
  return texts(validators[plural]!.validateStatus!(prepared(plural, after), old));
}
