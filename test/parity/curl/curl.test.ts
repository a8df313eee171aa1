// curl against the recorded answers of the real 7.88, with an odd server.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { machinePrograms, PACKAGES } from '../../../main/linux/commands/index.ts';
import type { Program } from '../../../main/linux/kernel/index.ts';
import { bash } from '../../../main/linux/shell/index.ts';
import { makeBareMachine, run, type BareMachine } from '../../support/make-machine.ts';
import { COMMANDS, FILES, PORT } from './cases.ts';
import { KNOWN } from './known-differences.ts';
import { serveOdd } from './odd-server.ts';

interface Outcome {
  readonly command: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}
const recording = JSON.parse(
  readFileSync(path.join(import.meta.dirname, 'recorded.json'), 'utf8'),
) as Outcome[];

function makeMachine(): BareMachine {
  const programs: Record<string, Program> = { '/usr/bin/bash': bash };
  for (const [file, { program }] of machinePrograms(PACKAGES.map((each) => each.name)))
    programs[file] = program;
  const machine = makeBareMachine({ programs });
  const listener = machine.kernel.net.sockets.listenTcp({ address: '127.0.0.1', port: PORT });
  const acceptAll = async (): Promise<void> => {
    for (;;) {
      const socket = await listener.accept();
      serveOdd(socket).catch(() => undefined); // curl has left.
    }
  };
  acceptAll().catch((error: unknown) => machine.faults.push(error));
  return machine;
}

function masked(text: string): string {
  return text
    .replaceAll(/after \d+ ms/g, 'after N ms')
    .replaceAll(/^(\* Found bundle for host: )0x[0-9a-f]+/gm, '$10xN')
    .replaceAll(/-{20,}[0-9a-zA-Z]{10,}/g, 'BOUND');
}

test('curl does with an odd server what the real one does', async () => {
  const machine = makeMachine();
  expect(recording.map(({ command }) => command)).toEqual(COMMANDS);
  for (const want of recording) {
    await run(machine, ['bash', '-c', 'rm -rf /root/w; mkdir /root/w']);
    for (const [name, content] of Object.entries(FILES))
      machine.kernel.files.writeFile(`/root/w/${name}`, content);
    const got = await run(machine, ['bash', '-c', `cd /root/w; curl ${want.command}`]).catch(
      (error: unknown) => ({ stdout: '', stderr: String(error), status: -1 }),
    );
    const [ours, theirs] = [got, want].map(({ stdout, stderr, status }) => ({
      stdout: masked(stdout),
      stderr: masked(stderr).replaceAll(/^bash: line \d+: /gm, ''),
      status,
    }));
    const isSame = JSON.stringify(ours) === JSON.stringify(theirs);
    const isKnown = KNOWN[want.command] !== undefined;
    expect.soft(isSame, `curl ${want.command}: whether it agrees`).toBe(!isKnown);
    if (isKnown) continue;
    expect.soft(ours, `curl ${want.command}`).toEqual(theirs);
  }
  expect(machine.faults).toEqual([]);
});
