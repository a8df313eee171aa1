import { expect, test } from 'vitest';
import type { CommandResult } from '../../../main/cluster/index.ts';
import { makeCluster } from '../../support/make-cluster.ts';

const MANIFEST = `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], storageClassName: local-path, resources: {requests: {storage: 64Mi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: writer}
spec:
  nodeSelector: {kubernetes.io/hostname: worker2}
  terminationGracePeriodSeconds: 0
  containers:
  - {name: c, image: busybox:1.36, command: [sh, -c, 'echo kept > /data/note; sleep 3600'], volumeMounts: [{name: data, mountPath: /data}]}
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
`;

test('a claim becomes a folder on the node of its first pod, and goes with the claim', async () => {
  using cluster = await makeCluster();
  const run = (script: string, machine?: string): Promise<CommandResult> => cluster.run(script, machine);
  await run('kubectl apply -f /root/local-path-provisioner/local-path-storage.yaml');
  await cluster.clock.advance({ seconds: 5 });
  await run(`kubectl apply -f - <<'EOF'\n${MANIFEST}EOF`);
  await cluster.clock.advance({ seconds: 20 });
  expect((await run('kubectl get pod writer')).stdout).toMatch(/writer +1\/1 +Running/);
  expect((await run('kubectl get pvc data')).stdout).toMatch(/data +Bound +pvc-/);
  expect((await run('cat /opt/local-path-provisioner/*/note', 'worker2')).stdout).toBe('kept\n');
  expect((await run('kubectl get events -A | grep -c ProvisioningSucceeded')).stdout).toBe('1\n');
  expect((await run('kubectl get pods -n local-path-storage --no-headers | wc -l')).stdout.trim()).toBe('1');

  await run('kubectl delete pod writer && kubectl delete pvc data');
  await cluster.clock.advance({ seconds: 20 });
  expect((await run('kubectl get pv')).stderr).toContain('No resources found');
  expect((await run('ls /opt/local-path-provisioner', 'worker2')).stdout).toBe('');
  expect(cluster.faults).toEqual([]);
});
