// bind: readline's keys and variables.
import { commandNames } from '../editor/commands.ts';
import { keysOf, sequenceText } from '../editor/key-sequence.ts';
import { keymapNamed, type Keymap, type KeymapName } from '../editor/keymap.ts';
import type { Readline } from '../editor/readline.ts';
import { readlineOf, setEditingMode } from '../editor/start.ts';
import type { Shell } from '../shell.ts';
import { parseOptions, textual, type Builtin } from './support.ts';

const USAGE =
  'bind [-lpsvPSVX] [-m keymap] [-f filename] [-q name] [-u name] [-r keyseq] [-x keyseq:shell-command] [keyseq:readline-function or readline-command]';

const bind = textual(async (shell, args) => {
  const parsed = await parseOptions(shell, 'bind', args, 'lpsvPSVXm:f:q:u:r:x:', USAGE);
  if (typeof parsed === 'number') return parsed;
  const { options, operands } = parsed;
  if (!shell.interactive && !shell.interactivePrefix)
    await shell.error('bind: warning: line editing not enabled');
  const readline = readlineOf(shell);
  let keymap: KeymapName | undefined = readline.bound;
  if (options.has('m')) keymap = keymapNamed(options.get('m')!);
  if (keymap === undefined) {
    await shell.error(`bind: \`${options.get('m')}': invalid keymap name`);
    return 1;
  }
  const map = readline.keymaps[keymap];
  await shell.out(listings(readline, map, options));
  let status = await actions(shell, readline, map, options);
  for (const line of operands) {
    const wrong = readline.takeLine(line, keymap);
    if (wrong !== undefined) await shell.err(`readline: ${wrong}\n`);
    if (/^\s*set\s+editing-mode/.test(line)) setEditingMode(shell, readline);
    if (wrong !== undefined && /key (?:sequence|binding)/.test(wrong)) status = 1;
  }
  return status;
});

/** What the options that only tell something print. */
function listings(readline: Readline, map: Keymap, options: ReadonlyMap<string, string>): string {
  let text = '';
  if (options.has('l')) text += allNames().join('\n') + '\n';
  if (options.has('p'))
    text += `\n${allNames()
      .map((name) => reusable(map, name))
      .join('')}`;
  if (options.has('P'))
    text += `\n${allNames()
      .map((name) => readable(map, name))
      .join('')}`;
  if (options.has('v'))
    text += readline
      .variables()
      .filter(([name]) => name !== 'isearch-terminators')
      .map(([name, value]) => `set ${name} ${value}\n`)
      .join('');
  if (options.has('V'))
    text += readline
      .variables()
      .filter(([name]) => name !== 'isearch-terminators')
      .map(([name, value]) => `${name} is set to \`${value}'\n`)
      .join('');
  for (const [keys, binding] of map.entries()) {
    const sequence = sequenceText(keys);
    if (binding.kind === 'macro' && options.has('s'))
      text += `"${sequence}": "${sequenceText(binding.keys)}"\n`;
    if (binding.kind === 'macro' && options.has('S'))
      text += `${sequence} outputs ${sequenceText(binding.keys)}\n`;
    if (binding.kind === 'command' && options.has('X')) text += `"${sequence}": "${binding.text}"\n`;
  }
  return text;
}

function allNames(): string[] {
  return [...new Set([...commandNames(), 'self-insert'])].toSorted();
}

function sequencesOf(map: Keymap, name: string): string[] {
  return map
    .entries()
    .filter(([, binding]) => binding.kind === 'function' && binding.name === name)
    .map(([keys]) => `"${sequenceText(keys)}"`);
}

function reusable(map: Keymap, name: string): string {
  const sequences = sequencesOf(map, name);
  if (sequences.length === 0) return `# ${name} (not bound)\n`;
  return sequences.map((sequence) => `${sequence}: ${name}\n`).join('');
}

function readable(map: Keymap, name: string): string {
  const sequences = sequencesOf(map, name);
  if (sequences.length === 0) return `${name} is not bound to any keys\n`;
  const shown = sequences.slice(0, 5);
  return `${name} can be found on ${shown.join(', ')}${sequences.length > 5 ? ', ...' : '.'}\n`;
}

/** The options that change something or ask about one function. */
async function actions(
  shell: Shell,
  readline: Readline,
  map: Keymap,
  options: ReadonlyMap<string, string>,
): Promise<number> {
  const known = allNames();
  for (const letter of ['q', 'u'] as const) {
    const name = options.get(letter);
    if (name === undefined) continue;
    if (!known.includes(name)) {
      await shell.error(`bind: \`${name}': unknown function name`);
      return 1;
    }
    const sequences = sequencesOf(map, name);
    if (letter === 'u') {
      for (const [keys, binding] of map.entries())
        if (binding.kind === 'function' && binding.name === name) map.unbind(keys);
    } else if (sequences.length === 0) {
      await shell.out(`${name} is not bound to any keys.\n`);
      return 1;
    } else {
      const shown = sequences.slice(0, 5).join(', ');
      await shell.out(`${name} can be invoked via ${shown}${sequences.length > 5 ? ', ...' : '.'}\n`);
    }
  }
  if (options.has('r')) map.unbind(keysOf(options.get('r')!));
  if (options.has('x')) return bindCommand(shell, map, options.get('x')!);
  if (!options.has('f')) return 0;
  const path = options.get('f')!;
  const text = shell.readFile(path);
  if (text === undefined) {
    await shell.error(`bind: ${path}: cannot read: No such file or directory`);
    return 1;
  }
  readline.takeFile(text, {
    term: shell.vars.get('TERM') ?? 'dumb',
    readFile: (included) => shell.readFile(included),
  });
  setEditingMode(shell, readline);
  return 0;
}

/** bind -x '"KEYS": COMMAND'. */
async function bindCommand(shell: Shell, map: Keymap, text: string): Promise<number> {
  const parts = /^\s*"((?:\\.|[^"\\])*)"\s*:?\s*(.*)$/s.exec(text);
  if (parts === null) {
    await shell.error(`bind: ${text}: missing separator`);
    return 1;
  }
  const command = /^(["'])(.*)\1\s*$/s.exec(parts[2]!)?.[2] ?? parts[2]!;
  map.bind(keysOf(parts[1]!), { kind: 'command', text: command });
  return 0;
}

export const bindBuiltins: readonly (readonly [string, Builtin])[] = [['bind', bind]];
