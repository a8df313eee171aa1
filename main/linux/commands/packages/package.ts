// What a package of the virtual repository is.
import type { Program } from '../../kernel/index.ts';

export interface InstalledProgram {
  readonly name: string;
  readonly program: Program;
}

/** A package of the virtual repository. */
export interface CommandPackage {
  readonly name: string;
  readonly version: string;
  readonly release: string;
  readonly summary: string;
  readonly sizeBytes: number;
  /** Programs by absolute path. */
  readonly programs: ReadonlyMap<string, InstalledProgram>;
}

/**
 * Where a machine keeps what the repository could install; yum links from the real path to here.
 * Differs: a command that yum installed is a symbolic link.
 */
export function storePath(pack: CommandPackage, path: string): string {
  return `/usr/lib/drydock/repository/${pack.name}${path}`;
}
