import { expect, test } from 'vitest';
import type { Program } from '../../../../main/linux/kernel/index.ts';
import { registerCompleter } from '../../../../main/linux/shell/index.ts';
import { sitDown } from './terminal.ts';

const PROMPT = '[root@master1 ~]# ';
const ENTER = '\r';
const sleep: Program = async (proc) => {
  await proc.sleep(Number(proc.argv[1]) * 1000);
  return 0;
};
const programs = { '/usr/bin/sleep': sleep };

test('the prompt, a command, its output, and the prompt again', async () => {
  const person = await sitDown();
  await person.type(`echo hello${ENTER}`);
  expect(person.screen()).toEqual([`${PROMPT}echo hello`, 'hello', PROMPT.trimEnd()]);
});

test('Emacs keys move, kill, yank, transpose and undo', async () => {
  const person = await sitDown();
  await person.type('world echo\x17\x01echo \x05\x7f hello'); // C-w, C-a, C-e
  expect(person.screen()).toEqual([`${PROMPT}echo world hello`]);
  await person.type('\x1bb\x0b\x01\x0b\x19 | \x1b\x7f'); // M-b C-k C-a C-k C-y, then M-DEL
  expect(person.screen()).toEqual([`${PROMPT}echo`]);
  await person.type('\x03');
  await person.type('ab\x14\x1f\x1f'); // C-t, undo, undo
  expect(person.screen().at(-1)).toBe(PROMPT.trimEnd());
});

test('wide and combining characters keep the cursor right', async () => {
  const person = await sitDown();
  await person.type('echo 中文e\u0301字\x02\x02\x7fX');
  expect(person.screen()).toEqual([`${PROMPT}echo 中Xe\u0301字`]);
  expect(person.cursor()).toEqual({ column: PROMPT.length + 'echo '.length + 3, row: 0 });
});

test('a line longer than the window wraps, and is redrawn when the window changes', async () => {
  const person = await sitDown({ columns: 40 });
  await person.type('echo 0123456789 abcdefghij ABCDEFGHIJ');
  expect(person.screen()).toEqual([`${PROMPT}echo 0123456789 abcdef`.slice(0, 40), 'ghij ABCDEFGHIJ']);
  await person.type('\x01\x1bfX');
  expect(person.screen()[0]).toBe(`${PROMPT}echoX 0123456789 abcdef`.slice(0, 40));
  await person.resize(60, 24);
  await person.type('\x05!');
  expect(person.screen().join('')).toBe(`${PROMPT}echoX 0123456789 abcdefghij ABCDEFGHIJ!`);
});

test('Ctrl-C ends a loop of the shell itself', async () => {
  const person = await sitDown();
  await person.type(`while true; do :; done${ENTER}`, 500);
  await person.type('\x03');
  await person.type(`echo $?${ENTER}`);
  expect(person.screen()).toEqual([
    `${PROMPT}while true; do :; done`,
    '^C',
    `${PROMPT}echo $?`,
    '130',
    PROMPT.trimEnd(),
  ]);
});

test('Ctrl-C ends a read without losing what is typed next', async () => {
  const person = await sitDown();
  await person.type(`read x${ENTER}`);
  await person.type('\x03');
  await person.type(`echo ok${ENTER}`);
  expect(person.screen()).toEqual([`${PROMPT}read x`, '^C', `${PROMPT}echo ok`, 'ok', PROMPT.trimEnd()]);
});

test('Ctrl-C kills a script and the shell that runs it', async () => {
  const person = await sitDown({ programs, argv: ['bash', '-c', 'while true; do sleep 1; done'] });
  await person.type('\x03');
  expect(person.status()).toBe(130);
});

test('a login shell says logout, and its messages begin with its dash', async () => {
  const person = await sitDown({ argv: ['-bash'], files: { '/etc/profile': "PS1='> '\n" } });
  await person.type(`foobar${ENTER}\x04`);
  expect(person.screen()).toEqual(['> foobar', '-bash: foobar: command not found', '>', 'logout']);
});

test('Ctrl-C at the prompt gives the line up', async () => {
  const person = await sitDown();
  await person.type('echo no');
  await person.type('\x03');
  expect(person.screen()).toEqual([`${PROMPT}echo no^C`, PROMPT.trimEnd()]);
});

test('Ctrl-Z stops a job; bg, fg and jobs know it', async () => {
  const person = await sitDown({ programs });
  await person.type(`sleep 30${ENTER}`);
  await person.type('\x1a');
  await person.type(`jobs${ENTER}bg${ENTER}fg${ENTER}`);
  await person.type('\x03');
  expect(person.screen()).toEqual([
    `${PROMPT}sleep 30`,
    '^Z',
    '[1]+  Stopped                 sleep 30',
    `${PROMPT}jobs`,
    '[1]+  Stopped                 sleep 30',
    `${PROMPT}bg`,
    '[1]+ sleep 30 &',
    `${PROMPT}fg`,
    'sleep 30',
    '^C',
    PROMPT.trimEnd(),
  ]);
});

test('a background job is announced and its end told before a prompt', async () => {
  const person = await sitDown({ programs });
  await person.type(`sleep 1 &${ENTER}`);
  await person.wait(2000);
  await person.type(ENTER);
  expect(person.screen()[1]).toMatch(/^\[1\] \d+$/);
  expect(person.screen()[3]).toBe('[1]+  Done                    sleep 1');
});

test('unfinished commands are continued under PS2', async () => {
  const person = await sitDown();
  await person.type(`for i in 1 2${ENTER}do echo $i${ENTER}done${ENTER}`);
  expect(person.screen()).toEqual([
    `${PROMPT}for i in 1 2`,
    '> do echo $i',
    '> done',
    '1',
    '2',
    PROMPT.trimEnd(),
  ]);
  await person.type('\x10');
  expect(person.screen().at(-1)).toBe(`${PROMPT}for i in 1 2; do echo $i; done`);
});

test('history is on disk at once and comes back in the next session', async () => {
  const first = await sitDown();
  await first.type(`echo one${ENTER}echo two${ENTER}`);
  first.kill();
  await first.wait(10);
  const second = await sitDown({ machine: first.machine });
  await second.type('\x1b[A\x1b[A');
  expect(second.screen()).toEqual([`${PROMPT}echo one`]);
  await second.type('\x03');
  await second.type(`!!${ENTER}`);
  expect(second.screen().slice(-3)).toEqual(['echo two', 'two', PROMPT.trimEnd()]);
});

test('Ctrl-R finds an earlier command', async () => {
  const person = await sitDown();
  await person.type(`echo apple${ENTER}echo banana${ENTER}`);
  await person.type('\x12app');
  expect(person.screen().at(-1)).toBe("(reverse-i-search)`app': echo apple");
  await person.type(ENTER);
  expect(person.screen().slice(-2)).toEqual(['apple', PROMPT.trimEnd()]);
});

test('M-. brings the last argument', async () => {
  const person = await sitDown();
  await person.type(`echo a "b c"${ENTER}echo \x1b.`);
  expect(person.screen().at(-1)).toBe(`${PROMPT}echo "b c"`);
});

test('Tab completes files and commands, twice lists them', async () => {
  const person = await sitDown({ files: { '/root/notes one.txt': 'x', '/root/notes-two.txt': 'y' } });
  await person.type('ech\tnot\t');
  expect(person.screen()).toEqual([`${PROMPT}echo notes`]);
  await person.type('\t'); // The last one has changed the line: this rings, the next one lists.
  await person.type('\t');
  expect(person.screen()).toEqual([
    `${PROMPT}echo notes`,
    'notes one.txt  notes-two.txt',
    `${PROMPT}echo notes`,
  ]);
  await person.type('-\t');
  expect(person.screen().at(-1)).toBe(`${PROMPT}echo notes-two.txt`);
});

test('a registered completer and complete -F offer words', async () => {
  registerCompleter('fruit', ({ words }) => ({
    candidates: words.length === 2 ? ['apple', 'apricot', 'banana'] : [],
  }));
  const person = await sitDown();
  await person.type('fruit b\t');
  expect(person.screen()).toEqual([`${PROMPT}fruit banana`]);
  await person.type('\x03');
  await person.type(
    `_x() { COMPREPLY=($(compgen -W "north south" -- "\${COMP_WORDS[COMP_CWORD]}")); }; complete -F _x go${ENTER}`,
  );
  await person.type('go s\t');
  expect(person.screen().at(-1)).toBe(`${PROMPT}go south`);
});

test('a bracketed paste of several lines waits for Enter and then runs them all', async () => {
  const person = await sitDown();
  await person.type('\x1b[200~echo a\necho b\x1b[201~');
  expect(person.screen()).toEqual([`${PROMPT}echo a`, 'echo b']);
  await person.type(ENTER);
  expect(person.screen().slice(2)).toEqual(['a', 'b', PROMPT.trimEnd()]);
});

test('Ctrl-D and exit leave with the last status', async () => {
  const person = await sitDown();
  await person.type(`false${ENTER}\x04`);
  expect(person.screen().slice(-2)).toEqual([PROMPT.trimEnd(), 'exit']);
  expect(person.status()).toBe(1);
});

test('exec replaces the shell by another, whose end is its own', async () => {
  const person = await sitDown();
  await person.type(`exec bash${ENTER}`);
  await person.type(`echo $SHLVL${ENTER}exit 3${ENTER}`);
  expect(person.screen().slice(-2)).toEqual([`${PROMPT}exit 3`, 'exit']);
  expect(person.status()).toBe(3);
});

test('exec of what is not there leaves an interactive shell alone', async () => {
  const person = await sitDown();
  await person.type(`exec nosuch${ENTER}echo $?${ENTER}`);
  expect(person.screen().slice(1)).toEqual([
    'bash: exec: nosuch: not found',
    `${PROMPT}echo $?`,
    '127',
    PROMPT.trimEnd(),
  ]);
});

test('Ctrl-L clears the screen and keeps the line', async () => {
  const person = await sitDown();
  await person.type(`echo x${ENTER}abc\x0c`);
  expect(person.screen().filter((line) => line !== '')).toContain(`${PROMPT}abc`);
  expect(person.cursor()).toEqual({ column: PROMPT.length + 3, row: 0 });
});
