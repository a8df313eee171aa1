// `select`: a numbered list, and a person's choice from it.
import { expandWords } from './expand.ts';
import type { Shell } from './shell.ts';
import type { Command, List } from './syntax/ast.ts';
import { isName } from './syntax/word-scanner.ts';

/** A loop's variable must be a name. */
export async function refuseName(shell: Shell, name: string): Promise<number> {
  await shell.error(`\`${name}': not a valid identifier`);
  return 1;
}

export async function runSelect(
  shell: Shell,
  command: Command & { kind: 'for' | 'select' },
  iterate: (shell: Shell, body: List) => Promise<boolean>,
): Promise<number> {
  if (!isName(command.name)) return refuseName(shell, command.name);
  const words =
    command.words === undefined
      ? shell.positional
      : await shell.attempt(() => expandWords(shell, command.words!));
  if (words.length === 0) return 0;
  let status = 0;
  let list = true;
  for (;;) {
    if (list) await shell.err(selectMenu(words, Number(shell.vars.get('COLUMNS') ?? 80) || 80));
    await shell.err(await shell.promptText(shell.vars.get('PS3') ?? '#? '));
    const reply = await readLine(shell);
    if (reply === undefined) {
      await shell.out('\n');
      return 1;
    }
    list = reply.trim() === '';
    if (list) continue;
    shell.vars.set('REPLY', reply);
    shell.vars.set(command.name, /^\s*[0-9]+\s*$/.test(reply) ? (words[Number(reply) - 1] ?? '') : '');
    const more = await iterate(shell, command.body);
    status = shell.status;
    if (!more) return status;
  }
}

/** The numbered list of select, in columns that tabs lead to. */
function selectMenu(words: readonly string[], width: number): string {
  const digits = String(words.length).length;
  const columnWidth = Math.max(...words.map((word) => word.length)) + digits + 4;
  const fit = Math.max(1, Math.floor(width / columnWidth));
  let rows = Math.ceil(words.length / fit);
  const columns = Math.ceil(words.length / rows);
  if (rows === 1) rows = columns;
  let text = '';
  for (let row = 0; row < rows; row++) {
    let position = 0;
    for (let i = row; i < words.length; i += rows) {
      const cell = `${String(i + 1).padStart(position === 0 ? String(rows).length : digits)}) ${words[i]}`;
      text += cell;
      if (i + rows >= words.length) break;
      text += indentation(position + cell.length, position + columnWidth);
      position += columnWidth;
    }
    text += '\n';
  }
  return text;
}

const TAB = 8;

function indentation(from: number, to: number): string {
  let text = '';
  for (let at = from; at < to;) {
    const isTab = Math.floor(to / TAB) > Math.floor(at / TAB);
    text += isTab ? '\t' : ' ';
    at += isTab ? TAB - (at % TAB) : 1;
  }
  return text;
}

/** A line of stdin, byte by byte so that nothing behind it is taken. */
async function readLine(shell: Shell): Promise<string | undefined> {
  const file = shell.proc.fds.get(0);
  if (file === undefined) return undefined;
  const bytes: number[] = [];
  for (;;) {
    const chunk = await file.read(1);
    if (chunk.length === 0) return bytes.length === 0 ? undefined : Buffer.from(bytes).toString('utf8');
    if (chunk[0] === 10) return Buffer.from(bytes).toString('utf8');
    bytes.push(chunk[0]!);
  }
}
