// Recorded sessions of people at the real bash, typed into the virtual one: the screen must show the same.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { sitDown } from '../../main/linux/shell/terminal.ts';
import { makeBareMachine } from '../../support/make-machine.ts';
import { allPrograms } from './harness.ts';
import { noRecordings } from '../../support/no-recordings.ts';

const GOLDEN = fileURLToPath(new URL('../../../../shared/golden/bash-interactive/', import.meta.url));
/** Sessions that record a key pressed while the command ran. */
const WITH_KEYS: Readonly<Record<string, string>> = {
  '15-ctrl-c-loop.txt': '\x03',
  '16-ctrl-c-sleep.txt': '\x03',
};
const COLUMNS = 160;

function sessions(): string[] {
  return existsSync(GOLDEN) ? readdirSync(GOLDEN).filter((name) => /^\d.*\.txt$/.test(name)) : [];
}

function masked(line: string): string {
  return line.replace(/^\[(\d+)\] \d+$/, '[$1] PID').trimEnd();
}

test.each(sessions().filter((name) => !(name in WITH_KEYS)))(
  'the session %s looks as recorded',
  async (name) => {
    const lines = readFileSync(`${GOLDEN}${name}`, 'utf8').split('\n');
    const end = lines.findIndex((line) => /^\[exit \d+\]$/.test(line));
    const recorded = lines.slice(1, end);
    const typed = recorded.filter((line) => /^[$>] /.test(line)).map((line) => line.slice(2));
    const programs = await allPrograms();
    const machine = makeBareMachine({
      programs,
      files: {
        '/root/.bashrc': "PS1='$ '\nunset HISTFILE\nhistory -c\ncd /root/w\n",
        '/root/w/file': { type: 'file', content: 'x\n' },
        '/root/w/s.sh': { type: 'file', content: 'echo no\n', mode: 0o644 },
        '/root/w/d': { type: 'directory' },
      },
    });
    const person = await sitDown({ machine, columns: COLUMNS, rows: 60 });
    for (const line of typed) await person.type(`${line}\r`, 700);
    expect(machine.faults).toEqual([]);
    expect(person.screen().map(masked)).toEqual(recorded.map(masked));
    expect(person.status()).toBe(Number(/\d+/.exec(lines[end]!)![0]));
  },
);

// These are of one command each: bash ran it and ended as it did.
test.each(sessions().filter((name) => name in WITH_KEYS))('the session %s ends as recorded', async (name) => {
  const lines = readFileSync(`${GOLDEN}${name}`, 'utf8').trimEnd().split('\n');
  const recorded = lines.slice(0, -1);
  const machine = makeBareMachine({
    programs: await allPrograms(),
    files: { '/root/.bashrc': "PS1='$ '\n" },
  });
  const person = await sitDown({ machine, columns: COLUMNS });
  await person.type(`${recorded[0]!.slice(2)}\r`, 1200);
  await person.type(WITH_KEYS[name]!);
  expect(person.screen()).toEqual([...recorded, '$']);
  await person.type('exit\r');
  expect(person.status()).toBe(Number(/\d+/.exec(lines.at(-1)!)![0]));
});

if (!existsSync(GOLDEN)) noRecordings('sessions look as recorded');
