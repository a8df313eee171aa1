// What Tab offers behind `kubectl`: commands, flags, resource types, and names of what the cluster has.
import type { Completer, CompletionAnswer } from '../../linux/shell/index.ts';
import { rootCommand } from './commands/root.ts';
import { findCommand, flagsOfFound, type Found } from './frame/command.ts';
import { CommandError } from './frame/command-error.ts';
import { helpOf } from './frame/documentation.ts';
import { parseFlags, type Flag, type FlagValues } from './frame/flags.ts';
import type { Process } from '../../linux/kernel/index.ts';
import { Kubectl, type KubectlVersion } from './kubectl.ts';
import { pathOf, type DiscoveredResource } from './rest/discovery.ts';
import type { PodObject } from './rest/pods.ts';

/** Commands whose arguments are `TYPE NAME…` or `TYPE/NAME`. */
const TYPED = new Set([
  'annotate',
  'autoscale',
  'delete',
  'describe',
  'edit',
  'events',
  'expose',
  'get',
  'label',
  'patch',
  'scale',
  'wait',
  'taint',
  'rollout status',
  'rollout history',
  'rollout undo',
  'rollout restart',
  'rollout pause',
  'rollout resume',
  'set image',
  'set env',
  'set resources',
  'set serviceaccount',
  'set selector',
  'set subject',
]);
/** Commands whose argument is a pod, or TYPE/NAME. */
const OF_PODS = new Set(['attach', 'exec', 'logs', 'port-forward', 'cp', 'debug']);
const OF_NODES = new Set(['cordon', 'drain', 'uncordon']);
const OUTPUTS = [
  'custom-columns',
  'custom-columns-file',
  'go-template',
  'go-template-file',
  'json',
  'jsonpath',
  'jsonpath-as-json',
  'jsonpath-file',
  'name',
  'template',
  'templatefile',
  'wide',
  'yaml',
];
const ROLLED_OUT = ['daemonset', 'deployment', 'statefulset'];

interface Line {
  readonly found: Found;
  readonly flags: readonly Flag[];
  readonly values: FlagValues;
  readonly args: readonly string[];
  /** The word being completed. */
  readonly word: string;
  /** The flag whose value it is. */
  readonly flag: Flag | undefined;
}

/** Completes kubectl's command line. Whatever the cluster refuses is just not offered. */
export const completeKubectl: Completer = async ({ shell, words }) => {
  const line = readLine(words.slice(1));
  if (line === undefined) return { candidates: [] };
  using kubectl = new Kubectl(shell.proc, { gitVersion: 'v1.32.0', kustomizeVersion: '' }, line.values);
  try {
    return await offer(kubectl, line);
  } catch (error) {
    if (error instanceof Error) return { candidates: [] };
    throw error;
  }
};

/** What `kubectl __complete` prints, and the directive at its end (spf13/cobra, ShellCompDirective). */
const NO_SPACE = 2;
const NO_FILES = 4;

/** kubectl __complete: possible words, with a tab and a description where there is one, then the directive. */
export async function runComplete(
  proc: Process,
  version: KubectlVersion,
  words: readonly string[],
  describes: boolean,
): Promise<number> {
  const line = readLine(words);
  let lines: string[] = [];
  let directive = NO_FILES;
  if (line !== undefined) {
    using kubectl = new Kubectl(proc, version, line.values);
    try {
      const answer = await offer(kubectl, line);
      const value = line.flag === undefined ? /^--[\w-]+=/.exec(line.word)?.[0] : undefined;
      const found = answer.candidates.filter((candidate) => candidate.startsWith(line.word));
      const shown = found.map((candidate) =>
        value === undefined ? candidate.replace(/^(--[\w-]+)=$/, '$1') : candidate.slice(value.length),
      );
      const descriptions = describes ? descriptionsFor(line) : new Map<string, string>();
      lines = shown.map((word) => (descriptions.has(word) ? `${word}\t${descriptions.get(word)}` : word));
      const spaceless = answer.noSpace === true && !line.word.startsWith('-');
      directive = (answer.files === true && found.length === 0 ? 0 : NO_FILES) | (spaceless ? NO_SPACE : 0);
    } catch (error) {
      if (!(error instanceof Error)) throw error; // What the cluster refuses is just not offered.
    }
  }
  await proc.stdout.write([...lines, `:${directive}`].map((each) => `${each}\n`).join(''));
  const name = [directive & NO_SPACE ? 'NoSpace' : '', directive & NO_FILES ? 'NoFileComp' : '']
    .filter((each) => each !== '')
    .map((each) => `ShellCompDirective${each}`)
    .join(', ');
  await proc.stderr.write(
    `Completion ended with directive: ${name === '' ? 'ShellCompDirectiveDefault' : name}\n`,
  );
  return 0;
}

/** What commands and flags say of themselves, in one line. */
function descriptionsFor({ found, flags }: Line): Map<string, string> {
  const descriptions = new Map<string, string>();
  for (const { commands } of helpOf(found.path.slice(1).join(' '))?.groups ?? [])
    for (const [name, description] of commands) descriptions.set(name, description);
  for (const { name, short, usage } of flags) {
    if (usage === undefined) continue;
    const [first = ''] = usage.split('\n');
    descriptions.set(`--${name}`, first);
    if (short !== undefined) descriptions.set(`-${short}`, first);
  }
  return descriptions;
}

function readLine(words: readonly string[]): Line | undefined {
  const word = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  try {
    const found = findCommand(rootCommand, before);
    const flags = flagsOfFound(found);
    const last = found.rest.at(-1) ?? '';
    const isOpen = last.startsWith('-') && !last.includes('=') && before.at(-1) === last;
    const open = isOpen ? flagOf(last, flags) : undefined;
    const flag = open !== undefined && open.kind !== 'bool' && open.bare === undefined ? open : undefined;
    const { values, args } = parseFlags(flag === undefined ? found.rest : found.rest.slice(0, -1), flags);
    return { found, flags, values, args, word, flag };
  } catch (error) {
    if (error instanceof CommandError) return undefined;
    throw error;
  }
}

function flagOf(text: string, flags: readonly Flag[]): Flag | undefined {
  if (text.startsWith('--')) return flags.find(({ name }) => name === text.slice(2));
  return flags.find(({ short }) => short !== undefined && text.endsWith(short));
}

async function offer(kubectl: Kubectl, line: Line): Promise<CompletionAnswer> {
  const { found, word, flag, args } = line;
  const inline = /^--([\w-]+)=(.*)$/s.exec(word);
  if (flag !== undefined) return offerValue(kubectl, line, flag);
  if (inline !== null) {
    const named = line.flags.find(({ name }) => name === inline[1]);
    const answer = named === undefined ? { candidates: [] } : await offerValue(kubectl, line, named);
    return { ...answer, candidates: answer.candidates.map((candidate) => `--${inline[1]}=${candidate}`) };
  }
  if (word.startsWith('-'))
    return { candidates: flagWords(line), noSpace: flagWords(line).every((each) => each.endsWith('=')) };
  const command = found.path.slice(1).join(' ');
  const groups = helpOf(command)?.groups ?? [];
  if (groups.length > 0 && args.length === 0) {
    const names = groups.flatMap(({ commands }) => commands.map(([name]) => name));
    if (names.some((name) => name.startsWith(word)) || command !== 'create') return { candidates: names };
  }
  if (
    command === 'config use-context' ||
    command === 'config delete-context' ||
    command === 'config get-contexts'
  )
    return { candidates: [...kubectl.kubeconfig.contexts.keys()] };
  if (OF_NODES.has(command)) return { candidates: await namesOf(kubectl, await typeOf(kubectl, 'nodes')) };
  if (OF_PODS.has(command)) return offerPods(kubectl, line);
  if (command === 'explain' || TYPED.has(command)) return offerTyped(kubectl, line, command);
  return { candidates: [], files: true };
}

function flagWords({ flags, word }: Line): string[] {
  if (word === '-')
    return flags
      .filter(({ hidden }) => hidden !== true)
      .flatMap(({ name, short }) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]);
  return flags
    .filter(({ hidden }) => hidden !== true)
    .map((flag) => `--${flag.name}${flag.kind === 'bool' || flag.bare !== undefined ? '' : '='}`);
}

async function offerValue(kubectl: Kubectl, line: Line, { name }: Flag): Promise<CompletionAnswer> {
  switch (name) {
    case 'namespace':
      return { candidates: await namesOf(kubectl, await typeOf(kubectl, 'namespaces')) };
    case 'container':
      return { candidates: await containersOf(kubectl, line) };
    case 'context':
      return { candidates: [...kubectl.kubeconfig.contexts.keys()] };
    case 'cluster':
      return { candidates: [...kubectl.kubeconfig.clusters.keys()] };
    case 'user':
      return { candidates: [...kubectl.kubeconfig.users.keys()] };
    case 'output':
      return { candidates: OUTPUTS };
    case 'dry-run':
      return { candidates: ['client', 'none', 'server'] };
    default:
      return { candidates: [], files: true };
  }
}

async function typeOf(kubectl: Kubectl, name: string): Promise<DiscoveredResource> {
  return (await kubectl.mapper()).require(name);
}

async function namesOf(kubectl: Kubectl, resource: DiscoveredResource): Promise<string[]> {
  const { items } = await kubectl.api.json<{ items: { metadata: { name: string } }[] | null }>({
    method: 'GET',
    path: pathOf(resource, resource.namespaced ? kubectl.namespace : undefined),
  });
  return (items ?? []).map(({ metadata }) => metadata.name);
}

async function containersOf(kubectl: Kubectl, { args }: Line): Promise<string[]> {
  const [target = ''] = args;
  const pod = await kubectl.api.json<PodObject>({
    method: 'GET',
    path: `/api/v1/namespaces/${kubectl.namespace}/pods/${target.replace(/^pods?\//, '')}`,
  });
  return [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map(({ name }) => name);
}

async function offerPods(kubectl: Kubectl, line: Line): Promise<CompletionAnswer> {
  const { args, word } = line;
  if (args.length > 0) return { candidates: [], files: true };
  const [type = '', ...rest] = word.split('/');
  if (rest.length > 0) {
    const names = await namesOf(kubectl, await typeOf(kubectl, type));
    return { candidates: names.map((name) => `${type}/${name}`) };
  }
  return { candidates: await namesOf(kubectl, await typeOf(kubectl, 'pods')) };
}

async function offerTyped(
  kubectl: Kubectl,
  { args, word, values }: Line,
  command: string,
): Promise<CompletionAnswer> {
  const [first] = args;
  if (first === undefined || command === 'explain') {
    const [type = '', ...rest] = word.split('/');
    if (rest.length > 0)
      return {
        candidates: (await namesOf(kubectl, await typeOf(kubectl, type))).map((name) => `${type}/${name}`),
      };
    if (values.list('filename').length > 0) return { candidates: [] };
    const { resources } = await kubectl.mapper();
    const names = command.startsWith('rollout')
      ? ROLLED_OUT
      : resources.map(({ plural, group }) => (group === '' ? plural : `${plural}.${group}`));
    const offered = names.filter((name) => name.startsWith(word));
    const aliases = resources
      .flatMap(({ singular, shortNames, plural }) => [plural, singular, ...shortNames])
      .filter((name) => name !== '' && name === word);
    return { candidates: offered.length > 0 ? offered : aliases };
  }
  if (first.includes('/')) {
    const [type = ''] = word.split('/');
    if (!word.includes('/')) return { candidates: [] };
    return {
      candidates: (await namesOf(kubectl, await typeOf(kubectl, type))).map((name) => `${type}/${name}`),
    };
  }
  const names = await namesOf(kubectl, await typeOf(kubectl, first));
  return { candidates: names.filter((name) => !args.includes(name)) };
}
