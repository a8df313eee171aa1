// References by name follow when the object they name has got another name.
import type { AnyObject } from '../builder.ts';
import type { Item } from './kustomization.ts';

type Tree = Record<string, unknown>;

/** Which kind a field's name is of, by the keys on the way to it, innermost last; `*` is any key. */
const REFERENCES: readonly (readonly [kind: string, ...path: string[]])[] = [
  ['ConfigMap', 'configMapRef', 'name'],
  ['ConfigMap', 'configMapKeyRef', 'name'],
  ['ConfigMap', 'configMap', 'name'],
  ['Secret', 'secretRef', 'name'],
  ['Secret', 'secretKeyRef', 'name'],
  ['Secret', 'imagePullSecrets', 'name'],
  ['Secret', 'secret', 'secretName'],
  ['Secret', 'secret', 'name'],
  ['Secret', 'secrets', 'name'],
  ['Secret', 'tls', 'secretName'],
  ['ServiceAccount', 'spec', 'serviceAccountName'],
  ['PersistentVolumeClaim', 'persistentVolumeClaim', 'claimName'],
  ['PersistentVolume', 'spec', 'volumeName'],
  ['StorageClass', 'spec', 'storageClassName'],
  ['PriorityClass', 'spec', 'priorityClassName'],
  ['IngressClass', 'spec', 'ingressClassName'],
  ['Service', 'service', 'name'],
  ['Service', 'backend', 'serviceName'],
  ['Service', 'spec', 'serviceName'],
];

/** Brings every reference among the items up to date. May be repeated. */
export function followNames(items: readonly Item[]): void {
  const nameOf = (kind: string, name: string): string => {
    const target = items.find((item) => item.object.kind === kind && item.names.has(name));
    return target?.object.metadata?.name ?? name;
  };
  for (const item of items) {
    const object = structuredClone(item.object);
    for (const [key, value] of Object.entries(object)) if (key !== 'metadata') walk(value, [key], nameOf);
    followSubjects(object, nameOf);
    item.object = object;
  }
  for (const { object, names } of items) names.add(object.metadata?.name ?? '');
}

type NameOf = (kind: string, name: string) => string;

function walk(value: unknown, path: readonly string[], nameOf: NameOf): void {
  if (Array.isArray(value)) return value.forEach((each) => walk(each, path, nameOf));
  if (typeof value !== 'object' || value === null) return;
  const tree = value as Tree;
  for (const [key, inner] of Object.entries(tree)) {
    const here = [...path, key];
    if (typeof inner !== 'string') {
      walk(inner, here, nameOf);
      continue;
    }
    for (const [kind, ...keys] of REFERENCES)
      if (keys.every((each, index) => here.at(index - keys.length) === each)) tree[key] = nameOf(kind, inner);
    if (
      key === 'name' &&
      (path.at(-1) === 'scaleTargetRef' || path.at(-1) === 'roleRef') &&
      typeof tree['kind'] === 'string'
    )
      tree[key] = nameOf(tree['kind'], inner);
  }
}

function followSubjects(object: AnyObject, nameOf: NameOf): void {
  for (const subject of (object['subjects'] ?? []) as { kind?: string; name: string }[])
    if (subject.kind === 'ServiceAccount') subject.name = nameOf('ServiceAccount', subject.name);
}
