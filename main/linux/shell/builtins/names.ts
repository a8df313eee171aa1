// Builtins about command names: alias, unalias, type, command, builtin, hash, enable.
import { isExecutable, searchPath, findCommand } from '../lookup.ts';
import { singleQuote } from '../quoting.ts';
import { runBuiltinNamed, spawnFile, type Argument } from '../simple-command.ts';
import type { Shell } from '../shell.ts';
import { isReservedWord } from '../syntax/parser.ts';
import { functionText } from '../syntax/unparse.ts';
import { builtins } from './registry.ts';
import { parseOptions, texts, textual, usageError, type Builtin } from './support.ts';

const alias = textual(async (shell, args) => {
  const operands = args[0] === '-p' || args[0] === '--' ? args.slice(1) : args;
  if (args[0]?.startsWith('-') === true && operands === args)
    return usageError(shell, 'alias', `${args[0]}: invalid option`, 'alias [-p] [name[=value] ... ]');
  const show = (name: string, text: string): string => `alias ${name}=${singleQuote(text)}\n`;
  if (operands.length === 0) {
    await shell.out(
      [...shell.aliases]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, text]) => show(name, text))
        .join(''),
    );
    return 0;
  }
  let status = 0;
  for (const operand of operands) {
    const at = operand.indexOf('=');
    if (at > 0) {
      const name = operand.slice(0, at);
      if (/[\s$`/'"\\|&;()<>=]/.test(name)) {
        await shell.error(`alias: \`${name}': invalid alias name`);
        status = 1;
      } else {
        shell.aliases.set(name, operand.slice(at + 1));
      }
    } else {
      const text = shell.aliases.get(operand);
      if (text === undefined) {
        await shell.error(`alias: ${operand}: not found`);
        status = 1;
      } else {
        await shell.out(show(operand, text));
      }
    }
  }
  return status;
});

const unalias = textual(async (shell, args) => {
  const parsed = await parseOptions(shell, 'unalias', args, 'a', 'unalias [-a] name [name ...]');
  if (typeof parsed === 'number') return parsed;
  if (parsed.options.has('a')) {
    shell.aliases.clear();
    return 0;
  }
  if (parsed.operands.length === 0) {
    await shell.err('unalias: usage: unalias [-a] name [name ...]\n');
    return 2;
  }
  let status = 0;
  for (const name of parsed.operands) {
    if (shell.aliases.delete(name)) continue;
    await shell.error(`unalias: ${name}: not found`);
    status = 1;
  }
  return status;
});

interface Meaning {
  readonly kind: 'alias' | 'keyword' | 'function' | 'builtin' | 'file';
  /** Of a file, or an alias's text. */
  readonly text: string;
  readonly hashed?: boolean;
}

/** Everything a name means, in the order in which the shell looks. */
function meanings(
  shell: Shell,
  name: string,
  options: { readonly all: boolean; readonly functions: boolean },
): Meaning[] {
  const found: Meaning[] = [];
  const aliasText = shell.aliases.get(name);
  if (aliasText !== undefined && shell.shopts.has('expand_aliases'))
    found.push({ kind: 'alias', text: aliasText });
  if (isReservedWord(name)) found.push({ kind: 'keyword', text: name });
  if (options.functions && shell.functions.has(name)) found.push({ kind: 'function', text: name });
  if (builtins.has(name) && !shell.disabledBuiltins.has(name)) found.push({ kind: 'builtin', text: name });
  if (name.includes('/')) {
    if (isExecutable(shell, name)) found.push({ kind: 'file', text: name });
    return found;
  }
  const hashed = shell.hashed.get(name);
  if (hashed !== undefined && !options.all) found.push({ kind: 'file', text: hashed.path, hashed: true });
  else for (const path of searchPath(shell, name)) found.push({ kind: 'file', text: path });
  return found;
}

const type = textual(async (shell, args) => {
  const parsed = await parseOptions(shell, 'type', args, 'afptP', 'type [-afptP] name [name ...]');
  if (typeof parsed === 'number') return parsed;
  const { options, operands } = parsed;
  let status = 0;
  for (const name of operands) {
    let found = meanings(shell, name, { all: options.has('a'), functions: !options.has('f') });
    if (options.has('P')) found = searchPath(shell, name).map((text): Meaning => ({ kind: 'file', text }));
    if (!options.has('a')) found = found.slice(0, 1);
    if (found.length === 0) {
      if (!options.has('t') && !options.has('p') && !options.has('P')) {
        // dash and ash say so on standard output.
        if (shell.dialect.name === 'bash') await shell.error(`type: ${name}: not found`);
        else await shell.out(`${name}: not found\n`);
      }
      status = 1;
      continue;
    }
    for (const meaning of found) {
      if (options.has('t')) await shell.out(`${meaning.kind}\n`);
      else if (options.has('p') || options.has('P'))
        await (meaning.kind === 'file' ? shell.out(`${meaning.text}\n`) : undefined);
      else await shell.out(describe(shell, name, meaning));
    }
  }
  return status;
});

function describe(shell: Shell, name: string, meaning: Meaning): string {
  switch (meaning.kind) {
    case 'alias':
      return `${name} is aliased to \`${meaning.text}'\n`;
    case 'keyword':
      return `${name} is a shell keyword\n`;
    case 'function':
      return `${name} is a function\n${functionText(name, shell.functions.get(name)!.body)}\n`;
    case 'builtin':
      return `${name} is a shell builtin\n`;
    case 'file':
      return meaning.hashed === true
        ? `${name} is hashed (${meaning.text})\n`
        : `${name} is ${meaning.text}\n`;
  }
}

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const command: Builtin = async (shell, args) => {
  const plain = texts(args);
  const parsed = await parseOptions(shell, 'command', plain, 'pvV', 'command [-pVv] command [arg ...]');
  if (typeof parsed === 'number') return parsed;
  const { options, operands } = parsed;
  if (operands.length === 0) return 0;
  if (options.has('v') || options.has('V')) return describeCommands(shell, operands, options.has('V'));
  const words = args.slice(args.length - operands.length);
  if (builtins.has(operands[0]!) && !shell.disabledBuiltins.has(operands[0]!))
    return runBuiltinNamed(shell, words);
  const env = shell.environment();
  if (options.has('p')) env.set('PATH', DEFAULT_PATH);
  return spawnFile(shell, operands, {
    fds: shell.childFds(),
    env,
    text: operands.join(' '),
    stderr: shell.proc.fds.get(2),
  });
};

async function describeCommands(shell: Shell, names: readonly string[], verbose: boolean): Promise<number> {
  let status = 1;
  for (const name of names) {
    const meaning = meanings(shell, name, { all: false, functions: true })[0];
    if (meaning === undefined) {
      if (verbose) await shell.error(`command: ${name}: not found`);
      continue;
    }
    status = 0;
    if (verbose) await shell.out(describe(shell, name, meaning));
    else if (meaning.kind === 'alias') await shell.out(`alias ${name}=${singleQuote(meaning.text)}\n`);
    else await shell.out(`${meaning.kind === 'file' ? meaning.text : name}\n`);
  }
  return status;
}

const builtin: Builtin = async (shell, args: readonly Argument[]) => {
  const words = args[0] === '--' ? args.slice(1) : args;
  const name = texts(words)[0];
  if (name === undefined) return 0;
  if (!builtins.has(name)) {
    await shell.error(`builtin: ${name}: not a shell builtin`);
    return 1;
  }
  return runBuiltinNamed(shell, words);
};

const hash = textual(async (shell, args) => {
  const parsed = await parseOptions(
    shell,
    'hash',
    args,
    'lrp:dt',
    'hash [-lr] [-p pathname] [-dt] [name ...]',
  );
  if (typeof parsed === 'number') return parsed;
  const { options, operands } = parsed;
  if (options.has('r')) shell.hashed.clear();
  if (operands.length === 0) {
    if (options.has('r')) return 0;
    if (shell.hashed.size === 0) {
      await shell.out(shell.interactive ? 'hash: hash table empty\n' : 'hash: hash table empty\n');
      return 0;
    }
    await shell.out(
      `hits\tcommand\n${[...shell.hashed.values()].map(({ path, hits }) => `${String(hits).padStart(4)}\t${path}\n`).join('')}`,
    );
    return 0;
  }
  let status = 0;
  for (const name of operands) {
    const known = shell.hashed.get(name);
    if (options.has('p')) {
      shell.hashed.set(name, { path: options.get('p')!, hits: 0 });
    } else if (options.has('t') || options.has('d')) {
      if (known === undefined && shell.hashed.size === 0 && options.has('d')) continue;
      if (known === undefined) {
        await shell.error(`hash: ${name}: not found`);
        status = 1;
      } else if (options.has('d')) {
        shell.hashed.delete(name);
      } else {
        await shell.out(operands.length > 1 ? `${name}\t${known.path}\n` : `${known.path}\n`);
      }
    } else if (!builtins.has(name) && !shell.functions.has(name) && !name.includes('/')) {
      shell.hashed.delete(name);
      const path = findCommand(shell, name);
      if (path === undefined) {
        await shell.error(`hash: ${name}: not found`);
        status = 1;
      } else {
        shell.hashed.set(name, { path, hits: 0 });
      }
    }
  }
  return status;
});

const enable = textual(async (shell, args) => {
  const parsed = await parseOptions(
    shell,
    'enable',
    args,
    'adnpsf:',
    'enable [-a] [-dnps] [-f filename] [name ...]',
  );
  if (typeof parsed === 'number') return parsed;
  const { options, operands } = parsed;
  if (operands.length === 0) {
    for (const name of [...builtins.keys()].toSorted()) {
      const disabled = shell.disabledBuiltins.has(name);
      if (options.has('a') || disabled === options.has('n'))
        await shell.out(`enable ${disabled ? '-n ' : ''}${name}\n`);
    }
    return 0;
  }
  let status = 0;
  for (const name of operands) {
    if (!builtins.has(name)) {
      await shell.error(`enable: ${name}: not a shell builtin`);
      status = 1;
    } else if (options.has('n')) {
      shell.disabledBuiltins.add(name);
    } else {
      shell.disabledBuiltins.delete(name);
    }
  }
  return status;
});

export const nameBuiltins: readonly (readonly [string, Builtin])[] = [
  ['alias', alias],
  ['unalias', unalias],
  ['type', type],
  ['command', command],
  ['builtin', builtin],
  ['hash', hash],
  ['enable', enable],
];
