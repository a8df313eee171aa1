// What a person at the prompt sees: lines that wrap, other alphabets, pastes, prompts, keys bound by inputrc.
import { expect, test } from 'vitest';
import { sit, tail } from './sit.ts';

const ENTER = '\r';

test('a line that fills its row goes on below, and back', async () => {
  const person = await sit({ columns: 20 });
  await person.type('echo 6789012345678');
  expect(person.cursor()).toEqual({ column: 0, row: 1 });
  await person.type('x\x7f\x7f');
  expect(person.screen()).toEqual(['$ echo 678901234567']);
  expect(person.cursor()).toEqual({ column: 19, row: 0 });
});

test('a wide character that does not fit goes to the next row, and its gap is clean when it goes away', async () => {
  const person = await sit({ columns: 20 });
  await person.type('echo 012345678901xx');
  await person.type('\x7f\x7f中文');
  expect(person.screen()).toEqual(['$ echo 012345678901', '中文']);
  await person.type('\x02\x02\x7f');
  expect(person.screen()).toEqual(['$ echo 01234567890中', '文']);
  expect(person.cursor()).toEqual({ column: 18, row: 0 });
});

test('Chinese text is edited by characters: movement, deletion, words, transposing', async () => {
  const person = await sit();
  await person.type('echo 你好世界');
  await person.type('\x02\x02X');
  expect(person.screen()).toEqual(['$ echo 你好X世界']);
  await person.type('\x7f\x14');
  expect(person.screen()).toEqual(['$ echo 你世好界']);
  await person.type(`\x1bb\x0b\x19\x05${ENTER}`);
  expect(person.screen()).toEqual(['$ echo 你世好界', '你世好界', '$']);
});

test('a combining mark and a joined emoji are one character each', async () => {
  const person = await sit();
  await person.type('echo e\u0301👩‍👩‍👧x');
  await person.type('\x02\x7f\x7f');
  await person.type(`\x05${ENTER}`);
  expect(person.screen()).toEqual(['$ echo x', 'x', '$']);
});

test('Tab completes Chinese file names and lists them in columns', async () => {
  const person = await sit({
    files: { '/root/报告一.txt': 'a', '/root/报告二.txt': 'b', '/root/图.png': 'c' },
  });
  await person.type('cat 报\t');
  expect(person.screen()).toEqual(['$ cat 报告']);
  await person.type('\t');
  await person.type('\t');
  expect(tail(person, 2)).toEqual(['报告一.txt  报告二.txt', '$ cat 报告']);
  await person.type(`一\t${ENTER}`);
  expect(tail(person, 2)).toEqual(['$ cat 报告一.txt', 'a$']);
});

test('a paste without brackets runs line by line', async () => {
  const person = await sit();
  await person.type('echo one\recho two\rfor i in a b\rdo echo $i\rdone\r', 300);
  expect(person.screen()).toEqual([
    '$ echo one',
    'one',
    '$ echo two',
    'two',
    '$ for i in a b',
    '> do echo $i',
    '> done',
    'a',
    'b',
    '$',
  ]);
});

test('a paste of 500 lines arrives whole', async () => {
  const person = await sit();
  const lines = Array.from({ length: 500 }, (_, i) => `x${i}=${i}`).join('\n');
  await person.type(`\x1b[200~${lines}\x1b[201~`, 500);
  await person.type(ENTER, 500);
  await person.type(`clear; echo $((x0+x499)) \${x250}${ENTER}`, 100);
  expect(person.screen()).toEqual(['499 250', '$']);
});

test('a bracketed paste stands out until the next key, and its tabs and control characters stay text', async () => {
  const person = await sit();
  await person.type('\x1b[200~echo a\tb\x1b[201~');
  expect(person.raw()).toContain('\x1b[7mecho a');
  await person.type(ENTER);
  expect(person.screen()).toEqual(['$ echo a        b', 'a b', '$']);
});

test('resizing tells programs, the shell and the line being edited', async () => {
  const person = await sit({ columns: 60 });
  await person.type('echo $COLUMNS aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa');
  await person.resize(30, 10);
  expect(person.screen()).toEqual(['$ echo $COLUMNS aaaaaaaaaaaaaa', 'aaaaaaaaaaaaaaaaaaaaaaaaaaa']);
  await person.type(`\x17echo${ENTER}`);
  expect(tail(person, 2)).toEqual(['30 echo', '$']);
  await person.type(`stty size; trap 'echo winch' WINCH${ENTER}`);
  expect(tail(person, 2)).toEqual(['10 30', '$']);
  await person.resize(40, 12);
  await person.type(`echo $LINES $COLUMNS${ENTER}`);
  expect(tail(person, 2)).toEqual(['12 40', '$']);
});

test('prompts take colours without room, and escapes for directory, job and history numbers', async () => {
  const person = await sit({ columns: 30, rc: `PS1='\\[\\e[1;31m\\]\\W \\! \\#\\[\\e[0m\\] \\$ '` });
  expect(person.screen()).toEqual(['~ 1 1 #']);
  await person.type('echo 01234567890123456789xy');
  expect(person.screen()).toEqual(['~ 1 1 # echo 01234567890123456', '789xy']);
  await person.type('\x03');
  await person.type(`cd /usr/bin${ENTER}`);
  expect(tail(person, 1)).toEqual(['bin 2 2 #']);
  await person.type(
    `PS1='\\w|\\j|\\A|\\D{%Y}> ' PROMPT_DIRTRIM=1; mkdir -p /tmp/a/b/c; cd /tmp/a/b/c${ENTER}`,
  );
  expect(tail(person, 1)).toEqual(['.../c|0|00:00|2024>']);
});

test('a prompt wider than the window and a line higher than it can be edited at both ends', async () => {
  const person = await sit({ columns: 20, rows: 5, rc: `PS1='this prompt is wider than twenty columns> '` });
  await person.type(`echo ${'abcdefghij'.repeat(14)}`);
  await person.type('\x01');
  await person.type('X');
  await person.type('\x05Y');
  expect(person.screen().join('')).toMatch(/abcdefghijY$/);
  await person.type(`\x15echo ok${ENTER}`);
  expect(tail(person, 4).join('\n')).toContain('ok');
});

test('inputrc and bind set keys, macros and variables', async () => {
  const person = await sit({
    files: {
      '/root/.inputrc': [
        'set completion-ignore-case on',
        'set show-all-if-ambiguous on',
        '"\\e[A": history-search-backward',
        '"\\C-xg": "greetings\\C-a"',
        '$if mode=vi',
        'set comment-begin %',
        '$endif',
      ].join('\n'),
      '/root/Alpha.txt': 'a',
      '/root/alpine.txt': 'b',
    },
  });
  await person.type('cat ALP\t');
  expect(person.screen()).toEqual(['$ cat Alp', 'Alpha.txt   alpine.txt', '$ cat Alp']);
  await person.type('\x03');
  await person.type(`echo first${ENTER}echo second${ENTER}pwd${ENTER}`);
  await person.type('echo f\x1b[A');
  expect(tail(person, 1)).toEqual(['$ echo first']);
  await person.type('\x05\x15');
  await person.type('\x18gX');
  expect(tail(person, 1)).toEqual(['$ Xgreetings']);
  await person.type('\x05\x15');
  await person.type(`bind '"\\C-xq": "echo bound\\C-m"'; bind -s | tail -1${ENTER}`);
  expect(tail(person, 2)[0]).toBe('"\\C-xq": "echo bound\\C-m"');
  await person.type('\x18q');
  expect(tail(person, 2)).toEqual(['bound', '$']);
  await person.type(`bind -x '"\\C-xz": echo hidden'${ENTER}`);
  await person.type('ab\x18z');
  expect(tail(person, 2)).toEqual(['hidden', '$ ab']);
});

test('C-x C-e edits the line in $EDITOR and runs what comes back', async () => {
  const person = await sit({ rc: `export EDITOR='sed -i s/old/new/'` });
  await person.type('echo old');
  await person.type('\x18\x05', 200);
  expect(person.screen()).toEqual(['$ echo old', 'echo new', 'new', '$']);
});

test('fc edits the last command with any editor and runs it', async () => {
  const person = await sit();
  await person.type(`echo old${ENTER}fc -e 'sed -i s/old/new/'${ENTER}`, 200);
  expect(tail(person, 3)).toEqual(['echo new', 'new', '$']);
  await person.type('\u0010');
  expect(tail(person, 1)).toEqual(['$ echo new']);
});

test('history expansion shows what it makes, and its errors are bash’s', async () => {
  const person = await sit();
  await person.type(`echo one two three${ENTER}`);
  await person.type(`echo !$ !^ !:2 !!:1-2${ENTER}`);
  expect(tail(person, 3)).toEqual(['echo three one two one two', 'three one two one two', '$']);
  await person.type(`^one^ONE^${ENTER}`);
  expect(tail(person, 3)).toEqual(['echo three ONE two one two', 'three ONE two one two', '$']);
  await person.type(`!nosuch${ENTER}`);
  expect(tail(person, 2)).toEqual(['bash: !nosuch: event not found', '$']);
});

test('HISTCONTROL and HISTIGNORE keep commands out, and the file has the rest', async () => {
  const person = await sit({ rc: `HISTCONTROL=ignoreboth HISTIGNORE='ls*:pwd'` });
  await person.type(`echo a${ENTER}echo a${ENTER} echo hidden${ENTER}pwd${ENTER}`);
  await person.type(`clear; cat ~/.bash_history${ENTER}`);
  expect(person.screen()).toEqual(['echo a', 'clear; cat ~/.bash_history', '$']);
});
