import { expect, test } from 'vitest';
import { makeCluster } from '../../../support/make-cluster.ts';

test.for(['legacy', 'flannel-119', 'calico-docker'])(
  'metrics and autoscalers work in a cluster of the profile %s as well',
  async (profile) => {
    using cluster = await makeCluster({ profile });
    const name = cluster.cluster.profile.machines.find(({ role }) => role === 'control-plane')!.name;
    await cluster.run('kubectl apply -f /root/metrics-server/components.yaml', name);
    await cluster.run('kubectl create deployment web --image=nginx:1.20', name);
    await cluster.run('kubectl set resources deployment web --requests=cpu=100m', name);
    await cluster.run('kubectl autoscale deployment web --cpu-percent=50 --min=2 --max=4', name);
    await cluster.clock.advance({ seconds: 100 });
    const top = await cluster.run('kubectl top nodes', name);
    expect(top.stderr).toBe('');
    expect(top.stdout.split('\n')).toHaveLength(5);
    const events = await cluster.run('kubectl describe hpa web', name);
    expect(events.stdout).toContain('New size: 2; reason: Current number of replicas below Spec.MinReplicas');
    expect((await cluster.run('kubectl get hpa web', name)).stdout).toMatch(/0%\/50%/);
    expect(cluster.faults).toEqual([]);
  },
);
