// The structural schemas of custom resources (apiextensions JSONSchemaProps), and what of them the other walkers need.
import type { Structure } from '../schema/structures.ts';

export interface ValidationRule {
  readonly rule?: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
}

/** JSONSchemaProps, as far as anything depends on it. */
export interface JsonSchema {
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly nullable?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema | readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly not?: JsonSchema;
  readonly definitions?: unknown;
  readonly dependencies?: unknown;
  readonly patternProperties?: unknown;
  readonly $ref?: string;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-embedded-resource'?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: string;
  readonly 'x-kubernetes-validations'?: readonly ValidationRule[];
}

/** The schema of a list's items. */
export function itemsOf(schema: JsonSchema | undefined): JsonSchema | undefined {
  return Array.isArray(schema?.items) ? undefined : (schema?.items as JsonSchema | undefined);
}

/** The schema of a map's values. */
export function valuesOf(schema: JsonSchema | undefined): JsonSchema | undefined {
  return typeof schema?.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}

/** The schema of one field of an object, if it says anything of it. */
export function fieldOf(schema: JsonSchema | undefined, field: string): JsonSchema | undefined {
  return schema?.properties?.[field] ?? valuesOf(schema);
}

const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/** The schema as server-side apply walks it. */
export function structureOf(schema: JsonSchema | undefined, isRoot = true): Structure {
  if (schema === undefined) return { any: true };
  const type = schema.type as Structure['type'];
  const listType = schema['x-kubernetes-list-type'] as Structure['listType'];
  const mapType = schema['x-kubernetes-map-type'] as Structure['mapType'];
  const items = itemsOf(schema);
  const values = valuesOf(schema);
  const properties = schema.properties;
  if (schema['x-kubernetes-int-or-string'] === true) return { special: 'IntOrString' };
  const preserves = schema['x-kubernetes-preserve-unknown-fields'] === true;
  if (preserves && properties === undefined && !isRoot) return { any: true };
  return {
    ...(type === undefined ? {} : { type }),
    ...(schema.default === undefined ? {} : { default: schema.default }),
    ...(listType === undefined ? {} : { listType }),
    ...(mapType === undefined ? {} : { mapType }),
    ...(schema['x-kubernetes-list-map-keys'] === undefined
      ? {}
      : { listMapKeys: schema['x-kubernetes-list-map-keys'] }),
    ...(items === undefined ? {} : { items: structureOf(items, false) }),
    ...(values !== undefined
      ? { additionalProperties: structureOf(values, false) }
      : preserves
        ? { additionalProperties: { any: true } }
        : {}),
    ...(properties === undefined && !isRoot
      ? {}
      : {
          properties: {
            ...Object.fromEntries(
              Object.entries(properties ?? {}).map(([name, each]) => [name, structureOf(each, false)]),
            ),
            ...(isRoot
              ? {
                  apiVersion: { type: 'string' },
                  kind: { type: 'string' },
                  metadata: { $ref: OBJECT_META },
                }
              : {}),
          },
        }),
  };
}
