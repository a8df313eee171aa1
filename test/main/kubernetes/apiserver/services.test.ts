// Cluster IPs and node ports: unique, from the configured range, free again after deletion.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { resources, type Service } from '../../../../main/kubernetes/api/index.ts';
import { makeApiServer } from '../../../../main/kubernetes/apiserver/index.ts';
import { makeRandom, Simulation } from '../../../../main/simulation/index.ts';
import { SqliteStore } from '../../../../main/storage/index.ts';
import { hostLoop } from '../../../support/host-loop.ts';

const service = (name: string, spec: Service['spec'] = {}): Service => ({
  metadata: { name, namespace: 'default' },
  spec: { ports: [{ port: 80 }], ...spec },
});

test('addresses come from the configured range, and are refused when taken or outside of it', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'drydock-services-'));
  using clock = new Simulation({ startMs: 0, host: hostLoop, onFault: () => undefined });
  using store = new SqliteStore({ path: path.join(folder, 'workspace'), turns: hostLoop });
  using server = makeApiServer({ store, clock, random: makeRandom(3), serviceRange: '10.7.0.0/28' });
  const client = server.adminClient('test');

  const own = await client.get<Service>(resources.services, 'kubernetes', { namespace: 'default' });
  expect(own.spec?.clusterIP).toBe('10.7.0.1');
  const made = await client.create(resources.services, service('a', { type: 'NodePort' }));
  expect(made.spec?.clusterIP).toMatch(/^10\.7\.0\.\d+$/);

  const again = service('b', { clusterIP: made.spec?.clusterIP });
  await expect(client.create(resources.services, again)).rejects.toThrow('provided IP is already allocated');
  const outside = service('c', { clusterIP: '10.96.0.5' });
  await expect(client.create(resources.services, outside)).rejects.toThrow(
    'the provided network does not match the current range',
  );

  // 14 addresses can be given out; two are.
  for (let index = 0; index < 12; index++) await client.create(resources.services, service(`s${index}`));
  await expect(client.create(resources.services, service('full'))).rejects.toThrow('range is full');
  await client.delete(resources.services, 'a', { namespace: 'default' });
  const { nodePort } = made.spec!.ports![0]!;
  const reused = await client.create(
    resources.services,
    service('d', { type: 'NodePort', ports: [{ port: 80, nodePort }] }),
  );
  expect(reused.spec?.clusterIP).toBe(made.spec?.clusterIP);
  rmSync(folder, { recursive: true, force: true });
});
