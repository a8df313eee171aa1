import { expect, test } from 'vitest';
import { joinVeth, makeWorld, serveText, fetchText, settle, up } from '../world.ts';

function pair() {
  const world = makeWorld();
  const client = world.namespace('client');
  const server = world.namespace('server');
  joinVeth(client, 'eth0', '10.0.0.1/24', server, 'eth0', '10.0.0.2/24');
  return { world, client, server };
}

test('a machine answers ARP for every address it has, unless arp_ignore is 1 (strictARP)', async () => {
  const { world, client, server } = pair();
  const dummy = server.links.addDummy({ name: 'kube-ipvs0' });
  server.addresses.add(dummy, { address: '10.0.0.50' });
  serveText(server, 80, 'virtual');
  expect(await fetchText(world, client, '10.0.0.50', 80)).toBe('virtual');

  server.sysctls.set('net.ipv4.conf.all.arp_ignore', '1');
  client.neighbours.flush();
  await expect(
    settle(world, client.sockets.connectTcp({ address: '10.0.0.50', port: 80 })),
  ).rejects.toMatchObject({
    code: 'EHOSTUNREACH',
  });
  expect(await fetchText(world, client, '10.0.0.2', 80)).toBe('virtual');
});

test('arp_announce 2 names the link’s own address, 0 the packet’s', async () => {
  const { world, client, server } = pair();
  const senders: string[] = [];
  server.neighbours.addResponder(({ sender }) => {
    senders.push(sender);
    return undefined;
  });
  up(client, 'lo', '10.9.9.9/32');
  const options = { local: { address: '10.9.9.9' } };
  for (const level of ['0', '2']) {
    client.sysctls.set('net.ipv4.conf.all.arp_announce', level);
    client.neighbours.flush();
    client.sockets.openUdp(options).send(new Uint8Array(1), { address: '10.0.0.2', port: 9 });
    await world.simulation.advance({ ms: 10 });
  }
  expect(senders).toEqual(['10.9.9.9', '10.0.0.1']);
});

test('a gratuitous announcement moves an address to another machine; a responder answers for one (MetalLB)', async () => {
  const world = makeWorld();
  const lan = world.namespace('lan');
  const hub = lan.links.addBridge({ name: 'switch' });
  lan.links.setUp(hub);
  const [client, one, two] = ['client', 'one', 'two'].map((name, index) => {
    const machine = world.namespace(name);
    joinVeth(machine, 'eth0', `10.0.0.${index + 1}/24`, lan, name, undefined);
    lan.links.setMaster(lan.links.require(name), hub);
    return machine;
  });
  for (const machine of [one!, two!]) {
    machine.addresses.add(machine.links.require('lo'), { address: '10.0.0.100' });
    machine.sysctls.set('net.ipv4.conf.all.arp_ignore', '1');
    serveText(machine, 80, machine.name);
  }
  const answers = (machine: NonNullable<typeof one>) =>
    machine.neighbours.addResponder(({ link, target }) => (target === '10.0.0.100' ? link.mac : undefined));
  const leader = answers(one!);
  expect(await fetchText(world, client!, '10.0.0.100', 80)).toBe('one');
  leader[Symbol.dispose]();
  answers(two!);
  two!.neighbours.announce(two!.links.require('eth0'), '10.0.0.100');
  await world.simulation.advance({ seconds: 2 });
  expect(await fetchText(world, client!, '10.0.0.100', 80)).toBe('two');
  expect(world.faults).toEqual([]);
});

test('an entry grows stale, is asked again when used, and fails when the other is gone', async () => {
  const { world, client, server } = pair();
  serveText(server, 80, 'x');
  await fetchText(world, client, '10.0.0.2', 80);
  const state = () => client.neighbours.get(client.links.require('eth0'), '10.0.0.2')?.state;
  expect(state()).toBe('REACHABLE');
  await world.simulation.advance({ minutes: 2 });
  expect(state()).toBe('STALE');
  await fetchText(world, client, '10.0.0.2', 80);
  expect(state()).toBe('DELAY');
  await world.simulation.advance({ seconds: 6 });
  expect(state()).toBe('REACHABLE');
  await world.simulation.advance({ minutes: 2 });
  client.links.require('eth0').cable!.isPartitioned = true;
  void client.sockets.connectTcp({ address: '10.0.0.2', port: 80 }).catch(() => undefined);
  await world.simulation.advance({ seconds: 12 });
  expect(['INCOMPLETE', 'FAILED']).toContain(state());
});
