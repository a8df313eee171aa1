import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { LabState, Reply } from '../../../preload/contract.ts';
import { labsFolder, Session } from '../../../main/session/index.ts';
import { hostLoop } from '../../support/host-loop.ts';

const LAB = 'service/session-affinity';

let folder: string;
let faults: unknown[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drydock-session-'));
  faults = [];
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  if (faults.length > 0) throw new AggregateError(faults, 'something was thrown where nothing may be');
});

function open(): Session {
  return new Session({
    workspace: join(folder, 'workspace.drydock'),
    labsFolder,
    host: hostLoop,
    version: '0.0.0',
    door: 'browser',
    attended: false,
    language: 'en',
    onFault: (error) => faults.push(error),
  });
}

function value<T>(reply: Reply<T>): T {
  if (!reply.ok) throw new Error(reply.error.message);
  return reply.value;
}

/** Types a line into a terminal and waits until its output holds `expected`. */
async function type(session: Session, terminalId: string, line: string, expected: RegExp): Promise<string> {
  let seen = '';
  using _listening = session.on('terminal.output', (event) => {
    if (event.terminalId === terminalId) seen += event.data;
  });
  value(await session.call('terminal.input', { terminalId, data: `${line}\r` }));
  await expect.poll(() => seen, { timeout: 10_000 }).toMatch(expected);
  return seen;
}

test('calls are checked before anything is done', async () => {
  await using session = open();
  expect(await session.call('nonsense' as 'app.state', {})).toMatchObject({
    ok: false,
    error: { reason: 'unknown-call' },
  });
  expect(await session.call('clock.skip', { seconds: -1 })).toMatchObject({
    ok: false,
    error: { reason: 'bad-request' },
  });
  expect(await session.call('clock.skip', { seconds: 1, extra: true })).toMatchObject({
    ok: false,
    error: { reason: 'bad-request' },
  });
  expect(await session.call('terminal.open', { machine: 'nowhere', columns: 80, rows: 24 })).toEqual({
    ok: false,
    error: { reason: 'not-found', message: 'There is no machine "nowhere".' },
  });
  expect(await session.call('lab.open', { labId: '../../etc' })).toMatchObject({
    ok: false,
    error: { reason: 'bad-lab' },
  });
  expect(await session.call('lab.check', { step: 0 })).toMatchObject({
    ok: false,
    error: { reason: 'no-lab' },
  });
});

test('settings are kept in the workspace', async () => {
  {
    await using session = open();
    value(await session.call('settings.update', { language: 'zh', theme: 'dark' }));
  }
  await using session = open();
  expect(value(await session.call('app.state', {})).settings).toMatchObject({
    language: 'zh',
    theme: 'dark',
  });
});

test('the lab: its checks fail before each solution and pass after it, and all of it is there again later', async () => {
  let pods: string;
  {
    await using session = open();
    let state = value(await session.call('lab.open', { labId: LAB }));
    for (let step = 0; step < state.steps.length; step++) {
      state = value(await session.call('lab.check', { step }));
      expect([step, state.steps[step]!.passed]).toEqual([step, false]);
      expect(failures(state, step).length).toBeGreaterThan(0);
      value(await session.call('lab.solve', { step }));
      state = value(await session.call('lab.check', { step }));
      expect([step, failures(state, step)]).toEqual([step, []]);
    }
    expect(state.points).toBe(state.pointsMax);
    const { pods: shown } = value(await session.call('cluster.topology', {}));
    pods = JSON.stringify(
      shown.filter(({ namespace }) => namespace === 'default').map(({ name, address }) => [name, address]),
    );
  }
  await using session = open();
  await session.resume();
  const state = value(await session.call('app.state', {}));
  expect(state.lab).toMatchObject({ id: LAB, points: 16, pointsMax: 16 });
  expect(state.terminals.map(({ machine }) => machine)).toEqual(['master1', 'worker1', 'worker2']);
  await expect
    .poll(async () => {
      const { pods: shown } = value(await session.call('cluster.topology', {}));
      return JSON.stringify(
        shown.filter(({ namespace }) => namespace === 'default').map(({ name, address }) => [name, address]),
      );
    })
    .toBe(pods);
  const history = await type(
    session,
    state.terminals[0]!.terminalId,
    'history | grep -c patch; echo end',
    /\d+\r\nend/,
  );
  expect(Number(/(\d+)\r\nend/.exec(history)![1])).toBeGreaterThanOrEqual(2);
});

test('a step that is reset begins where it began', async () => {
  await using session = open();
  value(await session.call('lab.open', { labId: LAB }));
  value(await session.call('lab.solve', { step: 0 }));
  let state = value(await session.call('lab.check', { step: 0 }));
  expect(state.steps[0]!.passed).toBe(true);
  state = value(await session.call('lab.reset', { step: 0 }));
  expect(state.steps[0]!.passed).toBe(false);
  state = value(await session.call('lab.check', { step: 0 }));
  expect(failures(state, 0)).toContain('There is no Deployment nginx-server1 in namespace default yet.');
});

test('hints cost their points, once', async () => {
  await using session = open();
  value(await session.call('lab.open', { labId: LAB }));
  value(await session.call('lab.solve', { step: 0 }));
  const before = value(await session.call('lab.check', { step: 0 }));
  expect(before.steps[0]!.hints[1]!.text).toBeUndefined();
  value(await session.call('lab.takeHint', { step: 0, hint: 1 }));
  const after = value(await session.call('lab.takeHint', { step: 0, hint: 1 }));
  expect(after.points).toBe(before.points - 1);
  expect(after.steps[0]!.hints[1]!.text?.en).toContain('kubectl get endpoints');
});

test('a paused clock stands still, and a skip is counted to the second', async () => {
  await using session = open();
  const before = value(await session.call('clock.pause', {}));
  const after = value(await session.call('clock.skip', { seconds: 3600 }));
  expect(after.nowMs - before.nowMs).toBe(3600_000);
  expect(after.paused).toBe(true);
});

test('an editor opens in the terminal that asked, saves to the machine, and gives the prompt back', async () => {
  await using session = open();
  value(await session.call('lab.open', { labId: LAB }));
  const [terminal] = value(await session.call('app.state', {})).terminals;
  const opened = new Promise<{ editorId: string; terminalId: string; path: string; isNew: boolean }>(
    (resolve) => {
      session.on('editor.opened', resolve);
    },
  );
  value(await session.call('terminal.input', { terminalId: terminal!.terminalId, data: 'vim note.txt\r' }));
  const { editorId, terminalId, path, isNew } = await opened;
  expect([terminalId, path, isNew]).toEqual([terminal!.terminalId, '/root/note.txt', true]);
  value(await session.call('editor.save', { editorId, content: 'from the editor\n' }));
  value(await session.call('editor.close', { editorId, exitCode: 0 }));
  await type(session, terminal!.terminalId, 'cat note.txt', /from the editor/);
});

function failures(state: LabState, step: number): (string | undefined)[] {
  return state.steps[step]!.checks.filter(({ status }) => status === 'failed').map(
    ({ message }) => message?.en,
  );
}
