// history and fc.
import { ErrnoError } from '../../../network/index.ts';
import { strftime } from '../strftime.ts';
import type { Shell } from '../shell.ts';
import { expandHistory, HistoryError } from '../history-expansion.ts';
import type { History } from '../history.ts';
import { parseOptions, textual, usageError, type Builtin } from './support.ts';

const HISTORY_USAGE = 'history [-c] [-d offset] [n] or history -anrw [filename] or history -ps arg [arg...]';

const history = textual(async (shell, args) => {
  const { history: list } = shell;
  const parsed = await parseOptions(shell, 'history', args, 'cd:anrwps', HISTORY_USAGE);
  if (typeof parsed === 'number') return parsed;
  if (list === undefined) return 0;
  const { options, operands } = parsed;
  if (options.has('c')) list.clear();
  if (options.has('d')) {
    const range = /^(-?[0-9]+)(?:-(-?[0-9]+))?$/.exec(options.get('d')!);
    const from = Number(range?.[1]);
    const to = Number(range?.[2] ?? from);
    for (let number = to; number >= from; number--) {
      if (list.remove(number)) continue;
      await shell.error(`history: ${options.get('d')}: history position out of range`);
      return 1;
    }
    return 0;
  }
  if (options.has('a')) list.append(operands[0]);
  else if (options.has('r') || options.has('n')) list.load(operands[0]);
  else if (options.has('w')) list.save(operands[0]);
  else if (options.has('s')) list.push(operands.join(' '), shell.proc.clock.now());
  else if (options.has('p')) return printExpanded(shell, list, operands);
  else if (!options.has('c')) return show(shell, list, operands);
  return 0;
});

async function printExpanded(shell: Shell, list: History, words: readonly string[]): Promise<number> {
  for (const word of words) {
    try {
      await shell.out(`${expandHistory(word, list)?.text ?? word}\n`);
    } catch (error) {
      if (!(error instanceof HistoryError)) throw error;
      await shell.error(`history: ${word}: history expansion failed`);
      return 1;
    }
  }
  return 0;
}

async function show(shell: Shell, list: History, operands: readonly string[]): Promise<number> {
  const [limit] = operands;
  if (limit !== undefined && !/^[0-9]+$/.test(limit)) {
    await shell.error(`history: ${limit}: numeric argument required`);
    return 1;
  }
  if (operands.length > 1) return usageError(shell, 'history', 'too many arguments', HISTORY_USAGE);
  const first = limit === undefined ? 0 : Math.max(0, list.entries.length - Number(limit));
  const format = shell.vars.get('HISTTIMEFORMAT');
  const lines = list.entries.slice(first).map((entry, i) => {
    const time =
      format === undefined || format === '' ? '' : strftime(format, entry.timeMs ?? shell.proc.clock.now());
    const mark = entry.original === undefined ? ' ' : '*'; // Changed, and not entered.
    return `${String(list.base + first + i).padStart(5)}${mark} ${time}${entry.text}\n`;
  });
  await shell.out(lines.join(''));
  return 0;
}

const fc = textual(async (shell, args) => {
  const list = shell.history;
  const parsed = await parseOptions(
    shell,
    'fc',
    args.filter((arg) => !/^-[0-9]+$/.test(arg)),
    'e:lnrs',
    'fc [-e ename] [-lnr] [first] [last] or fc -s [pat=rep] [command]',
  );
  if (typeof parsed === 'number') return parsed;
  if (list === undefined) return 0;
  const { options } = parsed;
  const operands = [...args.filter((arg) => /^-[0-9]+$/.test(arg)), ...parsed.operands];
  if (options.has('s')) return rerun(shell, list, operands);
  const find = (text: string): number | undefined => {
    if (/^-[0-9]+$/.test(text)) return list.nextNumber + Number(text) - 1;
    if (/^[0-9]+$/.test(text)) return Number(text);
    const index = list.entries.findLastIndex((entry) => entry.text.startsWith(text));
    return index < 0 ? undefined : list.base + index;
  };
  const last = list.nextNumber - 2;
  const lists = options.has('l');
  const from = operands[0] === undefined ? Math.max(list.base, lists ? last - 15 : last) : find(operands[0]);
  const to = operands[1] === undefined ? (lists ? last : from) : find(operands[1]);
  if (from === undefined || to === undefined) {
    await shell.error('fc: history specification out of range');
    return 1;
  }
  const numbers: number[] = [];
  for (let number = Math.max(list.base, Math.min(from, to)); number <= Math.max(from, to); number++)
    numbers.push(number);
  if (options.has('r')) numbers.reverse();
  if (!lists) {
    const texts = numbers.flatMap((number) => list.get(number) ?? []);
    return edit(shell, list, options.get('e'), texts);
  }
  await shell.out(
    numbers
      .flatMap((number) =>
        list.get(number) === undefined ? [] : [`${options.has('n') ? '' : number}\t ${list.get(number)}\n`],
      )
      .join(''),
  );
  return 0;
});

/** Lets a person change commands in an editor, and runs what comes back. */
async function edit(
  shell: Shell,
  list: History,
  editor: string | undefined,
  texts: readonly string[],
): Promise<number> {
  const { fs, random } = shell.proc;
  const program = editor ?? (shell.vars.get('FCEDIT') || shell.vars.get('EDITOR') || 'vi');
  const path = `${shell.vars.get('TMPDIR') ?? '/tmp'}/bash-fc.${random.string(6, 'abcdefghijklmnopqrstuvwxyz0123456789')}`;
  list.remove(-1); // The fc command itself isn't kept.
  try {
    fs.writeFile(path, texts.map((text) => `${text}\n`).join(''), { mode: 0o600 });
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    await shell.error(`fc: ${path}: cannot open temp file: ${error.message}`);
    return 1;
  }
  const status = await shell.runText(`${program} ${path}`, 'eval');
  const edited = shell.readFile(path) ?? '';
  fs.unlink(path);
  if (status !== 0) return 1;
  await shell.err(edited);
  for (const line of edited.replace(/\n+$/, '').split('\n')) list.add(line);
  return shell.runText(edited, 'eval');
}

async function rerun(shell: Shell, list: History, operands: readonly string[]): Promise<number> {
  const substitutions = operands.filter((operand) => operand.includes('='));
  const wanted = operands.find((operand) => !operand.includes('='));
  list.remove(-1); // The fc command itself isn't kept.
  const entry = list.entries.findLast(({ text }) => wanted === undefined || text.startsWith(wanted));
  if (entry === undefined) {
    await shell.error('fc: no command found');
    return 1;
  }
  let text = entry.text;
  for (const substitution of substitutions) {
    const [from, to] = substitution.split('=');
    text = text.replaceAll(from!, () => to!);
  }
  await shell.err(`${text}\n`);
  list.add(text);
  return shell.runText(text);
}

export const historyBuiltins: readonly (readonly [string, Builtin])[] = [
  ['history', history],
  ['fc', fc],
];
