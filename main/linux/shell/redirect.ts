// Redirections: of a command to be started, or of the shell itself for the length of a builtin.
import { ErrnoError } from '../../network/index.ts';
import type { OpenFile } from '../kernel/index.ts';
import { textToBytes } from './bytes.ts';
import { expandDocument, expandToText, expandWords } from './expand.ts';
import { NetworkRedirectError, openNetworkPath } from './network-redirect.ts';
import type { Shell } from './shell.ts';
import type { Redirect } from './syntax/ast.ts';

/** A redirection that can't be made; `message` is bash's text without prefix. */
class RedirectError extends Error {}

/** Where redirections are made. */
interface DescriptorTable {
  get(fd: number): OpenFile | undefined;
  set(fd: number, file: OpenFile): void;
  close(fd: number): void;
  /** Puts it at the lowest free number from 10 (`{name}>…`). */
  allocate(file: OpenFile): number;
}

/** Bytes that surely fit into a pipe's buffer. */
const PIPE_BYTES_MAX = 60_000;
const NAMED_FD_MIN = 10;

/** The descriptors that a child will start with. */
export function childTable(shell: Shell, fds: Map<number, OpenFile>): DescriptorTable {
  return {
    get: (fd) =>
      fds.get(fd) ?? (shell.coprocess?.fds.includes(fd) === true ? shell.proc.fds.get(fd) : undefined),
    set: (fd, file) => void fds.set(fd, file),
    close: (fd) => void fds.delete(fd),
    allocate(file) {
      let fd = NAMED_FD_MIN;
      while (fds.has(fd)) fd++;
      fds.set(fd, file);
      return fd;
    },
  };
}

/** The shell's own descriptors. `undo` puts back what was replaced; `keep` makes the changes last. */
export function shellTable(shell: Shell): DescriptorTable & { undo(): void; keep(): void } {
  const { proc } = shell;
  const saved: { fd: number; privateFd: number | undefined }[] = [];
  const save = (fd: number): void => {
    if (saved.some((entry) => entry.fd === fd)) return;
    const file = proc.fds.get(fd);
    saved.push({ fd, privateFd: file === undefined ? undefined : shell.keepPrivate(file) });
  };
  return {
    get: (fd) => (shell.privateFds.has(fd) ? undefined : proc.fds.get(fd)),
    set(fd, file) {
      save(fd);
      proc.setFd(file, fd);
    },
    close(fd) {
      if (!proc.fds.has(fd)) return;
      save(fd);
      proc.closeFd(fd);
    },
    allocate: (file) => proc.setFd(file, undefined, NAMED_FD_MIN),
    undo() {
      for (const { fd, privateFd } of saved.splice(0).toReversed()) {
        if (privateFd !== undefined) {
          proc.setFd(proc.fds.get(privateFd)!, fd);
          shell.dropPrivate(privateFd);
        } else if (proc.fds.has(fd)) {
          proc.closeFd(fd);
        }
      }
    },
    keep() {
      for (const { privateFd } of saved.splice(0)) if (privateFd !== undefined) shell.dropPrivate(privateFd);
    },
  };
}

/** Makes redirections in order. Throws RedirectError or ExpansionError; what was made before stays. */
export async function redirectAll(
  shell: Shell,
  redirects: readonly Redirect[],
  table: DescriptorTable,
): Promise<void> {
  for (const redirect of redirects) await redirectOne(shell, redirect, table);
}

async function redirectOne(shell: Shell, redirect: Redirect, table: DescriptorTable): Promise<void> {
  const { operator } = redirect;
  const input = operator.startsWith('<');
  const place = (file: OpenFile): void => {
    if (redirect.fdVariable !== undefined) setDescriptor(shell, redirect.fdVariable, table.allocate(file));
    else table.set(redirect.fd ?? (input ? 0 : 1), file);
  };
  if (redirect.hereDocument !== undefined)
    return place(await contentFile(shell, await expandDocument(shell, redirect.hereDocument.body)));
  if (operator === '<<<')
    return place(await contentFile(shell, `${await expandToText(shell, redirect.target)}\n`));

  const target = await targetOf(shell, redirect);
  if (
    operator === '&>' ||
    operator === '&>>' ||
    (operator === '>&' &&
      redirect.fd === undefined &&
      redirect.fdVariable === undefined &&
      !/^(?:[0-9]+-?|-)$/.test(target))
  ) {
    const file = await opened(
      shell,
      target,
      openTarget(shell, target, operator === '&>>' ? '>>' : '>', table),
    );
    table.set(1, file);
    table.set(2, file);
    return;
  }
  if (operator === '<&' || operator === '>&') return duplicate(shell, redirect, target, table, place);
  place(
    (await socketAt(shell, target)) ??
      (await opened(shell, target, openTarget(shell, target, operator, table))),
  );
}

/** The connection that a path such as /dev/tcp/HOST/PORT names; undefined for other paths. */
async function socketAt(shell: Shell, path: string): Promise<OpenFile | undefined> {
  try {
    return await openNetworkPath(shell, path);
  } catch (error) {
    if (!(error instanceof NetworkRedirectError)) throw error;
    throw new RedirectError(`${path}: ${error.message}`, { cause: error });
  }
}

/** The file once open(2) would return: the other end of a fifo may have to come first. */
async function opened(shell: Shell, path: string, file: OpenFile): Promise<OpenFile> {
  try {
    const waiting = file.opened();
    if (waiting !== undefined) await waiting;
    return file;
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    shell.proc.kernel.closeFile(file);
    throw new RedirectError(`${path}: ${error.message}`, { cause: error });
  }
}

const ELEMENT = /^([^[]+)\[(.*)\]$/s;

function setDescriptor(shell: Shell, variable: string, fd: number): void {
  const element = ELEMENT.exec(variable);
  if (element === null) shell.vars.set(variable, String(fd));
  else shell.vars.setElement(element[1]!, element[2]!, String(fd));
}

function descriptorIn(shell: Shell, variable: string): string | undefined {
  const element = ELEMENT.exec(variable);
  return element === null ? shell.vars.get(variable) : shell.vars.element(element[1]!, element[2]!);
}

/** The one word that a target must expand to. */
async function targetOf(shell: Shell, redirect: Redirect): Promise<string> {
  if (shell.dialect.name === 'dash') return expandToText(shell, redirect.target);
  const words = await expandWords(shell, [redirect.target]);
  if (words.length !== 1) throw new RedirectError(`${redirect.target.text}: ambiguous redirect`);
  return words[0]!;
}

function duplicate(
  shell: Shell,
  redirect: Redirect,
  target: string,
  table: DescriptorTable,
  place: (file: OpenFile) => void,
): void {
  const own = redirect.fd ?? (redirect.operator === '<&' ? 0 : 1);
  const numberOf = (): number =>
    redirect.fdVariable === undefined ? own : Number(descriptorIn(shell, redirect.fdVariable));
  if (target === '-') {
    table.close(numberOf());
    return;
  }
  const match = /^([0-9]+)(-?)$/.exec(target);
  if (match === null) throw new RedirectError(`${target}: ambiguous redirect`);
  const from = Number(match[1]);
  const file = table.get(from);
  if (file === undefined) throw new RedirectError(`${match[1]}: Bad file descriptor`);
  place(file);
  if (match[2] === '-' && from !== own) table.close(from);
}

function openTarget(
  shell: Shell,
  path: string,
  operator: Redirect['operator'],
  table: DescriptorTable,
): OpenFile {
  const standard = /^\/dev\/(?:fd\/([0-9]+)|std(in|out|err))$/.exec(path);
  if (standard !== null) {
    const fd =
      standard[1] === undefined ? { in: 0, out: 1, err: 2 }[standard[2] as 'in'] : Number(standard[1]);
    const file = table.get(fd) ?? shell.substitutionFile(fd);
    if (file === undefined) throw new RedirectError(`${path}: No such file or directory`);
    if (file.kind !== 'file') return file;
  }
  const { fs } = shell.proc;
  try {
    switch (operator) {
      case '<':
        return fs.open(path, { read: true });
      case '<>':
        return fs.open(path, { read: true, write: true, create: true }, 0o666);
      case '>>':
        return fs.open(path, { write: true, append: true, create: true }, 0o666);
      default:
        if (
          operator === '>' &&
          shell.options.has('noclobber') &&
          fs.exists(path) &&
          fs.stat(path).type === 'file'
        ) {
          throw new RedirectError(
            shell.dialect.name === 'dash'
              ? `cannot create ${path}: File exists`
              : `${path}: cannot overwrite existing file`,
          );
        }
        return fs.open(path, { write: true, create: true, truncate: true }, 0o666);
    }
  } catch (error) {
    if (error instanceof ErrnoError)
      throw new RedirectError(
        shell.dialect.name === 'bash'
          ? `${path}: ${error.message}`
          : lesserTrouble(shell.dialect.name, path, operator, error),
        { cause: error },
      );
    throw error;
  }
}

/** The words of dash and ash for a file that can't be opened. */
function lesserTrouble(dialect: 'dash' | 'ash', path: string, operator: string, error: ErrnoError): string {
  if (dialect === 'ash') {
    if (error.code !== 'ENOENT')
      return `can't ${operator === '<' ? 'open' : 'create'} ${path}: ${error.message}`;
    return operator === '<'
      ? `can't open ${path}: no such file`
      : `can't create ${path}: nonexistent directory`;
  }
  if (operator === '<')
    return `cannot open ${path}: ${error.code === 'ENOENT' ? 'No such file' : error.message}`;
  return `cannot create ${path}: ${error.code === 'ENOENT' ? 'Directory nonexistent' : error.message}`;
}

/** Something to read a text from: a pipe, or a file without a name when it's long. */
async function contentFile(shell: Shell, text: string): Promise<OpenFile> {
  const bytes = textToBytes(text);
  if (bytes.length > PIPE_BYTES_MAX) {
    const path = `/tmp/sh-thd.${shell.proc.pid}.${shell.proc.random.integer(1e9)}`;
    const file = shell.proc.fs.open(path, { read: true, write: true, create: true, exclusive: true }, 0o600);
    shell.proc.fs.unlink(path);
    await file.write(bytes);
    file.seek(0, 'set');
    return file;
  }
  const pipe = shell.proc.kernel.pipe();
  const fd = shell.keepPrivate(pipe.writer);
  await shell.proc.fds.get(fd)!.write(bytes);
  shell.dropPrivate(fd);
  return pipe.reader;
}

/** Prints why a redirection failed. */
export async function reportRedirect(shell: Shell, error: unknown): Promise<void> {
  if (error instanceof RedirectError) await shell.error(error.message);
  else await shell.abandon(error); // Rethrows what isn't about expansion.
}

/** Runs `body` with the shell's descriptors redirected. */
export async function withRedirects(
  shell: Shell,
  redirects: readonly Redirect[],
  body: () => Promise<number>,
): Promise<number> {
  const table = shellTable(shell);
  const substitutions = shell.openSubstitutions;
  try {
    try {
      await redirectAll(shell, redirects, table);
    } catch (error) {
      table.undo(); // The message goes where messages went before.
      await reportRedirect(shell, error);
      return (shell.status = shell.dialect.name === 'dash' ? 2 : 1);
    }
    return await body();
  } finally {
    table.undo();
    shell.closeSubstitutions(substitutions);
  }
}
