// The generated schemas of the built-in kinds, parsed once.
import { structuresText } from '../../api/generated/structures.js';
import type { Resource } from '../../api/meta.ts';

/** One type as scripts/generate-schemas.mjs writes it: a small subset of OpenAPI. */
export interface Structure {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Structure>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Structure;
  readonly items?: Structure;
  /** Any JSON value (any object, if `type` says so). */
  readonly any?: boolean;
  /** Types that marshal themselves. */
  readonly special?: 'Quantity' | 'IntOrString' | 'Time' | 'MicroTime';
  /** How lists and maps of custom resources merge; those of built-in kinds are in merge-keys.ts. */
  readonly listType?: 'map' | 'set' | 'atomic';
  readonly listMapKeys?: readonly string[];
  readonly mapType?: 'granular' | 'atomic';
  /** Of custom resources too. */
  readonly default?: unknown;
  /** Group, version and kind of a top-level object. */
  readonly gvk?: readonly [group: string, version: string, kind: string];
}

/** Schema name, such as `io.k8s.api.core.v1.Pod` → structure. */
export const structures: ReadonlyMap<string, Structure> = new Map(
  Object.entries(JSON.parse(structuresText) as Record<string, Structure>),
);

/** How messages name the registry of built-in kinds. */
export const LEGACY_SCHEME = 'k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30';

const byKind = new Map<string, string>();
for (const [name, { gvk }] of structures) if (gvk !== undefined) byKind.set(gvk.join('/'), name);

/** The schema name of a kind, or undefined for one that isn't built in. */
export function schemaNameOf(resource: Pick<Resource, 'group' | 'version' | 'kind'>): string | undefined {
  return byKind.get(`${resource.group}/${resource.version}/${resource.kind}`);
}

/** Follows references. */
export function resolve(structure: Structure): { readonly structure: Structure; readonly name?: string } {
  let name: string | undefined;
  let current = structure;
  while (current.$ref !== undefined) {
    name = current.$ref;
    const next = structures.get(name);
    if (next === undefined) throw new Error(`no schema is called ${name}`);
    current = next;
  }
  return name === undefined ? { structure: current } : { structure: current, name };
}
