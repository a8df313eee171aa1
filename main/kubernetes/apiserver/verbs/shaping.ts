// From a parsed body to an object of a kind: decoded by its schema, unknown fields judged, defaults filled in.
import type { Served } from '../catalogue.ts';
import { apiVersionOf } from '../../api/meta.ts';
import type { ApiObject, Tree } from '../object.ts';
import { DecodeNotes, decodeAs } from '../schema/decode.ts';
import { pruneCustom } from '../custom/custom-object.ts';

export interface Shaped {
  readonly object: ApiObject;
  /** Go's text for a value that doesn't fit, or undefined. */
  readonly error: string | undefined;
  /** Paths of unknown fields. */
  readonly unknown: readonly string[];
}

/** Decodes a tree as the served kind. Type and defaults are filled in even if there is an error. */
export function shape(served: Served, tree: Tree): Shaped {
  const notes = new DecodeNotes();
  const decoded =
    served.schemaName === undefined
      ? pruneCustom(served, tree, notes)
      : decodeAs(served.schemaName, tree, notes);
  const { apiVersion: _apiVersion, kind: _kind, metadata, ...body } = decoded;
  const object: ApiObject = {
    kind: served.resource.kind,
    apiVersion: apiVersionOf(served.resource),
    metadata: (metadata as ApiObject['metadata']) ?? {},
    ...body,
  };
  if (notes.error === undefined) served.kind.defaults?.(object);
  return { object, error: notes.error, unknown: notes.unknown };
}
