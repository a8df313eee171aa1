// The third document's looks at a pod's network: its eth0, the node's end of the pair, the bridge, the routes.
import { expect, test } from 'vitest';
import { makeCluster } from '../../support/make-cluster.ts';

test('a pod’s eth0 and the node’s veth name each other by number, and pods see each other’s own addresses', async () => {
  using world = await makeCluster();
  for (const [name, node] of [
    ['one', 'worker1'],
    ['two', 'worker2'],
  ])
    await world.run(`kubectl run ${name} --image nginx:alpine --overrides='{"spec":{"nodeName":"${node}"}}'`);
  await world.clock.advance({ seconds: 20 });
  const pod = (await world.run('kubectl exec one -- ip a show eth0')).stdout;
  const [, own, peer] = /^(\d+): eth0@if(\d+): /m.exec(pod) ?? [];
  const node = (await world.run('ip link', 'worker1')).stdout;
  expect(node).toMatch(new RegExp(`^${peer}: veth[0-9a-f]{8}@if${own}: .* master cni0 `, 'm'));
  expect(node).toContain(' link-netnsid 0\n');
  expect(node).not.toContain('(pod)');

  const address = async (name: string): Promise<string> =>
    (await world.run(`kubectl get pod ${name} -o jsonpath={.status.podIP}`)).stdout;
  await world.run(`kubectl exec one -- wget -qO- ${await address('two')}`);
  expect(
    (await world.run('kubectl logs two | tail -1')).stdout.startsWith(`${await address('one')} - - `),
  ).toBe(true);
});
