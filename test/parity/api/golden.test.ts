// Replays answers recorded from a real kube-apiserver against Drydock's, in process; what is known to differ is listed.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { makeApi } from '../../support/make-api.ts';
import { runStandInControllers } from '../../support/stand-in-controllers.ts';
import { GoldenClient } from './golden-client.ts';
import { noRecordings } from '../../support/no-recordings.ts';

const here = path.dirname(fileURLToPath(import.meta.url));
const recorded = path.resolve(here, '../../../../shared/golden/api');
const ledgerPath = path.join(here, 'known-differences.json');

interface Case {
  readonly id: string;
  readonly setup?: { timeout?: number; until?: unknown }[];
  readonly expect: unknown;
}

interface Replay {
  readonly runCase: (client: GoldenClient, spaces: object, recordedCase: Case) => Promise<unknown>;
  readonly Spaces: new (client: GoldenClient) => object;
  readonly difference: (want: unknown, got: unknown) => string | null;
  readonly closeSpaces: (spaces: object) => Promise<void>;
}

/** Cases that differ for one reason. */
interface Difference {
  readonly reason: string;
  readonly cases: readonly string[];
}

/** Cases that differ, by file. The lists may only shrink: a case that starts to pass must be taken off. */
const known = JSON.parse(readFileSync(ledgerPath, 'utf8')) as Record<string, readonly Difference[]>;

/** Real time after which a case counts as hung, in ms. */
const CASE_MS_MAX = 8000;
const PACE_MS = 20;

(!existsSync(recorded) ? noRecordings : describe)('answers recorded from a real API server', () => {
  const api = makeApi();
  // Virtual time keeps step with the wall, by which the recorded cases wait.
  const pace = setInterval(() => void api.clock.advance({ ms: PACE_MS }), PACE_MS);
  const controllers = runStandInControllers(api.client, () => undefined);
  afterAll(() => {
    clearInterval(pace);
    controllers[Symbol.dispose]();
    api[Symbol.dispose]();
  });

  for (const [file, differences] of Object.entries(known)) {
    const differing = differences.flatMap(({ cases }) => cases);
    test(`${file} is answered as recorded, but for ${differing.length} known cases`, async () => {
      const replay = (await import(pathToFileURL(path.join(recorded, 'replay.mjs')).href)) as Replay;
      const client = new GoldenClient(api.server.handler);
      const spaces = new replay.Spaces(client);
      const failed: string[] = [];
      for (const line of readFileSync(path.join(recorded, file), 'utf8').split('\n')) {
        if (line.trim() === '') continue;
        const recordedCase = JSON.parse(line) as Case;
        // Waiting for a controller that isn't there is pointless.
        for (const step of recordedCase.setup ?? []) if (step.until !== undefined) step.timeout = 300;
        if (!(await passes(replay, client, spaces, recordedCase))) failed.push(recordedCase.id);
      }
      await replay.closeSpaces(spaces);
      expect(
        failed.filter((id) => !differing.includes(id)),
        'newly failing',
      ).toEqual([]);
      expect(
        differing.filter((id) => !failed.includes(id)),
        'now passing: take them off the list',
      ).toEqual([]);
    }, 240_000);
  }
});

async function passes(
  replay: Replay,
  client: GoldenClient,
  spaces: object,
  recordedCase: Case,
): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const hung = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('hung')), CASE_MS_MAX);
  });
  try {
    const got = await Promise.race([replay.runCase(client, spaces, recordedCase), hung]);
    return replay.difference(recordedCase.expect, got) === null;
  } catch (error) {
    return !(error instanceof Error);
  } finally {
    clearTimeout(timer);
  }
}
