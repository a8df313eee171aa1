// kubectl config: shows and changes kubeconfig files.
import { CommandError } from '../../frame/command-error.ts';
import type { Command, Invocation } from '../../frame/command.ts';
import { formatTable } from '../../output/table.ts';
import { changeConfig, entriesOf, readMerged, type ConfigTree } from './kubeconfig-file.ts';
import { configView } from './view.ts';

export const config: Command = {
  name: 'config',
  commands: [
    { name: 'current-context', run: runCurrentContext },
    { name: 'delete-cluster', run: (invocation) => removeEntry(invocation, 'clusters', 'cluster') },
    { name: 'delete-context', run: (invocation) => removeEntry(invocation, 'contexts', 'context') },
    { name: 'delete-user', run: (invocation) => removeEntry(invocation, 'users', 'user') },
    { name: 'get-clusters', run: (invocation) => listNames(invocation, 'clusters') },
    { name: 'get-contexts', run: runGetContexts },
    { name: 'get-users', run: (invocation) => listNames(invocation, 'users') },
    { name: 'rename-context', run: runRenameContext },
    { name: 'set', run: runSet },
    { name: 'set-cluster', run: runSetCluster },
    { name: 'set-context', run: runSetContext },
    { name: 'set-credentials', run: runSetCredentials },
    { name: 'unset', run: runUnset },
    { name: 'use-context', aliases: ['use'], run: runUseContext },
    configView,
  ],
};

type Section = 'clusters' | 'contexts' | 'users';

async function runCurrentContext(invocation: Invocation): Promise<number> {
  const current = readMerged(invocation)['current-context'];
  if (current === undefined || current === '') throw new CommandError('current-context is not set');
  await invocation.kubectl.out(`${current}\n`);
  return 0;
}

async function listNames(invocation: Invocation, section: Section): Promise<number> {
  const names = entriesOf(readMerged(invocation), section)
    .map(({ name }) => name)
    .sort();
  await invocation.kubectl.out(`NAME\n${names.map((name) => `${name}\n`).join('')}`);
  return 0;
}

async function runGetContexts(invocation: Invocation): Promise<number> {
  const { kubectl, flags, args } = invocation;
  const tree = readMerged(invocation);
  const contexts = entriesOf(tree, 'contexts');
  const names = (args.length > 0 ? [...args] : contexts.map(({ name }) => name)).sort();
  const missing = names.filter((name) => !contexts.some((context) => context.name === name));
  const known = names.filter((name) => !missing.includes(name));
  if (flags.string('output') === 'name') await kubectl.out(known.map((name) => `${name}\n`).join(''));
  else if (flags.string('output') !== '')
    throw new CommandError(`output must be one of '' or 'name': ${flags.string('output')}`);
  else {
    const rows = known.map((name) => {
      const {
        cluster = '',
        user = '',
        namespace = '',
      } = contexts.find((context) => context.name === name)!.value as Record<string, string>;
      return [name === tree['current-context'] ? '*' : '', name, cluster, user, namespace];
    });
    await kubectl.out(
      formatTable(
        flags.bool('no-headers') ? undefined : ['CURRENT', 'NAME', 'CLUSTER', 'AUTHINFO', 'NAMESPACE'],
        rows,
      ),
    );
  }
  if (missing.length > 0)
    throw new CommandError(missing.map((name) => `context ${name} not found`).join(', '));
  return 0;
}

function oneName({ args, path }: Invocation, words: string): string {
  const [name] = args;
  if (name === undefined || args.length !== 1)
    throw new CommandError(`Unexpected args: [${args.join(' ')}]\nSee '${path} -h' for help and examples`);
  if (name === '') throw new CommandError(words);
  return name;
}

async function runUseContext(invocation: Invocation): Promise<number> {
  const name = oneName(invocation, 'empty context names are not allowed');
  if (!entriesOf(readMerged(invocation), 'contexts').some((context) => context.name === name))
    throw new CommandError(`no context exists with the name: "${name}"`);
  changeConfig(invocation, 'current-context', (tree) => {
    tree['current-context'] = name;
  });
  await invocation.kubectl.out(`Switched to context "${name}".\n`);
  return 0;
}

async function runRenameContext(invocation: Invocation): Promise<number> {
  const [from = '', to = ''] = invocation.args;
  if (invocation.args.length !== 2)
    throw new CommandError(
      `Unexpected args: [${invocation.args.join(' ')}]\nSee '${invocation.path} -h' for help and examples`,
    );
  const tree = readMerged(invocation);
  const has = (name: string): boolean => entriesOf(tree, 'contexts').some((context) => context.name === name);
  if (!has(from)) throw new CommandError(`cannot rename the context "${from}", it's not in kubeconfig`);
  if (has(to))
    throw new CommandError(
      `cannot rename the context "${from}", the context "${to}" already exists in kubeconfig`,
    );
  changeConfig(invocation, `contexts.${from}`, (file) => {
    for (const context of (file.contexts ?? []) as { name: string }[])
      if (context.name === from) context.name = to;
    if (tree['current-context'] === from) file['current-context'] = to;
  });
  await invocation.kubectl.out(`Context "${from}" renamed to "${to}".\n`);
  return 0;
}

/** The member of a named entry: `cluster`, `context`, `user`. */
const MEMBER: Readonly<Record<Section, string>> = { clusters: 'cluster', contexts: 'context', users: 'user' };

function upsert(
  invocation: Invocation,
  section: Section,
  name: string,
  change: (value: Record<string, unknown>) => void,
): boolean {
  const existed = entriesOf(readMerged(invocation), section).some((entry) => entry.name === name);
  changeConfig(invocation, `${section}.${name}`, (tree) => {
    const list = (tree[section] ??= []) as Record<string, unknown>[];
    let entry = list.find((each) => each['name'] === name);
    if (entry === undefined) {
      entry = { [MEMBER[section]]: {}, name };
      list.push(entry);
      list.sort((a, b) => ((a['name'] as string) < (b['name'] as string) ? -1 : 1));
    }
    change((entry[MEMBER[section]] ??= {}) as Record<string, unknown>);
  });
  return existed;
}

async function runSetContext(invocation: Invocation): Promise<number> {
  const { kubectl, flags, args } = invocation;
  const isCurrent = flags.bool('current');
  if (isCurrent ? args.length > 0 : args.length !== 1)
    throw new CommandError(
      `Unexpected args: [${args.join(' ')}]\nSee '${invocation.path} -h' for help and examples`,
    );
  const name = isCurrent ? (readMerged(invocation)['current-context'] ?? '') : args[0]!;
  if (name === '') throw new CommandError('no current context is set');
  const existed = upsert(invocation, 'contexts', name, (value) => {
    for (const [flag, key] of [
      ['cluster', 'cluster'],
      ['user', 'user'],
      ['namespace', 'namespace'],
    ] as const)
      if (flags.changed(flag)) value[key] = flags.string(flag);
  });
  await kubectl.out(`Context "${name}" ${existed ? 'modified' : 'created'}.\n`);
  return 0;
}

function fileData({ proc }: Invocation, path: string, what: string): string {
  if (!proc.fs.exists(path))
    throw new CommandError(`could not stat ${what} file ${path}: stat ${path}: no such file or directory`);
  return Buffer.from(proc.fs.readFile(path)).toString('base64');
}

async function runSetCluster(invocation: Invocation): Promise<number> {
  const { kubectl, flags } = invocation;
  const name = oneName(invocation, 'you must specify a non-empty cluster name');
  const authority = flags.string('certificate-authority');
  if (authority !== '' && flags.bool('insecure-skip-tls-verify'))
    throw new CommandError('you cannot specify a certificate authority and insecure mode at the same time');
  const embedded =
    authority !== '' && flags.bool('embed-certs')
      ? fileData(invocation, authority, 'certificate-authority')
      : undefined;
  upsert(invocation, 'clusters', name, (value) => {
    if (flags.changed('server')) value['server'] = flags.string('server').replace(/\/+$/, '');
    if (flags.changed('tls-server-name')) value['tls-server-name'] = flags.string('tls-server-name');
    if (flags.changed('proxy-url')) value['proxy-url'] = flags.string('proxy-url');
    if (flags.changed('insecure-skip-tls-verify')) {
      if (flags.bool('insecure-skip-tls-verify')) {
        value['insecure-skip-tls-verify'] = true;
        delete value['certificate-authority'];
        delete value['certificate-authority-data'];
      } else delete value['insecure-skip-tls-verify'];
    }
    if (authority === '') return;
    delete value['insecure-skip-tls-verify'];
    delete value['certificate-authority'];
    delete value['certificate-authority-data'];
    if (embedded === undefined) value['certificate-authority'] = invocation.proc.fs.resolve(authority);
    else value['certificate-authority-data'] = embedded;
  });
  await kubectl.out(`Cluster "${name}" set.\n`);
  return 0;
}

async function runSetCredentials(invocation: Invocation): Promise<number> {
  const { kubectl, flags, proc } = invocation;
  const name = oneName(invocation, 'user name is required');
  const methods = [
    ...(flags.string('token') === '' ? [] : ['--token']),
    ...(flags.string('username') === '' && flags.string('password') === '' ? [] : ['--username/--password']),
  ];
  if (methods.length > 1)
    throw new CommandError(
      `you cannot specify more than one authentication method at the same time: ${methods.join(', ')}`,
    );
  const embed = flags.bool('embed-certs');
  const data = new Map<string, string>();
  for (const flag of ['client-certificate', 'client-key'])
    if (flags.string(flag) !== '' && embed) data.set(flag, fileData(invocation, flags.string(flag), flag));
  upsert(invocation, 'users', name, (value) => {
    for (const flag of ['client-certificate', 'client-key']) {
      if (flags.string(flag) === '') continue;
      delete value[flag];
      delete value[`${flag}-data`];
      if (embed) value[`${flag}-data`] = data.get(flag);
      else value[flag] = proc.fs.resolve(flags.string(flag));
    }
    for (const flag of ['token', 'username', 'password'])
      if (flags.changed(flag)) value[flag] = flags.string(flag);
  });
  await kubectl.out(`User "${name}" set.\n`);
  return 0;
}

async function removeEntry(invocation: Invocation, section: Section, word: string): Promise<number> {
  const { kubectl, args } = invocation;
  const [name] = args;
  if (name === undefined || args.length !== 1)
    throw new CommandError(
      `Unexpected args: [${args.join(' ')}]\nSee '${invocation.path} -h' for help and examples`,
    );
  const tree = readMerged(invocation);
  if (!entriesOf(tree, section).some((entry) => entry.name === name))
    throw new CommandError(
      `cannot delete ${word} ${name}, not in ${kubectl.kubeconfigFiles.at(0) ?? 'kubeconfig'}`,
    );
  if (section === 'contexts' && tree['current-context'] === name)
    await kubectl.err(
      'warning: this removed your active context, use "kubectl config use-context" to select a different one\n',
    );
  changeConfig(invocation, `${section}.${name}`, (file) => {
    file[section] = ((file[section] ?? []) as { name: string }[]).filter((entry) => entry.name !== name);
  });
  await kubectl.out(`deleted ${word} ${name} from ${kubectl.kubeconfigFiles.at(0) ?? 'kubeconfig'}\n`);
  return 0;
}

async function runSet(invocation: Invocation): Promise<number> {
  const { kubectl, args, flags, path } = invocation;
  const [property = '', value = ''] = args;
  if (args.length !== 2)
    throw new CommandError(`Unexpected args: [${args.join(' ')}]\nSee '${path} -h' for help and examples`);
  const shown = flags.bool('set-raw-bytes') ? Buffer.from(value).toString('base64') : value;
  setProperty(invocation, property, shown);
  await kubectl.out(`Property "${property}" set.\n`);
  return 0;
}

async function runUnset(invocation: Invocation): Promise<number> {
  const { kubectl, args, path } = invocation;
  const [property = ''] = args;
  if (args.length !== 1)
    throw new CommandError(`Unexpected args: [${args.join(' ')}]\nSee '${path} -h' for help and examples`);
  setProperty(invocation, property, undefined);
  await kubectl.out(`Property "${property}" unset.\n`);
  return 0;
}

/** `contexts.NAME.namespace`, `current-context`: by a dotted path. Throws CommandError. */
function setProperty(invocation: Invocation, property: string, value: string | undefined): void {
  if (property === 'current-context') {
    changeConfig(invocation, property, (tree) => {
      tree['current-context'] = value ?? '';
    });
    return;
  }
  const [section = '', ...rest] = property.split('.');
  if (section !== 'clusters' && section !== 'contexts' && section !== 'users')
    throw new CommandError(`unable to parse ${property} after [] at api.Config`);
  const key = rest.length > 1 ? rest.at(-1) : undefined;
  const name = key === undefined ? rest.join('.') : rest.slice(0, -1).join('.');
  if (value === undefined && !entriesOf(readMerged(invocation), section).some((entry) => entry.name === name))
    throw new CommandError(`current map key \`${name}\` is invalid`);
  if (key === undefined) {
    changeConfig(invocation, property, (tree: ConfigTree) => {
      tree[section] = ((tree[section] ?? []) as { name: string }[]).filter((entry) => entry.name !== name);
    });
    return;
  }
  upsert(invocation, section, name, (entry) => {
    if (value === undefined) delete entry[key];
    else entry[key] = key === 'insecure-skip-tls-verify' ? value === 'true' : value;
  });
}
