// The images that the course's documents run, beside nginx and busybox.
import { expect, test } from 'vitest';
import { makeCluster } from '../../support/make-cluster.ts';

test('tutum/dnsutils asks CoreDNS for Services by short and full names', async () => {
  using world = await makeCluster({ nodes: 2 });
  await world.run(`kubectl create ns yuchaoit
kubectl -n yuchaoit create service clusterip nginx --tcp=80
kubectl -n yuchaoit run dnsutils --image tutum/dnsutils --restart=Never --command -- sleep 3600`);
  await world.clock.advance({ seconds: 25 });
  const ip = (await world.run('kubectl -n yuchaoit get svc nginx -o jsonpath={.spec.clusterIP}')).stdout;
  const ask = async (command: string): Promise<string> =>
    (await world.run(`kubectl -n yuchaoit exec dnsutils -- ${command}`)).stdout;
  expect(await ask('nslookup nginx')).toContain(`Name:\tnginx.yuchaoit.svc.cluster.local\nAddress: ${ip}`);
  expect(await ask('dig +short nginx.yuchaoit.svc.cluster.local')).toBe(`${ip}\n`);
});

test('mritd/alpine has bash, so the document’s two-minute probe fails after two minutes', async () => {
  using world = await makeCluster({ nodes: 2 });
  await world.run(`kubectl apply -f - <<'X'
apiVersion: v1
kind: Pod
metadata: { name: test }
spec:
  containers:
  - name: alpine
    image: "mritd/alpine:3.4"
    command: [bash, "-c", "echo ok > /tmp/health;sleep 120;rm -f /tmp/health"]
    livenessProbe: { exec: { command: [cat, /tmp/health] }, initialDelaySeconds: 20 }
X`);
  const restarts = "kubectl get pod test -o jsonpath='{.status.containerStatuses[0].restartCount}'";
  await world.clock.advance({ seconds: 100 });
  expect((await world.run(restarts)).stdout).toBe('0');
  await world.clock.advance({ seconds: 90 });
  expect((await world.run(restarts)).stdout).toBe('1');
});
