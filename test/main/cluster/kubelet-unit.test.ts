// The kubelet is what its unit files say: a learner can break its drop-in, see why, and mend it.
import { expect, test } from 'vitest';

import { makeCluster } from '../../support/make-cluster.ts';

const DROP_IN = '/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf';

test('a kubelet whose drop-in names no program stays down until the drop-in is mended', async () => {
  using world = await makeCluster({ nodes: 2 });
  const run = async (script: string): Promise<string> => (await world.run(script, 'worker1')).stdout;
  await run(
    `sed -i 's,=/usr/bin/kubelet ,=/usr/bin/kubeletx ,' ${DROP_IN}; systemctl daemon-reload; systemctl restart kubelet; sleep 3`,
  );
  expect(await run('systemctl status kubelet | grep -E "Active|Main PID"')).toMatch(
    /Active: activating \(auto-restart\) \(Result: exit-code\) since .*\n +Main PID: \d+ \(code=exited, status=203\/EXEC\)\n/,
  );
  expect(await run('journalctl -u kubelet -n 3 -o cat')).toBe(
    "kubelet.service: Failed at step EXEC spawning /usr/bin/kubeletx: No such file or directory\nkubelet.service: Main process exited, code=exited, status=203/EXEC\nkubelet.service: Failed with result 'exit-code'.\n",
  );
  await run('sleep 90');
  expect((await world.run('kubectl get node worker1 --no-headers')).stdout).toContain(' NotReady ');

  await run(
    `sed -i s/kubeletx/kubelet/ ${DROP_IN}; systemctl daemon-reload; systemctl restart kubelet; sleep 20`,
  );
  expect((await world.run('kubectl get node worker1 --no-headers')).stdout).toContain(' Ready ');
  expect(world.faults).toEqual([]);
});

test('flags of one’s own reach the kubelet through /etc/sysconfig/kubelet', async () => {
  using world = await makeCluster({ nodes: 2 });
  const { stdout } = await world.run(
    'echo KUBELET_EXTRA_ARGS=--v=4 > /etc/sysconfig/kubelet; systemctl restart kubelet; ps -C kubelet -o args=; kubelet --version',
    'worker1',
  );
  expect(stdout).toMatch(
    /^\/usr\/bin\/kubelet --bootstrap-kubeconfig=.* --config=\/var\/lib\/kubelet\/config\.yaml --v=4\nKubernetes v1\.\d+\.\d+\n$/,
  );
});
