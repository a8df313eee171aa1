// CoreDNS as a program: asked in wire format over the virtual network.
import packet from 'dns-packet';
import { expect, test } from 'vitest';
import { makeCoreDns } from '../../../../main/images/coredns/server.ts';
import { resources, type EndpointSlice, type Service } from '../../../../main/kubernetes/api/index.ts';
import { makeNode, type TestNode } from '../../../support/make-node.ts';

const COREFILE = `.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30
    loop
    reload
    loadbalance
}
`;
const scope = { namespace: 'default' };

async function start(): Promise<TestNode> {
  const node = await makeNode({ files: { '/Corefile': COREFILE } });
  const services: Service[] = [
    {
      metadata: { name: 'web' },
      spec: { clusterIP: '10.96.7.7', ports: [{ name: 'http', port: 80, protocol: 'TCP' }] },
    },
    {
      metadata: { name: 'db' },
      spec: { clusterIP: 'None', ports: [{ name: 'pg', port: 5432, protocol: 'TCP' }] },
    },
    { metadata: { name: 'out' }, spec: { type: 'ExternalName', externalName: 'www.baidu.com' } },
  ];
  for (const service of services)
    await node.api.client.create<Service>(
      resources.services,
      { apiVersion: 'v1', kind: 'Service', ...service },
      scope,
    );
  await node.api.client.create<EndpointSlice>(
    resources.endpointslices,
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'db-1', labels: { 'kubernetes.io/service-name': 'db' } },
      addressType: 'IPv4',
      ports: [{ name: 'pg', port: 5432, protocol: 'TCP' }],
      endpoints: [
        { addresses: ['10.244.1.10'], hostname: 'db-0', conditions: { ready: true } },
        { addresses: ['10.244.1.11'], conditions: { ready: true } },
        { addresses: ['10.244.1.12'], conditions: { ready: false } },
      ],
    },
    scope,
  );
  const program = makeCoreDns({ client: () => node.api.server.adminClient('coredns'), version: '1.13.1' });
  node.machine.kernel.start({ argv: ['/coredns', '-conf', '/Corefile'], program });
  await node.advance(2);
  return node;
}

async function ask(node: TestNode, name: string, type: packet.RecordType) {
  const { net } = node.machine.kernel;
  const socket = net.sockets.openUdp({ remote: { address: '127.0.0.1', port: 53 } });
  socket.send(
    packet.encode({ type: 'query', id: 7, flags: packet.RECURSION_DESIRED, questions: [{ type, name }] }),
    { address: '127.0.0.1', port: 53 },
  );
  const received = socket.receive();
  await node.advance(8);
  const { bytes } = await received;
  socket[Symbol.dispose]();
  const message = packet.decode(Buffer.from(bytes));
  const show = (answer: packet.Answer): string => {
    const data = 'data' in answer ? answer.data : '';
    return `${answer.name} ${'ttl' in answer ? answer.ttl : ''} ${answer.type} ${typeof data === 'string' ? data : JSON.stringify(data)}`;
  };
  return {
    rcode: (message as { rcode?: string }).rcode,
    isAuthoritative: message.flag_aa,
    answers: (message.answers ?? []).map(show),
    authorities: (message.authorities ?? []).map((answer) => answer.type),
    additionals: (message.additionals ?? []).map(show),
  };
}

test('a Service has an A record with the TTL of the Corefile', async () => {
  using node = await start();
  expect(await ask(node, 'web.default.svc.cluster.local', 'A')).toMatchObject({
    rcode: 'NOERROR',
    isAuthoritative: true,
    answers: ['web.default.svc.cluster.local 30 A 10.96.7.7'],
  });
});

test('a name that isn’t there is NXDOMAIN with the zone’s SOA, one without such records is empty', async () => {
  using node = await start();
  expect(await ask(node, 'nope.default.svc.cluster.local', 'A')).toMatchObject({
    rcode: 'NXDOMAIN',
    answers: [],
    authorities: ['SOA'],
  });
  expect(await ask(node, 'web.default.svc.cluster.local', 'AAAA')).toMatchObject({
    rcode: 'NOERROR',
    answers: [],
    authorities: ['SOA'],
  });
  expect(await ask(node, 'web.nowhere.svc.cluster.local', 'A')).toMatchObject({ rcode: 'NXDOMAIN' });
});

test('a headless Service lists its ready endpoints, each with a name of its own', async () => {
  using node = await start();
  const { answers } = await ask(node, 'db.default.svc.cluster.local', 'A');
  expect(answers.toSorted()).toEqual([
    'db.default.svc.cluster.local 30 A 10.244.1.10',
    'db.default.svc.cluster.local 30 A 10.244.1.11',
  ]);
  expect((await ask(node, 'db-0.db.default.svc.cluster.local', 'A')).answers).toEqual([
    'db-0.db.default.svc.cluster.local 30 A 10.244.1.10',
  ]);
  expect((await ask(node, '10-244-1-11.db.default.svc.cluster.local', 'A')).answers).toEqual([
    '10-244-1-11.db.default.svc.cluster.local 30 A 10.244.1.11',
  ]);
});

test('SRV records name port and host, with addresses beside them', async () => {
  using node = await start();
  const { answers, additionals } = await ask(node, '_http._tcp.web.default.svc.cluster.local', 'SRV');
  expect(answers).toEqual([
    '_http._tcp.web.default.svc.cluster.local 30 SRV {"priority":0,"weight":100,"port":80,"target":"web.default.svc.cluster.local"}',
  ]);
  expect(additionals).toEqual(['web.default.svc.cluster.local 30 A 10.96.7.7']);
  expect((await ask(node, '_pg._tcp.db.default.svc.cluster.local', 'SRV')).answers).toHaveLength(2);
});

test('addresses have names: of Services, and of endpoints with a host name', async () => {
  using node = await start();
  expect((await ask(node, '7.7.96.10.in-addr.arpa', 'PTR')).answers).toEqual([
    '7.7.96.10.in-addr.arpa 30 PTR web.default.svc.cluster.local',
  ]);
  expect((await ask(node, '10.1.244.10.in-addr.arpa', 'PTR')).answers).toEqual([
    '10.1.244.10.in-addr.arpa 30 PTR db-0.db.default.svc.cluster.local',
  ]);
});

test('pods have names made of their addresses', async () => {
  using node = await start();
  expect((await ask(node, '10-244-1-9.default.pod.cluster.local', 'A')).answers).toEqual([
    '10-244-1-9.default.pod.cluster.local 30 A 10.244.1.9',
  ]);
});

test('an ExternalName is a CNAME even when its target can’t be found', async () => {
  using node = await start();
  const { answers } = await ask(node, 'out.default.svc.cluster.local', 'CNAME');
  expect(answers).toEqual(['out.default.svc.cluster.local 30 CNAME www.baidu.com']);
});

test('what upstream doesn’t answer is SERVFAIL', async () => {
  using node = await start();
  expect(await ask(node, 'www.example.com', 'A')).toMatchObject({ rcode: 'SERVFAIL', answers: [] });
});
