// Which packages a machine has: those whose programs are there, and since when and from where for those that were installed later.
import { elfContent, type Process } from '../../kernel/index.ts';
import { parentPart } from '../coreutils/files.ts';
import type { CommandPackage } from './package.ts';

const DATABASE = '/var/lib/rpm/installed';

export interface InstallRecord {
  readonly name: string;
  readonly timeMs: number;
  readonly repository: string;
  /** Somebody asked for it; else another package needs it. */
  readonly asked: boolean;
}

function records({ fs }: Process): InstallRecord[] {
  if (!fs.exists(DATABASE)) return [];
  return fs
    .readText(DATABASE)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [name = '', time = '0', repository = '', why = ''] = line.split(' ');
      return { name, timeMs: Number(time), repository, asked: why === 'asked' };
    });
}

function save({ fs }: Process, rows: readonly InstallRecord[]): void {
  fs.mkdir(parentPart(DATABASE), { recursive: true });
  fs.writeFile(
    DATABASE,
    rows
      .map(
        ({ name, timeMs, repository, asked }) =>
          `${name} ${timeMs} ${repository} ${asked ? 'asked' : 'needed'}\n`,
      )
      .join(''),
  );
}

/** How it came to be there; undefined for what the machine was made with. */
export function recordOf(proc: Process, { name }: CommandPackage): InstallRecord | undefined {
  return records(proc).find((row) => row.name === name);
}

export function isInstalled(proc: Process, pack: CommandPackage): boolean {
  if (pack.programs.size === 0) return recordOf(proc, pack) !== undefined;
  return Array.from(pack.programs.keys()).every((path) => proc.fs.exists(path));
}

/** Puts the programs where they belong. */
export function installPackage(
  proc: Process,
  pack: CommandPackage,
  { repository, asked }: { readonly repository: string; readonly asked: boolean },
): void {
  const { fs } = proc;
  for (const [path, { name }] of pack.programs) {
    if (fs.exists(path)) continue;
    fs.mkdir(parentPart(path), { recursive: true });
    // The machine knows its repository's programs by the name in the file.
    fs.writeFile(path, elfContent(name), { mode: 0o755 });
  }
  const timeMs = Math.floor(proc.clock.now());
  save(proc, [
    ...records(proc).filter(({ name }) => name !== pack.name),
    { name: pack.name, timeMs, repository, asked },
  ]);
}

export function removePackage(proc: Process, pack: CommandPackage): void {
  for (const path of pack.programs.keys()) if (proc.fs.exists(path)) proc.fs.unlink(path);
  save(
    proc,
    records(proc).filter(({ name }) => name !== pack.name),
  );
}
