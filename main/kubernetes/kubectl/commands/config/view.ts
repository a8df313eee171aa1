// kubectl config view: the merged configuration, secrets left out unless asked for.
import { CommandError } from '../../frame/command-error.ts';
import type { Command, Invocation } from '../../frame/command.ts';
import { objectPrinter } from '../../output/printer.ts';
import { completed, readMerged, type ConfigTree } from './kubeconfig-file.ts';

const HIDDEN: Readonly<Record<string, string>> = {
  'certificate-authority-data': 'DATA+OMITTED',
  'client-certificate-data': 'DATA+OMITTED',
  'client-key-data': 'DATA+OMITTED',
  token: 'REDACTED',
  password: 'REDACTED',
};

export const configView: Command = { name: 'view', run: runView };

async function runView({ kubectl, flags, proc, ...rest }: Invocation): Promise<number> {
  const invocation = { kubectl, flags, proc, ...rest };
  if (rest.args.length > 0)
    throw new CommandError(
      `unexpected arguments: [${rest.args.join(' ')}]\nSee '${rest.path} -h' for help and examples`,
    );
  let tree: ConfigTree = readMerged(invocation);
  if (flags.bool('minify')) tree = minified(tree, kubectl.flags.string('context'));
  const shown = completed(flags.bool('raw') ? tree : redacted(tree));
  const format = flags.string('output') || 'yaml';
  const print = objectPrinter(format, flags, proc);
  if (print === undefined)
    throw new CommandError(`unable to match a printer suitable for the output format "${format}"`);
  await kubectl.out(format === 'json' ? `${JSON.stringify(inGoOrder(shown), undefined, 4)}\n` : print(shown));
  return 0;
}

/** The order of the Go type's fields. */
function inGoOrder(tree: Required<ConfigTree>): object {
  const named = (list: unknown[] | null): unknown[] | null =>
    (list as Record<string, unknown>[] | null)?.map(({ name, ...others }) => ({ name, ...others })) ?? null;
  return {
    kind: tree.kind,
    apiVersion: tree.apiVersion,
    preferences: tree.preferences,
    clusters: named(tree.clusters),
    users: named(tree.users),
    contexts: named(tree.contexts),
    'current-context': tree['current-context'],
  };
}

function minified(tree: ConfigTree, contextName: string): ConfigTree {
  const current = contextName || (tree['current-context'] ?? '');
  if (current === '') throw new CommandError('current-context must exist in order to minify');
  const contexts = (
    (tree.contexts ?? []) as { name: string; context: { cluster?: string; user?: string } }[]
  ).filter(({ name }) => name === current);
  const [context] = contexts;
  if (context === undefined) throw new CommandError(`cannot locate context ${current}`);
  const by = (list: unknown[] | null | undefined, name: string | undefined): unknown[] =>
    ((list ?? []) as { name: string }[]).filter((entry) => entry.name === name);
  return {
    ...tree,
    'current-context': current,
    contexts,
    clusters: by(tree.clusters, context.context.cluster),
    users: by(tree.users, context.context.user),
  };
}

function redacted(tree: ConfigTree): ConfigTree {
  const text = JSON.stringify(tree, (key, value: unknown) =>
    HIDDEN[key] !== undefined && typeof value === 'string' && value !== '' ? HIDDEN[key] : value,
  );
  return JSON.parse(text) as ConfigTree;
}
