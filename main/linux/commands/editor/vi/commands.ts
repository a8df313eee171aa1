// Vi's colon commands.
import { BUSYBOX_OPTIONS } from './busybox.ts';
import { CommandReader, readLines } from './addresses.ts';
import {
  type Call,
  type CommandHost,
  counted,
  type Following,
  type Handler,
  linesOf,
  registerIn,
} from './call.ts';
import {
  changeDirectory,
  edit,
  fileInfo,
  nextFile,
  quit,
  readFile,
  write,
  writeAndQuit,
} from './file-commands.ts';
import { bang, runShell } from './filters.ts';
import {
  addLines,
  changeLines,
  copyLines,
  joinLines,
  keepCursor,
  moveLines,
  numberLines,
  putRegister,
  registerList,
  setMark,
  shiftLines,
} from './line-commands.ts';
import { remove, yank } from './operators.ts';
import { changedOptions, OptionError, setOption } from './options.ts';
import { type Session, ViError } from './state.ts';
import { substitute } from './substitute.ts';
import { deltaText } from './text.ts';
import { travel } from './undo.ts';

/** Each command's whole name, the shortest form that is taken for it, and what it does. */
const COMMANDS: readonly (readonly [name: string, shortest: string, run: Handler])[] = [
  ['append', 'a', addLines(1)],
  ['change', 'c', changeLines],
  ['copy', 'co', copyLines],
  ['t', 't', copyLines],
  [
    'cquit',
    'cq',
    ({ session, argument }) => void (session.exitCode = argument === '' ? 1 : Number(argument)),
  ],
  [
    'delete',
    'd',
    ({ session, lines, argument }) =>
      remove(session, counted(session, lines, argument), registerIn(argument)),
  ],
  ['edit', 'e', edit],
  ['enew', 'ene', ({ session }) => session.open(undefined)],
  ['exit', 'exi', writeAndQuit],
  ['file', 'f', fileInfo],
  ['global', 'g', (call) => globalCommand(call, !call.forced)],
  ['insert', 'i', addLines(0)],
  ['join', 'j', joinLines],
  ['k', 'k', setMark],
  [
    'list',
    'l',
    ({ session, host, lines }) =>
      host.show(
        linesOf(session, lines)
          .map((line) => `${line}$`)
          .join('\n'),
      ),
  ],
  ['mark', 'ma', setMark],
  ['move', 'm', moveLines],
  ['next', 'n', ({ session, forced }) => nextFile(session, 1, forced)],
  ['previous', 'prev', ({ session, forced }) => nextFile(session, -1, forced)],
  ['Next', 'N', ({ session, forced }) => nextFile(session, -1, forced)],
  ['nohlsearch', 'noh', ({ session }) => void (session.highlightOff = true)],
  ['normal', 'norm', normalKeys],
  ['number', 'nu', numberLines],
  ['#', '#', numberLines],
  ['print', 'p', ({ session, host, lines }) => host.show(linesOf(session, lines).join('\n'))],
  ['put', 'pu', putRegister],
  ['pwd', 'pw', ({ session }) => session.say(session.proc.cwd)],
  ['cd', 'cd', changeDirectory],
  ['qall', 'qa', quit],
  ['quitall', 'quita', quit],
  ['quit', 'q', quit],
  ['read', 'r', readFile],
  ['redo', 'red', ({ session }) => travel(session, 'redo')],
  ['registers', 'reg', ({ host, session }) => host.show(registerList(session))],
  ['display', 'di', ({ host, session }) => host.show(registerList(session))],
  ['rewind', 'rew', ({ session }) => session.open(session.files[(session.fileIndex = 0)])],
  ['set', 'se', setOptions],
  ['shell', 'sh', ({ host, session }) => host.aside(async () => runShell(session, []))],
  ['substitute', 's', ({ session, reader, lines, host }) => substitute(session, reader, lines, host.confirm)],
  ['&', '&', ({ session, reader, lines, host }) => substitute(session, reader, lines, host.confirm)],
  ['syntax', 'sy', () => undefined],
  ['filetype', 'filet', () => undefined],
  ['undo', 'u', ({ session }) => travel(session, 'undo')],
  ['update', 'up', (call) => (call.session.text.isModified ? write(call) : undefined)],
  ['version', 've', ({ session }) => session.say('VIM - Vi IMproved 9.0 (2022 Jun 28)')],
  ['vglobal', 'v', (call) => globalCommand(call, false)],
  ['wall', 'wa', write],
  ['wqall', 'wqa', writeAndQuit],
  ['wq', 'wq', writeAndQuit],
  ['write', 'w', write],
  ['xall', 'xa', writeAndQuit],
  ['xit', 'x', writeAndQuit],
  [
    'yank',
    'y',
    ({ session, lines, argument }) =>
      keepCursor(session, () => yank(session, counted(session, lines, argument), registerIn(argument))),
  ],
  [
    '=',
    '=',
    ({ session, lines }) =>
      session.say(String((lines.given > 0 ? lines.to : session.text.lines.length - 1) + 1)),
  ],
  ['>', '>', ({ session, lines, name }) => shiftLines(session, lines, '>', name.length)],
  ['<', '<', ({ session, lines, name }) => shiftLines(session, lines, '<', name.length)],
  ['!', '!', bang],
];
/** Commands of the real vim that aren't here. */
const NOT_SIMULATED =
  /^(?:sp(?:lit)?|vs(?:plit)?|new|vnew|tabnew|tabe(?:dit)?|map|nmap|imap|vmap|noremap|nnoremap|ab(?:breviate)?|let|echo|if|function|call|source|so|autocmd|au|colorscheme|colo|highlight|hi|help|h|make|grep|vimgrep|diffthis|sort|marks|buffers|ls|bn(?:ext)?|bp(?:revious)?|make|ter(?:minal)?)$/;

/** Runs one command line, `|` between commands included. Throws ViError. */
export async function runCommand(
  session: Session,
  host: CommandHost,
  line: string,
  following: Following = [],
): Promise<void> {
  const reader = new CommandReader(line.replace(/^[\s:]+/, ''));
  if (reader.rest === '' || reader.rest.startsWith('"')) return;
  const lines = readLines(session, reader);
  const word = reader.take(/\s*(?:([a-zA-Z]+)|(>+|<+|[!#&=]))/);
  const name = word?.[1] ?? word?.[2] ?? '';
  if (name === '') {
    if (reader.rest.trim() !== '') throw new ViError(`E492: Not an editor command: ${line.trim()}`);
    session.markJump();
    session.toFirstNonBlank(lines.to);
    if (lines.given > 0) session.moveTo({ line: Math.max(0, lines.to), column: session.cursor.column });
    return;
  }
  const found = commandFor(name, reader, session, line);
  const [, , run] = found;
  const forced = found[0] !== '!' && reader.take(/!/) !== null;
  // A shell's command line may hold bars, and so may what :global and :normal run.
  const takesBars =
    ['global', 'vglobal', '!', 'normal'].includes(found[0]) ||
    (found[0] === 'read' && forced) ||
    (['read', 'write'].includes(found[0]) && /^\s*!/.test(reader.rest));
  const isSubstitute = found[0] === 'substitute' || found[0] === '&';
  if (isSubstitute) {
    await run({
      session,
      host,
      lines,
      forced,
      argument: '',
      reader: new CommandReader(barless(reader)),
      following,
      name,
    });
  } else {
    const argument = takesBars ? reader.rest : barless(reader);
    await run({
      session,
      host,
      lines,
      forced,
      argument: argument.trim(),
      reader: new CommandReader(argument),
      following,
      name,
    });
    if (takesBars) return;
  }
  if (reader.rest !== '' && session.exitCode === undefined)
    await runCommand(session, host, reader.rest, following);
}

/** The rest of a command up to a bar that no backslash stands before; the reader goes past it. */
function barless(reader: CommandReader): string {
  const [text] = /^(?:\\[^]|[^|\\])*/.exec(reader.rest)!;
  reader.at += text.length + (reader.rest.length > text.length ? 1 : 0);
  return text.replaceAll('\\|', '|');
}

/** The command of a name, or of its first letter for those that need no blank after it (`s/a/b`, `ka`, `g/x/`). */
function commandFor(
  name: string,
  reader: CommandReader,
  session: Session,
  line: string,
): (typeof COMMANDS)[number] {
  const found = COMMANDS.find(([whole, shortest]) => whole.startsWith(name) && name.startsWith(shortest));
  if (found !== undefined) return found;
  if (/^[<>]+$/.test(name)) return COMMANDS.find(([whole]) => whole === name[0])!;
  if (NOT_SIMULATED.test(name)) throw new ViError(`drydock: vim's :${name} isn't simulated`);
  const letter = COMMANDS.find(([whole]) => whole === name[0]);
  if (name.length === 2 && name.startsWith('k') && letter !== undefined) {
    reader.at--;
    return letter;
  }
  if (/^s[cegiInp&#]+$/.test(name)) {
    reader.at -= name.length - 1;
    return COMMANDS.find(([whole]) => whole === 'substitute')!;
  }
  return session.fail(`E492: Not an editor command: ${line.trim()}`);
}

async function normalKeys({ session, host, lines, argument }: Call): Promise<void> {
  if (argument === '') throw new ViError('E471: Argument required');
  if (lines.given === 0) return host.type(argument);
  for (let line = lines.from; line <= lines.to && line < session.text.lines.length; line++) {
    session.moveTo({ line, column: 0 });
    await host.type(argument);
  }
}

async function globalCommand({ session, host, lines, reader }: Call, wanted: boolean): Promise<void> {
  const delimiter = reader.take(/[^\w\s"|\\]/)?.[0];
  if (delimiter === undefined) throw new ViError('E148: Regular expression missing from :global');
  const pattern = session.lastPattern(reader.pattern(delimiter));
  const command = reader.rest === '' ? 'p' : reader.rest;
  session.search = { pattern, forward: true, offset: '' };
  const regex = session.compile(pattern);
  const { text } = session;
  const [from, to] = lines.given === 0 ? [0, text.lines.length - 1] : [lines.from, lines.to];
  // Lines move while the commands run; marks move with them.
  const names: string[] = [];
  for (let line = from; line <= to; line++) {
    regex.lastIndex = 0;
    if (regex.test(text.line(line)) !== wanted) continue;
    const name = `global ${line}`;
    text.marks.set(name, { line, column: 0 });
    names.push(name);
  }
  if (names.length === 0)
    throw new ViError(
      wanted ? `E486: Pattern not found: ${pattern}` : `E538: Pattern found in every line: ${pattern}`,
    );
  const before = text.lines.length;
  const shown: string[] = [];
  const quiet: CommandHost = {
    show: async (printed) => void shown.push(printed),
    type: (keys) => host.type(keys),
    aside: (run) => host.aside(run),
  };
  try {
    for (const name of names) {
      const place = text.marks.get(name);
      if (place === undefined || session.exitCode !== undefined) continue;
      session.moveTo(place);
      await runCommand(session, quiet, command);
    }
  } finally {
    for (const name of names) text.marks.delete(name);
  }
  if (shown.length > 0) await host.show(shown.join('\n'));
  const delta = text.lines.length - before;
  if (Math.abs(delta) > 2) session.say(deltaText(delta));
}

function setOptions({ session, argument, host }: Call): Promise<void> | void {
  if (argument === '') return host.show(['--- Options ---', ...changedOptions(session.options)].join('\n'));
  for (const word of argument.split(/\s+/)) {
    if (session.flavour === 'busybox' && !BUSYBOX_OPTIONS.test(word))
      throw new ViError(`bad option: ${word}`);
    try {
      const shown = setOption(session.options, word);
      if (shown !== undefined) session.say(shown);
    } catch (error) {
      if (error instanceof OptionError) throw new ViError(error.message);
      throw error;
    }
  }
}

/** Whether an error is one that is told on the status line. */
export function isViError(error: unknown): error is ViError {
  return error instanceof ViError;
}
