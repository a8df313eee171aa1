// Keys that a terminal turns into signals, job control, and what happens when the terminal goes away.
import { expect, test } from 'vitest';
import { sit, tail } from './sit.ts';

const ENTER = '\r';

test.each([
  ['a command', 'sleep 100'],
  ['a loop of commands', 'while true; do sleep 0.5; done'],
  ['a pipeline', 'yes | cat > /dev/null'],
  ['a subshell', '(while :; do sleep 1; done)'],
  ['a function', 'f() { sleep 50; echo no; }; f'],
  ['a flood of output', 'yes'],
])('Ctrl-C ends %s', async (_what, line) => {
  const person = await sit();
  await person.type(line + ENTER, 1200);
  await person.type('\x03', 100);
  expect(tail(person, 1)).toEqual(['$']);
  await person.type(`clear; echo $?${ENTER}`);
  expect(person.screen()[0]).toMatch(/^(?:130|0)$/);
});

test('a flood that nobody reads waits, and Ctrl-C gets through at once', async () => {
  const person = await sit();
  await person.type(`while :; do echo 0123456789012345678901234567890123456789; done${ENTER}`, 2000);
  const before = person.machine.clock.now();
  await person.type('\x03', 17);
  expect(tail(person, 1)).toEqual(['$']);
  expect(person.machine.clock.now() - before).toBe(17);
});

test('Ctrl-\\ quits a command, and the shell says so', async () => {
  const person = await sit();
  await person.type(`sleep 100${ENTER}`);
  await person.type('\x1c');
  expect(person.screen()).toEqual(['$ sleep 100', '^\\Quit', '$']);
});

test('jobs are stopped, listed, continued by number and name, and killed', async () => {
  const person = await sit();
  await person.type(`sleep 100${ENTER}`);
  await person.type('\x1a');
  await person.type(`sleep 200 &${ENTER}sleep 300${ENTER}`);
  await person.type('\x1a');
  await person.type(`clear; jobs${ENTER}`);
  expect(person.screen()).toEqual([
    '[1]-  Stopped                 sleep 100',
    '[2]   Running                 sleep 200 &',
    '[3]+  Stopped                 sleep 300',
    '$',
  ]);
  for (const line of ['clear; bg %1', 'kill %2', '', 'fg %?300']) await person.type(line + ENTER);
  await person.type('\x03');
  expect(person.screen()).toEqual([
    '[1]- sleep 100 &',
    '$ kill %2',
    '$',
    '[2]-  Terminated              sleep 200',
    '$ fg %?300',
    'sleep 300',
    '^C',
    '$',
  ]);
  await person.type(`clear; kill -9 %1; wait; jobs; echo none${ENTER}`);
  expect(tail(person, 2)).toEqual(['none', '$']);
});

test('leaving with stopped jobs takes two tries', async () => {
  const person = await sit();
  await person.type(`sleep 100${ENTER}`);
  await person.type('\x1a');
  await person.type(`exit${ENTER}`);
  expect(tail(person, 3)).toEqual(['exit', 'There are stopped jobs.', '$']);
  await person.type(`exit${ENTER}`);
  expect(person.status()).toBe(1);
});

test('a background job that reads the terminal stops', async () => {
  const person = await sit();
  await person.type(`cat &${ENTER}`, 100);
  await person.type(ENTER, 100);
  expect(tail(person, 2)).toEqual(['[1]+  Stopped                 cat', '$']);
});

test('a background job writes, but not under stty tostop', async () => {
  const person = await sit();
  await person.type(`(sleep 1; echo late) &${ENTER}`, 1500);
  expect(tail(person, 1)).toEqual(['$ late']);
  await person.type(`stty tostop; clear; (sleep 1; echo never) &${ENTER}`, 1500);
  await person.type(ENTER);
  expect(person.screen().join(' ')).toMatch(/Stopped .*sleep 1; *echo never/);
});

test('closing the terminal hangs up jobs, but not those under nohup or disowned', async () => {
  const person = await sit();
  await person.type(`sleep 1001 & nohup sleep 1002 >/dev/null 2>&1 & sleep 1003 & disown %3${ENTER}`, 200);
  await person.type(`setsid sleep 1004${ENTER}`, 200);
  person.hangUp();
  await person.wait(200);
  const left = person.machine.kernel
    .listProcesses()
    .filter(({ argv, state }) => argv[0] === 'sleep' && state !== 'Z')
    .map(({ argv }) => Number(argv[1]));
  expect(left.toSorted((a, b) => a - b)).toEqual([1002, 1003, 1004]);
  expect(person.status()).toBe(129);
});

test('Ctrl-S holds the output and Ctrl-Q lets it go on', async () => {
  const person = await sit();
  await person.type(`for i in 1 2 3; do sleep 1; echo $i; done${ENTER}`, 1500);
  await person.type('\x13', 5000);
  expect(tail(person, 1)).toEqual(['1']);
  await person.type('\x11', 3000);
  expect(tail(person, 3)).toEqual(['2', '3', '$']);
});
