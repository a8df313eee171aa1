import { expect, test } from 'vitest';
import { resources, type Lease } from '../../../../main/kubernetes/api/index.ts';
import { runWhileLeading } from '../../../../main/kubernetes/client/index.ts';
import { disposable } from '../../../../main/simulation/index.ts';
import { makeApi } from '../../../support/make-api.ts';

test('one of two leads, and the other takes over when it falls silent', async () => {
  using api = makeApi();
  const { client, clock, random } = api;
  const leaders = new Set<string>();
  const join = (host: string): Disposable =>
    runWhileLeading({
      client,
      clock,
      random,
      name: 'kube-scheduler',
      electOn: host,
      lead() {
        leaders.add(host);
        return disposable(() => leaders.delete(host));
      },
    });
  const first = join('master1');
  await clock.advance({ seconds: 1 });
  using _second = join('master2');
  await clock.advance({ minutes: 1 });
  expect([...leaders]).toEqual(['master1']);

  first[Symbol.dispose]();
  await clock.advance({ seconds: 10 });
  expect([...leaders]).toEqual([]);
  await clock.advance({ seconds: 10 });
  expect([...leaders]).toEqual(['master2']);
  const lease = await client.get<Lease>(resources.leases, 'kube-scheduler', { namespace: 'kube-system' });
  expect(lease.spec).toMatchObject({
    holderIdentity: expect.stringMatching(/^master2_[0-9a-f-]{36}$/),
    leaseDurationSeconds: 15,
    leaseTransitions: 1,
  });
});
