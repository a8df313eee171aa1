// kube-proxy as a program: from its ConfigMap's file to tables that packets consult.
import { expect, test } from 'vitest';
import { resources, type EndpointSlice, type Service } from '../../../../main/kubernetes/api/index.ts';
import { makeKubeProxy } from '../../../../main/kubernetes/proxy/index.ts';
import type { Process, Program } from '../../../../main/linux/kernel/index.ts';
import { imageOf, makeNode, type TestNode } from '../../../support/make-node.ts';

/** Answers every connection with the pod's name. */
const namer: Program = async (proc: Process) => {
  const listener = proc.net.sockets.listenTcp({ address: '0.0.0.0', port: 80 });
  const stop = Promise.withResolvers<number>();
  proc.onSignal('SIGTERM', () => stop.resolve(0));
  void (async () => {
    for (;;) {
      const socket = await listener.accept();
      await socket.write(Buffer.from(proc.env.get('HOSTNAME') ?? ''));
      socket.end();
    }
  })().catch(() => undefined);
  const code = await proc.interruptible(stop.promise).catch(() => 0);
  listener[Symbol.dispose]();
  return code;
};
const image = imageOf('docker.io/library/namer:1', { '/main': namer });
const scope = { namespace: 'default' };

function configFile(mode: string, more = ''): string {
  return `apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nclusterCIDR: 10.244.0.0/16\nmode: "${mode}"\n${more}`;
}

async function cluster(mode: string, service: Partial<NonNullable<Service['spec']>> = {}, more = '') {
  const node = await makeNode({
    images: [image],
    files: { '/var/lib/kube-proxy/config.conf': configFile(mode, more) },
  });
  const { net } = node.machine.kernel;
  net.addresses.add(net.links.addDummy({ name: 'eth0' }), { address: '192.168.10.11', prefixLength: 24 });
  net.links.setUp(net.links.require('eth0'));
  net.routes.add({ destination: '0.0.0.0', prefixLength: 0, gateway: '192.168.10.1' });
  const ips: string[] = [];
  for (const name of ['web1', 'web2']) {
    await node.createPod({
      metadata: { name },
      spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'namer:1' }] },
    });
    await node.advance(3);
    ips.push((await node.pod(name)).status?.podIP ?? '');
  }
  await node.api.client.create<Service>(
    resources.services,
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: { clusterIP: '10.96.7.7', ports: [{ port: 8080, targetPort: 80, protocol: 'TCP' }], ...service },
    },
    scope,
  );
  await node.api.client.create<EndpointSlice>(
    resources.endpointslices,
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
      addressType: 'IPv4',
      ports: [{ name: '', port: 80, protocol: 'TCP' }],
      endpoints: ips.map((ip) => ({ addresses: [ip], nodeName: 'worker1', conditions: { ready: true } })),
    },
    scope,
  );
  const pipe = node.machine.kernel.pipe();
  const program = makeKubeProxy({
    client: () => node.api.server.adminClient('kube-proxy'),
    version: 'v1.36.2',
  });
  const task = node.machine.kernel.start({
    argv: [
      '/usr/local/bin/kube-proxy',
      '--config=/var/lib/kube-proxy/config.conf',
      '--hostname-override=worker1',
    ],
    program,
    stdio: [node.machine.kernel.nullFile(), pipe.writer, pipe.writer],
  });
  const log = pipe.reader.readText();
  await node.advance(3);
  const stop = async (): Promise<string> => {
    node.machine.kernel.kill(task.pid, 'SIGTERM');
    await node.advance(1);
    return log;
  };
  return { node, net, ips, stop };
}

/** Who answers, asked from the node. */
async function ask(node: TestNode, address: string, port: number): Promise<string> {
  const answer = (async () => {
    const socket = await node.machine.kernel.net.sockets.connectTcp({ address, port });
    const bytes = await socket.read();
    socket.close();
    return Buffer.from(bytes ?? []).toString();
  })();
  await node.advance(1);
  return answer;
}

test('in ipvs mode a cluster IP is served round robin, and its address is on kube-ipvs0', async () => {
  const { node, net, ips, stop } = await cluster('ipvs');
  using _node = node;
  const service = net.ipvs.getService({ protocol: 'tcp', address: '10.96.7.7', port: 8080 });
  expect(service?.options.scheduler).toBe('rr');
  expect(service?.destinations.map(({ address, weight }) => `${address} ${weight}`).toSorted()).toEqual(
    ips.map((ip) => `${ip} 1`),
  );
  expect(net.addresses.list(net.links.require('kube-ipvs0')).map(({ address }) => address)).toContain(
    '10.96.7.7',
  );
  expect(net.ipsets.get('KUBE-CLUSTER-IP')?.test('10.96.7.7,tcp:8080')).toBe(true);
  const answers = [
    await ask(node, '10.96.7.7', 8080),
    await ask(node, '10.96.7.7', 8080),
    await ask(node, '10.96.7.7', 8080),
    await ask(node, '10.96.7.7', 8080),
  ];
  expect(answers.toSorted()).toEqual(['web1', 'web1', 'web2', 'web2']);
  expect(answers[0]).not.toBe(answers[1]);
  expect(await stop()).toContain('"Using ipvs Proxier"');
});

test('in ipvs mode ClientIP affinity makes the service persistent, and one pod answers', async () => {
  const { node, net } = await cluster('ipvs', { sessionAffinity: 'ClientIP' });
  using _node = node;
  expect(
    net.ipvs.getService({ protocol: 'tcp', address: '10.96.7.7', port: 8080 })?.options.persistentSeconds,
  ).toBe(10_800);
  const answers = [
    await ask(node, '10.96.7.7', 8080),
    await ask(node, '10.96.7.7', 8080),
    await ask(node, '10.96.7.7', 8080),
  ];
  expect(new Set(answers).size).toBe(1);
});

test('in ipvs mode a NodePort answers on the node’s addresses', async () => {
  const { node, net } = await cluster('ipvs', {
    type: 'NodePort',
    ports: [{ port: 8080, targetPort: 80, protocol: 'TCP', nodePort: 30_080 }],
  });
  using _node = node;
  expect(await ask(node, '192.168.10.11', 30_080)).toMatch(/^web[12]$/);
  expect(
    net.ipsets
      .get('KUBE-NODE-PORT-TCP')
      ?.list()
      .map(({ text }) => text),
  ).toEqual(['30080']);
});

test('an endpoint that goes is taken away in ipvs mode, and the Service with its address when it is deleted', async () => {
  const { node, net, ips } = await cluster('ipvs');
  using _node = node;
  const slice = await node.api.client.get<EndpointSlice>(resources.endpointslices, 'web-1', scope);
  await node.api.client.update<EndpointSlice>(
    resources.endpointslices,
    { ...slice, endpoints: (slice.endpoints ?? []).slice(0, 1) },
    scope,
  );
  await node.advance(2);
  const key = { protocol: 'tcp', address: '10.96.7.7', port: 8080 } as const;
  expect(net.ipvs.getService(key)?.destinations.map(({ address }) => address)).toEqual([ips[0]]);
  await node.api.client.delete(resources.services, 'web', scope);
  await node.advance(2);
  expect(net.ipvs.getService(key)).toBeUndefined();
  expect(net.addresses.list(net.links.require('kube-ipvs0')).map(({ address }) => address)).not.toContain(
    '10.96.7.7',
  );
  expect(net.ipsets.get('KUBE-CLUSTER-IP')?.test('10.96.7.7,tcp:8080')).toBe(false);
});

test('strictARP sets the sysctls that keep the node from answering for cluster addresses', async () => {
  const { node, net } = await cluster('ipvs', {}, 'ipvs: {strictARP: true, scheduler: lc}\n');
  using _node = node;
  expect([
    net.sysctls.get('net.ipv4.conf.all.arp_ignore'),
    net.sysctls.get('net.ipv4.conf.all.arp_announce'),
  ]).toEqual(['1', '2']);
  expect(net.ipvs.getService({ protocol: 'tcp', address: '10.96.7.7', port: 8080 })?.options.scheduler).toBe(
    'lc',
  );
});

test('with an empty mode iptables is used, and both pods answer', async () => {
  const { node, net, stop } = await cluster('');
  using _node = node;
  const answers = new Set<string>();
  for (let i = 0; i < 20; i++) answers.add(await ask(node, '10.96.7.7', 8080));
  expect([...answers].toSorted()).toEqual(['web1', 'web2']);
  expect(net.netfilter.save({ table: 'nat' })).toContain('--comment "default/web cluster IP"');
  expect(await stop()).toContain('"Using iptables proxy"');
});

test('in iptables mode ClientIP affinity keeps one pod', async () => {
  const { node } = await cluster('iptables', { sessionAffinity: 'ClientIP' });
  using _node = node;
  const answers = new Set<string>();
  for (let i = 0; i < 12; i++) answers.add(await ask(node, '10.96.7.7', 8080));
  expect(answers.size).toBe(1);
});
