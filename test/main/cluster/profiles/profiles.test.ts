// Profiles: which release a cluster is, and what that shows on its nodes, its add-ons and its machines.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { listProfiles, requireProfile, withNodes } from '../../../../main/cluster/index.ts';
import { makeCluster } from '../../../support/make-cluster.ts';

test('there are four, and another name is refused in a sentence', () => {
  expect(listProfiles()).toEqual(['current', 'calico-docker', 'flannel-119', 'legacy']);
  expect(() => requireProfile('future')).toThrow(
    'There is no profile "future"; choose one of current, calico-docker, flannel-119, legacy.',
  );
});

test('they are those that a lab may name', () => {
  const schema = JSON.parse(readFileSync('labs/lab.schema.json', 'utf8')) as {
    properties: { profile: { enum: string[] } };
  };
  expect(schema.properties.profile.enum).toEqual(listProfiles());
});

describe('with more nodes', () => {
  test('workers go on with the names that the profile begins', () => {
    const names = (profile: string, nodes: number): string[] =>
      withNodes(requireProfile(profile), nodes).machines.map(({ name }) => name);
    expect(names('current', 5)).toEqual(['master1', 'worker1', 'worker2', 'worker3', 'worker4', 'client']);
    expect(names('flannel-119', 4)).toEqual([
      'k8s-master-10',
      'k8s-node-11',
      'k8s-node-12',
      'k8s-node-13',
      'client',
    ]);
    expect(names('legacy', 1)).toEqual(['master', 'client']);
  });

  test.each(['current', 'flannel-119'])(
    'five thousand of %s have addresses and pod ranges of their own',
    (name) => {
      const profile = withNodes(requireProfile(name), 5000);
      const [a, b] = profile.lan.cidr.split('.');
      expect(profile.lan.cidr).toBe(`${a}.${b}.0.0/16`);
      const addresses = [profile.lan.router, ...profile.machines.map(({ address }) => address)];
      expect(new Set(addresses).size).toBe(5002);
      expect(addresses.every((address) => address.startsWith(`${a}.${b}.`))).toBe(true);
      const podsPrefix = Number(profile.podCidr.split('/')[1]);
      expect(2 ** (24 - podsPrefix)).toBeGreaterThanOrEqual(5000);
      expect(new Set(profile.machines.map((machine) => machine.name)).size).toBe(5001);
    },
  );

  test('a few hundred are the most that are refused nothing', () => {
    expect(withNodes(requireProfile('current'), 200).lan.cidr).toBe('192.168.10.0/24');
    expect(() => withNodes(requireProfile('current'), 8001)).toThrow(
      'A cluster has 1 to 8000 nodes, not 8001.',
    );
  });
});

describe('legacy', () => {
  test('is a 1.15 on Docker: taint, label, images, Secrets with tokens, and Services that work', async () => {
    using made = await makeCluster({ profile: 'legacy' });
    const node = await made.run('kubectl get node master -o yaml');
    expect(node.stdout).toContain('key: node-role.kubernetes.io/master');
    expect(node.stdout).toContain('node-role.kubernetes.io/master: ""');
    expect(node.stdout).not.toContain('control-plane');
    expect(node.stdout).toContain('containerRuntimeVersion: docker://18.9.9');
    const images = await made.run(
      `kubectl get pods -n kube-system -o jsonpath='{.items[*].spec.containers[*].image}'`,
    );
    expect([...new Set(images.stdout.split(' '))].sort()).toEqual([
      'k8s.gcr.io/coredns:1.3.1',
      'k8s.gcr.io/etcd:3.3.10',
      'k8s.gcr.io/kube-apiserver:v1.15.12',
      'k8s.gcr.io/kube-controller-manager:v1.15.12',
      'k8s.gcr.io/kube-proxy:v1.15.12',
      'k8s.gcr.io/kube-scheduler:v1.15.12',
      'quay.io/coreos/flannel:v0.11.0-amd64',
    ]);
    await made.run(
      'kubectl create deployment web --image=nginx && kubectl expose deployment web --port=80 && kubectl wait --for=condition=Available deployment/web --timeout=60s',
    );
    await made.clock.advance({ seconds: 5 });
    const secrets = await made.run('kubectl get secrets -o name');
    expect(secrets.stdout).toMatch(/^secret\/default-token-[a-z0-9]{5}\n$/);
    const address = await made.run(`kubectl get service web -o jsonpath='{.spec.clusterIP}'`);
    const page = await made.run(`curl -s http://${address.stdout}/`, 'node1');
    expect(page.stdout).toContain('Welcome to nginx!');
    const name = await made.run('kubectl exec deploy/web -- cat /etc/resolv.conf');
    expect(name.stdout).toContain('nameserver 10.96.0.10');
    expect(made.faults).toEqual([]);
  });

  test('the token in a Secret is good until the Secret goes', async () => {
    using made = await makeCluster({ profile: 'legacy', nodes: 1 });
    const ask = `curl -sk -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $TOKEN" https://192.168.60.10:6443/api`;
    const read = `TOKEN=$(kubectl get secret $(kubectl get sa default -o jsonpath='{.secrets[0].name}') -o jsonpath='{.data.token}' | base64 -d)`;
    await made.clock.advance({ seconds: 5 });
    const before = await made.run(`${read}; ${ask}; kubectl delete secret --all >/dev/null; ${ask}`);
    expect(before.stdout).toBe('200401');
    await made.clock.advance({ seconds: 5 });
    const after = await made.run(`${read}; ${ask}`);
    expect(after.stdout).toBe('200');
  });
});

describe('flannel-119', () => {
  test('has the names, ranges and taint of its document', async () => {
    using made = await makeCluster({ profile: 'flannel-119' });
    const ranges = await made.run(
      `kubectl get nodes -o jsonpath='{range .items[*]}{.metadata.name} {.spec.podCIDR}{"\\n"}{end}'`,
    );
    expect(ranges.stdout).toBe(
      'k8s-master-10 10.2.0.0/24\nk8s-node-11 10.2.1.0/24\nk8s-node-12 10.2.2.0/24\n',
    );
    const taint = await made.run('kubectl describe nodes k8s-master-10 | grep Taint');
    expect(taint.stdout).toBe('Taints:             node-role.kubernetes.io/master:NoSchedule\n');
    const dns = await made.run('kubectl get service -n kube-system kube-dns -o jsonpath={.spec.clusterIP}');
    expect(dns.stdout).toBe('10.1.0.10');
    const kubelet = await made.run('cat /var/lib/kubelet/config.yaml');
    expect(kubelet.stdout).toContain('clusterDNS:\n  - 10.1.0.10');
    const bridge = await made.run('ip -4 -o addr show docker0', 'k8s-node-11');
    expect(bridge.stdout).toContain('172.17.0.1/16');
    expect(made.faults).toEqual([]);
  });
});

describe('calico-docker', () => {
  test("kube-proxy's configuration stands where its document shows it", async () => {
    using made = await makeCluster({ profile: 'calico-docker' });
    const shown = await made.run('kubectl get cm kube-proxy -n kube-system -o yaml');
    const lines = shown.stdout.split('\n').map((line) => line.trim());
    // kubectl edit puts four lines of comment before it.
    const numbered = (text: string): number => lines.indexOf(text) + 1 + 4;
    expect(numbered('metricsBindAddress: ""')).toBe(53);
    expect(numbered('mode: ""')).toBe(54);
    expect(numbered('nodePortAddresses: null')).toBe(55);
    expect(numbered('oomScoreAdj: null')).toBe(56);
    const tables = await made.run(
      'ipvsadm -Ln | tail -n +4; iptables -t nat -S KUBE-SERVICES | grep -c 10.96.0.1/32',
    );
    expect(tables.stdout).toBe('1\n');
    expect(made.faults).toEqual([]);
  });
});
