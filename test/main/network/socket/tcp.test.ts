import { expect, test } from 'vitest';
import { addDefaultRoute, fetchText, joinVeth, makeWorld, readAll, serveText, settle } from '../world.ts';

function pair() {
  const world = makeWorld();
  const client = world.namespace('client');
  const server = world.namespace('server');
  joinVeth(client, 'eth0', '10.0.0.1/24', server, 'eth0', '10.0.0.2/24');
  return { world, client, server };
}

test('a connection crosses a veth pair and both ends learn each other by ARP', async () => {
  const { world, client, server } = pair();
  serveText(server, 80, 'hello');
  expect(await fetchText(world, client, '10.0.0.2', 80)).toBe('hello');
  expect(client.neighbours.list()).toMatchObject([{ address: '10.0.0.2', state: 'REACHABLE' }]);
  expect(server.neighbours.list()).toMatchObject([{ address: '10.0.0.1' }]);
  expect(world.faults).toEqual([]);
});

test('a closed port refuses, and loopback works without any cable', async () => {
  const { world, client } = pair();
  await expect(
    settle(world, client.sockets.connectTcp({ address: '10.0.0.2', port: 81 })),
  ).rejects.toMatchObject({
    code: 'ECONNREFUSED',
  });
  serveText(client, 8080, 'self');
  expect(await fetchText(world, client, '127.0.0.1', 8080)).toBe('self');
  expect(await fetchText(world, client, '10.0.0.1', 8080)).toBe('self');
});

test('no route fails at once, no neighbour after three ARP requests, silence after 127 seconds', async () => {
  const { world, client, server } = pair();
  const connect = (address: string) => settle(world, client.sockets.connectTcp({ address, port: 80 }));
  await expect(connect('192.0.2.1')).rejects.toMatchObject({ code: 'ENETUNREACH' });
  const startMs = world.simulation.now();
  await expect(connect('10.0.0.9')).rejects.toMatchObject({ code: 'EHOSTUNREACH' });
  expect(world.simulation.now() - startMs).toBe(3000);

  serveText(server, 80, 'x');
  await fetchText(world, client, '10.0.0.2', 80);
  client.neighbours.set(client.links.require('eth0'), '10.0.0.2', server.links.require('eth0').mac);
  client.links.require('eth0').cable!.isPartitioned = true;
  const silentMs = world.simulation.now();
  await expect(connect('10.0.0.2')).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  expect(world.simulation.now() - silentMs).toBe(127_000);
});

test('a router forwards, counts down the TTL and says so when it runs out', async () => {
  const world = makeWorld();
  const [client, router, server] = ['client', 'router', 'server'].map((name) => world.namespace(name));
  joinVeth(client!, 'eth0', '10.0.1.2/24', router!, 'a', '10.0.1.1/24');
  joinVeth(server!, 'eth0', '10.0.2.2/24', router!, 'b', '10.0.2.1/24');
  addDefaultRoute(client!, '10.0.1.1');
  addDefaultRoute(server!, '10.0.2.1');
  const echo = client!.sockets.openEcho();
  const seen: unknown[] = [];
  echo.onReply = (reply) => seen.push(reply);
  echo.send('10.0.2.2', { sequence: 1 });
  await world.simulation.advance({ seconds: 1 });
  expect(seen).toEqual([]); // ip_forward is off.

  router!.sysctls.set('net.ipv4.ip_forward', '1');
  echo.send('10.0.2.2', { sequence: 2 });
  echo.send('10.0.2.2', { sequence: 3, ttl: 1 });
  await world.simulation.advance({ seconds: 1 });
  expect(seen).toMatchObject([
    { kind: 'error', error: 'time-exceeded', from: '10.0.1.1', sequence: 3 },
    { kind: 'reply', sequence: 2, ttl: 63, from: '10.0.2.2' },
  ]);
});

test('a megabyte arrives whole both ways, also over a cable that loses a tenth of it', async () => {
  for (const lossRate of [0, 0.1]) {
    const { world, client, server } = pair();
    const cable = client.links.require('eth0').cable!;
    cable.lossRate = lossRate;
    cable.delayMs = 1;
    const bytes = new Uint8Array(1_000_000).map((_, index) => (index * 31) & 255);
    const listener = server.sockets.listenTcp({ address: '0.0.0.0', port: 7 });
    const echo = async (): Promise<void> => {
      const socket = await listener.accept();
      for (let part = await socket.read(); part !== undefined; part = await socket.read())
        await socket.write(part);
      socket.end();
    };
    const run = async (): Promise<Buffer> => {
      const socket = await client.sockets.connectTcp({ address: '10.0.0.2', port: 7 });
      const sent = socket.write(bytes).then(() => socket.end());
      const parts: Uint8Array[] = [];
      for (let part = await socket.read(); part !== undefined; part = await socket.read()) parts.push(part);
      await sent;
      return Buffer.concat(parts);
    };
    const served = echo();
    const back = await settle(world, run(), 3600);
    await served;
    expect(back.equals(Buffer.from(bytes))).toBe(true);
    expect(world.faults).toEqual([]);
  }
});

test('a reader that is slow closes the window and nothing is lost', async () => {
  const { world, client, server } = pair();
  const listener = server.sockets.listenTcp({ address: '0.0.0.0', port: 7 });
  const run = async (): Promise<number> => {
    const [near, far] = await Promise.all([
      client.sockets.connectTcp({ address: '10.0.0.2', port: 7 }),
      listener.accept(),
    ]);
    void near.write(new Uint8Array(500_000)).then(() => near.end());
    let total = 0;
    for (;;) {
      await world.simulation.sleep(100);
      const part = await far.read(10_000);
      if (part === undefined) return total;
      total += part.length;
    }
  };
  expect(await settle(world, run(), 600)).toBe(500_000);
});

test('closing first leaves TIME-WAIT for a minute; unread data makes a reset', async () => {
  const { world, client, server } = pair();
  const listener = server.sockets.listenTcp({ address: '0.0.0.0', port: 7 });
  const run = async () =>
    Promise.all([client.sockets.connectTcp({ address: '10.0.0.2', port: 7 }), listener.accept()]);
  const [near, far] = await settle(world, run());
  near.close();
  await world.simulation.advance({ ms: 1 });
  expect(far.remote).toEqual(near.local);
  expect(server.sockets.list().map((socket) => socket.state)).toEqual(['LISTEN', 'CLOSE-WAIT']);
  expect(client.sockets.list().map((socket) => socket.state)).toEqual(['FIN-WAIT-2']);
  far.close();
  await world.simulation.advance({ ms: 1 });
  expect(client.sockets.list()).toMatchObject([{ state: 'TIME-WAIT', timer: { name: 'timewait' } }]);
  expect(server.sockets.list()).toHaveLength(1);
  await world.simulation.advance({ seconds: 61 });
  expect(client.sockets.list()).toEqual([]);

  const [near2, far2] = await settle(world, run());
  await far2.write(Buffer.from('unread'));
  await world.simulation.advance({ ms: 1 });
  near2.close();
  await expect(settle(world, readAll(far2))).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(client.sockets.list()).toEqual([]);
});

test('a full backlog makes further clients wait', async () => {
  const { world, client, server } = pair();
  const listener = server.sockets.listenTcp({ address: '0.0.0.0', port: 7 }, { backlog: 0 });
  const first = await settle(world, client.sockets.connectTcp({ address: '10.0.0.2', port: 7 }));
  let isOpen = false;
  const second = client.sockets.connectTcp({ address: '10.0.0.2', port: 7 }).then(() => (isOpen = true));
  await world.simulation.advance({ ms: 500 });
  expect(isOpen).toBe(false);
  await listener.accept();
  await settle(world, second);
  expect(isOpen).toBe(true);
  first.close();
});

test('UDP is delivered, and a closed port tells a connected socket', async () => {
  const { world, client, server } = pair();
  const bound = server.sockets.openUdp({ local: { port: 53 } });
  const socket = client.sockets.openUdp();
  socket.send(Buffer.from('ask'), { address: '10.0.0.2', port: 53 });
  const got = await settle(world, bound.receive());
  expect([Buffer.from(got.bytes).toString(), got.from.address, got.to.address]).toEqual([
    'ask',
    '10.0.0.1',
    '10.0.0.2',
  ]);
  bound.send(Buffer.from('answer'), got.from);
  expect(Buffer.from((await settle(world, socket.receive())).bytes).toString()).toBe('answer');

  const connected = client.sockets.openUdp({ remote: { address: '10.0.0.2', port: 54 } });
  connected.send(Buffer.from('x'), { address: '10.0.0.2', port: 54 });
  await expect(settle(world, connected.receive())).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('a namespace that is disposed leaves no timer behind', async () => {
  const { world, client, server } = pair();
  const before = world.simulation.pending;
  serveText(server, 80, 'x');
  await fetchText(world, client, '10.0.0.2', 80);
  void client.sockets.connectTcp({ address: '10.0.0.77', port: 80 }).catch(() => undefined);
  client[Symbol.dispose]();
  server[Symbol.dispose]();
  await world.simulation.advance({ ms: 1 });
  expect(world.simulation.pending).toBe(before);
});

test('a socket on :: serves IPv4 too unless it is for IPv6 only, as nginx asks for', async () => {
  const { world, client, server } = pair();
  const dual = server.sockets.listenTcp({ address: '::', port: 6443 });
  expect(dual.local).toEqual({ address: '::', port: 6443 });
  await settle(world, client.sockets.connectTcp({ address: '10.0.0.2', port: 6443 }));
  expect(() => server.sockets.listenTcp({ address: '0.0.0.0', port: 6443 })).toThrow(
    'Address already in use',
  );
  server.sockets.listenTcp({ address: '0.0.0.0', port: 80 });
  server.sockets.listenTcp({ address: '::', port: 80 }, { ipv6Only: true });
  expect(() => server.sockets.listenTcp({ address: '::', port: 80 })).toThrow('Address already in use');
});

test('a datagram over the MTU arrives, as fragments would; a ping that may not be fragmented is refused', async () => {
  const { world, client, server } = pair();
  const bound = server.sockets.openUdp({ local: { port: 53 } });
  client.sockets.openUdp().send(new Uint8Array(8000), { address: '10.0.0.2', port: 53 });
  expect((await settle(world, bound.receive())).bytes).toHaveLength(8000);
  const echo = client.sockets.openEcho();
  const seen: unknown[] = [];
  echo.onReply = (reply) => seen.push(reply);
  echo.send('10.0.0.2', { sequence: 1, sizeBytes: 3000 });
  await world.simulation.advance({ seconds: 1 });
  expect(seen).toMatchObject([{ kind: 'reply', sizeBytes: 3008 }]);
  expect(() => echo.send('10.0.0.2', { sequence: 2, sizeBytes: 3000, dontFragment: true })).toThrow(
    'Message too long',
  );
});
