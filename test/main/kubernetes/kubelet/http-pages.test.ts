import { expect, test } from 'vitest';
import { makeCluster } from '../../../support/make-cluster.ts';

test('the kubelet’s port shows configuration, metrics, logs of the machine and of containers', async () => {
  using made = await makeCluster({ nodes: 2 });
  await made.run(
    'kubectl run talker --image=busybox:1.36 --restart=Never -- sh -c "echo one; echo two; sleep 1000"; kubectl wait --for=condition=Ready pod/talker',
  );
  const page = async (path: string): Promise<string> => {
    const { stdout, stderr } = await made.run(`kubectl get --raw '/api/v1/nodes/worker1/proxy/${path}'`);
    return stdout + stderr;
  };
  expect(JSON.parse(await page('configz'))).toMatchObject({
    kubeletconfig: { clusterDomain: 'cluster.local' },
  });
  expect(await page('metrics')).toMatch(/^kubelet_running_pods [1-9]\d*$/m);
  expect(await page('metrics')).toMatch(
    /^kubelet_running_containers\{container_state="running"\} [1-9]\d*$/m,
  );
  expect(await page('containerLogs/default/talker/talker')).toBe('one\ntwo\n');
  expect(await page('containerLogs/default/talker/talker?tailLines=1')).toBe('two\n');
  expect(await page('logs/')).toContain('<a href="pods/">pods/</a>\n');
  expect(await page('logs/pods/')).toContain('default_talker_');
  expect(await page('metrics/cadvisor')).toContain(
    "drydock: the kubelet's /metrics/cadvisor isn't simulated",
  );
  expect(await page('nope')).toBe(
    'Error from server (NotFound): the server could not find the requested resource\n',
  );
});

test('it wants to know who asks, and what they may', async () => {
  using made = await makeCluster({ nodes: 2 });
  const plain = await made.run(
    'curl -sk https://192.168.10.11:10250/pods; curl -s http://192.168.10.11:10250/pods',
  );
  expect(plain.stdout).toBe('UnauthorizedClient sent an HTTP request to an HTTPS server.\n');
  const token = await made.run(
    'curl -sk -H "Authorization: Bearer $(kubectl create token default)" https://192.168.10.11:10250/configz',
  );
  expect(token.stdout).toBe(
    'Forbidden (user=system:serviceaccount:default:default, verb=get, resource=nodes, subresource(s)=[configz proxy])\n',
  );
  expect(made.faults).toEqual([]);
});
