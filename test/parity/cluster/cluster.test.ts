// The host's real kubectl against Drydock says what it said to a real cluster; what is known to differ is listed.
//
// To see differences: `node test/parity/cluster/run.ts AREA` (or AREA/NN).
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noRecordings } from '../../support/no-recordings.ts';
import { AREAS, chainsOf } from './areas.ts';
import { startBench, type Bench } from './bench.ts';
import { agrees } from './comparison.ts';
import { findKubectls } from './kubectls.ts';
import { Recorder, RECORDED, recordedFiles, recordedTranscript, writtenTranscript } from './recorder.ts';

/** Transcripts by their number, with one reason. */
interface Listed {
  readonly reason: string;
  readonly transcripts: readonly string[];
}

interface Ledger {
  /** Say what Drydock doesn't; may only shrink: one that has come to agree must be taken off. */
  readonly differs: readonly Listed[];
  /** Depend on chance or on how fast the two machines are: they may agree or not. */
  readonly varies: readonly Listed[];
  /** Don't depend on the server alone, but on the recorded machine or on what else ran there; not counted. */
  readonly excluded: readonly Listed[];
}

const SPEED = 6;
const WITHIN_MS = 400_000;
/** Of all transcripts that depend on the server alone. */
const AGREEING_MIN = 0.97;

const EMPTY: Ledger = { differs: [], varies: [], excluded: [] };

function ledgerOf(area: string): Ledger {
  const file = path.join(import.meta.dirname, 'known-differences', `${area}.json`);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Ledger) : EMPTY;
}

const kubectls = findKubectls();
const title = 'what the real kubectl said to a real cluster';

if (!existsSync(RECORDED)) noRecordings(title);
else if (kubectls === undefined) {
  // oxlint-disable-next-line vitest/expect-expect -- Skipped, with the reason.
  test(title, (context) => context.skip('no kubectl 1.32 on this machine'));
} else {
  describe(title, () => {
    let bench: Bench;
    let recorder: Recorder;
    const total = { agreeing: 0, counted: 0 };
    beforeAll(async () => {
      bench = await startBench(SPEED);
      recorder = new Recorder({ kubectls, kubeconfig: bench.kubeconfig, speed: SPEED });
      for (const stage of chainsOf(AREAS)) {
        await Promise.all(stage.map((chain) => recorder.run(chain)));
      }
    }, WITHIN_MS);
    afterAll(async () => {
      recorder[Symbol.dispose]();
      await bench[Symbol.asyncDispose]();
    });

    test.each(AREAS)('it says to Drydock: %s', (area) => {
      const { differs, varies, excluded } = ledgerOf(area);
      const listed = (lists: readonly Listed[]): Set<string> =>
        new Set(lists.flatMap(({ transcripts }) => transcripts));
      const [differing, varying, left] = [listed(differs), listed(varies), listed(excluded)];
      const numbers = new Map(recordedFiles(area).map((file) => [file.split('-', 1)[0]!, file]));
      const failed = [...numbers].filter(
        ([, file]) =>
          !agrees(recordedTranscript(area, file), writtenTranscript(recorder.folder, area, file) ?? ''),
      );
      const failedNumbers = new Set(failed.map(([number]) => number));
      const counted = [...numbers.keys()].filter((number) => !left.has(number));
      const agreeing = counted.filter((number) => !failedNumbers.has(number)).length;
      total.agreeing += agreeing;
      total.counted += counted.length;
      console.log(`${area}: ${agreeing}/${counted.length} agree, ${left.size} not counted`);
      expect(
        failed
          .filter(([number]) => !differing.has(number) && !varying.has(number) && !left.has(number))
          .map(([, file]) => file),
        `newly differing; see node test/parity/cluster/run.ts ${area}`,
      ).toEqual([]);
      expect(
        [...differing].filter((number) => !failedNumbers.has(number)),
        'agreeing now: take them off the list',
      ).toEqual([]);
    });

    test('all in all they agree', () => {
      console.log(`all: ${total.agreeing}/${total.counted} agree`);
      expect(total.agreeing / total.counted).toBeGreaterThanOrEqual(AGREEING_MIN);
    });

    test('nothing was thrown where nothing may be', () => {
      expect(bench.faults).toEqual([]);
    });
  });
}
