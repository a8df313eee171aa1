// tar's archives: made and read here, and exchanged with the host's real tar.
import { execFileSync, spawnSync } from 'node:child_process';

import { expect, test } from 'vitest';

import { makeToolMachine } from '../../../../parity/tools/text-machine.ts';
import { run } from '../../../../support/make-machine.ts';

const shell = (script: string, stdin = '') => run(makeToolMachine(), ['bash', '-c', script], { stdin });
const MADE =
  'mkdir -p d/e; echo one > d/a; seq 3000 > d/e/n; chmod 600 d/a; ln -s a d/l; touch -d "2024-02-01 10:00" d/a d/e/n;';

test('what was packed comes out the same', async () => {
  const result = await shell(
    `${MADE} tar czvf x.tgz d; mkdir o; tar xf x.tgz -C o; diff -r d o/d && echo same; stat -c '%a %y' o/d/a; readlink o/d/l; tar tf x.tgz d/e; tar xOf x.tgz d/a; tar xzf x.tgz --strip-components=1 d/a; cat a`,
  );
  expect(result).toMatchObject({
    stdout:
      'd/\nd/a\nd/e/\nd/e/n\nd/l\nsame\n600 2024-02-01 10:00:00.000000000 +0000\na\nd/e/\nd/e/n\none\none\n',
    stderr: '',
    status: 0,
  });
});

test('-tv shows members as ls would', async () => {
  const result = await shell(`${MADE} tar cf - d | tar tvf - d/a d/l | sed 's/20.*:.. /T /'`);
  expect(result.stdout).toBe(
    '-rw------- root/root         4 T d/a\nlrwxrwxrwx root/root         0 T d/l -> a\n',
  );
});

test('errors are told in its words', async () => {
  const result = await shell(
    'tar; echo $?; tar xf nosuch; echo $?; tar cf x.tar nosuch; echo $?; echo text > t; tar xf t; echo $?; tar xzf t; echo $?; echo x > y; tar cf z y; tar xf z nosuch; echo $?; tar cf a /root/y; echo $?',
  );
  expect(result.stdout).toBe('2\n2\n2\n2\n2\n2\n0\n');
  expect(result.stderr).toBe(
    "tar: You must specify one of the '-Acdtrux', '--delete' or '--test-label' options\nTry 'tar --help' or 'tar --usage' for more information.\ntar: nosuch: Cannot open: No such file or directory\ntar: Error is not recoverable: exiting now\ntar: nosuch: Cannot stat: No such file or directory\ntar: Exiting with failure status due to previous errors\ntar: This does not look like a tar archive\ntar: Exiting with failure status due to previous errors\n\ngzip: stdin: not in gzip format\ntar: Child returned status 1\ntar: Error is not recoverable: exiting now\ntar: nosuch: Not found in archive\ntar: Exiting with failure status due to previous errors\ntar: Removing leading `/' from member names\n",
  );
});

test.runIf(spawnSync('tar', ['--version']).status === 0)('the real tar reads its archives', async () => {
  const long = `d/${'x'.repeat(120)}`;
  const result = await shell(`${MADE} echo long > ${long}; tar cz d | base64`);
  const listed = execFileSync('tar', ['tzf', '-'], {
    input: Buffer.from(result.stdout, 'base64'),
    encoding: 'utf8',
  });
  expect(listed.split('\n').toSorted()).toEqual(['', 'd/', 'd/a', 'd/e/', 'd/e/n', 'd/l', long]);
});
