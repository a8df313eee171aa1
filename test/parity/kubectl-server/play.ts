// Makes tests of a folder's scenarios, which share one Drydock.
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findKubectl } from '../../support/host-kubectl.ts';
import { knownFailures } from './known-failures.ts';
import { startDrydock, type RunningDrydock, type RunningDrydockOptions } from './running-drydock.ts';
import { readScenarios } from './scenario.ts';

const VERSION = '1.32';
/** A piece of a file's name or a title, to play a few only. */
const ONLY = process.env['SCENARIO'];

export interface PlayOptions extends Omit<RunningDrydockOptions, 'kubectl'> {
  /** Whether a few are played at a time. */
  readonly concurrent: boolean;
  /** The minor version of the kubectl that they are written for. */
  readonly version?: string;
}

export function playScenarios(
  folder: string,
  { concurrent, version = VERSION, ...options }: PlayOptions,
): void {
  const kubectl = findKubectl(version);
  const scenarios = readScenarios(path.join(import.meta.dirname, folder)).filter(
    ({ file, title }) => ONLY === undefined || `${file} ${title}`.includes(ONLY),
  );
  let drydock: RunningDrydock | undefined;
  beforeAll(async () => {
    if (kubectl !== undefined) drydock = await startDrydock({ ...options, kubectl });
  }, 60_000);
  afterAll(async () => {
    await drydock?.[Symbol.asyncDispose]();
    if (drydock !== undefined && drydock.faults.length > 0)
      throw new AggregateError(drydock.faults, 'faults inside');
  });
  // kubectl lives by the wall's clock and Drydock by its own: a story that one bad moment spoilt gets another.
  describe(folder, { concurrent, timeout: 180_000, retry: 1 }, () => {
    for (const scenario of scenarios) {
      const { file, title } = scenario;
      const known = knownFailures.has(title);
      test(`${file.replace('.txt', '')}: ${title}`, { fails: known }, async (context) => {
        if (kubectl === undefined) context.skip(`no kubectl ${version} on this machine`);
        await expect(drydock!.play(scenario)).resolves.toBeUndefined();
      });
    }
  });
}
