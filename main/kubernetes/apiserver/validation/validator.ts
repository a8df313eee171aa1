// How a kind's checks become its validator: one check of whole objects, one of updates, one of status updates.
import type { Kind, WriteContext } from '../kinds/kind.ts';
import { equalTrees, type ApiObject, type StoredObject, type Tree } from '../object.ts';
import { Faults } from './checks.ts';

/** The hooks of a kind that this folder fills in. */
export type Validator = Pick<Kind, 'validate' | 'validateUpdate' | 'validateStatus'>;
export type Check<T> = (faults: Faults, object: T, context: WriteContext) => void;
export type UpdateCheck<T> = (faults: Faults, object: T, old: T, context: WriteContext) => void;

interface Parts<T> {
  /** Checks of a whole object, made at its creation. */
  readonly create: Check<T>;
  /** Checks of an update; absent: those of a creation. */
  readonly update?: UpdateCheck<T>;
  /** Checks of an update of the status subresource. */
  readonly status?: (faults: Faults, object: T, old: T) => void;
}

/** Whether a null is anywhere in a value. */
function hasNull(value: unknown): boolean {
  if (value === null) return true;
  if (typeof value !== 'object') return false;
  if (Array.isArray(value)) return value.some(hasNull);
  for (const key in value) if (hasNull((value as Tree)[key])) return true;
  return false;
}

function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutNulls);
  const copy: Tree = {};
  for (const key in value) {
    const member = (value as Tree)[key];
    if (member !== null) copy[key] = withoutNulls(member);
  }
  return copy;
}

/** An object as the checks see it: members that Go writes as null, such as empty lists, aren't there. */
export function nullless<T>(object: ApiObject | StoredObject): T {
  return (hasNull(object) ? withoutNulls(object) : object) as T;
}

/** A validator from checks of typed objects. */
export function validator<T>({ create, update, status }: Parts<T>): Validator {
  const changes: UpdateCheck<T> =
    update ?? ((faults, object, _old, context) => create(faults, object, context));
  return {
    validate(object: ApiObject, context) {
      const faults = new Faults();
      create(faults, nullless<T>(object), context);
      return faults.all;
    },
    validateUpdate(object: ApiObject, old: StoredObject, context) {
      const faults = new Faults();
      changes(faults, nullless<T>(object), nullless<T>(old), context);
      return faults.all;
    },
    ...(status === undefined
      ? {}
      : {
          validateStatus(object: ApiObject, old: StoredObject) {
            const faults = new Faults();
            status(faults, nullless<T>(object), nullless<T>(old));
            return faults.all;
          },
        }),
  };
}

/** The checks of a creation, then those of what an update may not do. */
export function both<T>(create: Check<T>, update: UpdateCheck<T>): UpdateCheck<T> {
  return (faults, object, old, context) => {
    create(faults, object, context);
    update(faults, object, old, context);
  };
}

/** Reports a field that isn't what it was (apimachinery ValidateImmutableField). `shown` is how the message prints the value. */
export function immutable(
  faults: Faults,
  field: string,
  now: unknown,
  old: unknown,
  shown: unknown = now,
): void {
  if (!equalTrees(now ?? undefined, old ?? undefined)) faults.invalid(field, shown, 'field is immutable');
}
