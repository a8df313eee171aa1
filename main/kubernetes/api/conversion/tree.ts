// What conversions do to plain objects: they copy, and leave what they were given as it is.

/** A JSON object. */
export type Tree = { [key: string]: unknown };

/** How one version of a kind maps to the stored one. Type fields (apiVersion, kind) are the caller's. */
export interface Conversion {
  /** Fills in what this version fills in by itself; the stored version's defaults come after it, on the stored form. */
  readonly defaults?: (object: Tree) => void;
  readonly toStored: (object: Tree) => Tree;
  readonly fromStored: (object: Tree) => Tree;
}

/** A member that is an object; the empty object if it isn't there. */
export function treeAt(tree: Tree, member: string): Tree {
  const value = tree[member];
  return isTree(value) ? value : {};
}

/** A member that is a list; the empty list if it isn't there. */
export function listAt(tree: Tree, member: string): Tree[] {
  const value = tree[member];
  return Array.isArray(value) ? (value as Tree[]) : [];
}

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object with one member changed, where it has that member. */
export function mapMember(tree: Tree, member: string, change: (value: Tree) => Tree): Tree {
  const value = tree[member];
  return isTree(value) ? { ...tree, [member]: change(value) } : tree;
}

/** The object with one list changed item by item, where it has that list. */
export function mapList(tree: Tree, member: string, change: (value: Tree) => Tree): Tree {
  const value = tree[member];
  return Array.isArray(value)
    ? { ...tree, [member]: value.map((item) => (isTree(item) ? change(item) : (item as unknown))) }
    : tree;
}

/** The object without these members. */
export function without(tree: Tree, ...members: readonly string[]): Tree {
  const copy = { ...tree };
  for (const member of members) delete copy[member];
  return copy;
}

/** The member under another name. */
export function renamed(tree: Tree, from: string, to: string): Tree {
  if (tree[from] === undefined) return tree;
  return { ...without(tree, from), [to]: tree[from] };
}

/** The members that are there. */
export function present(members: Tree): Tree {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

export function annotationOf(object: Tree, name: string): string | undefined {
  const value = treeAt(treeAt(object, 'metadata'), 'annotations')[name];
  return typeof value === 'string' ? value : undefined;
}

/** The object with annotations set, or (undefined) taken away. */
export function withAnnotations(object: Tree, changes: Readonly<Record<string, string | undefined>>): Tree {
  const metadata = treeAt(object, 'metadata');
  const before = treeAt(metadata, 'annotations');
  const names = Object.keys(changes).filter((name) => changes[name] !== before[name]);
  if (names.length === 0) return object;
  const annotations = present({ ...before, ...changes });
  return {
    ...object,
    metadata:
      Object.keys(annotations).length === 0 ? without(metadata, 'annotations') : { ...metadata, annotations },
  };
}
