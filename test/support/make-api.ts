// An API server on a temporary workspace with a simulated clock, for tests of what talks to it.
import { resources } from '../../main/kubernetes/api/index.ts';
import { makeApiServer, versionProfile, type ApiServer } from '../../main/kubernetes/apiserver/index.ts';
import type { ApiClient } from '../../main/kubernetes/client/index.ts';
import { makeRandom, Simulation, type Random } from '../../main/simulation/index.ts';
import { SqliteStore, type Store } from '../../main/storage/index.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { hostLoop } from './host-loop.ts';

export interface TestApi extends Disposable {
  readonly server: ApiServer;
  /** May do anything. */
  readonly client: ApiClient;
  readonly clock: Simulation;
  readonly random: Random;
  readonly store: Store;
  /** What tasks of the simulation threw; a test that expects none should check. */
  readonly faults: unknown[];
}

/** Virtual time in test servers begins here. */
const TEST_START_MS = Date.parse('2026-01-05T08:00:00Z');

/** Makes a server; time stands still until the test advances it (`api.clock.advance`), requests work all the same. */
export function makeApi({
  seed = 1,
  startMs = TEST_START_MS,
  version,
}: { seed?: number; startMs?: number; version?: string } = {}): TestApi {
  const faults: unknown[] = [];
  const clock = new Simulation({ startMs, host: hostLoop, onFault: (error) => faults.push(error) });
  const random = makeRandom(seed);
  const folder = mkdtempSync(path.join(tmpdir(), 'drydock-api-'));
  const store = new SqliteStore({ path: path.join(folder, 'workspace'), turns: hostLoop });
  const server = makeApiServer({
    store,
    clock,
    random,
    ...(version === undefined ? {} : { version: versionProfile(version) }),
  });
  const client = server.adminClient('test');
  // A controller's work, without which no pod is admitted.
  for (const namespace of ['default', 'kube-system', 'kube-public', 'kube-node-lease']) {
    client
      .create(resources.serviceaccounts, { metadata: { name: 'default', namespace } })
      .catch((error: unknown) => faults.push(error));
  }
  return {
    server,
    client,
    clock,
    random,
    store,
    faults,
    [Symbol.dispose]() {
      server[Symbol.dispose]();
      clock[Symbol.dispose]();
      store[Symbol.dispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
