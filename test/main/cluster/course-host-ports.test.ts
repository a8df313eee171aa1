// hostPort: the portmap plugin's rules on the pod's node, and what goes through them.
import { expect, test } from 'vitest';
import { makeCluster } from '../../support/make-cluster.ts';

const POD = `kubectl apply -f - <<'X'
apiVersion: v1
kind: Pod
metadata: { name: web }
spec:
  nodeName: worker1
  containers: [{ name: c, image: "nginx:1.20", ports: [{ containerPort: 80, hostPort: 8088 }] }]
X`;

test('a pod with a hostPort answers at its node’s address, from anywhere, and nowhere else', async () => {
  using world = await makeCluster();
  await world.run(POD);
  await world.clock.advance({ seconds: 20 });
  for (const machine of ['master1', 'worker1', 'worker2'])
    expect((await world.run('curl -s -m 3 192.168.10.11:8088', machine)).stdout).toContain(
      'Welcome to nginx!',
    );
  expect((await world.run('curl -s -m 3 127.0.0.1:8088 | wc -l', 'worker1')).stdout).not.toBe('0\n');
  expect((await world.run('curl -s -m 3 192.168.10.12:8088')).exitCode).toBe(7);
  const rules = (await world.run('iptables -t nat -S', 'worker1')).stdout;
  expect(rules).toContain('-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT\n');
  expect(rules).toMatch(
    /-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: .* -m multiport --dports 8088 -j CNI-DN-[0-9a-f]{21}\n/,
  );
  await world.run('kubectl delete pod web --force --grace-period=0');
  await world.clock.advance({ seconds: 40 });
  expect((await world.run('iptables -t nat -S | grep -c CNI-DN-', 'worker1')).stdout).toBe('0\n');
  expect((await world.run('curl -s -m 3 192.168.10.11:8088')).exitCode).toBe(7);
});
