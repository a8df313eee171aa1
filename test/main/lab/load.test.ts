import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LabError, listCourses, loadLab, pointsMaxOf } from '../../../main/lab/index.ts';

const labsFolder = join(import.meta.dirname, '../../../labs');

test('every lab of the house loads', () => {
  const ids = listCourses(labsFolder).flatMap((course) => course.labIds);
  expect(ids).toContain('service/session-affinity');
  for (const id of ids) expect(pointsMaxOf(loadLab(labsFolder, id))).toBeGreaterThan(0);
});

test('a lab that does not exist is told with those that do', () => {
  expect(() => loadLab(labsFolder, 'service/nothing')).toThrow(
    /there is no such lab; known are .*service\/session-affinity/,
  );
});

test('faults in a lab are told with file and line, all at once', () => {
  const folder = mkdtempSync(join(tmpdir(), 'drydock-'));
  try {
    cpSync(labsFolder, folder, { recursive: true });
    writeFileSync(
      join(folder, 'service/session-affinity/lab.yaml'),
      [
        'title: { zh: 一, en: One }',
        'summary: { zh: 一, en: One }',
        'aims: [{ zh: 一, en: One }]',
        'minutes: many',
        'level: beginner',
        'profile: current',
        'steps:',
        '  - name: 01-create',
        '    title: { zh: 一, en: One }',
        '    checks:',
        '      - { id: a, title: { zh: 一, en: One }, points: 1, colour: red, history: { machine: m, matches: x } }',
      ].join('\n'),
    );
    const load = (): unknown => loadLab(folder, 'service/session-affinity');
    expect(load).toThrow(LabError);
    expect(load).toThrow('service/session-affinity/lab.yaml:4: minutes must be integer');
    expect(load).toThrow(/lab.yaml:11: steps.0.checks.0 must NOT have unevaluated properties/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
