import { expect, test } from 'vitest';
import type { CapturedFrame, NetworkNamespace } from '../../../../main/network/index.ts';
import { Packet } from '../../../../main/network/index.ts';
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

/** Two machines on a LAN, each with a pod behind a bridge: 10.244.N.2 on machine N. */
function machines(): { world: World; nodes: NetworkNamespace[]; pods: NetworkNamespace[] } {
  const world = makeWorld();
  const lan = world.namespace('lan');
  const hub = lan.links.addBridge({ name: 'switch' });
  lan.links.setUp(hub);
  const nodes: NetworkNamespace[] = [];
  const pods: NetworkNamespace[] = [];
  for (const index of [1, 2]) {
    const node = world.namespace(`node${index}`);
    node.links.addEther({
      name: 'eth0',
      mac: `52:54:00:a8:0a:1${index}`,
      cable: { delayMs: 0.1 },
      peer: { name: `port${index}`, namespace: lan },
    });
    lan.links.setUp(lan.links.require(`port${index}`));
    lan.links.setMaster(lan.links.require(`port${index}`), hub);
    up(node, 'eth0', `192.168.10.1${index}/24`);
    node.sysctls.set('net.ipv4.ip_forward', '1');
    const bridge = node.links.addBridge({ name: 'cni0' });
    up(node, 'cni0', `10.244.${index}.1/24`);
    const pod = world.namespace(`pod${index}`);
    joinVeth(pod, 'eth0', `10.244.${index}.2/24`, node, 'veth0', undefined);
    node.links.setMaster(node.links.require('veth0'), bridge);
    addDefaultRoute(pod, `10.244.${index}.1`);
    serveText(pod, 80, `pod${index}`);
    nodes.push(node);
    pods.push(pod);
  }
  return { world, nodes, pods };
}

test('Flannel’s VXLAN carries pods’ packets between machines, as its entries say', async () => {
  const { world, nodes, pods } = machines();
  for (const [here, there] of [
    [1, 2],
    [2, 1],
  ] as const) {
    const node = nodes[here - 1]!;
    const eth0 = node.links.require('eth0');
    const vxlan = node.links.addVxlan({
      name: 'flannel.1',
      mac: `6e:c2:1f:0a:f4:0${here}`,
      id: 1,
      local: `192.168.10.1${here}`,
      underlay: eth0,
      port: 8472,
      learning: false,
    });
    expect(vxlan.mtu).toBe(1450);
    up(node, 'flannel.1', `10.244.${here}.0/32`);
    node.neighbours.set(vxlan, `10.244.${there}.0`, `6e:c2:1f:0a:f4:0${there}`);
    node.links.fdb.add(vxlan, { mac: `6e:c2:1f:0a:f4:0${there}`, remote: `192.168.10.1${there}` });
    const route = {
      destination: `10.244.${there}.0`,
      prefixLength: 24,
      gateway: `10.244.${there}.0`,
      link: vxlan,
      onlink: true,
    };
    node.routes.add(route);
  }
  const frames: CapturedFrame[] = [];
  nodes[1]!.capture.open(nodes[1]!.links.require('eth0'), (captured) => frames.push(captured));
  expect(await fetchText(world, pods[0]!, '10.244.2.2', 80)).toBe('pod2');
  const outer = frames
    .map((captured) => captured.frame.payload)
    .find((payload) => payload instanceof Packet && payload.vxlanFrame);
  expect(outer).toMatchObject({
    destinationPort: 8472,
    vxlanId: 1,
    vxlanFrame: { payload: { sourcePort: expect.any(Number) } },
  });
  expect(nodes[0]!.routes.get({ destination: '10.244.2.2' })).toMatchObject({
    gateway: '10.244.2.0',
    source: '10.244.1.0',
  });

  // Take the forwarding entry away and the packet has nowhere to go.
  const vxlan = nodes[0]!.links.require('flannel.1');
  nodes[0]!.links.fdb.delete(vxlan, '6e:c2:1f:0a:f4:02');
  await expect(
    settle(world, pods[0]!.sockets.connectTcp({ address: '10.244.2.2', port: 80 })),
  ).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  expect(vxlan.stats.txDropped).toBeGreaterThan(0);
  expect(world.faults).toEqual([]);
});

test('Calico’s IPIP carries them by routes through tunl0', async () => {
  const { world, nodes, pods } = machines();
  for (const [here, there] of [
    [1, 2],
    [2, 1],
  ] as const) {
    const node = nodes[here - 1]!;
    const tunnel = node.links.addIpip({ name: 'tunl0' });
    expect(tunnel.mtu).toBe(1480);
    up(node, 'tunl0', `10.244.${here}.128/32`);
    const gateway = `192.168.10.1${there}`;
    node.routes.add({
      destination: `10.244.${there}.0`,
      prefixLength: 24,
      gateway,
      link: tunnel,
      onlink: true,
      protocol: 'bird',
    });
  }
  expect(await fetchText(world, pods[1]!, '10.244.1.2', 80)).toBe('pod1');
  await world.simulation.advance({ seconds: 1 });
  expect(nodes[0]!.links.require('tunl0').stats.rxPackets).toBeGreaterThan(3);
});

test('host-gw needs only routes, and an unplugged cable takes the carrier away', async () => {
  const { world, nodes, pods } = machines();
  nodes[0]!.routes.add({ destination: '10.244.2.0', prefixLength: 24, gateway: '192.168.10.12' });
  nodes[1]!.routes.add({ destination: '10.244.1.0', prefixLength: 24, gateway: '192.168.10.11' });
  expect(await fetchText(world, pods[0]!, '10.244.2.2', 80)).toBe('pod2');
  const eth0 = nodes[1]!.links.require('eth0');
  eth0.cable!.isCut = true;
  expect(eth0.flags).toEqual(['NO-CARRIER', 'BROADCAST', 'MULTICAST', 'UP']);
  expect(eth0.operState).toBe('DOWN');
});

test('VLANs on one wire keep apart', async () => {
  const world = makeWorld();
  const [one, two] = [world.namespace('one'), world.namespace('two')];
  joinVeth(one, 'eth0', undefined, two, 'eth0', undefined);
  for (const [namespace, host] of [
    [one, 1],
    [two, 2],
  ] as const) {
    for (const id of [10, 20]) {
      namespace.links.addVlan({ name: `eth0.${id}`, underlay: namespace.links.require('eth0'), id });
      up(namespace, `eth0.${id}`, `10.0.${id}.${host}/24`);
    }
  }
  serveText(two, 80, 'ten', '10.0.10.2');
  serveText(two, 80, 'twenty', '10.0.20.2');
  expect(await fetchText(world, one, '10.0.10.2', 80)).toBe('ten');
  expect(await fetchText(world, one, '10.0.20.2', 80)).toBe('twenty');
});
