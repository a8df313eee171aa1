// ex without a screen against what vim 9 -es left in the same file, with the same exit status.
import { expect, test } from 'vitest';

import { run } from '../../../../support/make-machine.ts';
import { makeSystemMachine } from '../../../../parity/tools/system-machine.ts';

const FILE = 'one\ntwo\nthree\nfour\nfive\n';

const COMMANDS: readonly (readonly [command: string, file: string, status: number])[] = [
  ['%s/o/0/g|wq', '0ne\ntw0\nthree\nf0ur\nfive\n', 0],
  ['2,3m$|wq', 'one\nfour\nfive\ntwo\nthree\n', 0],
  ['2s/w/W/|1s/n/N/|x', 'oNe\ntWo\nthree\nfour\nfive\n', 0],
  ['%s/zzz/y/e|wq', FILE, 0],
  ['%s/zzz/y/|wq', FILE, 1],
  ['1,3j|wq', 'one two three\nfour\nfive\n', 0],
  ['1t.|wq', 'one\ntwo\nthree\nfour\nfive\none\n', 0],
  ['1,2>|wq', '\tone\n\ttwo\nthree\nfour\nfive\n', 0],
  ['/three/s/e/3/g|wq', 'one\ntwo\nthr33\nfour\nfive\n', 0],
  ['1,2y|$put|wq', 'one\ntwo\nthree\nfour\nfive\none\ntwo\n', 0],
  ['/three/,$d|wq', 'one\ntwo\n', 0],
  ['%s/\\(.\\)\\(.\\)/\\2\\1/|wq', 'noe\nwto\nhtree\nofur\nifve\n', 0],
  ['2,3s/^/# /|wq', 'one\n# two\n# three\nfour\nfive\n', 0],
];

async function edited(
  command: string,
  stdin?: string,
): Promise<{ file: string; status: number; out: string }> {
  const machine = await makeSystemMachine();
  machine.kernel.files.writeFile('/root/in', FILE);
  const argv = stdin === undefined ? ['vim', '-es', '-c', command, 'in'] : ['ex', '-s', 'in'];
  const { status, stdout } = await run(machine, argv, { stdin: stdin ?? '' });
  return { file: machine.kernel.files.readText('/root/in'), status, out: stdout };
}

test.each(COMMANDS)('%s', async (command, file, status) => {
  const result = await edited(command);
  expect({ file: result.file, status: result.status }).toEqual({ file, status });
});

test('commands come from stdin too, with text for those that take it', async () => {
  expect(await edited('', 'g/t/s/$/!/\n2a\nnew line\n.\n1,2p\nwq\n')).toEqual({
    file: 'one\ntwo!\nnew line\nthree!\nfour\nfive\n',
    status: 0,
    out: 'one\ntwo!\n',
  });
});
