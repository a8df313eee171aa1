// Validation of CustomResourceDefinitions (apiextensions-apiserver pkg/apis/apiextensions/validation).
import { subdomainProblems } from '../kinds/names.ts';
import { metaOf, type ApiObject, type StoredObject } from '../object.ts';
import { forbiddenField, invalidValue, required, unsupported, type FieldError } from '../refusals.ts';
import {
  CLEANUP_FINALIZER,
  type Definition,
  type DefinitionSpec,
  type DefinitionVersion,
  type ScalePaths,
} from './definition.ts';
import { ruleProblems, type RuleSite } from './rule-validation.ts';
import { itemsOf, valuesOf, type JsonSchema } from './schema.ts';
import { pruned } from './shaping.ts';
import { validateValue } from './validate-value.ts';

const LABEL_PATTERN = '[a-z]([-a-z0-9]*[a-z0-9])?';
const LABEL_TEXT = `a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '${LABEL_PATTERN}')`;
const LABEL = new RegExp(`^${LABEL_PATTERN}$`);
const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string'];
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];
const APPROVAL = 'api-approved.kubernetes.io';

function labelProblems(value: string): string[] {
  const problems = value.length > 63 ? ['must be no more than 63 characters'] : [];
  return LABEL.test(value) ? problems : [...problems, LABEL_TEXT];
}

/** Fills in what is left out. */
export function defaultDefinition(object: ApiObject): void {
  const spec = object['spec'] as Partial<DefinitionSpec> | undefined;
  if (spec === undefined) return;
  const { names } = spec;
  if (names !== undefined) {
    if ((names.singular ?? '') === '' && (names.kind ?? '') !== '') names.singular = names.kind.toLowerCase();
    if ((names.listKind ?? '') === '' && (names.kind ?? '') !== '') names.listKind = `${names.kind}List`;
  }
  spec.conversion ??= { strategy: 'None' };
  for (const version of spec.versions ?? []) {
    const scale = version.subresources?.scale as { labelSelectorPath?: string } | undefined;
    if (scale?.labelSelectorPath === '') delete scale.labelSelectorPath;
  }
}

/** The versions; none where the list was left out, which a decoded object holds as null. */
function versionsOf(spec: DefinitionSpec | undefined): readonly DefinitionVersion[] {
  return (spec?.versions as readonly DefinitionVersion[] | null | undefined) ?? [];
}

/** What a create sets of the status. */
export function initialStatus(object: ApiObject): void {
  const stored = versionsOf(object['spec'] as DefinitionSpec).find((version) => version.storage);
  object['status'] = {
    conditions: null,
    acceptedNames: { plural: '', kind: '' },
    storedVersions: stored === undefined ? null : [stored.name],
  };
}

/** A version that becomes the stored one is noted as such. */
export function keepStoredVersion(object: ApiObject, old: StoredObject): void {
  const stored = versionsOf((object as unknown as Definition).spec).find((version) => version.storage);
  const status = (old as Definition).status ?? {};
  const before = status.storedVersions ?? [];
  object['status'] =
    stored === undefined || before.includes(stored.name)
      ? status
      : { ...status, storedVersions: [...before, stored.name] };
}

/** A definition stays until its instances are gone. */
export function holdForInstances(object: ApiObject): void {
  const meta = metaOf(object);
  meta.finalizers = [...new Set([...(meta.finalizers ?? []), CLEANUP_FINALIZER])];
}

export function definitionProblems(object: ApiObject): FieldError[] {
  const definition = object as unknown as Definition;
  const { spec, metadata } = definition;
  const errors: FieldError[] = [];
  if (metadata.name !== `${spec.names.plural}.${spec.group}`)
    errors.push(invalidValue('metadata.name', metadata.name, 'must be spec.names.plural+"."+spec.group'));
  errors.push(...groupProblems(spec), ...scopeProblems(spec));
  errors.push(...versionProblems(definition), ...nameProblems(spec));
  if (spec.preserveUnknownFields === true) {
    errors.push(
      invalidValue(
        'spec.preserveUnknownFields',
        true,
        'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
      ),
    );
  }
  errors.push(...conversionProblems(spec), ...storedProblems(definition));
  const isProtected = /(^|\.)(k8s|kubernetes)\.io$/.test(spec.group);
  if (isProtected && (metadata.annotations?.[APPROVAL] ?? '') === '') {
    errors.push(
      required(
        `metadata.annotations[${APPROVAL}]`,
        `protected groups must have approval annotation "${APPROVAL}", see https://github.com/kubernetes/enhancements/pull/1111`,
      ),
    );
  }
  return errors;
}

/** What may not change once a definition is established. */
export function definitionUpdateProblems(object: ApiObject, old: StoredObject): FieldError[] {
  const errors = definitionProblems(object);
  const [now, before] = [(object as unknown as Definition).spec, (old as Definition).spec];
  const fixed = (field: string, value: unknown, was: unknown): void => {
    if (value !== was) errors.push(invalidValue(field, value, 'field is immutable'));
  };
  fixed('spec.group', now.group, before.group);
  fixed('spec.names.plural', now.names.plural, before.names.plural);
  const established = (old as Definition).status?.conditions?.some(
    ({ type, status }) => type === 'Established' && status === 'True',
  );
  if (established === true) {
    fixed('spec.scope', now.scope, before.scope);
    fixed('spec.names.kind', now.names.kind, before.names.kind);
  }
  return errors;
}

function groupProblems({ group }: DefinitionSpec): FieldError[] {
  if ((group ?? '') === '') return [required('spec.group')];
  const problems = subdomainProblems(group);
  if (problems.length > 0) return [invalidValue('spec.group', group, problems.join(','))];
  if (!group.includes('.'))
    return [invalidValue('spec.group', group, 'should be a domain with at least one dot')];
  return [];
}

function scopeProblems({ scope }: DefinitionSpec): FieldError[] {
  if ((scope ?? '') === '') return [required('spec.scope')];
  return scope === 'Cluster' || scope === 'Namespaced'
    ? []
    : [unsupported('spec.scope', scope, ['Cluster', 'Namespaced'])];
}

/** Versions as Go's internal type is written; what all of them share is told once, at the top. */
function shownVersions(versions: readonly DefinitionVersion[]): unknown[] {
  return versions.map(({ name, served, storage, deprecated, deprecationWarning }) => ({
    Name: name,
    Served: served,
    Storage: storage,
    Deprecated: deprecated ?? false,
    DeprecationWarning: deprecationWarning ?? null,
    Schema: null,
    Subresources: null,
    AdditionalPrinterColumns: null,
    SelectableFields: null,
  }));
}

function versionProblems({ spec }: Definition): FieldError[] {
  const errors: FieldError[] = [];
  const versions = versionsOf(spec);
  // Where every version has the same schema, columns and subresources, upstream holds and names them at the top.
  const first = JSON.stringify(perVersion(versions[0]));
  const isShared = versions.every((version) => JSON.stringify(perVersion(version)) === first);
  const names = new Set<string>();
  let isDoubled = false;
  for (const [index, version] of versions.entries()) {
    if (names.has(version.name)) isDoubled = true;
    names.add(version.name);
    for (const problem of labelProblems(version.name))
      errors.push(invalidValue(`spec.versions[${index}].name`, version.name, problem));
    if (version.schema?.openAPIV3Schema === undefined)
      errors.push(required(`spec.versions[${index}].schema.openAPIV3Schema`));
    if (!isShared) errors.push(...partsProblems(version, `spec.versions[${index}]`, `schema`));
  }
  if (isDoubled)
    errors.push(invalidValue('spec.versions', shownVersions(versions), 'must contain unique version names'));
  if (versions.filter(({ storage }) => storage).length !== 1)
    errors.push(
      invalidValue(
        'spec.versions',
        shownVersions(versions),
        'must have exactly one version marked as storage version',
      ),
    );
  if (versions[0] !== undefined) {
    for (const problem of labelProblems(versions[0].name))
      errors.push(invalidValue('spec.version', versions[0].name, problem));
    if (isShared) errors.push(...partsProblems(versions[0], 'spec', 'validation'));
  }
  return errors;
}

function perVersion(version: DefinitionVersion | undefined): unknown {
  return [version?.schema, version?.subresources, version?.additionalPrinterColumns];
}

function partsProblems(version: DefinitionVersion, path: string, schemaField: string): FieldError[] {
  const errors: FieldError[] = [];
  const schema = version.schema?.openAPIV3Schema;
  if (schema !== undefined) errors.push(...schemaProblems(schema, `${path}.${schemaField}.openAPIV3Schema`));
  const { scale } = version.subresources ?? {};
  if (scale !== undefined) errors.push(...scaleProblems(scale, `${path}.subresources.scale`));
  for (const [index, column] of (version.additionalPrinterColumns ?? []).entries()) {
    const at = `${path}.additionalPrinterColumns[${index}]`;
    if (column.name === '') errors.push(required(`${at}.name`));
    if (column.type === '') errors.push(required(`${at}.type`, `must be one of ${COLUMN_TYPES.join(',')}`));
    else if (!COLUMN_TYPES.includes(column.type))
      errors.push(invalidValue(`${at}.type`, column.type, `must be one of ${COLUMN_TYPES.join(',')}`));
    if ((column.format ?? '') !== '' && !COLUMN_FORMATS.includes(column.format!))
      errors.push(invalidValue(`${at}.format`, column.format, `must be one of ${COLUMN_FORMATS.join(',')}`));
    errors.push(...pathProblems(column.jsonPath, `${at}.JSONPath`));
  }
  return errors;
}

function pathProblems(path: string | undefined, field: string, under = ''): FieldError[] {
  if ((path ?? '') === '') return [required(field)];
  if (!path!.startsWith('.'))
    return [invalidValue(field, path, 'must be a simple json path starting with .')];
  if (under !== '' && !path!.startsWith(`${under}.`))
    return [invalidValue(field, path, `should be a json path under ${under}`)];
  return [];
}

function scaleProblems(scale: ScalePaths, path: string): FieldError[] {
  return [
    ...pathProblems(scale.specReplicasPath, `${path}.specReplicasPath`, '.spec'),
    ...pathProblems(scale.statusReplicasPath, `${path}.statusReplicasPath`, '.status'),
  ];
}

function nameProblems({ names }: DefinitionSpec): FieldError[] {
  const errors: FieldError[] = [];
  const word = (field: string, value: string | undefined, isKind: boolean): void => {
    const at = `spec.names.${field}`;
    if ((value ?? '') === '') errors.push(required(at));
    else {
      const problems = labelProblems(isKind ? value!.toLowerCase() : value!);
      for (const problem of problems)
        errors.push(
          invalidValue(
            at,
            value,
            isKind ? `may have mixed case, but should otherwise match: ${problem}` : problem,
          ),
        );
    }
  };
  word('plural', names.plural, false);
  word('singular', names.singular, false);
  word('kind', names.kind, true);
  word('listKind', names.listKind, true);
  for (const list of ['shortNames', 'categories'] as const) {
    for (const [index, value] of (names[list] ?? []).entries())
      for (const problem of labelProblems(value))
        errors.push(invalidValue(`spec.names.${list}[${index}]`, value, problem));
  }
  if ((names.kind ?? '') !== '' && names.kind === names.listKind)
    errors.push(invalidValue('spec.names.listKind', names.listKind, 'kind and listKind may not be the same'));
  return errors;
}

function conversionProblems({ conversion }: DefinitionSpec): FieldError[] {
  if (conversion?.strategy !== 'Webhook') {
    return conversion === undefined || conversion.strategy === 'None'
      ? []
      : [unsupported('spec.conversion.strategy', conversion.strategy, ['None', 'Webhook'])];
  }
  const errors: FieldError[] = [];
  if (conversion.webhook?.clientConfig === undefined)
    errors.push(required('spec.conversion.webhookClientConfig', 'required when strategy is set to Webhook'));
  if ((conversion.webhook?.conversionReviewVersions?.length ?? 0) === 0)
    errors.push(required('spec.conversion.conversionReviewVersions'));
  return errors;
}

function storedProblems({ spec, status }: Definition): FieldError[] {
  const stored = status?.storedVersions ?? null;
  const field = 'status.storedVersions';
  if (stored === null || stored.length === 0)
    return [invalidValue(field, stored, 'must have at least one stored version')];
  const errors: FieldError[] = [];
  for (const [index, name] of stored.entries()) {
    if (!versionsOf(spec).some((version) => version.name === name)) {
      errors.push(
        invalidValue(
          `${field}[${index}]`,
          name,
          `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`,
        ),
      );
    }
  }
  const storage = versionsOf(spec)
    .filter((version) => version.storage)
    .at(-1);
  if (storage !== undefined && !stored.includes(storage.name))
    errors.push(invalidValue(field, stored, `must have the storage version ${storage.name}`));
  return errors;
}

const UNSUPPORTED = ['definitions', 'dependencies', 'patternProperties', '$ref'] as const;

function schemaProblems(schema: JsonSchema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (schema.type !== 'object') {
    errors.push(
      (schema.type ?? '') === ''
        ? required(`${path}.type`, 'must not be empty at the root')
        : invalidValue(`${path}.type`, schema.type, 'must be object at the root'),
    );
    return errors;
  }
  const meta = schema.properties?.['metadata'];
  const isRestricted =
    meta !== undefined &&
    Object.entries(meta).some(([key, value]) => {
      if (key === 'type' || key === 'description') return false;
      if (key !== 'properties') return true;
      return Object.keys(value as object).some((name) => name !== 'name' && name !== 'generateName');
    });
  if (isRestricted)
    errors.push(
      forbiddenField(
        `${path}.properties[metadata]`,
        'must not specify anything other than name and generateName, but metadata is implicitly specified',
      ),
    );
  walk(schema, path, true, errors);
  return errors;
}

function walk(
  schema: JsonSchema,
  path: string,
  isRoot: boolean,
  errors: FieldError[],
  uncorrelatable?: string,
): void {
  for (const field of UNSUPPORTED)
    if (schema[field] !== undefined)
      errors.push(forbiddenField(`${path}.${field}`, `${field} is not supported`));
  if (schema.uniqueItems === true)
    errors.push(
      forbiddenField(
        `${path}.uniqueItems`,
        'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ),
    );
  const isFree =
    schema['x-kubernetes-preserve-unknown-fields'] === true || schema['x-kubernetes-int-or-string'] === true;
  if (!isRoot && (schema.type ?? '') === '' && !isFree)
    errors.push(required(`${path}.type`, 'must not be empty for specified object fields'));
  if (schema.properties !== undefined && schema.additionalProperties !== undefined)
    errors.push(
      forbiddenField(
        `${path}.additionalProperties`,
        'additionalProperties and properties are mutual exclusive',
      ),
    );
  if (schema.type === 'array' && schema.items === undefined)
    errors.push(required(`${path}.items`, 'must be specified'));
  if (Array.isArray(schema.items))
    errors.push(forbiddenField(`${path}.items`, 'items must be a schema object and not an array'));
  checkEmbedded(schema, path, errors);
  checkListType(schema, path, errors);
  checkDefault(schema, path, errors);
  const place: RuleSite = { schema, isRoot, path, uncorrelatable };
  for (const [index, rule] of (schema['x-kubernetes-validations'] ?? []).entries())
    errors.push(...ruleProblems(rule, place, index));
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const isMeta = isRoot && (name === 'metadata' || name === 'apiVersion' || name === 'kind');
    if (!isMeta)
      walk(property, `${path}.properties[${name}]`, false, errors, uncorrelatable ?? atomicMap(schema, path));
  }
  const items = itemsOf(schema);
  const listPath = schema['x-kubernetes-list-type'] === 'map' ? undefined : path;
  if (items !== undefined) walk(items, `${path}.items`, false, errors, uncorrelatable ?? listPath);
  const values = valuesOf(schema);
  if (values !== undefined)
    walk(values, `${path}.additionalProperties`, false, errors, uncorrelatable ?? atomicMap(schema, path));
}

/** Parts of what is replaced as a whole can't be compared with what they were. */
function atomicMap(schema: JsonSchema, path: string): string | undefined {
  return schema['x-kubernetes-map-type'] === 'atomic' ? path : undefined;
}

function checkEmbedded(schema: JsonSchema, path: string, errors: FieldError[]): void {
  if (schema['x-kubernetes-embedded-resource'] !== true) return;
  const isEmpty = Object.keys(schema.properties ?? {}).length === 0;
  if (isEmpty && schema['x-kubernetes-preserve-unknown-fields'] !== true)
    errors.push(
      required(
        `${path}.properties`,
        'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
      ),
    );
  if (schema.type !== 'object')
    errors.push(
      invalidValue(`${path}.type`, schema.type, 'must be object if x-kubernetes-embedded-resource is true'),
    );
}

function checkListType(schema: JsonSchema, path: string, errors: FieldError[]): void {
  const kind = schema['x-kubernetes-list-type'];
  if (kind === undefined) return;
  if (schema.type !== 'array')
    errors.push(
      invalidValue(`${path}.type`, schema.type, 'must be array if x-kubernetes-list-type is specified'),
    );
  if (!['atomic', 'set', 'map'].includes(kind)) {
    errors.push(unsupported(`${path}.x-kubernetes-list-type`, kind, ['atomic', 'set', 'map']));
    return;
  }
  if (kind !== 'map') return;
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const field = `${path}.x-kubernetes-list-map-keys`;
  if (keys.length === 0) {
    errors.push(required(field, 'must not be empty if x-kubernetes-list-type is map'));
    return;
  }
  const items = itemsOf(schema);
  if (keys.some((key) => items?.properties?.[key] === undefined))
    errors.push(invalidValue(field, keys, 'entries must all be names of item properties'));
  for (const key of keys) {
    const property = items?.properties?.[key];
    if (
      property === undefined ||
      property.default !== undefined ||
      (Array.isArray(items?.required) && items.required.includes(key))
    )
      continue;
    errors.push(
      required(
        `${path}.items.properties[${key}].default`,
        'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
      ),
    );
  }
}

function checkDefault(schema: JsonSchema, path: string, errors: FieldError[]): void {
  if (schema.default === undefined) return;
  const unknown: string[] = [];
  pruned(schema.default, schema, '', unknown);
  const field = `${path}.default`;
  if (unknown.length > 0) errors.push(invalidValue(field, schema.default, 'must not have unknown fields'));
  for (const error of validateValue(schema.default, schema, '', ''))
    errors.push({ ...error, field: error.field === '' ? field : `${field}.${error.field}` });
}
