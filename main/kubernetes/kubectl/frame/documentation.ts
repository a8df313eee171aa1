// What the table of help texts says of a command, as flags and subcommands.
import type { Command } from './command.ts';
import type { Flag, FlagKind } from './flags.ts';
import { GLOBAL_FLAGS, HELP, SHARED_FLAGS, type CommandHelp, type FlagHelp } from './help-table.ts';

/** Lists that take each value whole (pflag's StringArray); the others split at commas. */
const ARRAYS = new Set([
  'annotations',
  'env',
  'from-literal',
  'group',
  'user',
  'serviceaccount',
  'resource-name',
  'rule',
  'annotation',
  'audience',
  'prune-allowlist',
  'as-group',
  'exec-arg',
  'exec-env',
  'auth-provider-arg',
  'mount',
  'port',
]);
/** What a flag means that stands without a value (pflag's NoOptDefVal). */
const BARE: Readonly<Record<string, string>> = {
  'dry-run': 'unchanged',
  cascade: 'background',
  validate: 'strict',
  'insecure-skip-tls-verify': 'true',
};

/** The help of a command by the words after `kubectl`. */
export function helpOf(path: string): CommandHelp | undefined {
  return HELP[path];
}

/** The flags of a command: those its help lists, with what the command itself says of them, and its hidden ones. */
export function flagsOf(path: string, command: Command): Flag[] {
  const own = new Map((command.flags ?? []).map((flag) => [flag.name, flag]));
  const documented = (HELP[path]?.flags ?? []).map((entry) => {
    const flag = toFlag(typeof entry === 'string' ? SHARED_FLAGS[entry]! : entry);
    const change = own.get(flag.name);
    own.delete(flag.name);
    return change === undefined ? flag : { ...flag, ...change };
  });
  return [...documented, ...own.values()];
}

/** The flags that every command takes. */
export function globalFlags(): Flag[] {
  const flags = GLOBAL_FLAGS.map((entry) => ({ ...toFlag(entry), isGlobal: true }));
  return flags.some(({ name }) => name === 'v')
    ? flags
    : [...flags, { name: 'v', short: 'v', kind: 'int', default: '0', isGlobal: true }];
}

function toFlag([short, name, preset, usage]: FlagHelp): Flag {
  const quoted = /^'(.*)'$/s.exec(preset);
  return {
    name,
    kind: kindOf(name, preset),
    default: quoted === null ? preset : quoted[1]!,
    usage,
    ...(short === '' ? {} : { short }),
    ...(BARE[name] === undefined ? {} : { bare: BARE[name] }),
  };
}

function kindOf(name: string, preset: string): FlagKind {
  if (preset.startsWith("'")) return 'string';
  if (preset.startsWith('[')) return ARRAYS.has(name) ? 'stringArray' : 'stringSlice';
  if (preset === 'true' || preset === 'false') return 'bool';
  return /^-?\d+$/.test(preset) ? 'int' : 'duration';
}
