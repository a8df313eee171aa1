import { expect, test } from 'vitest';
import { Packet } from '../../../../main/network/ip/packet.ts';
import { makeScheduler } from '../../../../main/network/ipvs/scheduler.ts';
import { RealServer } from '../../../../main/network/ipvs/server.ts';

function servers(...weights: number[]): RealServer[] {
  const settings = { forwarding: 'masq', upperThreshold: 0, lowerThreshold: 0 } as const;
  return weights.map((weight, index) => new RealServer(index, 80, { ...settings, weight }));
}

function draw(name: string, list: RealServer[], times: number, flags: string[] = []): (number | undefined)[] {
  const scheduler = makeScheduler(name, flags)!;
  scheduler.changed(list);
  return Array.from({ length: times }, (_, index) => {
    const packet = new Packet();
    packet.source = 0x0a000001 + index;
    packet.destination = 0x0a600001;
    const chosen = scheduler.schedule(list, packet);
    if (chosen !== undefined) chosen.activeConnections++;
    return chosen?.address;
  });
}

test('rr goes round and skips servers without weight', () => {
  expect(draw('rr', servers(1, 0, 1, 1), 7)).toEqual([0, 2, 3, 0, 2, 3, 0]);
});

test('wrr interleaves by weight: 4, 3, 2 gives the well-known AABABCABC', () => {
  expect(draw('wrr', servers(4, 3, 2), 9)).toEqual([0, 0, 1, 0, 1, 2, 0, 1, 2]);
  expect(draw('wrr', servers(100, 50), 6)).toEqual([0, 0, 1, 0, 0, 1]);
  expect(draw('wrr', servers(0, 0), 1)).toEqual([undefined]);
});

test('lc and wlc take the least loaded, sed and nq look one ahead', () => {
  expect(draw('lc', servers(1, 9), 4)).toEqual([0, 1, 0, 1]);
  expect(draw('wlc', servers(1, 3), 8).filter((each) => each === 1)).toHaveLength(6);
  expect(draw('sed', servers(1, 3), 4)).toEqual([1, 1, 0, 1]);
  expect(draw('nq', servers(1, 3), 4)).toEqual([0, 1, 1, 1]);
});

test('sh keeps a source with its server, and falls back only if told to', () => {
  const list = servers(1, 1, 1);
  expect(draw('sh', list, 50)).toEqual(draw('sh', list, 50));
  expect(new Set(draw('sh', list, 100)).size).toBe(3);
  const broken = servers(1, 1);
  const before = draw('sh', broken, 20);
  broken[0]!.weight = 0;
  const scheduler = makeScheduler('sh')!;
  scheduler.changed(servers(1, 1));
  expect(draw('sh', broken, 20, ['sh-fallback'])).not.toContain(undefined);
  expect(before).toContain(0);
});

test('a server over its upper threshold rests until three quarters are left', () => {
  const server = new RealServer(1, 80, {
    forwarding: 'masq',
    weight: 1,
    upperThreshold: 4,
    lowerThreshold: 0,
  });
  server.activeConnections = 4;
  server.updateOverload();
  expect(server.isUsable).toBe(false);
  server.activeConnections = 3;
  server.updateOverload();
  expect(server.isUsable).toBe(false);
  server.activeConnections = 2;
  server.updateOverload();
  expect(server.isUsable).toBe(true);
});
