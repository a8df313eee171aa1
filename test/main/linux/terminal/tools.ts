// One tool on the host's terminal and on the virtual one, with the same files, typed into alike.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Judge } from './judge.ts';
import { sit } from './sit.ts';

export interface ToolRun {
  readonly command: string;
  readonly files: Readonly<Record<string, string>>;
  readonly keys: readonly string[];
  readonly columns?: number;
  readonly rows?: number;
}

/** Screens after the start and after each key. */
export type Screens = readonly (readonly string[])[];

/** What the virtual tool shows. */
export async function ourScreens({
  command,
  files,
  keys,
  columns = 50,
  rows = 8,
}: ToolRun): Promise<Screens> {
  const inHome = Object.fromEntries(Object.entries(files).map(([name, text]) => [`/root/${name}`, text]));
  const person = await sit({ columns, rows, files: inHome });
  await person.type(`clear; ${command}\r`, 200);
  const screens = [person.visible()];
  for (const key of keys) {
    await person.type(key, 200);
    screens.push(person.visible());
  }
  return screens;
}

/** What the host's shows. */
export async function theirScreens({
  command,
  files,
  keys,
  columns = 50,
  rows = 8,
}: ToolRun): Promise<Screens> {
  const directory = mkdtempSync(join(tmpdir(), 'drydock-tool-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    writeFileSync(join(directory, '.rc'), "PS1='$ '\n");
    using judge = new Judge({
      argv: ['/usr/bin/bash', '--noprofile', '--rcfile', join(directory, '.rc'), '-i'],
      cwd: directory,
      env: { TERM: 'xterm-256color', HOME: directory, LC_ALL: 'C.UTF-8', PATH: '/usr/bin:/bin' },
      columns,
      rows,
    });
    const giveUpMs = Date.now() + 5000;
    while (!judge.raw.includes('$ ') && Date.now() < giveUpMs) await judge.settle();
    await judge.type(`clear; ${command}\r`);
    await judge.pause();
    const screens = [judge.visible()];
    for (const key of keys) {
      await judge.type(key);
      await judge.pause();
      screens.push(judge.visible());
    }
    return screens;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
