// Objects of custom resources: decoded and pruned by their definition's structural schema.
import type { Served } from '../catalogue.ts';
import { cloneTree, isTree, type Tree } from '../object.ts';
import { decodeAs, type DecodeNotes } from '../schema/decode.ts';
import { pruned } from './shaping.ts';

const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/** Decodes metadata and drops what the schema doesn't know. The result is a copy. */
export function pruneCustom(served: Served, tree: Tree, notes: DecodeNotes): Tree {
  const { metadata, ...rest } = tree;
  notes.path.push('metadata');
  const decoded = isTree(metadata) ? decodeAs(OBJECT_META, metadata, notes) : {};
  notes.path.pop();
  const unknown: string[] = [];
  const kept = pruned(rest, served.kind.custom?.schema ?? FREE, '', unknown, true) as Tree;
  notes.unknown.push(...unknown.sort());
  return { ...cloneTree(kept), metadata: decoded };
}

/** The schema of what has none. */
const FREE = { 'x-kubernetes-preserve-unknown-fields': true } as const;
