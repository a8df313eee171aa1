// `drydock lab`: lists, lints and plays labs without a screen.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LabState, Language, Reply } from '../../preload/contract.ts';
import { LabError, listCourses, loadLab } from '../lab/index.ts';
import {
  labsFolder,
  nodeHost,
  packageVersion,
  Session,
  SessionError,
  workspaceIn,
} from '../session/index.ts';

import { readOptions, UsageError } from './usage.ts';

export async function lab(args: string[]): Promise<number> {
  const [action, ...rest] = args;
  if (action === 'list') return list(rest);
  if (action === 'lint') return lint(rest);
  if (action === 'run') return run(rest);
  throw new UsageError('lab wants list, lint or run.');
}

function allLabs(): string[] {
  return listCourses(labsFolder).flatMap((course) => course.labIds);
}

async function list(args: string[]): Promise<number> {
  const { values } = readOptions({ args, options: { lang: { type: 'string', default: 'en' } } });
  const language = languageOf(values.lang);
  for (const id of allLabs()) {
    const { title, minutes, level, steps } = loadLab(labsFolder, id);
    process.stdout.write(`${id}\t${title[language]}\t${level}, ${minutes} min, ${steps.length} steps\n`);
  }
  return 0;
}

async function lint(args: string[]): Promise<number> {
  const { positionals } = readOptions({ args, allowPositionals: true, options: {} });
  let faults = 0;
  for (const id of positionals.length > 0 ? positionals : allLabs()) {
    try {
      loadLab(labsFolder, id);
    } catch (error) {
      if (!(error instanceof LabError)) throw error;
      faults += error.faults.length;
      process.stdout.write(`${error.message}\n`);
    }
  }
  return faults === 0 ? 0 : 1;
}

/** Plays each step's solution in a fresh cluster, checks before and after it, and prints every check. */
async function run(args: string[]): Promise<number> {
  const { values, positionals } = readOptions({
    args,
    allowPositionals: true,
    options: { lang: { type: 'string', default: 'en' }, all: { type: 'boolean', default: false } },
  });
  const language = languageOf(values.lang);
  const ids = values.all ? allLabs() : positionals;
  if (ids.length === 0) throw new UsageError('lab run wants the ID of a lab, or --all.');
  let failed = 0;
  for (const id of ids) {
    loadLab(labsFolder, id);
    if (!(await play(id, language))) failed++;
  }
  return failed === 0 ? 0 : 1;
}

async function play(labId: string, language: Language): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'drydock-lab-'));
  try {
    await using session = new Session({
      workspace: workspaceIn(folder),
      labsFolder,
      host: nodeHost,
      version: packageVersion,
      door: 'browser',
      attended: false,
      language,
      onFault: (error) =>
        process.stderr.write(`drydock: ${error instanceof Error ? error.stack : String(error)}\n`),
    });
    let state = value(await session.call('lab.open', { labId }));
    process.stdout.write(`${labId}: ${state.title[language]}\n`);
    for (let step = 0; step < state.steps.length; step++) {
      state = value(await session.call('lab.goTo', { step }));
      process.stdout.write(`\n${step + 1}. ${state.steps[step]!.title[language]}\n`);
      state = value(await session.call('lab.check', { step }));
      if (state.steps[step]!.passed) {
        process.stdout.write('   FAIL  the checks pass before the solution was played\n');
        return false;
      }
      value(await session.call('lab.solve', { step }));
      state = value(await session.call('lab.check', { step }));
      print(state, step, language);
      if (!state.steps[step]!.passed) return false;
    }
    process.stdout.write(`\n${state.points}/${state.pointsMax}\n`);
    return true;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function print(state: LabState, step: number, language: Language): void {
  for (const check of state.steps[step]!.checks) {
    process.stdout.write(`   ${check.status === 'passed' ? 'ok  ' : 'FAIL'}  ${check.title[language]}\n`);
    if (check.message !== undefined) process.stdout.write(`         ${check.message[language]}\n`);
  }
}

function value<T>(reply: Reply<T>): T {
  if (reply.ok) return reply.value;
  throw new SessionError('failed', reply.error.message);
}

function languageOf(text: string): Language {
  if (text === 'en' || text === 'zh') return text;
  throw new UsageError(`--lang is en or zh, not "${text}".`);
}
