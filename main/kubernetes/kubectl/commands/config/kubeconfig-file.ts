// Kubeconfig files as trees that can be changed and written back (clientcmd.ModifyConfig).
import { parse } from 'yaml';
import { toYaml } from '../../output/yaml.ts';
import type { Invocation } from '../../frame/command.ts';

/** A file as it is, with lists of named entries. */
export interface ConfigTree {
  apiVersion?: string;
  kind?: string;
  preferences?: unknown;
  'current-context'?: string;
  clusters?: unknown[] | null;
  contexts?: unknown[] | null;
  users?: unknown[] | null;
}

export interface NamedEntry {
  readonly name: string;
  readonly value: Readonly<Record<string, unknown>>;
}

const MEMBERS = { clusters: 'cluster', contexts: 'context', users: 'user' } as const;

export function entriesOf(tree: ConfigTree, section: keyof typeof MEMBERS): NamedEntry[] {
  return ((tree[section] ?? []) as Record<string, unknown>[]).map((entry) => ({
    name: entry['name'] as string,
    value: (entry[MEMBERS[section]] ?? {}) as Record<string, unknown>,
  }));
}

function readFile({ proc }: Invocation, path: string): ConfigTree {
  if (!proc.fs.exists(path)) return {};
  return (parse(proc.fs.readText(path)) ?? {}) as ConfigTree;
}

/** All files as one: by name, the first that has an entry wins. */
export function readMerged(invocation: Invocation): ConfigTree {
  const merged: Required<Pick<ConfigTree, 'clusters' | 'contexts' | 'users'>> & ConfigTree = {
    clusters: [],
    contexts: [],
    users: [],
  };
  for (const file of invocation.kubectl.kubeconfigFiles) {
    const tree = readFile(invocation, file);
    merged['current-context'] = merged['current-context'] || tree['current-context'];
    for (const section of ['clusters', 'contexts', 'users'] as const) {
      for (const entry of (tree[section] ?? []) as { name: string }[]) {
        if (!(merged[section] as { name: string }[]).some(({ name }) => name === entry.name))
          merged[section]!.push(entry);
      }
    }
  }
  return merged;
}

/** Changes the file that holds `property` (such as `contexts.dev`), or else the first that exists, or else the last named. */
export function changeConfig(
  invocation: Invocation,
  property: string,
  change: (tree: ConfigTree) => void,
): void {
  const { kubectl, proc } = invocation;
  const files = kubectl.kubeconfigFiles;
  const [section = '', ...rest] = property.split('.');
  const holds = (file: string): boolean => {
    const tree = readFile(invocation, file);
    if (section === 'current-context') return (tree['current-context'] ?? '') !== '';
    return entriesOf(tree, section as keyof typeof MEMBERS).some(
      ({ name }) => rest.join('.') === name || rest.slice(0, -1).join('.') === name,
    );
  };
  const file = files.find(holds) ?? files.find((each) => proc.fs.exists(each)) ?? files.at(-1)!;
  const tree = readFile(invocation, file);
  change(tree);
  const folder = file.slice(0, file.lastIndexOf('/'));
  if (folder !== '' && !proc.fs.exists(folder)) proc.fs.mkdir(folder, { recursive: true });
  proc.fs.writeFile(file, toYaml({ ...completed(tree) }), { mode: 0o600 });
}

/** With all the members that clientcmd writes. */
export function completed(tree: ConfigTree): Required<ConfigTree> {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    preferences: tree.preferences ?? {},
    'current-context': tree['current-context'] ?? '',
    clusters: nullIfEmpty(tree.clusters),
    contexts: nullIfEmpty(tree.contexts),
    users: nullIfEmpty(tree.users),
  };
}

function nullIfEmpty(list: unknown[] | null | undefined): unknown[] | null {
  return list === null || list === undefined || list.length === 0 ? null : list;
}
