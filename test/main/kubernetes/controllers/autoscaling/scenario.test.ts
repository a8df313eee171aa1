import { expect, test } from 'vitest';
import type { CommandResult } from '../../../../../main/cluster/index.ts';
import { makeCluster } from '../../../../support/make-cluster.ts';

const MANIFEST = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: burner}
spec:
  selector: {matchLabels: {app: burner}}
  template:
    metadata: {labels: {app: burner}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: burner
        image: busybox:1.36
        command: [sh, -c, 'while true; do if [ -e /tmp/burn ]; then i=0; while [ $i -lt 500 ]; do i=$((i+1)); done; else sleep 5; fi; done']
        resources: {requests: {cpu: 200m}}
`;

test('a Deployment that burns CPU gets more pods, and fewer again some minutes after it has stopped', async () => {
  using cluster = await makeCluster();
  const run = (script: string): Promise<CommandResult> => cluster.run(script);
  const { clock } = cluster;
  const size = async (): Promise<number> =>
    Number((await run("kubectl get deploy burner -o jsonpath='{.spec.replicas}'")).stdout);
  await run('kubectl apply -f /root/metrics-server/components.yaml');
  await run(`cat <<'EOF' | kubectl apply -f -\n${MANIFEST}\nEOF`);
  await run('kubectl autoscale deployment burner --cpu-percent=50 --min=1 --max=4');
  await clock.advance({ minutes: 2 });
  expect(await size()).toBe(1);

  const started = await run('kubectl exec deploy/burner -- touch /tmp/burn');
  expect(started.exitCode).toBe(0);
  await clock.advance({ seconds: 55 });
  expect(await size()).toBe(4);
  const events = await run(
    'kubectl get events --field-selector involvedObject.name=burner,reason=SuccessfulRescale',
  );
  expect(events.stdout).toContain(
    'New size: 4; reason: cpu resource utilization (percentage of request) above target',
  );

  await run(
    'for p in $(kubectl get pods -l app=burner -o name); do kubectl exec $p -- rm -f /tmp/burn; done',
  );
  await clock.advance({ minutes: 4 });
  expect(await size()).toBe(4);
  await clock.advance({ minutes: 2, seconds: 30 });
  expect(await size()).toBe(1);
  expect(cluster.faults).toEqual([]);
}, 120_000);
