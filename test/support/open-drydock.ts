// A cluster with its doors on loopback, inside the test's own process: real clients outside, its clock in the test's hand.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { NO_LATENCY } from '../../main/cluster/index.ts';
import { labsFolder, nodeHost, openHostDoors, Session, workspaceIn } from '../../main/session/index.ts';
import { makeTemporaryFolder } from './drydock.ts';

export interface OpenDrydock extends AsyncDisposable {
  readonly session: Session;
  /** Such as https://127.0.0.1:6443. */
  readonly api: string;
  /** YAML of the kubeconfig. */
  readonly kubeconfig: string;
  /** Temporary, gone when this is disposed; the workspace lies in its `data`. */
  readonly folder: string;
  /** What was thrown where nothing may be. */
  readonly faults: readonly unknown[];
}

/** Boots a cluster without latencies; its clock then runs `speed` times as fast as the wall's. */
export async function openDrydock({
  speed,
  profile = 'current',
}: {
  speed: number;
  profile?: string;
}): Promise<OpenDrydock> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(makeTemporaryFolder()).path;
  const faults: unknown[] = [];
  const session = stack.use(
    new Session({
      workspace: workspaceIn(path.join(folder, 'data')),
      labsFolder,
      host: nodeHost,
      version: '0.0.0',
      door: 'browser',
      language: 'en',
      onFault: (error) => void faults.push(error),
    }),
  );
  await session.openFree({ profile, seed: 'doors', latencies: NO_LATENCY });
  await session.call('clock.skipUntilReady', {});
  const doors = stack.use(await openHostDoors(session, { kubeconfig: path.join(folder, 'kubeconfig') }));
  session.clock.setSpeed(speed);
  session.clock.resume();
  const owned = stack.move();
  return {
    session,
    api: doors.api,
    kubeconfig: readFileSync(doors.kubeconfig, 'utf8'),
    folder,
    faults,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
