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
  /** `x86_64` if absent. */
  readonly architecture?: string;
  /** Names of packages that it needs. */
  readonly requires?: readonly string[];
  /** Programs by absolute path. */
  readonly programs: ReadonlyMap<string, InstalledProgram>;
}

/** `1.31-6.el9` */
export function versionOf({ version, release }: CommandPackage): string {
  return `${version}-${release}`;
}

export function architectureOf({ architecture = 'x86_64' }: CommandPackage): string {
  return architecture;
}

/** `ipvsadm-1.31-6.el9.x86_64` */
export function fullName(pack: CommandPackage): string {
  return `${pack.name}-${versionOf(pack)}.${architectureOf(pack)}`;
}

/** The bytes that travel for it. */
export function downloadBytes({ sizeBytes }: CommandPackage): number {
  return Math.ceil(sizeBytes / 3);
}

/** Where a machine keeps what the repository could install: from there its kernel knows the programs by name. */
export function storePath(pack: CommandPackage, path: string): string {
  return `/usr/lib/drydock/repository/${pack.name}${path}`;
}
