import { expect, test } from 'vitest';
import { resources, type Lease } from '../../../../main/kubernetes/api/index.ts';
import { makeEventRecorder, runWithLeaderElection } from '../../../../main/kubernetes/client/index.ts';
import { disposable } from '../../../../main/simulation/index.ts';
import { makeApi } from '../../../support/make-api.ts';

test('one of two leads, and the other takes over when it falls silent', async () => {
  using api = makeApi();
  const { client, clock, random } = api;
  const leaders = new Set<string>();
  const join = (identity: string): Disposable =>
    runWithLeaderElection({
      client,
      clock,
      recorder: makeEventRecorder({ client, clock, random, component: 'kube-scheduler' }),
      name: 'kube-scheduler',
      namespace: 'kube-system',
      identity,
      lead() {
        leaders.add(identity);
        return disposable(() => leaders.delete(identity));
      },
    });
  const first = join('master1_a');
  await clock.advance({ seconds: 1 });
  using _second = join('master2_b');
  await clock.advance({ minutes: 1 });
  expect([...leaders]).toEqual(['master1_a']);

  first[Symbol.dispose]();
  await clock.advance({ seconds: 10 });
  expect([...leaders]).toEqual([]);
  await clock.advance({ seconds: 10 });
  expect([...leaders]).toEqual(['master2_b']);
  const lease = await client.get<Lease>(resources.leases, 'kube-scheduler', { namespace: 'kube-system' });
  expect(lease.spec).toMatchObject({
    holderIdentity: 'master2_b',
    leaseDurationSeconds: 15,
    leaseTransitions: 1,
  });
});
