// vi on a plain terminal: what keys make of a text, recorded with vim 9.0 for random ones; and hostile keys.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { makeRandom } from '../../../../../main/simulation/index.ts';
import { allPrograms } from '../../../../parity/shell/harness.ts';
import { makeBareMachine } from '../../../../support/make-machine.ts';
import { sitDown, type Person } from '../../shell/terminal.ts';

interface Case {
  readonly text: string;
  readonly keys: string;
  /** The file afterwards, with an @ typed where the cursor was. */
  readonly becomes: string;
}

const CASES = JSON.parse(readFileSync(new URL('vi-keys.json', import.meta.url), 'utf8')) as Case[];
const LEAVE = '\u001b\u001b\u001b';

async function seat(text: string): Promise<Person> {
  return sitDown({
    machine: makeBareMachine({
      programs: await allPrograms(),
      files: { '/root/.bashrc': "PS1='$ '\n", '/root/f': { type: 'file', content: text } },
    }),
  });
}

/** The file's text, by way of the screen. */
async function contents(person: Person, path: string): Promise<string> {
  await person.type(`clear; base64 -w0 ${path}; echo\r`, 100);
  const lines = person.screen().filter((line) => !line.startsWith('$'));
  return Buffer.from(lines.join(''), 'base64').toString();
}

test('three hundred sequences of keys do to a text what vim does', async () => {
  const differences: string[] = [];
  for (const { text, keys, becomes } of CASES) {
    const person = await seat(text);
    await person.type('vim f\r');
    await person.type(keys);
    await person.type(`${LEAVE}i@\u001b:wq! out\r`);
    const shown = await contents(person, 'out');
    if (shown !== becomes)
      differences.push(`${JSON.stringify({ text, keys, becomes })} became ${JSON.stringify(shown)}`);
    person.kill();
  }
  expect(differences).toEqual([]);
});

test('keys of any kind neither crash nor hang it', async () => {
  const random = makeRandom('hostile keys');
  const alphabet = ` abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPRSTUVWXY0123456789:/?!@#$%^&*()[]{}<>|\\'"\`~+-=_.,;\r\t\u001b\u0001\u0004\u0012\u0015\u0016\u0017\u0018中é\u{1f600}`;
  const symbols = Array.from(alphabet);
  for (let round = 0; round < 60; round++) {
    const person = await seat('one two\n  three (four)\n\n中文 five\n');
    await person.type('vim f; echo over\r');
    const keys = Array.from({ length: 120 }, () => symbols[random.integer(symbols.length)]!).join('');
    await person.type(keys, 200);
    await person.type(`\r\r${LEAVE}${LEAVE}:qa!\r`, 200);
    await person.type(`\r${LEAVE}:qa!\r`, 200);
    expect({ keys, over: person.screen().includes('over') }).toEqual({ keys, over: true });
    person.kill();
  }
});

test('what is selected with v is shown in reverse, and a resized terminal is drawn anew', async () => {
  const person = await seat('one two three\n');
  await person.type('vim f\r');
  await person.type('wve');
  expect(person.raw()).toContain('\u001b[7mtwo\u001b[0m');
  await person.resize(30, 8);
  await person.type('\u001b');
  expect(person.screen()).toEqual([
    'one two three',
    ...Array.from({ length: 6 }, () => '~'),
    '            1,7           All',
  ]);
});

test('Ctrl-Z leaves it stopped, and fg brings it back', async () => {
  const person = await seat('one\n');
  await person.type('vim f\r');
  await person.type('x\u001a', 200);
  expect(person.screen().join('\n')).toContain('[1]+  Stopped                 vim f');
  await person.type('fg\r', 200);
  expect(person.screen()[0]).toBe('ne');
  await person.type(':wq\r', 200);
  expect(await contents(person, 'f')).toBe('ne\n');
});

test('busybox’s vi has a status line and words of its own, and no selections', async () => {
  const { BUSYBOX_APPLETS } = await import('../../../../../main/linux/commands/index.ts');
  const programs = new Map([...(await allPrograms()), ['/usr/bin/vi', BUSYBOX_APPLETS.get('vi')!] as const]);
  const files = {
    '/root/.bashrc': "PS1='$ '\n",
    '/root/bbf': { type: 'file', content: 'one\ntwo\nthree\n' },
  } as const;
  const person = await sitDown({ machine: makeBareMachine({ programs, files }), columns: 60, rows: 8 });
  await person.type('vi bbf\r');
  const shown: (string | undefined)[] = [];
  for (const keys of [
    '',
    'i',
    'x',
    '\u001b',
    'j',
    ':foo\r',
    ':q\r',
    ':w\r',
    '/three\r',
    '/zzz\r',
    ':set nu\r',
    'v',
    ':%s/e/E/g\r',
    'R',
  ]) {
    await person.type(keys);
    shown.push(person.screen().at(-1));
  }
  expect(shown).toEqual([
    '- bbf 1/3 33%',
    'I bbf 1/3 33%',
    'I bbf [Modified] 1/3 33%',
    '- bbf [Modified] 1/3 33%',
    '- bbf [Modified] 2/3 66%',
    "'foo' is not implemented",
    'No write since last change (:q! overrides)',
    "'bbf' 3L, 15C",
    '- bbf 3/3 100%',
    'Pattern not found',
    'bad option: nu',
    "'v' is not implemented",
    '3 substitutions on 2 lines',
    'R bbf [Modified] 3/3 100%',
  ]);
});

test('a bar ends :w and :r, but not what the shell or :g runs; nothing runs after a quit', async () => {
  const person = await seat('one\ntwo\nthree\n');
  await person.type('vim f\r');
  await person.type(':r !echo a b | tr a-z A-Z\r:g/t/s/t/T/|s/e/E/e\r:w|q|d\r', 300);
  expect(await contents(person, 'f')).toBe('one\nA B\nTwo\nThrEe\n');
});
