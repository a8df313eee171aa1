import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { LabState, Reply } from '../../../preload/contract.ts';
import { listCourses, loadLab } from '../../../main/lab/index.ts';
import { labsFolder, Session } from '../../../main/session/index.ts';
import { hostLoop } from '../../support/host-loop.ts';

const LAB_IDS = listCourses(labsFolder).flatMap((course) => course.labIds);

function value<T>(reply: Reply<T>): T {
  if (!reply.ok) throw new Error(reply.error.message);
  return reply.value;
}

/** What a step's failed checks say. */
function failures(state: LabState, step: number): string[] {
  return state.steps[step]!.checks.filter(({ status }) => status === 'failed').map(
    ({ id, message }) => `${id}: ${message?.en}`,
  );
}

/** Opens a lab in a fresh cluster, lets `play` work through it, and fails on what was thrown where nothing may be. */
async function withLab(
  labId: string,
  play: (session: Session, state: LabState) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'drydock-labs-'));
  const faults: unknown[] = [];
  try {
    await using session = new Session({
      workspace: join(folder, 'workspace.drydock'),
      labsFolder,
      host: hostLoop,
      version: '0.0.0',
      door: 'browser',
      attended: false,
      language: 'en',
      onFault: (error) => faults.push(error),
    });
    await play(session, value(await session.call('lab.open', { labId })));
  } finally {
    rmSync(folder, { recursive: true });
  }
  if (faults.length > 0) throw new AggregateError(faults, 'something was thrown where nothing may be');
}

test.each(LAB_IDS)(
  '%s: each step fails before its solution, passes after it, and after it again',
  async (labId) => {
    await withLab(labId, async (session, opened) => {
      let state = opened;
      for (let step = 0; step < state.steps.length; step++) {
        state = value(await session.call('lab.check', { step }));
        expect([step, state.steps[step]!.passed]).toEqual([step, false]);
        expect(failures(state, step)).not.toEqual([]);
        for (const time of ['once', 'twice']) {
          value(await session.call('lab.solve', { step }));
          state = value(await session.call('lab.check', { step }));
          expect([step, time, failures(state, step)]).toEqual([step, time, []]);
        }
      }
      expect(state.points).toBe(state.pointsMax);
    });
  },
);

test.each(LAB_IDS)(
  '%s: both languages hold the same blocks, and its hints have something to take off from',
  (labId) => {
    const { steps } = loadLab(labsFolder, labId);
    for (const { name, text, checks, hints } of steps) {
      const marks = (markdown: string): string[] => markdown.match(/^```\w+.*$/gm) ?? [];
      expect([name, marks(text.zh)]).toEqual([name, marks(text.en)]);
      const points = checks.reduce((sum, check) => sum + check.points, 0);
      const price = hints.reduce((sum, hint) => sum + hint.cost, 0);
      expect(price, `${name}: hints may cost no more than the step is worth`).toBeLessThanOrEqual(points);
    }
  },
);
