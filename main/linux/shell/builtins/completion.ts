// complete, compgen and compopt.
import { Completions, type CompletionSpec } from '../completion/completions.ts';
import { generate } from '../completion/generate.ts';
import { singleQuote } from '../quoting.ts';
import type { Shell } from '../shell.ts';
import { parseOptions, textual, type Builtin } from './support.ts';

const ACTION_LETTERS: Record<string, string> = {
  a: 'alias',
  b: 'builtin',
  c: 'command',
  d: 'directory',
  e: 'export',
  f: 'file',
  g: 'group',
  j: 'job',
  k: 'keyword',
  s: 'service',
  u: 'user',
  v: 'variable',
};
const OPTIONS = new Set([
  'bashdefault',
  'default',
  'dirnames',
  'filenames',
  'noquote',
  'nosort',
  'nospace',
  'plusdirs',
]);
const LETTERS = 'abcdefgjksuvA:o:G:W:F:C:X:P:S:';
const COMPLETE_USAGE =
  'complete [-abcdefgjksuv] [-pr] [-DEI] [-o option] [-A action] [-G globpat] [-W wordlist] [-F function] [-C command] [-X filterpat] [-P prefix] [-S suffix] [name ...]';
const COMPGEN_USAGE =
  'compgen [-abcdefgjksuv] [-o option] [-A action] [-G globpat] [-W wordlist] [-F function] [-C command] [-X filterpat] [-P prefix] [-S suffix] [word]';

/** The specification that options describe; the letters of -o and -A may repeat. */
function specOf(args: readonly string[], options: ReadonlyMap<string, string>): CompletionSpec {
  const actions = Object.entries(ACTION_LETTERS).flatMap(([letter, action]) =>
    options.has(letter) ? [action] : [],
  );
  const repeated = (letter: string): string[] =>
    args.flatMap((arg, i) =>
      arg === `-${letter}`
        ? [args[i + 1] ?? '']
        : arg.startsWith(`-${letter}`) && arg.length > 2
          ? [arg.slice(2)]
          : [],
    );
  return {
    actions: [...actions, ...repeated('A')],
    options: new Set(repeated('o')),
    functionName: options.get('F'),
    command: options.get('C'),
    words: options.get('W'),
    glob: options.get('G'),
    filter: options.get('X'),
    prefix: options.get('P'),
    suffix: options.get('S'),
  };
}

const complete = textual(async (shell, args) => {
  const parsed = await parseOptions(shell, 'complete', args, `${LETTERS}prDEI`, COMPLETE_USAGE);
  if (typeof parsed === 'number') return parsed;
  const { options, operands } = parsed;
  const completions = (shell.completions ??= new Completions());
  if (options.has('r')) {
    if (operands.length === 0) completions.specs.clear();
    for (const name of operands) completions.specs.delete(name);
    return 0;
  }
  if (options.has('p') || args.length === 0) return printSpecs(shell, completions, operands);
  const spec = specOf(args, options);
  for (const option of spec.options) {
    if (OPTIONS.has(option)) continue;
    await shell.error(`complete: ${option}: invalid option name`);
    return 2;
  }
  for (const letter of ['D', 'E', 'I'] as const)
    if (options.has(letter)) completions.special.set(letter, spec);
  for (const name of operands) completions.specs.set(name, spec);
  return 0;
});

async function printSpecs(shell: Shell, completions: Completions, names: readonly string[]): Promise<number> {
  let status = 0;
  for (const name of names.length > 0 ? names : completions.specs.keys()) {
    const spec = completions.specs.get(name);
    if (spec === undefined) {
      await shell.error(`complete: ${name}: no completion specification`);
      status = 1;
    } else {
      await shell.out(`complete ${specText(spec)}${name}\n`);
    }
  }
  return status;
}

function specText(spec: CompletionSpec): string {
  const letterOf = (action: string): string =>
    Object.entries(ACTION_LETTERS).find(([, name]) => name === action)?.[0] ?? '';
  let text = [...spec.options].map((option) => `-o ${option} `).join('');
  for (const action of spec.actions)
    text += letterOf(action) === '' ? `-A ${action} ` : `-${letterOf(action)} `;
  const quoted: readonly (readonly [string, string | undefined])[] = [
    ['G', spec.glob],
    ['W', spec.words],
    ['P', spec.prefix],
    ['S', spec.suffix],
    ['X', spec.filter],
    ['C', spec.command],
  ];
  for (const [letter, value] of quoted) if (value !== undefined) text += `-${letter} ${singleQuote(value)} `;
  return spec.functionName === undefined ? text : `${text}-F ${spec.functionName} `;
}

const compgen = textual(async (shell, args) => {
  const parsed = await parseOptions(shell, 'compgen', args, LETTERS, COMPGEN_USAGE);
  if (typeof parsed === 'number') return parsed;
  const spec = specOf(args, parsed.options);
  const word = parsed.operands[0] ?? '';
  const { words: found } = await generate(shell, spec, {
    words: ['compgen', word],
    wordIndex: 1,
    line: '',
    point: 0,
    word,
    text: word,
  });
  const matching =
    spec.functionName === undefined && spec.command === undefined
      ? found
      : found.filter((each) => each.startsWith(word));
  await shell.out(matching.map((each) => `${each}\n`).join(''));
  return matching.length === 0 ? 1 : 0;
});

const compopt = textual(async (shell, args) => {
  const names = args.filter((arg, i) => !/^[-+]/.test(arg) && !/^[-+]o$/.test(args[i - 1] ?? ''));
  const completions = shell.completions;
  const targets =
    names.length > 0 ? names.map((name) => completions?.specs.get(name)) : [completions?.current];
  if (targets.some((target) => target === undefined)) {
    await shell.error('compopt: not currently executing completion function');
    return 1;
  }
  args.forEach((arg, i) => {
    const option = args[i + 1] ?? '';
    for (const target of targets) {
      if (arg === '-o') target!.options.add(option);
      else if (arg === '+o') target!.options.delete(option);
    }
  });
  return 0;
});

export const completionBuiltins: readonly (readonly [string, Builtin])[] = [
  ['complete', complete],
  ['compgen', compgen],
  ['compopt', compopt],
];
