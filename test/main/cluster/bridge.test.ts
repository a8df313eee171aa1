// The plain bridge network: each node's own range of pods, and the LAN's router between them.
import { expect, test } from 'vitest';
import { nodePodCidr } from '../../../main/cluster/kubeadm/bridge.ts';
import { requireProfile, withNodes } from '../../../main/cluster/index.ts';
import { makeCluster } from '../../support/make-cluster.ts';

const PODS = `kubectl rollout status -n kube-system deployment coredns --timeout 60s
kubectl create deployment web --image nginx:1.20 --replicas 4
kubectl expose deployment web --port 80
kubectl run probe --image busybox:1.36 --labels app=probe -- sleep 3600
kubectl rollout status deployment web --timeout 60s
kubectl wait pod probe --for condition=Ready --timeout 60s`;
const LIST =
  'kubectl get pods --sort-by .metadata.name --no-headers ' +
  '-o custom-columns=N:.metadata.name,I:.status.podIP,H:.spec.nodeName';

test('pods of different nodes see each other by their own addresses, and Services work', async () => {
  using world = await makeCluster({ cni: 'bridge' });
  expect((await world.run(PODS)).exitCode).toBe(0);
  const rows = (await world.run(LIST)).stdout.trim().split('\n');
  const pods = rows.map((row) => row.split(/\s+/));
  const [, address, node] = pods.find(([name]) => name === 'probe')!;
  const [otherName, otherAddress] = pods.find((pod) => pod[0] !== 'probe' && pod[2] !== node)!;
  const { profile } = world.cluster;
  const machine = profile.machines.find((each) => each.name === node)!;
  expect(address!.startsWith(nodePodCidr(profile, machine).replace(/\d+\/24$/, ''))).toBe(true);

  const fetch = (url: string) => world.run(`kubectl exec probe -- wget -qO- -T 5 ${url}`);
  expect((await fetch(`http://${otherAddress}`)).stdout).toContain('Welcome to nginx!');
  expect((await world.run(`kubectl logs ${otherName}`)).stdout).toContain(`${address} - - `);
  expect((await fetch('http://web')).stdout).toContain('Welcome to nginx!');
  expect((await world.run('kubectl get daemonsets -A --no-headers')).stdout).not.toContain('flannel');
  expect(world.faults).toEqual([]);
});

test('each of thousands of nodes has a range of its own', () => {
  const profile = withNodes(requireProfile('current'), 5000);
  const nodes = profile.machines.filter(({ role }) => role !== 'client');
  expect(new Set(nodes.map((machine) => nodePodCidr(profile, machine))).size).toBe(5000);
});
