// The host's real kubectl against Drydock says what it said to a real cluster; what is known to differ is listed.
//
// To see differences: `node test/parity/cluster/run.ts AREA` (or AREA/NN).
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noRecordings } from '../../support/no-recordings.ts';
import { AREAS, chainsOf } from './areas.ts';
import { startBench, type Bench } from './bench.ts';
import { agrees } from './comparison.ts';
import { findKubectls } from './kubectls.ts';
import { listingOf, numberOf } from './ledger.ts';
import { Recorder, RECORDED, recordedFiles, recordedTranscript, writtenTranscript } from './recorder.ts';

const SPEED = 6;
const WITHIN_MS = 900_000;
const AGAIN_WITHIN_MS = 300_000;
/** Of all transcripts that depend on the server alone. */
const AGREEING_MIN = 0.97;

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

    /** Files of an area that differ in a cluster of its own too: what only the moment brought about doesn't. */
    const differingAgain = async (area: string, files: readonly string[]): Promise<string[]> => {
      await using again = await startBench(SPEED);
      using replayed = new Recorder({ kubectls, kubeconfig: again.kubeconfig, speed: SPEED });
      for (const stage of chainsOf([area])) await Promise.all(stage.map((chain) => replayed.run(chain)));
      return files.filter(
        (file) =>
          !agrees(recordedTranscript(area, file), writtenTranscript(replayed.folder, area, file) ?? ''),
      );
    };

    test.each(AREAS)('it says to Drydock: %s', { timeout: AGAIN_WITHIN_MS }, async (area) => {
      const { differs, varies, excluded } = listingOf(area);
      const numbers = new Map(recordedFiles(area).map((file) => [numberOf(file), file]));
      const failed = [...numbers].filter(
        ([, file]) =>
          !agrees(recordedTranscript(area, file), writtenTranscript(recorder.folder, area, file) ?? ''),
      );
      const failedNumbers = new Set(failed.map(([number]) => number));
      const counted = [...numbers.keys()].filter((number) => !excluded.has(number) && !varies.has(number));
      const agreeing = counted.filter((number) => !failedNumbers.has(number)).length;
      total.agreeing += agreeing;
      total.counted += counted.length;
      console.log(
        `${area}: ${agreeing}/${counted.length} agree, ${numbers.size - counted.length} aren't counted`,
      );
      const unlisted = failed
        .filter(([number]) => !differs.has(number) && !varies.has(number) && !excluded.has(number))
        .map(([, file]) => file);
      expect(
        unlisted.length === 0 ? [] : await differingAgain(area, unlisted),
        `newly differing, twice; see node test/parity/cluster/run.ts ${area}`,
      ).toEqual([]);
      expect(
        [...differs, ...excluded].filter((number) => !failedNumbers.has(number)),
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
