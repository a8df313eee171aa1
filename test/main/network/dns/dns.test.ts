import { expect, test } from 'vitest';
import {
  decodeDns,
  dnsQuery,
  encodeDns,
  exchangeDns,
  parseResolvConf,
  Resolver,
  serveDns,
  type DnsRecord,
} from '../../../../main/network/dns/index.ts';
import { makeRandom } from '../../../../main/simulation/index.ts';
import { joinVeth, makeWorld, settle } from '../world.ts';

const POD_CONF =
  'search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.0.0.2\noptions ndots:5\n';

function setup(resolvConf = POD_CONF, hosts = '127.0.0.1 localhost\n10.9.9.9 db.lab db\n') {
  const world = makeWorld();
  const pod = world.namespace('pod');
  const server = world.namespace('coredns');
  joinVeth(pod, 'eth0', '10.0.0.1/24', server, 'eth0', '10.0.0.2/24');
  const asked: string[] = [];
  const records: Record<string, DnsRecord[]> = {
    'web.default.svc.cluster.local': [
      { name: 'web.default.svc.cluster.local', type: 'A', ttl: 30, data: '10.96.10.11' },
    ],
    'www.example.com': [
      { name: 'www.example.com', type: 'CNAME', ttl: 60, data: 'edge.example.net' },
      { name: 'edge.example.net', type: 'A', ttl: 60, data: '203.0.113.7' },
    ],
    'many.example.com': Array.from({ length: 100 }, (_, index) => ({
      name: 'many.example.com',
      type: 'A' as const,
      ttl: 5,
      data: `198.51.100.${index}`,
    })),
    '2.0.0.10.in-addr.arpa': [{ name: '2.0.0.10.in-addr.arpa', type: 'PTR', ttl: 5, data: 'dns.lab' }],
  };
  const serving = serveDns(
    server.sockets,
    async (query, client) => {
      const { name, type } = query.questions[0]!;
      asked.push(`${client.transport} ${name} ${type}`);
      if (name.startsWith('broken')) throw new Error('broken');
      const found = records[name.toLowerCase()];
      if (found === undefined) return { code: 'NXDOMAIN', isAuthoritative: true };
      return {
        answers: found.filter(
          (record) => record.type === type || record.type === 'CNAME' || String(type) === 'ANY',
        ),
      };
    },
    { local: { address: '0.0.0.0', port: 53 } },
  );
  const resolver = new Resolver({
    sockets: pod.sockets,
    clock: world.simulation,
    random: makeRandom(1),
    resolvConf: () => resolvConf,
    hosts: () => hosts,
  });
  return { world, pod, server, asked, serving, resolver };
}

test('a short name is searched for through the pod’s domains', async () => {
  const { world, resolver, asked } = setup();
  expect(await settle(world, resolver.resolve('web'))).toEqual({
    canonicalName: 'web.default.svc.cluster.local',
    addresses: ['10.96.10.11'],
  });
  expect(asked).toEqual(['udp web.default.svc.cluster.local A']);
});

test('with ndots:5 an outside name costs three questions first; a final dot spares them', async () => {
  const { world, resolver, asked } = setup();
  expect(await settle(world, resolver.resolve('www.example.com'))).toEqual({
    canonicalName: 'edge.example.net',
    addresses: ['203.0.113.7'],
  });
  expect(asked).toHaveLength(4);
  asked.length = 0;
  await settle(world, resolver.resolve('www.example.com.'));
  expect(asked).toEqual(['udp www.example.com A']);
});

test('/etc/hosts comes first, unknown names and broken servers fail as getaddrinfo does', async () => {
  const { world, resolver, asked } = setup();
  expect(await settle(world, resolver.resolve('DB'))).toEqual({
    canonicalName: 'db.lab',
    addresses: ['10.9.9.9'],
  });
  expect(asked).toEqual([]);
  await expect(settle(world, resolver.resolve('nosuch'))).rejects.toMatchObject({ code: 'EAI_NONAME' });
  await expect(settle(world, resolver.resolve('broken.'))).rejects.toMatchObject({ code: 'EAI_AGAIN' });
  expect(await settle(world, resolver.reverse('10.0.0.2'))).toBe('dns.lab');
});

test('a silent server is asked twice with longer waits, then given up', async () => {
  const { world, resolver, pod } = setup();
  pod.neighbours.set(pod.links.require('eth0'), '10.0.0.2', '02:00:00:00:00:99');
  const startMs = world.simulation.now();
  await expect(settle(world, resolver.resolve('web.'))).rejects.toMatchObject({
    message: 'Temporary failure in name resolution',
  });
  expect((world.simulation.now() - startMs) / 1000).toBe(15);
});

test('a long answer is cut on UDP and fetched over TCP', async () => {
  const { world, pod, resolver, asked } = setup();
  expect((await settle(world, resolver.resolve('many.example.com.'))).addresses).toHaveLength(100);
  expect(asked).toEqual(['udp many.example.com A', 'tcp many.example.com A']);
  const query = dnsQuery(7, 'many.example.com', 'A');
  const cut = exchangeDns(pod.sockets, { address: '10.0.0.2', port: 53 }, query, {
    clock: world.simulation,
    timeoutMs: 1000,
    tcp: 'never',
  });
  const { message, sizeBytes } = await settle(world, cut);
  expect(message.isTruncated).toBe(true);
  expect(sizeBytes).toBeLessThanOrEqual(512);
});

test('messages survive the wire, and rubbish is no message', () => {
  const query = { ...dnsQuery(4711, 'a.example', 'SRV', 1232) };
  expect(decodeDns(encodeDns(query))).toEqual(query);
  expect(decodeDns(new Uint8Array([1, 2, 3]))).toBeUndefined();
});

test('resolv.conf is read with its options and limits', () => {
  const text =
    'domain lab\n# note\nnameserver 1.1.1.1\nnameserver 2.2.2.2\nnameserver 3.3.3.3\nnameserver 4.4.4.4\noptions timeout:2 attempts:3 rotate ndots:99\n';
  expect(parseResolvConf(text)).toEqual({
    nameservers: ['1.1.1.1', '2.2.2.2', '3.3.3.3'],
    search: ['lab'],
    ndots: 15,
    timeoutSeconds: 2,
    attempts: 3,
    rotate: true,
    useTcp: false,
  });
  expect(parseResolvConf('').nameservers).toEqual(['127.0.0.1']);
});
