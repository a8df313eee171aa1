import { expect, test } from 'vitest';
import type { CommandResult } from '../../../main/cluster/index.ts';
import { makeCluster } from '../../support/make-cluster.ts';

test('a worker has a kubeconfig by which it is its node', async () => {
  using cluster = await makeCluster();
  const run = (script: string): Promise<CommandResult> => cluster.run(script, 'worker1');
  const whoami = await run('kubectl --kubeconfig /etc/kubernetes/kubelet.conf auth whoami');
  expect(whoami.stdout).toMatch(/Username +system:node:worker1/);
  expect(whoami.stdout).toMatch(/Groups +\[system:nodes system:authenticated\]/);
  const journal = await run('journalctl -u kubelet');
  expect(journal.stdout).toContain('"Successfully registered node" node="worker1"');
});
