// Vi's colon commands on files: editing, writing, reading, quitting.
import { ErrnoError } from '../../../../network/index.ts';
import { type Call, linesOf } from './call.ts';
import { filterTo } from './filters.ts';
import { capture } from './shell-out.ts';
import { type Session, sizeText, ViError } from './state.ts';
import { plural } from './text.ts';

export function fileInfo({ session, argument }: Call): void {
  if (argument !== '') session.path = argument;
  session.say(positionText(session));
}

/** What Ctrl-G and :f say. */
export function positionText({ path, text, cursor, options }: Session): string {
  const name = path === undefined ? '[No Name]' : `"${path}"`;
  const flags = `${text.isModified ? ' [Modified]' : ''}${options.readonly ? ' [readonly]' : ''}`;
  if (text.isEmpty) return `${name}${flags} --No lines in buffer--`;
  const count = text.lines.length;
  return `${name}${flags} ${plural(count, 'line', 'lines')} --${Math.floor(((cursor.line + 1) * 100) / count)}%--`;
}

export function changeDirectory({ session, argument }: Call): void {
  try {
    session.proc.chdir(argument === '' ? (session.proc.env.get('HOME') ?? '/') : argument);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new ViError(`E344: Can't find directory "${argument}" in cdpath`);
  }
}

export function edit({ session, argument, forced }: Call): void {
  const isSame = argument === '' || argument === session.path;
  if (!forced && session.text.isModified)
    throw new ViError('E37: No write since last change (add ! to override)');
  const path = argument === '' ? session.path : argument;
  if (path === undefined) throw new ViError('E32: No file name');
  const { line, column } = session.cursor;
  session.open(path);
  if (isSame) session.moveTo({ line, column });
}

export function nextFile(session: Session, by: number, forced: boolean): void {
  const index = session.fileIndex + by;
  if (session.files.length <= 1) throw new ViError('E163: There is only one file to edit');
  if (index >= session.files.length) throw new ViError('E165: Cannot go beyond last file');
  if (index < 0) throw new ViError('E164: Cannot go before first file');
  if (!forced && session.text.isModified)
    throw new ViError('E37: No write since last change (add ! to override)');
  session.fileIndex = index;
  session.open(session.files[index]);
}

export function quit({ session, forced, name }: Call): void {
  if (!forced && session.text.isModified) {
    if (name.startsWith('qa') || name.startsWith('quita'))
      throw new ViError(
        `E37: No write since last change\nE162: No write since last change for buffer "${session.path ?? '[No Name]'}"`,
      );
    throw new ViError('E37: No write since last change (add ! to override)');
  }
  const left = session.files.length - 1 - session.fileIndex;
  if (!forced && left > 0 && !name.startsWith('qa')) {
    const warned = session.text.marks.has('more files');
    session.text.marks.set('more files', session.cursor);
    if (!warned) throw new ViError(`E173: ${plural(left, 'more file', 'more files')} to edit`);
  }
  session.exitCode = 0;
}

export async function write(call: Call): Promise<void> {
  const { session, lines, argument, forced } = call;
  if (argument.startsWith('!')) return filterTo(call, argument.slice(1));
  const appends = argument.startsWith('>>');
  const given = appends ? argument.slice(2).trim() : argument;
  const path = given === '' ? session.path : given;
  if (path === undefined) throw new ViError('E32: No file name');
  const content =
    lines.given > 0
      ? linesOf(session, lines)
          .map((line) => `${line}\n`)
          .join('')
      : session.text.contents;
  const count =
    lines.given > 0 ? lines.to - lines.from + 1 : session.text.isEmpty ? 0 : session.text.lines.length;
  save(session, {
    path,
    content,
    count,
    forced,
    appends,
    isOther: given !== '' && given !== session.path,
    isWhole: lines.given === 0,
  });
}

interface Saving {
  readonly path: string;
  readonly content: string;
  readonly count: number;
  readonly forced: boolean;
  readonly appends: boolean;
  /** To another file than the one edited. */
  readonly isOther: boolean;
  readonly isWhole: boolean;
}

function save(session: Session, { path, content, count, forced, appends, isOther, isWhole }: Saving): void {
  const { fs } = session.proc;
  const target = fs.resolve(path);
  const exists = fs.exists(target);
  if (isOther && exists && !forced && !appends) throw new ViError('E13: File exists (add ! to override)');
  if (!isOther && session.options.readonly && !forced)
    throw new ViError("E45: 'readonly' option is set (add ! to override)");
  if (exists && fs.stat(target).type === 'directory') throw new ViError(`"${path}" E17: is a directory`);
  try {
    fs.writeFile(target, appends && exists ? fs.readText(target) + content : content);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new ViError(
      error.code === 'ENOSPC'
        ? `"${path}" E514: Write error (file system full?)`
        : `"${path}" E212: Can't open file for writing`,
    );
  }
  if (isWhole && !isOther) session.text.isModified = false;
  if (session.path === undefined && isWhole) {
    session.path = path;
    session.text.isModified = false;
  }
  session.say(
    `"${path}" ${exists ? '' : '[New] '}${sizeText(count, content)} ${appends ? 'appended' : 'written'}`,
  );
}

export async function writeAndQuit(call: Call): Promise<void> {
  const { session, name } = call;
  const isLazy = name.startsWith('x') || name.startsWith('exi');
  if (
    !isLazy ||
    session.text.isModified ||
    call.argument !== '' ||
    (session.path !== undefined &&
      !session.proc.fs.exists(session.proc.fs.resolve(session.path)) &&
      !session.text.isEmpty)
  )
    await write(call);
  session.exitCode = 0;
}

export async function readFile(call: Call): Promise<void> {
  const { session, argument, lines, forced } = call;
  let content: string;
  if (forced || argument.startsWith('!'))
    content = (await capture(session.proc, argument.replace(/^!/, ''), '')).output;
  else {
    const path = argument === '' ? session.path : argument;
    if (path === undefined) throw new ViError('E32: No file name');
    try {
      content = session.proc.fs.readText(session.proc.fs.resolve(path));
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      throw new ViError(
        error.code === 'EISDIR' ? `"${path}" is a directory` : `E484: Can't open file ${path}`,
      );
    }
    session.say(
      `"${path}" ${sizeText(content === '' ? 0 : content.replace(/\n$/, '').split('\n').length, content)}`,
    );
  }
  if (content === '') return;
  const added = content.replace(/\n$/, '').split('\n');
  const at = session.text.isEmpty ? 0 : lines.to + 1;
  session.text.splice(at, 0, added);
  session.toFirstNonBlank(at);
}
