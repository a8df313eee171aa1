// watch and top on the screen.
import { expect, test } from 'vitest';
import { sit, tail } from './sit.ts';

const AT = 'Fri Mar  1 00:00:';

test('watch shows its header, runs the command again, and gives the screen back', async () => {
  const person = await sit({ columns: 60, rows: 8 });
  await person.type('watch -n1 "date +%S; echo two"\r', 300);
  expect(person.visible()[0]).toMatch(
    /^Every 1\.0s: date \+%S; \.{3} {2}master1: Fri Mar {2}1 00:00:0\d 2024$/,
  );
  expect(person.visible().slice(1)).toEqual(['', '00', 'two']);
  await person.wait(3000);
  expect(person.visible()[2]).toBe('03');
  await person.type('\u0003', 100);
  expect(tail(person, 1)).toEqual(['$']);
});

test.each([
  [60, 'echo hi', `Every 2.0s: echo hi        master1: ${AT}`],
  [50, 'echo a longer command', `Every 2.0s: ...  master1: ${AT}`],
  [40, 'echo hi', `       master1: ${AT}`],
])('a header of %i columns has what fits', async (columns, line, start) => {
  const person = await sit({ columns, rows: 8 });
  await person.type(`clear; watch ${line}\r`, 100);
  expect(person.visible()[0]).toContain(start);
});

test('watch -g ends at a change, -e at a failure after a key, -t has no header', async () => {
  const person = await sit({ columns: 60, rows: 8 });
  await person.type('watch -n 0.5 -g date +%S; echo $?\r', 3000);
  expect(tail(person, 2)).toEqual(['0', '$']);
  await person.type('clear; watch -t -e "echo bad; false"; echo $?\r', 500);
  expect(person.visible()).toEqual([
    'bad',
    '',
    '',
    '',
    '',
    '',
    '',
    'command exit with a non-zero status, press a key to exit',
  ]);
  await person.type('x', 100);
  expect(tail(person, 2)).toEqual(['1', '$']);
});

test('watch -d marks what has changed, wide characters too', async () => {
  const person = await sit({ columns: 60, rows: 8 });
  await person.type('watch -d -n1 "date +中文%S"\r', 1500);
  expect(person.raw()).toMatch(/中文0\u001b\[7m\d\u001b\[27m/);
});

test('watch draws anew in a window of another size, and with the errors of the command', async () => {
  const person = await sit({ columns: 60, rows: 8 });
  await person.type('watch -n 60 "tput cols; nosuch"\r', 300);
  expect(person.visible().slice(2)[0]).toBe('60');
  expect(person.visible()[3]).toContain('nosuch: ');
  await person.resize(70, 10);
  expect(person.visible()[2]).toBe('70');
});

const HEADING = '    PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND';

test('top has its summary, sorts as keys ask, and gives the line back', async () => {
  const person = await sit({ rows: 20, columns: 120 });
  await person.type('while :; do :; done & sleep 1000 &\r', 2000);
  await person.type('clear; top\r', 4000);
  const shown = person.visible();
  expect(shown[0]).toMatch(/^top - 00:00:\d\d up .*load average: \d\.\d\d, \d\.\d\d, \d\.\d\d$/);
  expect(shown[1]).toMatch(/^Tasks: +\d+ total, +\d+ running, +\d+ sleeping, +0 stopped, +0 zombie$/);
  expect(shown[2]).toMatch(/^%Cpu\(s\): +[\d.]+ us, {2}0\.0 sy, {2}0\.0 ni, *[\d.]+ id,/);
  expect(shown[3]).toMatch(/^MiB Mem : +[\d.]+ total, +[\d.]+ free, +[\d.]+ used, +[\d.]+ buff\/cache$/);
  expect(shown[6]).toBe(HEADING);
  expect(shown[7]).toMatch(/ R +(?:9\d|100)\.\d .* bash$/);
  await person.type('N', 100);
  const pids = person
    .visible()
    .slice(7)
    .map((line) => Number(line.trim().split(' ')[0]));
  expect(pids).toEqual(pids.toSorted((a, b) => b - a));
  await person.type('R', 100);
  expect(Number(person.visible()[7]!.trim().split(' ')[0])).toBe(Math.min(...pids));
  await person.type('c', 100);
  expect(person.visible().join('\n')).toContain('sleep 1000');
  await person.type('q', 100);
  expect(tail(person, 1)).toEqual(['$']);
});

test('top kills, asks, explains and complains', async () => {
  const person = await sit({ rows: 20 });
  await person.type('sleep 1000 &\r', 200);
  const pid = /\[1\] (\d+)/.exec(person.screen().join('\n'))![1]!;
  await person.type('clear; top\r', 500);
  await person.type('k');
  expect(person.visible()[5]).toMatch(/^PID to signal\/kill \[default pid = \d+\]$/);
  await person.type(`${pid}\r`);
  expect(person.visible()[5]).toBe(`Send pid ${pid} signal [15/sigterm]`);
  await person.type('\r', 200);
  expect(person.visible().some((line) => line.endsWith(' sleep'))).toBe(false);
  await person.type('d');
  expect(person.visible()[5]).toBe('Change delay from 3.0 to');
  await person.type('0.5\r', 100);
  await person.type('u');
  await person.type('alice\r', 100);
  expect(person.visible().slice(7)).toEqual([]);
  await person.type('x');
  expect(person.visible()[5]).toBe(" Unknown command - try 'h' for help".trimEnd());
  await person.type('h');
  expect(person.visible()[0]).toBe('Help for Interactive Commands - procps-ng 4.0.2');
  await person.type('qq', 100);
  expect(tail(person, 1)).toEqual(['$']);
});

test('top -b prints batches, -n as many, -p those, -o in that order; wrong arguments are refused', async () => {
  const person = await sit({ rows: 40, columns: 100 });
  await person.type('top -b -n2 -d0.1 -p 1,$$ -o PID | grep -c "PID USER"\r', 1000);
  expect(tail(person, 2)).toEqual(['2', '$']);
  await person.type(
    'clear; top -bn1 -o FOO; top -d x; top -p x; top -u nosuch; top -bn1 -w 40 | tail -1 | wc -c\r',
    1000,
  );
  expect(person.visible()).toEqual([
    "top: unrecognized field name 'FOO'",
    "top: bad delay interval 'x'",
    "top: bad pid 'x'",
    'top: Invalid user',
    '41',
    '$',
  ]);
});
