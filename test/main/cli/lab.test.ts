import { expect, test } from 'vitest';
import { drydock } from '../../support/drydock.ts';

const LAB = 'service/session-affinity';

test('lab list names every lab in the language asked for', async () => {
  expect((await drydock(['lab', 'list'])).stdout).toContain(
    `${LAB}\tSession affinity: one client, always the same Pod\tbeginner`,
  );
  expect((await drydock(['lab', 'list', '--lang', 'zh'])).stdout).toContain('会话保持');
});

test('lab lint finds nothing wrong with the labs, and says what is wrong with one that is not there', async () => {
  expect(await drydock(['lab', 'lint'])).toMatchObject({ status: 0, stderr: '' });
  const absent = await drydock(['lab', 'lint', 'service/nothing']);
  expect(absent.status).toBe(1);
  expect(absent.stdout + absent.stderr).toContain('service/nothing');
});

test('lab run plays the solution, prints every check and the score', { timeout: 60_000 }, async () => {
  const { status, stdout, stderr } = await drydock(['lab', 'run', LAB, '--lang', 'zh']);
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).not.toContain('FAIL');
  expect(stdout.match(/^ {3}ok /gm)).toHaveLength(12);
  expect(stdout).toContain('Service nginx-svc 是 ClusterIP 类型');
  expect(stdout.trimEnd()).toMatch(/\n16\/16$/);
});

test.each([
  [['lab', 'run'], 2, 'lab run wants the ID of a lab, or --all.'],
  [['lab', 'run', LAB, '--lang', 'fr'], 2, '--lang is en or zh, not "fr".'],
  [['lab', 'run', 'service/nothing'], 1, 'service/nothing'],
  [['lab', 'run', '../../etc'], 1, '../../etc'],
])('%j ends with status %i and a sentence', async (args, status, sentence) => {
  const result = await drydock(args);
  expect(result).toMatchObject({ status, stdout: '' });
  expect(result.stderr).toMatch(/^drydock: [^\n]+\n$/);
  expect(result.stderr).toContain(sentence);
});
