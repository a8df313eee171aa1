// Plays what was asked of a real kube-apiserver to `drydock up`, over HTTPS with its kubeconfig and with the recordings'
// own client, while controllers, scheduler and kubelets run; what is known to differ is listed with its reason.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeTemporaryFolder, RunningUp } from '../../support/drydock.ts';
import { noRecordings } from '../../support/no-recordings.ts';

const recorded = path.resolve(import.meta.dirname, '../../../../shared/golden/api');

interface Case {
  readonly id: string;
  readonly expect: unknown;
}

/** What the recordings' own replay.mjs exports. */
interface Replay {
  readonly loadKubeconfig: (file: string) => unknown;
  readonly Client: new (config: unknown) => object;
  readonly Spaces: new (client: object) => object;
  readonly runCase: (client: object, spaces: object, recordedCase: Case) => Promise<unknown>;
  /** The first difference as a sentence, or null. */
  readonly difference: (want: unknown, got: unknown) => string | null;
  readonly closeSpaces: (spaces: object) => Promise<void>;
}

/** Cases that differ for one reason. */
interface Difference {
  readonly reason: string;
  readonly cases: readonly string[];
  /** They differ or not by which of two came first. */
  readonly timing?: boolean;
}

/** Cases that differ, by file. The lists may only shrink: a case that starts to pass must be taken off. */
const known = JSON.parse(
  readFileSync(path.join(import.meta.dirname, 'known-differences.json'), 'utf8'),
) as Record<string, readonly Difference[]>;

/** The share of all cases that may differ. */
const DIFFERENT_MAX = 0.02;

/** Longest that one file may take in real time, in ms. Much of it is sleep that the cases ask for. */
const FILE_MS_MAX = 120_000;

(existsSync(recorded) ? describe : noRecordings)('answers recorded from a real API server', () => {
  const folder = makeTemporaryFolder();
  let up: RunningUp;
  let replay: Replay;
  let client: object;

  beforeAll(async () => {
    up = new RunningUp(folder.path);
    const { kubeconfig } = await up.ready();
    replay = (await import(pathToFileURL(path.join(recorded, 'replay.mjs')).href)) as Replay;
    client = new replay.Client(replay.loadKubeconfig(kubeconfig));
  }, 60_000);
  afterAll(async () => {
    await up[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  async function differenceIn(spaces: object, recordedCase: Case): Promise<string | null> {
    try {
      return replay.difference(recordedCase.expect, await replay.runCase(client, spaces, recordedCase));
    } catch (error) {
      return `the case ended with ${String(error)}`;
    }
  }

  for (const [file, differences] of Object.entries(known)) {
    const differing = differences.flatMap(({ cases }) => cases);
    const varying = differences.flatMap(({ cases, timing }) => (timing === true ? cases : []));
    test(
      `${file} is answered as recorded, but for ${differing.length} known cases`,
      async () => {
        const spaces = new replay.Spaces(client);
        const newlyFailing: string[] = [];
        const nowPassing: string[] = [];
        for (const recordedCase of casesOf(file)) {
          const difference = await differenceIn(spaces, recordedCase);
          const isKnown = differing.includes(recordedCase.id);
          if (difference !== null && !isKnown) newlyFailing.push(`${recordedCase.id}: ${difference}`);
          if (difference === null && isKnown && !varying.includes(recordedCase.id))
            nowPassing.push(recordedCase.id);
        }
        await replay.closeSpaces(spaces);
        expect(newlyFailing).toEqual([]);
        expect(nowPassing, 'take them off the list').toEqual([]);
      },
      FILE_MS_MAX,
    );
  }

  test('at least 98 % of all cases are answered as recorded', () => {
    const total = Object.keys(known).flatMap(casesOf).length;
    const differing = Object.values(known).flatMap((differences) =>
      differences.flatMap(({ cases }) => cases),
    );
    expect(differing.length / total).toBeLessThanOrEqual(DIFFERENT_MAX);
  });

  test('the cluster ran through it without a fault', () => {
    expect(up.stderr).toBe('');
  });
});

function casesOf(file: string): Case[] {
  return readFileSync(path.join(recorded, file), 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as Case);
}
