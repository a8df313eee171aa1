// Recorded scripts of the real bash, played in the virtual one: stdout, stderr and status must be the same.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { EXCEPTIONS } from './exceptions.ts';
import { allPrograms, filesOf, makeMachine, runScript } from './harness.ts';
import { noRecordings } from '../../support/no-recordings.ts';

interface Case {
  readonly id: string;
  readonly script: string;
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

const GOLDEN = fileURLToPath(new URL('../../../../shared/golden/bash/', import.meta.url));
/** The share of cases that must be identical. */
const IDENTICAL_MIN = 0.97;

function readCases(): Case[] {
  const lines = readFileSync(`${GOLDEN}bash-cases.jsonl`, 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Case);
}

/** Pids differ from run to run, and with them the padding behind. */
function masked(text: string): string {
  return text.replace(/line 1: +\d+ (\w[\w ]*?) +/g, 'line 1: PID $1 ').replace(/\[1\] \d+/g, '[1] PID');
}

/** Commands a case needs that no package brings yet. */
function missingCommand(stderr: string, expected: string): string | undefined {
  const name = /: (\S+): command not found/.exec(stderr)?.[1];
  return name !== undefined && !expected.includes(`${name}: command not found`) ? name : undefined;
}

const recordedTest = existsSync(GOLDEN) ? test : noRecordings;

recordedTest('recorded bash scripts give the recorded output and status', { timeout: 120_000 }, async () => {
  const programs = await allPrograms();
  const files = filesOf(readFileSync(`${GOLDEN}setup.sh`, 'utf8'));
  const different: string[] = [];
  const waiting: string[] = [];
  const stale: string[] = [];
  const cases = readCases();
  for (const each of cases) {
    const machine = makeMachine(programs, files);
    const result = await runScript(machine, each.script, each.stdin);
    const same =
      result.stdout === each.stdout &&
      masked(result.stderr) === masked(each.stderr) &&
      result.status === each.code &&
      machine.faults.length === 0;
    const missing = missingCommand(result.stderr, each.stderr);
    if (same && each.id in EXCEPTIONS) stale.push(each.id);
    if (same || each.id in EXCEPTIONS) continue;
    if (missing === undefined) different.push(`${each.id}: ${JSON.stringify({ expected: each, result })}`);
    else waiting.push(`${each.id} (${missing})`);
  }
  if (waiting.length > 0) console.warn(`Cases that wait for a command: ${waiting.join(', ')}`);
  if (stale.length > 0) console.warn(`Exceptions that are none any more: ${stale.join(', ')}`);
  expect(different).toEqual([]);
  const identical = (cases.length - Object.keys(EXCEPTIONS).length) / cases.length;
  expect(identical).toBeGreaterThanOrEqual(IDENTICAL_MIN);
});
