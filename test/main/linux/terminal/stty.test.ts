// The line discipline as programs that read lines have it, and stty's view of it.
import { expect, test } from 'vitest';
import { sit, tail } from './sit.ts';

const ENTER = '\r';

test('a line typed to a program is edited by the terminal', async () => {
  const person = await sit();
  await person.type(`cat${ENTER}`);
  await person.type('onn\x7fe two\x17three\x15four 中文\x7f!');
  expect(tail(person, 1)).toEqual(['four 中!']);
  await person.type(`\x12${ENTER}`);
  expect(tail(person, 3)).toEqual(['four 中!^R', 'four 中!', 'four 中!']);
  await person.type(`a\x16\x03b${ENTER}\x04`);
  await person.type(`echo $?${ENTER}`);
  expect(person.screen().slice(-4)).toEqual(['ab', '$ echo $?', '0', '$']);
});

test('stty -a tells everything, stty what has changed, and sane sets it right', async () => {
  const person = await sit({ rows: 30 });
  await person.type(`stty -a${ENTER}`);
  expect(person.screen().slice(1, -1)).toEqual([
    'speed 38400 baud; rows 30; columns 80; line = 0;',
    'intr = ^C; quit = ^\\; erase = ^?; kill = ^U; eof = ^D; eol = <undef>;',
    'eol2 = <undef>; swtch = <undef>; start = ^Q; stop = ^S; susp = ^Z; rprnt = ^R;',
    'werase = ^W; lnext = ^V; discard = ^O; min = 1; time = 0;',
    '-parenb -parodd -cmspar cs8 -hupcl -cstopb cread -clocal -crtscts',
    '-ignbrk -brkint -ignpar -parmrk -inpck -istrip -inlcr -igncr icrnl ixon -ixoff',
    '-iuclc -ixany -imaxbel iutf8',
    'opost -olcuc -ocrnl onlcr -onocr -onlret -ofill -ofdel nl0 cr0 tab0 bs0 vt0 ff0',
    'isig icanon iexten echo echoe echok -echonl -noflsh -xcase -tostop -echoprt',
    'echoctl echoke -flusho -extproc',
  ]);
  await person.type(`clear; stty intr ^A tostop -echoctl; stty; stty sane; stty${ENTER}`);
  expect(person.screen()).toEqual([
    'speed 38400 baud; line = 0;',
    'intr = ^A;',
    '-brkint -imaxbel iutf8',
    'tostop -echoctl',
    'speed 38400 baud; line = 0;',
    '$',
  ]);
});

test('stty -g is taken back', async () => {
  const person = await sit();
  await person.type(`s=$(stty -g); stty -echo intr ^B; stty "$s"; clear; stty${ENTER}`);
  expect(person.screen()).toEqual(['speed 38400 baud; line = 0;', '-brkint -imaxbel iutf8', '$']);
});

test('the interrupt key can be another one', async () => {
  const person = await sit();
  await person.type(`stty intr ^A; sleep 100${ENTER}`);
  await person.type('\x03');
  await person.type('\x01');
  expect(tail(person, 2)).toEqual(['^C^A', '$']);
});

test('without echo nothing shows, and a password is read', async () => {
  const person = await sit();
  await person.type(`stty -echo; read x; stty echo; echo "got $x"${ENTER}`);
  await person.type(`secret${ENTER}`);
  expect(person.screen().slice(-2)).toEqual(['got secret', '$']);
  expect(person.raw()).not.toContain('secret\r\nsecret');
});

test('stty rows and cols resize the terminal for programs', async () => {
  const person = await sit();
  await person.type(`clear; stty cols 50 rows 10; stty size; tput cols; tput lines${ENTER}`);
  expect(person.screen()).toEqual(['10 50', '50', '10', '$']);
});

test.each([
  ['tput setaf 1', '\\E[31m'],
  ['tput setaf 9', '\\E[91m'],
  ['tput setab 123', '\\E[48;5;123m'],
  ['tput bold', '\\E[1m'],
  ['tput sgr0', '\\E(B\\E[m'],
  ['tput cup 3 7', '\\E[4;8H'],
  ['tput civis', '\\E[?25l'],
  ['tput cuu 4', '\\E[4A'],
])('%s writes %s', async (line, text) => {
  const person = await sit();
  await person.type(`printf '%q\\n' "$(${line})"${ENTER}`);
  expect(tail(person, 2)[0]).toBe(`$'${text}'`);
});
