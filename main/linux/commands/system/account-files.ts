// /etc/passwd, /etc/shadow, /etc/group and /etc/gshadow as the tools that change them do. passwd(5), shadow(5), group(5).
import { ErrnoError } from '../../../network/index.ts';
import type { Process } from '../../kernel/index.ts';

const DAY_MS = 86_400_000;

export type AccountFile = 'passwd' | 'shadow' | 'group' | 'gshadow';

/** Rows by field; what isn't a row (comments, empty lines) isn't kept. */
export function readRows(proc: Process, file: AccountFile): string[][] {
  const path = `/etc/${file}`;
  if (!proc.fs.exists(path)) return [];
  return proc.fs
    .readText(path)
    .split('\n')
    .filter((line) => line.includes(':'))
    .map((line) => line.split(':'));
}

export function writeRows(proc: Process, file: AccountFile, rows: readonly (readonly string[])[]): void {
  const path = `/etc/${file}`;
  proc.fs.writeFile(path, rows.map((row) => `${row.join(':')}\n`).join(''), {
    mode: file.endsWith('shadow') ? 0 : 0o644,
  });
}

/** The row of a name; undefined: none. */
export function findRow(rows: readonly string[][], name: string): string[] | undefined {
  return rows.find(([first]) => first === name);
}

/** Days since 1970, as shadow(5) counts. */
export function today(proc: Process): string {
  return String(Math.floor(proc.clock.now() / DAY_MS));
}

/** The first free number from 1000 (or for system accounts downwards from 999). */
export function freeId(rows: readonly string[][], system: boolean): number {
  const used = new Set(rows.map((row) => Number(row[2])));
  if (!system) {
    let id = 1000;
    while (used.has(id)) id++;
    return id;
  }
  let id = 999;
  while (used.has(id)) id--;
  return id;
}

/** The password field of a user: from shadow, else from passwd; undefined where it can't be read. */
export function shadowField(proc: Process, name: string): string | undefined {
  try {
    return findRow(readRows(proc, 'shadow'), name)?.[1] ?? '!!';
  } catch (error) {
    if (error instanceof ErrnoError) return undefined;
    throw error;
  }
}

export function setPasswordField(proc: Process, name: string, field: string): void {
  const rows = readRows(proc, 'shadow');
  const row = findRow(rows, name);
  if (row === undefined) rows.push([name, field, today(proc), '0', '99999', '7', '', '', '']);
  else {
    row[1] = field;
    row[2] = today(proc);
  }
  writeRows(proc, 'shadow', rows);
}
