import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { NetworkNamespace, TraceRecord } from '../../../../main/network/index.ts';
import {
  addDefaultRoute,
  fetchText,
  joinVeth,
  makeWorld,
  serveText,
  settle,
  up,
  type World,
} from '../world.ts';

/** client (10.0.1.2) – router (10.0.1.1, 10.0.2.1) – two servers (10.0.2.2, 10.0.2.3) behind the router's bridge. */
function routed(seed = 1) {
  const world = makeWorld(seed);
  const client = world.namespace('client');
  const router = world.namespace('router');
  joinVeth(client, 'eth0', '10.0.1.2/24', router, 'out', '10.0.1.1/24');
  addDefaultRoute(client, '10.0.1.1');
  router.sysctls.set('net.ipv4.ip_forward', '1');
  const bridge = router.links.addBridge({ name: 'br0' });
  up(router, 'br0', '10.0.2.1/24');
  const servers = [2, 3].map((host) => {
    const server = world.namespace(`server${host}`);
    joinVeth(server, 'eth0', `10.0.2.${host}/24`, router, `veth${host}`, undefined);
    router.links.setMaster(router.links.require(`veth${host}`), bridge);
    addDefaultRoute(server, '10.0.2.1');
    serveText(server, 80, `server${host}`);
    return server;
  });
  return { world, client, router, servers: servers as [NetworkNamespace, NetworkNamespace] };
}

const nat = (router: NetworkNamespace, ...rules: string[]): void =>
  router.netfilter.restore(['*nat', ...rules, 'COMMIT'].join('\n'), { noFlush: true });
const filter = (router: NetworkNamespace, ...rules: string[]): void =>
  router.netfilter.restore(['*filter', ...rules, 'COMMIT'].join('\n'), { noFlush: true });
const connect = (world: World, from: NetworkNamespace, address: string, port: number) =>
  settle(world, from.sockets.connectTcp({ address, port }));

test('DNAT and MASQUERADE rewrite a connection both ways, and conntrack shows it', async () => {
  const { world, client, router } = routed();
  nat(
    router,
    '-A PREROUTING -d 192.0.2.80/32 -p tcp --dport 8080 -j DNAT --to-destination 10.0.2.2:80',
    '-A POSTROUTING -o br0 -j MASQUERADE --random-fully',
  );
  expect(await fetchText(world, client, '192.0.2.80', 8080)).toBe('server2');
  const [entry] = router.conntrack.list();
  expect(entry).toMatchObject({
    protocol: 'tcp',
    state: 'TIME_WAIT',
    isAssured: true,
    original: { source: '10.0.1.2', destination: '192.0.2.80', destinationPort: 8080 },
    reply: { source: '10.0.2.2', sourcePort: 80, destination: '10.0.2.1' },
  });
  await world.simulation.advance({ seconds: 121 });
  expect(router.conntrack.list()).toEqual([]);
  expect(world.faults).toEqual([]);
});

test('REJECT answers as it is told to, DROP says nothing, and counters count', async () => {
  const { world, client, router } = routed();
  filter(
    router,
    '-A FORWARD -d 10.0.2.2 -p tcp --dport 80 -j REJECT',
    '-A FORWARD -d 10.0.2.3 -p tcp -j REJECT --reject-with tcp-reset',
  );
  await expect(connect(world, client, '10.0.2.2', 80)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await expect(connect(world, client, '10.0.2.3', 80)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  filter(router, '-I FORWARD 1 -j DROP');
  await expect(connect(world, client, '10.0.2.2', 80)).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  const rules = router.netfilter.table('filter').chain('FORWARD')!.rules;
  expect(rules.map((rule) => [rule.packets, rule.bytes])).toEqual([
    [7, 420],
    [1, 60],
    [1, 60],
  ]);
  filter(router, '-F FORWARD', '-A FORWARD -j REJECT --reject-with icmp-host-prohibited');
  await expect(connect(world, client, '10.0.2.2', 80)).rejects.toMatchObject({ code: 'EHOSTUNREACH' });
});

test('ctstate lets answers through and stops what comes from outside', async () => {
  const { world, client, router, servers } = routed();
  serveText(client, 80, 'client');
  filter(
    router,
    '-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    '-A FORWARD -i out -j ACCEPT',
    '-A FORWARD -j REJECT',
  );
  expect(await fetchText(world, client, '10.0.2.2', 80)).toBe('server2');
  await expect(connect(world, servers[0], '10.0.1.2', 80)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('statistic shares connections out, recent keeps a client with its server until the time is over', async () => {
  const { world, client, router } = routed(7);
  const chains = [
    ':SVC - [0:0]',
    ':SEP2 - [0:0]',
    ':SEP3 - [0:0]',
    '-A PREROUTING -d 10.96.0.1/32 -p tcp --dport 80 -j SVC',
  ];
  const ends = [2, 3].map(
    (host) =>
      `-A SEP${host} -p tcp -m recent --name SEP${host} --set -m tcp -j DNAT --to-destination 10.0.2.${host}:80`,
  );
  nat(
    router,
    ...chains,
    '-A SVC -m statistic --mode random --probability 0.5 -j SEP2',
    '-A SVC -j SEP3',
    ...ends,
  );
  const ask = (): Promise<string> => fetchText(world, client, '10.96.0.1', 80);
  const counts: Record<string, number> = {};
  for (let i = 0; i < 100; i++) counts[await ask()] = (counts[await ask()] ?? 0) + 1;
  expect(Object.keys(counts)).toHaveLength(2);

  const sticky = [2, 3].map(
    (host) => `-A SVC -m recent --name SEP${host} --rcheck --seconds 10 --reap -j SEP${host}`,
  );
  nat(
    router,
    '-F SVC',
    ...sticky,
    '-A SVC -m statistic --mode random --probability 0.5 -j SEP2',
    '-A SVC -j SEP3',
  );
  const first = await ask();
  for (let i = 0; i < 20; i++) {
    await world.simulation.advance({ seconds: 9 });
    expect(await ask()).toBe(first);
  }
  const later = new Set<string>();
  for (let i = 0; i < 20; i++) {
    await world.simulation.advance({ seconds: 11 });
    later.add(await ask());
  }
  expect(later.size).toBe(2);
});

test('a pod that reaches its neighbour by a service address needs bridge-nf-call-iptables', async () => {
  const { world, router, servers } = routed();
  nat(router, '-A PREROUTING -d 10.96.0.1/32 -p tcp --dport 80 -j DNAT --to-destination 10.0.2.3:80');
  // The answer is bridged straight back, past the un-NAT: the client never hears from 10.96.0.1.
  await expect(connect(world, servers[0], '10.96.0.1', 80)).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  router.sysctls.loadBridgeNetfilter();
  expect(await fetchText(world, servers[0], '10.96.0.1', 80)).toBe('server3');
  expect(await fetchText(world, servers[0], '10.0.2.3', 80)).toBe('server3');
  expect(world.faults).toEqual([]);
});

test('a pod that reaches itself by a service address needs masquerading', async () => {
  const { world, router, servers } = routed();
  router.sysctls.loadBridgeNetfilter();
  router.links.setHairpin(router.links.require('veth2'), true);
  nat(
    router,
    '-A PREROUTING -d 10.96.0.1/32 -p tcp --dport 80 -j DNAT --to-destination 10.0.2.2:80',
    '-A POSTROUTING -s 10.0.2.2/32 -d 10.0.2.2/32 -j MASQUERADE',
  );
  expect(await fetchText(world, servers[0], '10.96.0.1', 80)).toBe('server2');
});

test('the machine itself is served by OUTPUT rules, also over loopback', async () => {
  const { world, router } = routed();
  serveText(router, 9000, 'router itself');
  nat(
    router,
    '-A OUTPUT -d 10.96.0.1/32 -p tcp --dport 80 -j DNAT --to-destination 10.0.2.3:80',
    '-A OUTPUT -d 10.96.0.2/32 -p tcp --dport 80 -j REDIRECT --to-ports 9000',
  );
  addDefaultRoute(router, '10.0.1.2');
  expect(await fetchText(world, router, '10.96.0.1', 80)).toBe('server3');
  expect(await fetchText(world, router, '10.96.0.2', 80)).toBe('router itself');
});

test('errors about translated packets find their way back', async () => {
  const { world, client, router } = routed();
  nat(
    router,
    '-A PREROUTING -d 192.0.2.80/32 -p udp --dport 53 -j DNAT --to-destination 10.0.2.2:5353',
    '-A POSTROUTING -j MASQUERADE',
  );
  const socket = client.sockets.openUdp({ remote: { address: '192.0.2.80', port: 53 } });
  socket.send(Buffer.from('?'), { address: '192.0.2.80', port: 53 });
  await expect(settle(world, socket.receive())).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('a path with a smaller MTU is discovered by TCP, and ping is told', async () => {
  const { world, client, router, servers } = routed();
  for (const link of [router.links.require('br0'), servers[0].links.require('eth0')])
    link.namespace.links.setMtu(link, 1400);
  const replies: unknown[] = [];
  const echo = client.sockets.openEcho();
  echo.onReply = (reply) => replies.push(reply);
  echo.send('10.0.2.2', { sequence: 1, sizeBytes: 1472, dontFragment: true });
  await world.simulation.advance({ seconds: 1 });
  expect(replies).toMatchObject([
    { kind: 'error', error: 'fragmentation-needed', mtu: 1400, from: '10.0.1.1' },
  ]);
  expect(() => echo.send('10.0.2.2', { sequence: 2, sizeBytes: 1472, dontFragment: true })).toThrow(
    'Message too long',
  );
  const listener = servers[0].sockets.listenTcp({ address: '0.0.0.0', port: 7 });
  const near = await connect(world, client, '10.0.2.2', 7);
  const far = await settle(world, listener.accept());
  await near.write(new Uint8Array(50_000));
  near.end();
  let total = 0;
  for (let part = await settle(world, far.read()); part !== undefined; part = await settle(world, far.read()))
    total += part.length;
  expect(total).toBe(50_000);
});

test('a trace tells each hop, rule and rewrite of a packet', async () => {
  const { world, client, router } = routed();
  nat(
    router,
    '-A PREROUTING -d 192.0.2.80/32 -p tcp --dport 80 -m comment --comment "to the web" -j DNAT --to-destination 10.0.2.2:80',
  );
  const records: TraceRecord[] = [];
  const listening = world.trace.listen((record) => records.push(record));
  await fetchText(world, client, '192.0.2.80', 80);
  listening[Symbol.dispose]();
  const first = records.filter((record) => record.packetId === records[0]!.packetId);
  const story = first.map(({ namespace, kind, device, chain, ruleNumber, decision }) =>
    [namespace, kind, device ?? chain ?? '', ruleNumber ?? '', decision ?? '']
      .filter((word) => word !== '')
      .join(' '),
  );
  expect(story).toEqual([
    'client send',
    'client route eth0 eth0',
    'client out eth0 10.0.1.1',
    'router in out',
    'router rule PREROUTING 1 DNAT',
    'router nat 10.0.2.2:80',
    'router route br0 br0',
    'router out br0 10.0.2.2',
    'server2 in eth0',
    'server2 deliver eth0',
  ]);
  expect(first.find(({ kind }) => kind === 'nat')).toMatchObject({
    before: { destination: '192.0.2.80' },
    after: { destination: '10.0.2.2' },
    reason: 'dnat',
  });
});

test('whatever the NAT rules, a connection that opens carries its answer back (property)', async () => {
  const address = fc.constantFrom('10.0.2.2', '10.0.2.3');
  const rule = fc.record({
    to: address,
    port: fc.constantFrom(80, 80, 80, 81),
    masquerade: fc.boolean(),
    random: fc.boolean(),
    source: fc.constantFrom(undefined, '10.0.2.1:40000-40003'),
    bridged: fc.boolean(),
    seed: fc.nat(1000),
  });
  await fc.assert(
    fc.asyncProperty(rule, async ({ to, port, masquerade, random, source, bridged, seed }) => {
      const { world, client, router } = routed(seed);
      if (bridged) router.sysctls.loadBridgeNetfilter();
      const rules = [`-A PREROUTING -d 192.0.2.9/32 -p tcp -j DNAT --to-destination ${to}:${port}`];
      if (source !== undefined) rules.push(`-A POSTROUTING -p tcp -j SNAT --to-source ${source}`);
      else if (masquerade) rules.push(`-A POSTROUTING -j MASQUERADE${random ? ' --random-fully' : ''}`);
      nat(router, ...rules);
      for (let i = 0; i < 4; i++) {
        const outcome = await fetchText(world, client, '192.0.2.9', 1000 + i).catch(
          (error: { code: string }) => error.code,
        );
        expect(outcome).toBe(port === 80 ? `server${to.at(-1)}` : 'ECONNREFUSED');
      }
      expect(world.faults).toEqual([]);
    }),
    { numRuns: 40, seed: 11 },
  );
});
