// Replays the recorded ipvsadm session of the empty machine `vs` (golden/ipvsadm 37 to 100), in order, on one namespace.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { expect, test } from 'vitest';

import { machinePrograms, PACKAGES } from '../../../main/linux/commands/index.ts';
import type { Program } from '../../../main/linux/kernel/index.ts';
import { bash } from '../../../main/linux/shell/index.ts';
import { makeWorld } from '../../main/network/world.ts';
import { makeBareMachine, run } from '../../support/make-machine.ts';

const golden = path.resolve(import.meta.dirname, '../../../../shared/golden/ipvsadm');
const recorded = existsSync(golden);

/** Transcripts that differ, with the reason. */
const KNOWN: Readonly<Record<string, string>> = {
  '73-ipv6': "IPv6 services aren't simulated",
  '77-sorted-nosort': "the kernel's hash order isn't simulated",
  '99-help': 'the long help text is shortened',
};

interface Transcript {
  readonly name: string;
  readonly script: string;
  readonly output: string;
  readonly exitCode: number;
}

function read(): Transcript[] {
  return readdirSync(golden)
    .filter((file) => /^\d+-.*\.txt$/.test(file))
    .toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
    .filter((file) => Number.parseInt(file, 10) >= 37 && Number.parseInt(file, 10) <= 100)
    .map((file) => {
      const lines = readFileSync(path.join(golden, file), 'utf8').split('\n');
      const exit = lines.findLastIndex((line) => /^\[exit \d+\]$/.test(line));
      return {
        name: file.replace('.txt', ''),
        script: lines[0]!.slice(2),
        output: lines
          .slice(1, exit)
          .map((line) => `${line}\n`)
          .join(''),
        exitCode: Number(/\d+/.exec(lines[exit]!)![0]),
      };
    });
}

// Without the recordings (../shared/golden/ipvsadm) the test is shown as skipped.
test.runIf(recorded)('ipvsadm on an empty machine prints what the recorded session printed', async () => {
  const world = makeWorld();
  const programs: Record<string, Program> = { '/usr/bin/bash': bash, '/usr/bin/sh': bash };
  for (const [file, { program }] of machinePrograms(PACKAGES.map((each) => each.name)))
    programs[file] = program;
  const machine = makeBareMachine({ programs, net: world.namespace('vs'), simulation: world.simulation });
  const differing: string[] = [];
  let replayed = 0;
  for (const transcript of read()) {
    const result = await run(machine, ['bash', '-c', `exec 2>&1; ${transcript.script}`]);
    // Rules once refused leave their mark on every later listing; what an unknown family added is taken out of both.
    const withoutV6 = (text: string): string => text.replaceAll(/^.*\[fd00::\d\].*\n/gm, '');
    const same =
      withoutV6(result.stdout) === withoutV6(transcript.output) && result.status === transcript.exitCode;
    if (!same && process.env['SHOW'] !== undefined)
      console.log(
        `--- ${transcript.name}\n${transcript.script}\nwant ${transcript.exitCode}:\n${transcript.output}got ${result.status}:\n${result.stdout}`,
      );
    if (!same && KNOWN[transcript.name] === undefined) differing.push(transcript.name);
    replayed++;
  }
  expect(replayed).toBeGreaterThan(60);
  expect(differing).toEqual([]);
});
