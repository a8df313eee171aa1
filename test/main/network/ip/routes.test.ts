import { expect, test } from 'vitest';
import { joinVeth, makeWorld, up } from '../world.ts';

/** worker1 of the recordings: eth0, flannel.1, cni0. */
function worker() {
  const world = makeWorld();
  const machine = world.namespace('worker1');
  joinVeth(machine, 'eth0', undefined, world.namespace('lan'), 'port', undefined);
  const eth0 = machine.links.require('eth0');
  machine.addresses.add(eth0, { address: '192.168.10.11', prefixLength: 24, broadcast: '+' });
  const flannel = machine.links.addVxlan({ name: 'flannel.1', id: 1, underlay: eth0 });
  up(machine, 'flannel.1', '10.244.1.0/32');
  machine.links.addBridge({ name: 'cni0' });
  up(machine, 'cni0');
  machine.addresses.add(machine.links.require('cni0'), {
    address: '10.244.1.1',
    prefixLength: 24,
    broadcast: '+',
  });
  machine.routes.add({
    destination: '0.0.0.0',
    prefixLength: 0,
    gateway: '192.168.10.1',
    protocol: 'static',
  });
  machine.routes.add({
    destination: '10.244.2.0',
    prefixLength: 24,
    gateway: '10.244.2.0',
    link: flannel,
    onlink: true,
  });
  return { world, machine, eth0, flannel };
}

test('the local table holds what ip shows on a worker', () => {
  const { machine } = worker();
  const local = machine.routes.list(255).map((route) => {
    const { type, destination, prefixLength, link, scope, source } = route;
    return `${type} ${destination}${prefixLength === 32 ? '' : `/${prefixLength}`} dev ${link?.name} scope ${scope} src ${source}`;
  });
  expect(local).toEqual([
    'local 10.244.1.0 dev flannel.1 scope host src 10.244.1.0',
    'local 10.244.1.1 dev cni0 scope host src 10.244.1.1',
    'broadcast 10.244.1.255 dev cni0 scope link src 10.244.1.1',
    'local 127.0.0.0/8 dev lo scope host src 127.0.0.1',
    'local 127.0.0.1 dev lo scope host src 127.0.0.1',
    'broadcast 127.255.255.255 dev lo scope link src 127.0.0.1',
    'local 192.168.10.11 dev eth0 scope host src 192.168.10.11',
    'broadcast 192.168.10.255 dev eth0 scope link src 192.168.10.11',
  ]);
});

test('route get finds the longest prefix and the right source', () => {
  const { machine } = worker();
  const get = (destination: string) => {
    const { gateway, link, source, type } = machine.routes.get({ destination });
    return `${type} ${gateway ?? '-'} ${link.name} ${source}`;
  };
  expect(get('10.244.2.10')).toBe('unicast 10.244.2.0 flannel.1 10.244.1.0');
  expect(get('10.244.1.10')).toBe('unicast - cni0 10.244.1.1');
  expect(get('8.8.8.8')).toBe('unicast 192.168.10.1 eth0 192.168.10.11');
  expect(get('192.168.10.11')).toBe('local - lo 192.168.10.11');
  expect(get('127.0.0.5')).toBe('local - lo 127.0.0.1');
});

test('special routes refuse in their own ways', () => {
  const { machine } = worker();
  for (const [type, code] of [
    ['blackhole', 'EINVAL'],
    ['unreachable', 'EHOSTUNREACH'],
    ['prohibit', 'EACCES'],
  ] as const) {
    machine.routes.add({ type, destination: '10.9.0.0', prefixLength: 16 });
    expect(() => machine.routes.get({ destination: '10.9.0.1' })).toThrow(expect.objectContaining({ code }));
    machine.routes.delete({ destination: '10.9.0.0', prefixLength: 16 });
  }
});

test('what ip refuses is refused', () => {
  const { machine, eth0 } = worker();
  const throws = (code: string, change: () => unknown) =>
    expect(change).toThrow(expect.objectContaining({ code }));
  throws('ENETUNREACH', () =>
    machine.routes.add({ destination: '10.8.0.0', prefixLength: 16, gateway: '172.16.0.1' }),
  );
  throws('EEXIST', () =>
    machine.routes.add({ destination: '0.0.0.0', prefixLength: 0, gateway: '192.168.10.2' }),
  );
  throws('EINVAL', () => machine.routes.add({ destination: '10.8.0.1', prefixLength: 16, link: eth0 }));
  throws('ESRCH', () => machine.routes.delete({ destination: '10.8.0.0', prefixLength: 16 }));
  throws('EEXIST', () => machine.addresses.add(eth0, { address: '192.168.10.11', prefixLength: 24 }));
  throws('EADDRNOTAVAIL', () => machine.addresses.delete(eth0, '192.168.10.99'));
  throws('ENODEV', () => machine.links.require('eth9'));
  throws('EEXIST', () => machine.links.addDummy({ name: 'eth0' }));
  throws('EOPNOTSUPP', () => machine.links.delete(machine.links.require('lo')));
});

test('policy rules choose tables by source and mark', () => {
  const { machine, eth0, flannel } = worker();
  machine.routes.add({ table: 100, destination: '0.0.0.0', prefixLength: 0, link: flannel });
  machine.routes.addRule({ from: '10.244.1.0/24', action: { kind: 'lookup', table: 100 } });
  machine.routes.addRule({ mark: { value: 1, mask: 1 }, action: { kind: 'lookup', table: 100 } });
  expect(machine.routes.listRules().map((rule) => rule.priority)).toEqual([0, 32764, 32765, 32766, 32767]);
  expect(machine.routes.get({ destination: '8.8.8.8' }).link).toBe(eth0);
  expect(machine.routes.get({ destination: '8.8.8.8', source: '10.244.1.7', inLink: eth0 }).link).toBe(
    flannel,
  );
  expect(machine.routes.get({ destination: '8.8.8.8', mark: 1 }).link).toBe(flannel);
});

test('a link that goes down takes its routes along, but not its local addresses', () => {
  const { machine, eth0 } = worker();
  machine.links.setDown(eth0);
  expect(machine.routes.list().some((route) => route.link === eth0)).toBe(false);
  expect(machine.addresses.isLocal('192.168.10.11')).toBe(true);
  machine.links.setUp(eth0);
  expect(machine.routes.list().map((route) => route.destination)).toContain('192.168.10.0');
  expect(machine.routes.list().map((route) => route.destination)).not.toContain('0.0.0.0');
});

test('multipath routes share destinations out by weight', () => {
  const { machine, eth0 } = worker();
  const hop = (gateway: string, weight: number) => ({ gateway, link: eth0, weight, onlink: false });
  machine.routes.add({
    destination: '172.31.0.0',
    prefixLength: 16,
    nextHops: [hop('192.168.10.10', 1), hop('192.168.10.12', 3)],
  });
  const counts: Record<string, number> = {};
  for (let i = 0; i < 400; i++) {
    const { gateway = '' } = machine.routes.get({ destination: `172.31.${i >> 8}.${i & 255}` });
    counts[gateway] = (counts[gateway] ?? 0) + 1;
  }
  expect(counts['192.168.10.12']! / 400).toBeGreaterThan(0.65);
  expect(counts['192.168.10.10']! / 400).toBeGreaterThan(0.15);
});
