import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { IpvsServiceOptions, NetworkNamespace } from '../../../../main/network/index.ts';
import { addDefaultRoute, fetchText, joinVeth, makeWorld, readAll, serveText, settle, up } from '../world.ts';

const VIP = '10.96.0.1';
const WEB = { protocol: 'tcp', address: VIP, port: 80 } as const;

/** A node as kube-proxy leaves it in ipvs mode, a client outside it, and three pods on its bridge. */
function node(options: IpvsServiceOptions = { scheduler: 'rr' }, seed = 1) {
  const world = makeWorld(seed);
  const client = world.namespace('client');
  const machine = world.namespace('node');
  joinVeth(client, 'eth0', '192.168.10.100/24', machine, 'eth0', '192.168.10.11/24');
  client.routes.add({ destination: '10.96.0.0', prefixLength: 12, gateway: '192.168.10.11' });
  machine.sysctls.set('net.ipv4.ip_forward', '1');
  machine.sysctls.set('net.ipv4.vs.conntrack', '1');
  machine.sysctls.loadBridgeNetfilter();
  const bridge = machine.links.addBridge({ name: 'cni0' });
  up(machine, 'cni0', '10.244.1.1/24');
  const pods = [2, 3, 4].map((host) => {
    const pod = world.namespace(`pod${host}`);
    joinVeth(pod, 'eth0', `10.244.1.${host}/24`, machine, `veth${host}`, undefined);
    machine.links.setMaster(machine.links.require(`veth${host}`), bridge);
    machine.links.setHairpin(machine.links.require(`veth${host}`), true);
    addDefaultRoute(pod, '10.244.1.1');
    return { pod, served: serveText(pod, 80, `pod${host}`) };
  });
  const dummy = machine.links.addDummy({ name: 'kube-ipvs0' });
  machine.addresses.add(dummy, { address: VIP });
  machine.ipsets.create('KUBE-LOOP-BACK', 'hash:ip,port,ip');
  machine.ipsets.create('KUBE-CLUSTER-IP', 'hash:ip,port');
  machine.ipsets.require('KUBE-CLUSTER-IP').add(`${VIP},tcp:80`);
  for (const host of [2, 3, 4])
    machine.ipsets.require('KUBE-LOOP-BACK').add(`10.244.1.${host},tcp:80,10.244.1.${host}`);
  machine.netfilter.restore(`*nat
:KUBE-SERVICES - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-MARK-MASQ - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
-A KUBE-SERVICES ! -s 10.244.0.0/16 -m set --match-set KUBE-CLUSTER-IP dst,dst -j KUBE-MARK-MASQ
-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
-A KUBE-POSTROUTING -m set --match-set KUBE-LOOP-BACK dst,dst,src -j MASQUERADE
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
-A KUBE-POSTROUTING -j MASQUERADE --random-fully
COMMIT
`);
  machine.ipvs.addService(WEB, options);
  for (const host of [2, 3])
    machine.ipvs.addDestination(WEB, { address: `10.244.1.${host}`, port: 80, forwarding: 'masq' });
  const ask = (from: NetworkNamespace = client): Promise<string> => fetchText(world, from, VIP, 80);
  return { world, client, machine, pods, ask };
}

const destinations = (machine: NetworkNamespace) => machine.ipvs.getService(WEB)!.destinations;

test('clients outside, the node itself and pods reach a virtual address in turn', async () => {
  const { world, client, machine, pods, ask } = node();
  for (const from of [client, machine, pods[2]!.pod]) {
    const answers = [await ask(from), await ask(from), await ask(from), await ask(from)];
    expect(new Set(answers)).toEqual(new Set(['pod2', 'pod3']));
    expect(answers[0]).toBe(answers[2]);
  }
  expect(world.faults).toEqual([]);
});

test('a pod that draws itself is masqueraded by KUBE-LOOP-BACK', async () => {
  const { pods, machine, ask } = node();
  const answers = [await ask(pods[0]!.pod), await ask(pods[0]!.pod)];
  expect(new Set(answers)).toEqual(new Set(['pod2', 'pod3']));
  expect(machine.conntrack.list().some((entry) => entry.reply.destination === '10.244.1.1')).toBe(true);
});

test('conntrack shows the server as the reply side, and the masqueraded node address', async () => {
  const { machine, ask } = node();
  await ask();
  expect(machine.conntrack.list()).toMatchObject([
    {
      original: { source: '192.168.10.100', destination: VIP, destinationPort: 80 },
      reply: { sourcePort: 80, destination: '10.244.1.1' },
      isAssured: true,
    },
  ]);
});

test('connections count as active, then as inactive, then are gone', async () => {
  const { world, client, machine } = node();
  const socket = await settle(world, client.sockets.connectTcp({ address: VIP, port: 80 }));
  await world.simulation.advance({ ms: 10 });
  // The server has closed its side; the client hasn't.
  const total = () => {
    const counts = destinations(machine).map((each) => [each.activeConnections, each.inactiveConnections]);
    return counts.reduce((sum, [active = 0, inactive = 0]) => [sum[0]! + active, sum[1]! + inactive], [0, 0]);
  };
  expect(total()).toEqual([0, 1]);
  await settle(world, readAll(socket));
  socket.close();
  await world.simulation.advance({ ms: 10 });
  expect(machine.ipvs.listConnections()).toMatchObject([
    { protocol: 'TCP', state: 'TIME_WAIT', expiresSeconds: 119 },
  ]);
  await world.simulation.advance({ seconds: 121 });
  expect(total()).toEqual([0, 0]);
  expect(machine.ipvs.getService(WEB)!.stats).toMatchObject({ connections: 1 });
});

test('an established connection keeps 15 minutes and is active', async () => {
  const { world, client, machine, pods } = node();
  machine.ipvs.deleteDestination(WEB, '10.244.1.2', 80);
  machine.ipvs.deleteDestination(WEB, '10.244.1.3', 80);
  machine.ipvs.addDestination(WEB, { address: '10.244.1.4', port: 7, forwarding: 'masq', weight: 5 });
  pods[2]!.pod.sockets.listenTcp({ address: '0.0.0.0', port: 7 });
  await settle(world, client.sockets.connectTcp({ address: VIP, port: 80 }));
  expect(destinations(machine)).toMatchObject([{ activeConnections: 1, inactiveConnections: 0, weight: 5 }]);
  expect(machine.ipvs.listConnections()).toMatchObject([{ state: 'ESTABLISHED', expiresSeconds: 900 }]);
});

test('a service without servers refuses', async () => {
  const { machine, ask } = node();
  machine.ipvs.deleteDestination(WEB, '10.244.1.2', 80);
  machine.ipvs.deleteDestination(WEB, '10.244.1.3', 80);
  await expect(ask()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await expect(ask(machine)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('persistence keeps a client with its server until its time is over since the last connection', async () => {
  const { world, machine, ask } = node({ scheduler: 'rr', persistentSeconds: 100 });
  const first = await ask();
  for (let i = 0; i < 5; i++) {
    await world.simulation.advance({ seconds: 90 });
    expect(await ask()).toBe(first);
  }
  expect(machine.ipvs.listConnections().filter((each) => each.isTemplate)).toMatchObject([
    { state: 'ASSURED', client: { address: '192.168.10.100', port: 0 }, expiresSeconds: 100 },
  ]);
  expect(destinations(machine).reduce((sum, each) => sum + each.persistentConnections, 0)).toBe(1);
  await world.simulation.advance({ seconds: 400 });
  expect(machine.ipvs.listConnections()).toEqual([]);
  expect(await ask()).not.toBe(first);
});

test('a server taken away breaks its connections, and the persistent client goes elsewhere', async () => {
  const { machine, ask } = node({ scheduler: 'rr', persistentSeconds: 100 });
  const first = await ask();
  machine.ipvs.deleteDestination(WEB, `10.244.1.${first.at(-1)}`, 80);
  expect(await ask()).not.toBe(first);
});

test('NodePorts and UDP are balanced too', async () => {
  const { world, client, machine, pods } = node();
  const dns = { protocol: 'udp', address: VIP, port: 53 } as const;
  machine.ipvs.addService(dns, { scheduler: 'rr' });
  for (const host of [2, 3])
    machine.ipvs.addDestination(dns, { address: `10.244.1.${host}`, port: 53, forwarding: 'masq' });
  for (const { pod } of pods) {
    const socket = pod.sockets.openUdp({ local: { port: 53 } });
    const loop = async (): Promise<void> => {
      for (;;) {
        const { from } = await socket.receive();
        socket.send(Buffer.from(pod.name), from);
      }
    };
    void loop().catch(() => undefined);
  }
  const seen = new Set<string>();
  for (let i = 0; i < 4; i++) {
    const socket = client.sockets.openUdp({ remote: { address: VIP, port: 53 } });
    socket.send(Buffer.from('?'), { address: VIP, port: 53 });
    seen.add(Buffer.from((await settle(world, socket.receive())).bytes).toString());
  }
  expect(seen).toEqual(new Set(['pod2', 'pod3']));
  expect(machine.ipvs.getService(dns)!.destinations).toMatchObject([
    { inactiveConnections: 2 },
    { inactiveConnections: 2 },
  ]);

  const nodePort = { protocol: 'tcp', address: '192.168.10.11', port: 30080 } as const;
  machine.ipvs.addService(nodePort, { scheduler: 'rr' });
  machine.ipvs.addDestination(nodePort, { address: '10.244.1.2', port: 80, forwarding: 'masq' });
  expect(await fetchText(world, client, '192.168.10.11', 30080)).toBe('pod2');
});

test('rates rise with traffic and fade without it, and then no timer is left', async () => {
  const { world, machine, ask } = node();
  const before = world.simulation.pending;
  for (let i = 0; i < 20; i++) await ask();
  await world.simulation.advance({ seconds: 2 });
  expect(machine.ipvs.totals.rates.connectionsPerSecond).toBeGreaterThan(0);
  await world.simulation.advance({ minutes: 10 });
  expect(machine.ipvs.totals.rates.connectionsPerSecond).toBe(0);
  expect(world.simulation.pending).toBeLessThanOrEqual(before);
});

test('each scheduler is fair within its definition (property)', async () => {
  const weights = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('rr', 'wrr', 'lc', 'wlc', 'sed', 'nq'),
      weights,
      async (scheduler, all) => {
        const { world, client, machine, pods } = node({ scheduler });
        machine.ipvs.deleteDestination(WEB, '10.244.1.2', 80);
        machine.ipvs.deleteDestination(WEB, '10.244.1.3', 80);
        all.forEach((weight, index) => {
          pods[index]!.pod.sockets.listenTcp({ address: '0.0.0.0', port: 7 }); // Keeps connections open.
          machine.ipvs.addDestination(WEB, {
            address: `10.244.1.${index + 2}`,
            port: 7,
            forwarding: 'masq',
            weight,
          });
        });
        const isWeighted =
          scheduler === 'wrr' || scheduler === 'wlc' || scheduler === 'sed' || scheduler === 'nq';
        const sum = all.reduce((total, weight) => total + weight, 0);
        const rounds = isWeighted ? sum * 3 : all.length * 3;
        for (let i = 0; i < rounds; i++)
          await settle(world, client.sockets.connectTcp({ address: VIP, port: 80 }));
        for (const { address, activeConnections } of destinations(machine)) {
          const weight = all[Number(address.at(-1)) - 2]!;
          const share = isWeighted ? (rounds * weight) / sum : rounds / all.length;
          expect(Math.abs(activeConnections - share)).toBeLessThanOrEqual(
            scheduler === 'sed' || scheduler === 'nq' ? 2 : 1,
          );
        }
      },
    ),
    { numRuns: 30, seed: 3 },
  );
});
