// A kind in a version that isn't the stored one: its hooks do their work on the stored form and carry the outcome back.
import type { Conversion } from '../../api/conversion/tree.ts';
import type { ResourceInfo } from '../../api/resources.ts';
import type { Kind } from '../kinds/kind.ts';
import type { FieldError } from '../refusals.ts';
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

/** What the stored version refuses and these versions let pass. */
const EXCUSED: Readonly<Record<string, (fault: FieldError) => boolean>> = {
  'extensions/v1beta1': isSelectorChange,
  'apps/v1beta1': isSelectorChange,
  'admissionregistration.k8s.io/v1beta1': ({ field, body }) =>
    field.endsWith('.sideEffects') && /^Unsupported value: "(Some|Unknown)"/.test(body),
};

function isSelectorChange({ field, body }: FieldError): boolean {
  return field === 'spec.selector' && body.endsWith('field is immutable');
}

export function convertingKind(options: ConvertingKindOptions): Kind {
  const { home, resource, schemaName, conversion, toStored, fromStored } = options;
  const change = (object: ApiObject, work: (stored: ApiObject) => void): void => {
    const stored = toStored(object);
    work(stored);
    if (stored !== object) replaceMembers(object, fromStored(stored));
  };
  const stored = (object: StoredObject): StoredObject => toStored(object) as StoredObject;
  const isExcused = EXCUSED[`${resource.group}/${resource.version}`];
  const kept = (faults: FieldError[] = []): FieldError[] =>
    isExcused === undefined ? faults : faults.filter((fault) => !isExcused(fault));
  const own: { -readonly [Hook in keyof Kind]?: Kind[Hook] } = {
    defaults(object) {
      conversion.defaults?.(object);
      change(object, (form) => home.defaults?.(form));
    },
  };
  if (home.prepareCreate !== undefined)
    own.prepareCreate = (object, context) => change(object, (form) => home.prepareCreate?.(form, context));
  if (home.prepareUpdate !== undefined)
    own.prepareUpdate = (object, old, context) =>
      change(object, (form) => home.prepareUpdate?.(form, stored(old), context));
  if (home.prepareDelete !== undefined)
    own.prepareDelete = (object) => change(object, (form) => home.prepareDelete?.(form));
  if (home.prepareStatus !== undefined)
    own.prepareStatus = (object, old) => change(object, (form) => home.prepareStatus?.(form, stored(old)));
  if (home.validate !== undefined)
    own.validate = (object, context) => kept(home.validate?.(toStored(object), context));
  if (home.validateUpdate !== undefined)
    own.validateUpdate = (object, old, context) =>
      kept(home.validateUpdate?.(toStored(object), stored(old), context));
  if (home.validateStatus !== undefined)
    own.validateStatus = (object, old, ...rest) =>
      home.validateStatus?.(toStored(object), stored(old), ...rest) ?? [];
  if (home.warnings !== undefined)
    own.warnings = (object, old) =>
      home.warnings?.(toStored(object), old === undefined ? undefined : stored(old)) ?? [];
  if (home.allocate !== undefined)
    own.allocate = (object, old, context) =>
      change(object, (form) => home.allocate?.(form, old === undefined ? undefined : stored(old), context));
  return { ...home, resource, schemaName, ...own };
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
