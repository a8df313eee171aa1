import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TraceRecord } from '../../../../main/network/index.ts';
import { addDefaultRoute, fetchText, joinVeth, makeWorld, serveText } from '../world.ts';

const ENDS = new Set(['rule-drop', 'rule-reject', 'policy-drop']);

/** How a packet's way ended, as the trace tells it. */
function endsOf(records: readonly TraceRecord[]): string[] {
  return records.flatMap((record) => {
    if (record.kind === 'deliver') return ['delivered'];
    if (record.kind === 'drop' && record.subject !== 'deliver') return [`dropped: ${record.reason}`];
    return ENDS.has(record.reason ?? '') ? [`dropped: ${record.reason}`] : [];
  });
}

test('no packet is both delivered and dropped, nor ends twice (property)', async () => {
  const rule = fc.oneof(
    fc.constantFrom(
      '-A FORWARD -j DROP',
      '-A FORWARD -j REJECT',
      '-P FORWARD DROP',
      '-A FORWARD -p tcp --tcp-flags SYN,ACK SYN -j ACCEPT',
    ),
    fc.constantFrom(
      '-A INPUT -p tcp -j DROP',
      '-A OUTPUT -j REJECT',
      '-A FORWARD -m statistic --mode random --probability 0.3 -j DROP',
    ),
  );
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(rule, { maxLength: 3 }), fc.nat(1000), async (rules, seed) => {
      const world = makeWorld(seed);
      const [client, router, server] = ['client', 'router', 'server'].map((name) => world.namespace(name));
      joinVeth(client!, 'eth0', '10.0.1.2/24', router!, 'a', '10.0.1.1/24');
      joinVeth(server!, 'eth0', '10.0.2.2/24', router!, 'b', '10.0.2.1/24');
      addDefaultRoute(client!, '10.0.1.1');
      addDefaultRoute(server!, '10.0.2.1');
      router!.sysctls.set('net.ipv4.ip_forward', '1');
      router!.netfilter.restore(['*filter', ...rules, 'COMMIT'].join('\n'));
      for (const machine of [router!, server!]) serveText(machine, 80, machine.name);
      const byPacket = new Map<number, TraceRecord[]>();
      world.trace.listen((record) =>
        byPacket.set(record.packetId, [...(byPacket.get(record.packetId) ?? []), record]),
      );
      for (const target of ['10.0.2.2', '10.0.1.1', '10.0.2.9', '192.0.2.1']) {
        await fetchText(world, client!, target, 80).catch(() => undefined);
      }
      for (const records of byPacket.values()) {
        const ends = endsOf(records);
        ends.forEach((end) => seen.add(end));
        expect(ends.slice(1)).toEqual([]);
      }
    }),
    { numRuns: 40, seed: 2 },
  );
  expect(seen).toEqual(
    new Set([
      'delivered',
      'dropped: rule-drop',
      'dropped: rule-reject',
      'dropped: policy-drop',
      'dropped: no-arp-reply',
      'dropped: no-route',
    ]),
  );
});

test('the same seed tells the same story', async () => {
  const story = async (): Promise<string> => {
    const world = makeWorld(5);
    const [client, server] = [world.namespace('client'), world.namespace('server')];
    joinVeth(client, 'eth0', '10.0.0.1/24', server, 'eth0', '10.0.0.2/24');
    client.links.require('eth0').cable!.lossRate = 0.2;
    serveText(server, 80, 'x'.repeat(20_000));
    const records: TraceRecord[] = [];
    world.trace.listen((record) => records.push(record));
    await fetchText(world, client, '10.0.0.2', 80);
    return JSON.stringify(records);
  };
  expect(await story()).toBe(await story());
});
