// less on the screen. What it shows was compared with less 590 on a real terminal, where there is one.
import { describe, expect, test } from 'vitest';
import { hostHas } from './judge.ts';
import { sit, tail } from './sit.ts';
import { ourScreens, theirScreens, type ToolRun } from './tools.ts';

const LINES = Array.from({ length: 60 }, (_, i) => `line ${i + 1} of the file\n`).join('');
const FILES = {
  f60: LINES,
  two: 'a\nb\n',
  odd: `tab\there\n\u001b[31mred\u001b[0m plain\n${'long '.repeat(40)}\n${'中文字符很宽的一行 '.repeat(6)}\nctrl \u0001 x\n`,
  mixed: `Alpha\nbeta\nALPHA\nalpha\n${LINES}`,
};

/** Commands with the keys typed to them. */
const RUNS: readonly (readonly [string, readonly string[]])[] = [
  [
    'less f60',
    [
      ' ',
      '/',
      'line 58',
      '\r',
      'n',
      '\r',
      '=',
      '\r',
      'g',
      '12',
      'G',
      '-N',
      '\r',
      '&',
      '1\r',
      '&',
      '\r',
      'F',
      '\u0003',
      ':n',
      '\r',
      ':f',
      '\r',
      '-i',
      '\r',
      'ma',
      'G',
      "'a",
      "''",
      '50%',
      '/',
      '\u0007',
      'z',
      'b',
      'd',
      'u',
      '\u001bu',
      '5j',
      'k',
      'y',
      'J',
    ],
  ],
  ['less odd', [' ', 'g', '-S', '\r', '\u001bOC', '\u001bOC', '\u001bOD', '-R', '\r', 'q']],
  ['less -S odd', [' ', '\u001bOC', 'q']],
  ['less -R odd', [' ', 'q']],
  ['less -N two f60', [' ', ':n', ':p', ':x', 'q']],
  ['less two', ['j', ' ', 'k', '=', '\r', 'q']],
  ['seq 3 | less; echo done', [' ', 'q']],
  ['seq 300 | less', ['G', '=', '\r', 'g', '?', '9\r', 'n', 'N', '/', '^2.$\r', 'n', 'n', '3n', 'q']],
  ['less -F two; echo $?', []],
  ['less -FX two f60', ['q', 'q']],
  ['less +G f60', ['q']],
  ['less +/58 f60', ['q']],
  ['less -p 30 f60', ['n', 'N', '\r', 'q']],
  ['less -i mixed', ['/alpha\r', 'n', 'n', '/Alpha\r', 'n', 'q']],
  ['less mixed', ['/!line\r', 'n', 'n', '/zzz\r', '\r', '/\r', '\r', '?\r', '\r', 'q']],
  ['less -e f60', ['G', ' ', ' ', 'x\r']],
  ['less -E two; echo end', []],
  ['less f60', ['ma', '10j', "'a", "'b", '\r', "'$", "'^", '10p', '3', '0', '\u007f', 'G', '\u0007', 'q']],
];

describe.skipIf(!hostHas('/usr/bin/less'))('as the host’s less', () => {
  test.each(RUNS)('%s shows the same screens', { timeout: 30_000 }, async (command, keys) => {
    const run: ToolRun = { command, files: FILES, keys };
    expect(await ourScreens(run)).toEqual(await theirScreens(run));
  });
});

test('the prompt names the file, then is a colon, then END; search goes to the line', async () => {
  const screens = await ourScreens({
    command: 'less f60',
    files: FILES,
    keys: [' ', '/58\r', 'N', '\r', 'q'],
  });
  expect(screens.map((screen) => screen.at(-1))).toEqual([
    'f60',
    ':',
    '(END)',
    'Pattern not found  (press RETURN)',
    '(END)',
    '$',
  ]);
  expect(screens[2]![0]).toBe('line 58 of the file');
});

test('an endless input is read no further than is looked at', async () => {
  const person = await sit({ rows: 10 });
  await person.type('yes | less\r', 300);
  expect(person.visible()).toEqual([...Array.from({ length: 9 }, () => 'y'), ':']);
  await person.type('5000g', 300);
  expect(tail(person, 1)).toEqual([':']);
  await person.type('q', 300);
  await person.type('echo ${PIPESTATUS[@]}\r');
  expect(tail(person, 2)).toEqual(['141 0', '$']);
});

test('lines that come later are shown as they come, and q ends the wait', async () => {
  const person = await sit({ rows: 10 });
  await person.type('(echo one; sleep 1; echo two; sleep 100) | less\r', 200);
  await person.wait(2000);
  await person.type('q', 200);
  await person.type('\u0003', 200);
  expect(tail(person, 1)).toEqual(['^C$']);
});

test('F follows a file that grows until Ctrl-C', async () => {
  const person = await sit({ rows: 6, files: { '/root/log': 'one\ntwo\n' } });
  await person.type('(sleep 3; echo three >> log) & less +F log\r', 500);
  expect(tail(person, 1)).toEqual(['Waiting for data... (interrupt to abort)']);
  await person.wait(5000);
  expect(person.visible()).toContain('three');
  await person.type('\u0003');
  expect(tail(person, 1)).toEqual(['(END)']);
});

test('a window of another size is drawn anew', async () => {
  const person = await sit({ rows: 10, files: { '/root/f60': LINES } });
  await person.type('less f60\r');
  await person.resize(40, 5);
  expect(person.visible()).toEqual([
    'line 1 of the file',
    'line 2 of the file',
    'line 3 of the file',
    'line 4 of the file',
    ':',
  ]);
});

test('! runs a command and v the editor, and both come back', async () => {
  const person = await sit({
    rows: 8,
    files: { '/root/two': 'a\nb\n' },
    rc: "export EDITOR='sed -i s/a/changed/'",
  });
  await person.type('less two\r');
  await person.type('!echo hi\r', 200);
  expect(person.screen().join(' ')).toContain('hi');
  await person.type('\r');
  await person.type('v', 300);
  expect(person.visible()[0]).toBe('changed');
});

test('more stops under each page and ends with its input', async () => {
  const person = await sit({ rows: 8, files: { '/root/f60': LINES } });
  await person.type('more f60\r');
  expect(tail(person, 2)).toEqual(['line 7 of the file', '--More--(11%)']);
  await person.type('\r');
  expect(tail(person, 2)).toEqual(['line 8 of the file', '--More--(12%)']);
  await person.type('/58\r');
  expect(tail(person, 1)).toEqual(['$']);
});
