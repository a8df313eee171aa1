// kustomize build, as far as kubectl kustomize and -k need it: resources, generators, transformers, names that follow.
import * as posix from 'node:path/posix';
import { parse } from 'yaml';
import { ErrnoError } from '../../../../network/index.ts';
import type { Process } from '../../../../linux/kernel/index.ts';
import { CommandError } from '../../frame/command-error.ts';
import type { Kubectl } from '../../kubectl.ts';
import { parseManifest, type AnyObject } from '../builder.ts';
import { contentHash } from '../content-hash.ts';
import { generated } from './generators.ts';
import { inLegacyOrder } from './legacy-order.ts';
import { followNames } from './name-references.ts';
import { patched } from './patches.ts';
import { transform } from './transformers.ts';
import { DEPRECATED, KNOWN_FIELDS, UNSIMULATED, type Item, type Kustomization } from './kustomization.ts';

const FILE_NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/** The objects of a folder with a kustomization, in kubectl's order. Throws CommandError in kustomize's words. */
export async function buildKustomization(kubectl: Kubectl, folder: string): Promise<AnyObject[]> {
  const root = rootOf(kubectl.proc, folder, folder);
  const warnings: string[] = [];
  const items = accumulate(kubectl.proc, root, warnings);
  for (const warning of warnings) await kubectl.err(`# Warning: ${warning}\n`);
  for (const item of items) {
    if (!item.needsHash) continue;
    const { metadata } = item.object;
    const hash = contentHash(item.object, '');
    item.object = { ...item.object, metadata: { ...metadata, name: `${metadata?.name ?? ''}-${hash}` } };
  }
  followNames(items);
  return inLegacyOrder(items.map(({ object }) => object));
}

function rootOf(proc: Process, folder: string, asked: string): string {
  const path = posix.resolve(proc.cwd, folder);
  try {
    if (proc.fs.stat(path).type === 'directory') return path;
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new CommandError(
      `must build at directory: not a valid directory: evalsymlink failure on '${asked}' : lstat ${path}: no such file or directory`,
    );
  }
  throw new CommandError(`must build at directory: '${asked}': file is not directory`);
}

function accumulate(proc: Process, root: string, warnings: string[]): Item[] {
  const kustomization = load(proc, root, warnings);
  const resources = [...(kustomization.resources ?? []), ...(kustomization.bases ?? [])];
  let items = resources.flatMap((path) => resourceAt(proc, root, path, warnings));
  for (const component of kustomization.components ?? [])
    items = applied(proc, posix.resolve(root, component), items, warnings);
  return finish(proc, root, kustomization, items);
}

/** A component works on what there is already. */
function applied(proc: Process, root: string, before: Item[], warnings: string[]): Item[] {
  const kustomization = load(proc, root, warnings);
  const own = (kustomization.resources ?? []).flatMap((path) => resourceAt(proc, root, path, warnings));
  return finish(proc, root, kustomization, [...before, ...own]);
}

function finish(proc: Process, root: string, kustomization: Kustomization, before: Item[]): Item[] {
  const items = generated(proc, root, kustomization, before);
  const after = patched(proc, root, kustomization, items);
  transform(kustomization, after);
  return after;
}

function load(proc: Process, root: string, warnings: string[]): Kustomization {
  const found = FILE_NAMES.filter((name) => proc.fs.exists(`${root}/${name}`));
  if (found.length === 0)
    throw new CommandError(
      `unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '${root}'`,
    );
  if (found.length > 1) throw new CommandError(`Found multiple kustomization files: ${found.join(', ')}\n`);
  const text = proc.fs.readText(`${root}/${found[0]!}`);
  if (text === '') throw new CommandError('kustomization.yaml is empty');
  const value = parsed(text);
  const unknown = Object.keys(value).find((key) => !KNOWN_FIELDS.includes(key) && !UNSIMULATED.includes(key));
  if (unknown !== undefined)
    throw new CommandError(`invalid Kustomization: json: unknown field ${JSON.stringify(unknown)}`);
  const missing = Object.keys(value).find((key) => UNSIMULATED.includes(key));
  if (missing !== undefined)
    throw new CommandError(`drydock: ${missing} in a kustomization isn't simulated`, 'plain');
  for (const [field, better] of DEPRECATED) {
    if (field in value)
      warnings.push(
        `'${field}' is deprecated. Please use '${better}' instead. Run 'kustomize edit fix' to update your Kustomization automatically.`,
      );
  }
  return value as Kustomization;
}

function parsed(text: string): Record<string, unknown> {
  try {
    return (parse(text, { version: '1.1', merge: true }) ?? {}) as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new CommandError('invalid Kustomization: yaml: mapping values are not allowed in this context');
  }
}

function resourceAt(proc: Process, root: string, path: string, warnings: string[]): Item[] {
  if (/^https?:\/\//.test(path) || /^(git@|ssh:)/.test(path))
    throw new CommandError(
      `drydock: the remote resource ${path} of a kustomization isn't simulated`,
      'plain',
    );
  const full = posix.resolve(root, path);
  let isFolder: boolean;
  try {
    isFolder = proc.fs.stat(full).type === 'directory';
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    const why = `evalsymlink failure on '${full}' : lstat ${full}: no such file or directory`;
    throw new CommandError(
      `accumulating resources: accumulation err='accumulating resources from '${path}': ${why}': must build at directory: not a valid directory: ${why}`,
    );
  }
  if (isFolder) {
    const inside = accumulate(proc, full, warnings);
    followNames(inside);
    return inside;
  }
  return parseManifest(proc.fs.readText(full), full).map(({ object }) => itemOf(object));
}

function itemOf(object: AnyObject): Item {
  const name = object.metadata?.name ?? '';
  return { object, names: new Set([name]), needsHash: false };
}
