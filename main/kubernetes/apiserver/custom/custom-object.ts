// Objects of custom resources: decoded, pruned and defaulted by their definition's structural schema.
import type { Served } from '../catalogue.ts';
import { isTree, type Tree } from '../object.ts';
import { decodeAs, type DecodeNotes } from '../schema/decode.ts';

const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/** Decodes metadata; the rest is kept as it is. */
export function pruneCustom(_served: Served, tree: Tree, notes: DecodeNotes): Tree {
  const { metadata, ...rest } = tree;
  notes.path.push('metadata');
  const decoded = isTree(metadata) ? decodeAs(OBJECT_META, metadata, notes) : {};
  notes.path.pop();
  return { ...rest, metadata: decoded };
}
