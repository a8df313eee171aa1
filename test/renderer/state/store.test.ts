// What the screen knows, fed by a bridge.
import { expect, test, vi } from 'vitest';

import { makeStore } from '../../../renderer/state/index.ts';
import { makeFakeBridge, type FakeBridge, type FakeOptions } from '../../support/fake-bridge.ts';
import { asScreenBridge } from '../screen-bridge.ts';

async function makeScreen(options: FakeOptions = {}): Promise<{
  bridge: FakeBridge;
  store: ReturnType<typeof makeStore>;
}> {
  const bridge = makeFakeBridge(options);
  const store = makeStore(asScreenBridge(bridge));
  await vi.waitFor(() => expect(store.getState().courses).toBeDefined());
  return { bridge, store };
}

const inputs = (bridge: FakeBridge): unknown[] =>
  bridge.calls.filter(({ name }) => name === 'terminal.input').map(({ request }) => request);

test('without a lab the shelf is shown, with one the workbench', async () => {
  expect((await makeScreen()).store.getState().place).toBe('shelf');
  expect((await makeScreen({ labOpen: true })).store.getState().place).toBe('workbench');
});

test('opening a lab brings its terminals and its doors', async () => {
  const { store } = await makeScreen();
  await store.getState().openLab('service/session-affinity');
  const { place, terminals, host, cluster } = store.getState();
  expect(place).toBe('workbench');
  expect(terminals.map(({ machine }) => machine)).toEqual(['master1', 'worker1', 'worker2']);
  expect(host).toBeDefined();
  expect(cluster.phase).toBe('running');
});

test('a block is typed into the terminal of its machine that was used last', async () => {
  const { store, bridge } = await makeScreen({ labOpen: true });
  const second = await store.getState().openTerminal('worker1');
  await store.getState().typeText('hostname', 'worker1');
  expect(inputs(bridge)).toEqual([{ terminalId: second!.terminalId, data: 'hostname\r' }]);
  expect(store.getState().shownTerminal?.terminalId).toBe(second!.terminalId);
});

test('a block for a machine without a terminal opens one', async () => {
  const { store, bridge } = await makeScreen({ labOpen: true });
  await store.getState().typeText('curl web', 'client');
  const opened = store.getState().terminals.find(({ machine }) => machine === 'client');
  expect(inputs(bridge)).toEqual([{ terminalId: opened!.terminalId, data: 'curl web\r' }]);
});

test('a block is never typed into an open editor', async () => {
  const { store, bridge } = await makeScreen({ labOpen: true });
  await store.getState().typeText('vim web.yaml', 'master1');
  expect(Object.keys(store.getState().editors)).toEqual(['terminal-1']);
  await store.getState().typeText('ls', 'master1');
  expect(inputs(bridge).at(-1)).not.toMatchObject({ terminalId: 'terminal-1' });
  store.getState().closeEditor(store.getState().editors['terminal-1']!.editorId, 0);
  expect(store.getState().editors).toEqual({});
});

test('a call that fails is told in a sentence, once', async () => {
  const { store } = await makeScreen({ labOpen: true });
  store.getState().closeTerminal('terminal-99');
  store.getState().closeTerminal('terminal-99');
  await vi.waitFor(() => expect(store.getState().notices).toHaveLength(1));
  expect(store.getState().notices[0]).toMatchObject({ level: 'error' });
});

test('a step that is checked twice passes, and its points count', async () => {
  const { store } = await makeScreen({ labOpen: true });
  await store.getState().checkStep(0);
  expect(store.getState().lab?.steps[0]?.passed).toBe(false);
  await store.getState().checkStep(0);
  expect(store.getState().lab?.steps[0]?.passed).toBe(true);
  expect(store.getState().lab?.points).toBe(3);
  expect(store.getState().lab?.busy).toBeUndefined();
});
