// The folders for request bodies that nginx makes before it opens its sockets: who may not make them may not start it.
import { ErrnoError } from '../../network/index.ts';
import type { Process } from '../../linux/kernel/index.ts';

const FOLDER = '/var/cache/nginx';
const NAME = 'client_temp';
const NUMBERS: Partial<Record<string, number>> = { EPERM: 1, ENOENT: 2, EACCES: 13, ENOSPC: 28, EROFS: 30 };

/**
 * Why the first of the folders can't be had for the workers' user; undefined if it can.
 * Differs: the folders aren't left behind, as nothing is ever put into them here.
 */
export function temporaryPathProblem(proc: Process, workerUid: number | undefined): string | undefined {
  const { fs } = proc;
  const path = `${FOLDER}/${NAME}`;
  if (!fs.exists(FOLDER) || fs.exists(path)) return undefined;
  try {
    fs.mkdir(path, { mode: 0o700 });
  } catch (error) {
    return failure(error, `mkdir() "${path}" failed`);
  }
  try {
    if (workerUid !== undefined) fs.chown(path, workerUid, fs.stat(path).gid);
    return undefined;
  } catch (error) {
    return failure(error, `chown("${path}", ${workerUid}) failed`);
  } finally {
    fs.rmdir(path);
  }
}

function failure(error: unknown, what: string): string {
  if (!(error instanceof ErrnoError)) throw error;
  return `${what} (${NUMBERS[error.code] ?? 22}: ${error.message})`;
}
