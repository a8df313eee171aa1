// Runs scripts in the virtual bash and in the host's, in directories made by one setup script.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LayerFile, Program } from '../../../main/linux/kernel/index.ts';
import { bash, dash } from '../../../main/linux/shell/index.ts';
import { makeBareMachine, run, type BareMachine, type RunResult } from '../../support/make-machine.ts';

const DIRECTORY = '/root/t';

/** Every command that exists, by path. */
export async function allPrograms(): Promise<Map<string, Program>> {
  const programs = new Map<string, Program>([
    ['/usr/bin/bash', bash],
    ['/usr/bin/sh', dash],
  ]);
  const { machinePrograms } = await import('../../../main/linux/commands/index.ts');
  for (const [path, { program }] of machinePrograms()) if (!programs.has(path)) programs.set(path, program);
  return programs;
}

/** What a setup script leaves in an empty directory, as files of a machine's layer below DIRECTORY. */
export function filesOf(setup: string): Map<string, LayerFile> {
  const directory = mkdtempSync(join(tmpdir(), 'drydock-parity-'));
  const files = new Map<string, LayerFile>([[DIRECTORY, { type: 'directory', mode: 0o755 }]]);
  try {
    execFileSync('bash', ['-c', setup], { cwd: directory });
    const walk = (from: string, to: string): void => {
      for (const name of readdirSync(from)) {
        const path = join(from, name);
        const stat = lstatSync(path);
        if (stat.isSymbolicLink())
          files.set(`${to}/${name}`, { type: 'symlink', target: readlinkSync(path) });
        else if (stat.isDirectory()) {
          files.set(`${to}/${name}`, { type: 'directory', mode: stat.mode & 0o777 });
          walk(path, `${to}/${name}`);
        } else
          files.set(`${to}/${name}`, {
            type: 'file',
            content: readFileSync(path),
            mode: statSync(path).mode & 0o777,
          });
      }
    };
    walk(directory, DIRECTORY);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return files;
}

export function makeMachine(
  programs: ReadonlyMap<string, Program>,
  files: ReadonlyMap<string, LayerFile>,
): BareMachine {
  return makeBareMachine({ programs, files });
}

/** Runs a script under `bash -c` in the virtual machine. */
export function runScript(machine: BareMachine, script: string, stdin = ''): Promise<RunResult> {
  return run(machine, ['bash', '-c', script], {
    cwd: DIRECTORY,
    stdin,
    withinMs: 30_000,
    env: new Map([
      ['PATH', '/usr/bin:/bin'],
      ['HOME', '/root'],
      ['LANG', 'C.UTF-8'],
    ]),
  });
}

/** The host's bash, if it has one of the version we follow. */
export function hostBash(): string | undefined {
  if (!existsSync('/bin/bash')) return undefined;
  const version = spawnSync('/bin/bash', ['--version'], { encoding: 'utf8' }).stdout;
  return version.includes('version 5.2') ? '/bin/bash' : undefined;
}
