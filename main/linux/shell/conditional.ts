// The tests of [[ … ]] and test: files, strings and numbers.
import { ErrnoError } from '../../network/index.ts';
import type { FileStat } from '../kernel/index.ts';
import type { Shell } from './shell.ts';

/** Evaluates `-X operand`; undefined when there's no such operator. */
export function unaryTest(shell: Shell, operator: string, operand: string): boolean | undefined {
  switch (operator) {
    case '-n':
      return operand !== '';
    case '-z':
      return operand === '';
    case '-v':
      return isVariableSet(shell, operand);
    case '-R':
      return shell.vars.findRaw(operand)?.attributes.has('nameref') === true;
    case '-o':
      return shell.options.has(operand);
    case '-t':
      return shell.proc.fds.get(Number(operand))?.tty !== undefined;
    case '-r':
      return shell.proc.fs.access(operand, { read: true });
    case '-w':
      return shell.proc.fs.access(operand, { write: true });
    case '-x':
      return shell.proc.fs.access(operand, { execute: true });
    case '-h':
    case '-L':
      return statOf(shell, operand, true)?.type === 'symlink';
  }
  if (!/^-[abcdefgkpsuGNOS]$/.test(operator)) return undefined;
  const stat = statOf(shell, operand, false);
  return stat !== undefined && fileTest(shell, operator, stat);
}

function fileTest(shell: Shell, operator: string, stat: FileStat): boolean {
  switch (operator) {
    case '-f':
      return stat.type === 'file';
    case '-d':
      return stat.type === 'directory';
    case '-s':
      return stat.sizeBytes > 0;
    case '-p':
      return stat.type === 'fifo';
    case '-S':
      return stat.type === 'socket';
    case '-b':
      return stat.type === 'block-device';
    case '-c':
      return stat.type === 'character-device';
    case '-u':
      return (stat.mode & 0o4000) !== 0;
    case '-g':
      return (stat.mode & 0o2000) !== 0;
    case '-k':
      return (stat.mode & 0o1000) !== 0;
    case '-O':
      return stat.uid === shell.proc.credentials.uid;
    case '-G':
      return stat.gid === shell.proc.credentials.gid;
    case '-N':
      return stat.modifyMs > stat.accessMs;
    default:
      return true; // -e, -a
  }
}

function isVariableSet(shell: Shell, reference: string): boolean {
  const match = /^([A-Za-z_][A-Za-z0-9_]*)\[(.*)\]$/s.exec(reference);
  if (match === null)
    return /^[0-9]+$/.test(reference)
      ? shell.parameter(reference) !== undefined
      : shell.vars.get(reference) !== undefined;
  if (match[2] === '@' || match[2] === '*') return shell.vars.entries(match[1]!).length > 0;
  return shell.vars.element(match[1]!, match[2]!) !== undefined;
}

/** Compares files for -nt, -ot and -ef. */
export function fileComparison(shell: Shell, operator: string, left: string, right: string): boolean {
  const a = statOf(shell, left, false);
  const b = statOf(shell, right, false);
  if (operator === '-ef')
    return a !== undefined && b !== undefined && a.inode === b.inode && a.device === b.device;
  if (operator === '-nt') return a !== undefined && (b === undefined || a.modifyMs > b.modifyMs);
  return b !== undefined && (a === undefined || a.modifyMs < b.modifyMs);
}

/** `-eq`, `-lt` and their like. */
export function compareNumbers(operator: string, left: bigint, right: bigint): boolean {
  switch (operator) {
    case '-eq':
      return left === right;
    case '-ne':
      return left !== right;
    case '-lt':
      return left < right;
    case '-le':
      return left <= right;
    case '-gt':
      return left > right;
    default:
      return left >= right;
  }
}

function statOf(shell: Shell, path: string, ownLink: boolean): FileStat | undefined {
  const descriptor = /^\/dev\/(?:fd\/([0-9]+)|std(in|out|err))$/.exec(path);
  try {
    if (descriptor !== null) {
      const fd =
        descriptor[1] === undefined
          ? { in: 0, out: 1, err: 2 }[descriptor[2] as 'in']
          : Number(descriptor[1]);
      return shell.proc.fds.get(fd)?.stat();
    }
    return ownLink ? shell.proc.fs.lstat(path) : shell.proc.fs.stat(path);
  } catch (error) {
    if (error instanceof ErrnoError) return undefined;
    throw error;
  }
}
