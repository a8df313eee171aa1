// configMapGenerator and secretGenerator.
import * as posix from 'node:path/posix';
import type { Process } from '../../../../linux/kernel/index.ts';
import { CommandError } from '../../frame/command-error.ts';
import type { AnyObject } from '../builder.ts';
import { entriesOf, type DataEntry } from '../data-sources.ts';
import type { Generator, Item, Kustomization } from './kustomization.ts';

/** The items with what is generated: added, or merged into what a base generated. Throws CommandError. */
export function generated(
  proc: Process,
  root: string,
  kustomization: Kustomization,
  before: readonly Item[],
): Item[] {
  const items = [...before];
  const { generatorOptions, configMapGenerator = [], secretGenerator = [] } = kustomization;
  const all = [
    ...configMapGenerator.map((generator) => ({ generator, kind: 'ConfigMap' as const })),
    ...secretGenerator.map((generator) => ({ generator, kind: 'Secret' as const })),
  ];
  for (const { generator, kind } of all) {
    const options = { ...generatorOptions, ...generator.options };
    const object = objectOf(proc, root, kind, {
      ...generator,
      options: {
        ...options,
        labels: { ...generatorOptions?.labels, ...generator.options?.labels },
        annotations: { ...generatorOptions?.annotations, ...generator.options?.annotations },
      },
    });
    const { behavior = 'create', name } = generator;
    const index = items.findIndex((item) => item.object.kind === kind && item.names.has(name));
    if (behavior === 'create') {
      if (index !== -1)
        throw new CommandError(
          `merging from generator ${name}: id resid.ResId{Gvk:resid.Gvk{Group:"", Version:"v1", Kind:"${kind}", isClusterScoped:false}, Name:"${name}", Namespace:"${generator.namespace ?? ''}"} exists; behavior must be merge or replace`,
        );
      items.push({ object, names: new Set([name]), needsHash: options.disableNameSuffixHash !== true });
      continue;
    }
    if (index === -1)
      throw new CommandError(
        `merging from generator ${name}: id resid.ResId{Gvk:resid.Gvk{Group:"", Version:"v1", Kind:"${kind}", isClusterScoped:false}, Name:"${name}", Namespace:"${generator.namespace ?? ''}"} does not exist; cannot merge or replace`,
      );
    const old = items[index]!;
    const merged = {
      ...object,
      metadata: { ...old.object.metadata, ...object.metadata, name: old.object.metadata?.name },
      ...(behavior === 'merge'
        ? { data: { ...(old.object['data'] as object), ...(object['data'] as object) } }
        : {}),
    } as AnyObject;
    items[index] = { ...old, object: merged, needsHash: options.disableNameSuffixHash !== true };
  }
  return items;
}

function objectOf(
  proc: Process,
  root: string,
  kind: 'ConfigMap' | 'Secret',
  generator: Generator,
): AnyObject {
  const { name, namespace, literals = [], files = [], envs = [], env, type, options = {} } = generator;
  const below = (source: string): string => {
    const equals = source.indexOf('=');
    return equals === -1
      ? posix.join(root, source)
      : `${source.slice(0, equals + 1)}${posix.join(root, source.slice(equals + 1))}`;
  };
  const entries = entriesOf(proc, {
    literals,
    files: files.map(below),
    envFiles: [...envs, ...(env === undefined ? [] : [env])].map(below),
  });
  const { labels = {}, annotations = {} } = options;
  return {
    apiVersion: 'v1',
    kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    },
    ...(kind === 'Secret' ? { type: type ?? 'Opaque' } : {}),
    ...(options.immutable === true ? { immutable: true } : {}),
    ...dataOf(kind, entries),
  } as AnyObject;
}

function dataOf(kind: 'ConfigMap' | 'Secret', entries: readonly DataEntry[]): object {
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  if (kind === 'Secret')
    return entries.length === 0
      ? {}
      : { data: Object.fromEntries(entries.map(({ key, bytes }) => [key, base64(bytes)])) };
  const isText = ({ bytes }: DataEntry): boolean =>
    Buffer.from(Buffer.from(bytes).toString('utf8')).equals(Buffer.from(bytes));
  const data = entries.filter(isText).map(({ key, bytes }) => [key, Buffer.from(bytes).toString('utf8')]);
  const binary = entries.filter((entry) => !isText(entry)).map(({ key, bytes }) => [key, base64(bytes)]);
  return {
    ...(data.length > 0 ? { data: Object.fromEntries(data) as object } : {}),
    ...(binary.length > 0 ? { binaryData: Object.fromEntries(binary) as object } : {}),
  };
}
