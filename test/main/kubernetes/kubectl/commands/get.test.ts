import { expect, test } from 'vitest';
import { makeCluster } from '../../../../support/make-cluster.ts';

test('get -w tells of what comes after the first table, also where there was nothing at first', async () => {
  using lab = await makeCluster({ nodes: 2 });
  const { stdout, stderr } = await lab.run(`
    timeout 5 kubectl get configmaps -n kube-node-lease -l mine -w >watch.txt 2>&1 &
    sleep 1
    kubectl create configmap -n kube-node-lease a >/dev/null
    kubectl label configmap -n kube-node-lease a mine= >/dev/null
    kubectl delete configmap -n kube-node-lease a >/dev/null
    wait
    sed 's/[0-9]*s$/N s/' watch.txt`);
  expect(stderr).toBe('');
  expect(stdout).toBe('NAME   DATA   AGE\na      0      N s\na      0      N s\n');
  expect(lab.faults).toEqual([]);
});
