// patches, patchesStrategicMerge and patchesJson6902 of a kustomization.
import * as posix from 'node:path/posix';
import { parse } from 'yaml';
import { parseLabelSelector } from '../../../api/index.ts';
import { ErrnoError } from '../../../../network/index.ts';
import type { Process } from '../../../../linux/kernel/index.ts';
import { CommandError } from '../../frame/command-error.ts';
import { jsonPatch } from '../apply-patch.ts';
import { parseManifest, type AnyObject } from '../builder.ts';
import type { Item, Kustomization, Patch, PatchTarget } from './kustomization.ts';

type Tree = Record<string, unknown>;
type JsonPatch = Parameters<typeof jsonPatch>[1];

/** By which key the elements of a list are told apart, as far as it goes by the list's name. */
const MERGE_KEYS: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  ephemeralContainers: 'name',
  env: 'name',
  volumes: 'name',
  imagePullSecrets: 'name',
  volumeMounts: 'mountPath',
  volumeDevices: 'devicePath',
  hostAliases: 'ip',
  topologySpreadConstraints: 'topologyKey',
  webhooks: 'name',
};

/** The items after all patches; those that a patch deletes are gone. Throws CommandError in kustomize's words. */
export function patched(
  proc: Process,
  root: string,
  { patchesStrategicMerge = [], patches = [], patchesJson6902 = [] }: Kustomization,
  before: readonly Item[],
): Item[] {
  let items = [...before];
  for (const entry of patchesStrategicMerge) {
    const isFile = !entry.includes('\n') && proc.fs.exists(posix.join(root, entry));
    const text = isFile ? proc.fs.readText(posix.join(root, entry)) : entry;
    for (const { object } of parseManifest(text, entry)) items = mergeIn(items, object, undefined);
  }
  for (const patch of [...patches, ...patchesJson6902]) {
    const text = patch.patch ?? textAt(proc, root, patch);
    const value: unknown = parse(text, { version: '1.1' });
    if (Array.isArray(value)) {
      if (patch.target === undefined)
        throw new CommandError(`must specify a target for JSON patch [${text.trim()}]`);
      for (const item of items)
        if (isTarget(item, patch.target)) item.object = jsonPatch(item.object, value as JsonPatch);
    } else
      for (const { object } of parseManifest(text, patch.path ?? 'patch'))
        items = mergeIn(items, object, patch.target);
  }
  return items;
}

function textAt(proc: Process, root: string, { path = '' }: Patch): string {
  const full = posix.join(root, path);
  try {
    return proc.fs.readText(full);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new CommandError(
      `trouble configuring builtin PatchTransformer with config: \`\npath: ${path}\n\`: failed to get the patch file from path(${path}): evalsymlink failure on '${full}' : lstat ${full}: no such file or directory`,
    );
  }
}

function mergeIn(items: readonly Item[], patch: AnyObject, target: PatchTarget | undefined): Item[] {
  const isPatched = (item: Item): boolean =>
    target === undefined
      ? item.object.kind === patch.kind &&
        groupOf(item.object) === groupOf(patch) &&
        item.names.has(patch.metadata?.name ?? '')
      : isTarget(item, target);
  if (target === undefined && !items.some(isPatched)) {
    const id = idOf(patch);
    throw new CommandError(
      `no resource matches strategic merge patch ${JSON.stringify(id)}: no matches for Id ${id}; failed to find unique target for patch ${id}`,
    );
  }
  return items.flatMap((item) => {
    if (!isPatched(item)) return [item];
    if ((patch as Tree)['$patch'] === 'delete') return [];
    const { apiVersion, kind } = item.object;
    const merged = merge(item.object, patch, '') as AnyObject;
    const metadata = { ...merged.metadata, name: item.object.metadata?.name };
    return [{ ...item, object: { ...merged, apiVersion, kind, metadata } as AnyObject }];
  });
}

function groupOf({ apiVersion = '' }: AnyObject): string {
  return apiVersion.includes('/') ? apiVersion.split('/')[0]! : '';
}

/** `Pod.v1.[noGrp]/z.[noNs]`: how kustomize names an object. */
function idOf({ apiVersion = '', kind = '', metadata }: AnyObject): string {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['[noGrp]', apiVersion];
  return `${kind}.${version}.${group}/${metadata?.name ?? ''}.${metadata?.namespace ?? '[noNs]'}`;
}

function isTarget({ object, names }: Item, target: PatchTarget): boolean {
  const version = (object.apiVersion ?? '').split('/').at(-1)!;
  const fits = (pattern: string | undefined, values: Iterable<string>): boolean =>
    pattern === undefined || [...values].some((value) => new RegExp(`^(?:${pattern})$`).test(value));
  const selects = (selector: string | undefined, values: Readonly<Record<string, string>> = {}): boolean =>
    selector === undefined || parseLabelSelector(selector).matches(values);
  return (
    fits(target.group, [groupOf(object)]) &&
    fits(target.version, [version]) &&
    fits(target.kind, [object.kind ?? '']) &&
    fits(target.name, names) &&
    fits(target.namespace, [object.metadata?.namespace ?? 'default']) &&
    selects(target.labelSelector, object.metadata?.labels) &&
    selects(target.annotationSelector, object.metadata?.annotations)
  );
}

/** A strategic merge that puts what is new in a list before what was there, as kustomize does. */
function merge(target: unknown, patch: unknown, name: string): unknown {
  if (Array.isArray(patch)) return mergeLists(target, patch, name);
  if (typeof patch !== 'object' || patch === null) return patch;
  const { $patch: directive, ...fields } = patch as Tree;
  if (directive === 'replace') return fields;
  const result: Tree = typeof target === 'object' && target !== null ? { ...(target as Tree) } : {};
  for (const [key, value] of Object.entries(fields)) {
    if (value === null || (value as Tree)['$patch'] === 'delete') delete result[key];
    else if (!key.startsWith('$')) result[key] = merge(result[key], value, key);
  }
  return result;
}

function mergeLists(target: unknown, patch: readonly unknown[], name: string): unknown {
  const trees = patch as readonly Tree[];
  const replaces = trees.some((each) => each?.['$patch'] === 'replace');
  const plain = trees.filter((each) => each?.['$patch'] !== 'replace');
  const key = name === 'ports' ? portKey(plain, target) : MERGE_KEYS[name];
  if (key === undefined || replaces || !Array.isArray(target)) return plain;
  const old = target as readonly Tree[];
  const named = plain.map((each) => each[key]);
  const merged = plain
    .filter((each) => each['$patch'] !== 'delete')
    .map((each) =>
      merge(
        old.find((before) => before[key] === each[key]),
        each,
        name,
      ),
    );
  return [...merged, ...old.filter((each) => !named.includes(each[key]))];
}

function portKey(patch: readonly Tree[], target: unknown): string | undefined {
  const all = [...patch, ...(Array.isArray(target) ? (target as Tree[]) : [])];
  return ['containerPort', 'port'].find((key) => all.every((each) => each[key] !== undefined));
}
