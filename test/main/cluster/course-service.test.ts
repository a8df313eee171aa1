// The second document's path: three pods behind a Service, kube-proxy's modes, affinity with a time-out, a NodePort.
import { expect, test } from 'vitest';
import { makeCluster, type TestCluster } from '../../support/make-cluster.ts';
import { sitDown } from '../../support/typist.ts';

async function withService(): Promise<TestCluster> {
  const world = await makeCluster();
  await world.run(`kubectl create ns test
kubectl -n test create deployment nginx --image=nginx:1.20 --replicas=3`);
  await world.clock.advance({ seconds: 20 });
  await world.run(`kubectl -n test expose deployment nginx --name=svc-nginx --type=NodePort --port=80 --target-port=80
for p in $(kubectl get pod -n test -o name); do
  kubectl -n test exec $p -- sh -c 'hostname > /usr/share/nginx/html/index.html'
done`);
  await world.clock.advance({ seconds: 5 });
  return world;
}

const CLUSTER_IP = '$(kubectl -n test get svc svc-nginx -o jsonpath={.spec.clusterIP})';
const NODE_PORT = '$(kubectl -n test get svc svc-nginx -o jsonpath={.spec.ports[0].nodePort})';

test('a loop of curl goes round the pods, until Ctrl-C; with ClientIP and a time-out it stays with one for that long', async () => {
  using world = await withService();
  const person = await sitDown(world);
  await person.type(`ip=${CLUSTER_IP}`);
  const seen = await person.type('while true;do curl $ip:80;sleep 5;done;', 28_000);
  const answers = seen.split('\n').filter((line) => line.startsWith('nginx-'));
  expect(answers).toHaveLength(6);
  expect(answers.slice(0, 3)).toEqual(answers.slice(3));
  expect(new Set(answers).size).toBe(3);
  expect(await person.press('\x03')).toContain('[root@master1 ~]# ');

  await world.run(
    `kubectl -n test patch svc svc-nginx -p '{"spec":{"sessionAffinity":"ClientIP","sessionAffinityConfig":{"clientIP":{"timeoutSeconds":100}}}}'`,
  );
  await world.clock.advance({ seconds: 5 });
  expect((await world.run('ipvsadm -Ln')).stdout).toMatch(/^TCP {2}10\.\S+:80 rr persistent 100$/m);
  const { stdout } = await world.run(
    `for i in 1 2 3 4 5 6; do curl -s ${CLUSTER_IP}; done | sort | uniq -c | wc -l`,
  );
  expect(stdout).toBe('1\n');
});

test('the NodePort answers on every node, in ipvs mode and after the change to iptables', async () => {
  using world = await withService();
  const everywhere = `for n in 10 11 12; do curl -s -m 3 192.168.10.$n:${NODE_PORT}; done | grep -c nginx-`;
  expect((await world.run(everywhere)).stdout).toBe('3\n');
  expect((await world.run('iptables -t nat -S | grep -c KUBE-SVC-')).stdout).toBe('0\n');

  await world.run(`kubectl -n kube-system get cm kube-proxy -o yaml | sed 's/mode: .*ipvs.*/mode: "iptables"/' | kubectl replace -f -
kubectl -n kube-system delete pod -l k8s-app=kube-proxy`);
  await world.clock.advance({ seconds: 30 });
  expect((await world.run('iptables -t nat -S | grep -c "test/svc-nginx cluster IP"')).stdout).toBe('2\n');
  for (const machine of ['master1', 'worker1', 'worker2'])
    await world.run('ipvsadm -C; ip link delete kube-ipvs0', machine);
  expect((await world.run(everywhere)).stdout).toBe('3\n');
  expect((await world.run(`curl -s -m 3 ${CLUSTER_IP} | grep -c nginx-`)).stdout).toBe('1\n');
});
