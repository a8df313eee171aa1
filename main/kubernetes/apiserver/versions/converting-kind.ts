// A kind in a version that isn't the stored one: its hooks do their work on the stored form and carry the outcome back.
import type { Conversion } from '../../api/conversion/tree.ts';
import type { ResourceInfo } from '../../api/resources.ts';
import type { Kind } from '../kinds/kind.ts';
import type { ApiObject, StoredObject, Tree } from '../object.ts';

export interface ConvertingKindOptions {
  readonly home: Kind;
  readonly resource: ResourceInfo;
  readonly schemaName: string | undefined;
  readonly conversion: Conversion;
  /** Both leave an object that is in the wanted form already as it is. */
  readonly toStored: (object: ApiObject) => ApiObject;
  readonly fromStored: (object: ApiObject) => ApiObject;
}

/** Versions in which the selector of a workload may still be changed. */
const MUTABLE_SELECTORS = new Set(['extensions/v1beta1', 'apps/v1beta1']);

export function convertingKind(options: ConvertingKindOptions): Kind {
  const { home, resource, schemaName, conversion, toStored, fromStored } = options;
  const change = (object: ApiObject, work: (stored: ApiObject) => void): void => {
    const stored = toStored(object);
    work(stored);
    if (stored !== object) replaceMembers(object, fromStored(stored));
  };
  const stored = (object: StoredObject): StoredObject => toStored(object) as StoredObject;
  const keepsSelector = !MUTABLE_SELECTORS.has(`${resource.group}/${resource.version}`);
  const { prepareCreate, prepareUpdate, prepareDelete, prepareStatus } = home;
  const { validate, validateUpdate, validateStatus, warnings, allocate } = home;
  return {
    ...home,
    resource,
    schemaName,
    defaults(object) {
      conversion.defaults?.(object);
      change(object, (form) => home.defaults?.(form));
    },
    ...(prepareCreate && {
      prepareCreate: (object, context) => change(object, (form) => prepareCreate(form, context)),
    }),
    ...(prepareUpdate && {
      prepareUpdate: (object, old, context) =>
        change(object, (form) => prepareUpdate(form, stored(old), context)),
    }),
    ...(prepareDelete && { prepareDelete: (object) => change(object, prepareDelete) }),
    ...(prepareStatus && {
      prepareStatus: (object, old) => change(object, (form) => prepareStatus(form, stored(old))),
    }),
    ...(validate && { validate: (object, context) => validate(toStored(object), context) }),
    ...(validateUpdate && {
      validateUpdate: (object, old, context) =>
        validateUpdate(toStored(object), stored(old), context).filter(
          ({ field, body }) =>
            keepsSelector || field !== 'spec.selector' || !body.endsWith('field is immutable'),
        ),
    }),
    ...(validateStatus && {
      validateStatus: (object, old, ...rest) => validateStatus(toStored(object), stored(old), ...rest),
    }),
    ...(warnings && {
      warnings: (object, old) => warnings(toStored(object), old === undefined ? undefined : stored(old)),
    }),
    ...(allocate && {
      allocate: (object, old, context) =>
        change(object, (form) => allocate(form, old === undefined ? undefined : stored(old), context)),
    }),
  };
}

/** Makes one object's members those of another, keeping the identity of it and of its metadata. */
function replaceMembers(target: ApiObject, source: ApiObject): void {
  const { metadata } = target;
  assignTree(target, source);
  if (metadata === undefined || source.metadata === undefined || metadata === source.metadata) return;
  assignTree(metadata as Tree, source.metadata as Tree);
  target.metadata = metadata;
}

function assignTree(target: Tree, source: Tree): void {
  for (const member of Object.keys(target)) if (!Object.hasOwn(source, member)) delete target[member];
  Object.assign(target, source);
}
