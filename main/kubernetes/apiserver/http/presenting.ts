// Objects and lists in the form a client asked for: whole, as a Table, or metadata only.
import type { List } from '../../api/meta.ts';
import type { Served } from '../catalogue.ts';
import type { StoredObject, Tree } from '../object.ts';
import { badRequest, failure } from '../refusals.ts';
import { printerOf } from '../table/printers.ts';
import type { Cell, Column } from '../kinds/kind.ts';
import type { Wanted } from './negotiation.ts';

const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

export interface Presentation {
  readonly wanted: Wanted;
  readonly includeObject: 'Metadata' | 'Object' | 'None';
  readonly nowMs: number;
}

/** Reads the includeObject parameter. Throws 400. */
export function includeObjectOf(query: URLSearchParams, wanted: Wanted): Presentation['includeObject'] {
  const text = query.get('includeObject') ?? '';
  if (wanted.as !== 'Table' || text === '' || text === 'Metadata') return 'Metadata';
  if (text === 'Object' || text === 'None') return text;
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(text)}: must be 'Metadata', 'Object', 'None', or empty`,
  );
}

/** One object in the wanted form. Throws 406. */
export function presentObject(served: Served, object: StoredObject, presentation: Presentation): unknown {
  const { wanted } = presentation;
  switch (wanted.as) {
    case 'Table':
      return tableOf(
        served,
        [object],
        { resourceVersion: object.metadata.resourceVersion },
        presentation,
        true,
      );
    case 'PartialObjectMetadata':
      return partial(served, object, wanted);
    case 'PartialObjectMetadataList':
      throw failure(
        406,
        'NotAcceptable',
        `you requested PartialObjectMetadataList, but the requested object is not a list (*core.${object.kind})`,
      );
    default:
      return served.view?.(object) ?? object;
  }
}

/** A list in the wanted form. Throws 406. */
export function presentList(served: Served, list: List<StoredObject>, presentation: Presentation): unknown {
  const { wanted } = presentation;
  switch (wanted.as) {
    case 'Table':
      return tableOf(served, list.items, list.metadata, presentation, true);
    case 'PartialObjectMetadataList':
      return {
        kind: 'PartialObjectMetadataList',
        apiVersion: `meta.k8s.io/${wanted.asVersion}`,
        metadata: list.metadata,
        items: list.items.map((object) => partial(served, object, wanted)),
      };
    case 'PartialObjectMetadata':
      throw failure(
        406,
        'NotAcceptable',
        `you requested PartialObjectMetadata, but the requested object is a list (*core.${list.kind})`,
      );
    default:
      return {
        kind: list.kind,
        apiVersion: list.apiVersion,
        metadata: list.metadata,
        items:
          served.schemaName === undefined
            ? list.items
            : list.items.map((object) => withoutType(served.view?.(object) ?? object)),
      };
  }
}

/** Items of typed lists come without kind and apiVersion. */
function withoutType(object: StoredObject): Tree {
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = object;
  return rest;
}

function partial(served: Served, object: StoredObject, wanted: Wanted): unknown {
  return {
    kind: 'PartialObjectMetadata',
    apiVersion: `meta.k8s.io/${wanted.asVersion}`,
    metadata: metadataOf(served.view?.(object) ?? object),
  };
}

/** The count of a DaemonSet's templates is an annotation of the whole object only. */
function metadataOf({ kind, metadata }: StoredObject): StoredObject['metadata'] {
  if (kind !== 'DaemonSet' || metadata.annotations?.[TEMPLATE_GENERATION] === undefined) return metadata;
  const { annotations, ...rest } = metadata;
  const { [TEMPLATE_GENERATION]: _count, ...others } = annotations;
  return Object.keys(others).length === 0 ? rest : { ...rest, annotations: others };
}

/** Rows of finished pods say so, and kubectl can hide them. */
function rowConditions({ kind, status }: StoredObject): { conditions?: unknown } {
  if (kind !== 'Pod') return {};
  const { phase } = (status ?? {}) as { phase?: string };
  if (phase !== 'Succeeded' && phase !== 'Failed') return {};
  const message = phase === 'Succeeded' ? 'The pod has completed successfully.' : 'The pod failed.';
  return { conditions: [{ type: 'Completed', status: 'True', reason: phase, message }] };
}

export interface Table {
  readonly kind: 'Table';
  readonly apiVersion: string;
  readonly metadata: unknown;
  readonly columnDefinitions: readonly Column[] | null;
  readonly rows: readonly { readonly cells: readonly Cell[]; readonly object: unknown }[];
}

/** Bookmarks have no name; their rows show an empty one. */
function named(object: StoredObject): StoredObject {
  if ((object.metadata.name as string | undefined) !== undefined) return object;
  return { ...object, metadata: { ...object.metadata, name: '' } };
}

/** A Table of objects; watches leave the columns out after the first event. */
export function tableOf(
  served: Served,
  objects: readonly StoredObject[],
  metadata: unknown,
  { wanted, includeObject, nowMs }: Presentation,
  withColumns: boolean,
): Table {
  const printer = printerOf(served.kind, objects[0]?.kind);
  const sorted = printer.order === undefined ? objects : objects.toSorted(printer.order);
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${wanted.asVersion}`,
    metadata,
    columnDefinitions: withColumns ? printer.columns : null,
    rows: sorted.map((object) => ({
      cells: printer.row(named(object), nowMs),
      ...rowConditions(object),
      object:
        includeObject === 'None'
          ? null
          : includeObject === 'Object'
            ? (served.view?.(object) ?? object)
            : partial(served, object, wanted),
    })),
  };
}
