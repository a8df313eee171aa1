import { expect, test } from 'vitest';
import { parseRule, splitLine } from '../../../../main/network/index.ts';
import { makeWorld } from '../world.ts';

// Left: what is typed. Middle: as saved. Right: as listed with -n. From the recordings of iptables 1.8.9.
test.each([
  ['-p tcp --dport 8080 -j DROP', '-p tcp -m tcp --dport 8080 -j DROP', 'tcp dpt:8080'],
  [
    '-s 192.168.10.100 -j REJECT',
    '-s 192.168.10.100/32 -j REJECT --reject-with icmp-port-unreachable',
    'reject-with icmp-port-unreachable',
  ],
  [
    '-p tcp -m multiport --dports 80,443 -m state --state NEW -m limit --limit 5/min -j LOG --log-prefix "fwd: "',
    '-p tcp -m multiport --dports 80,443 -m state --state NEW -m limit --limit 5/min -j LOG --log-prefix "fwd: "',
    'multiport dports 80,443 state NEW limit: avg 5/min burst 5 LOG flags 0 level 4 prefix "fwd: "',
  ],
  ['-s 172.17.0.0/16 ! -o docker0 -j MASQUERADE', '-s 172.17.0.0/16 ! -o docker0 -j MASQUERADE', ''],
  [
    '-d 10.0.0.1/255.255.255.0 -p icmp --icmp-type echo-request',
    '-d 10.0.0.0/24 -p icmp -m icmp --icmp-type 8',
    'icmptype 8',
  ],
  [
    '-p tcp --syn -m mark ! --mark 4',
    '-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -m mark ! --mark 0x4',
    'tcp flags:0x17/0x02 mark match ! 0x4',
  ],
  ['-j MARK --set-mark 0x10', '-j MARK --set-xmark 0x10/0xffffffff', 'MARK set 0x10'],
  [
    '-m statistic --mode nth --every 3',
    '-m statistic --mode nth --every 3 --packet 0',
    'statistic mode nth every 3',
  ],
  ['-g OTHER', '-g OTHER', '[goto] '.trimEnd()],
])('%s', (typed, saved, listed) => {
  const rule = parseRule(splitLine(typed));
  expect(rule.toSpec()).toBe(saved);
  expect(rule.describe(true).trim()).toBe(listed);
  expect(parseRule(splitLine(saved)).toSpec()).toBe(saved);
});

test.each([
  ['--dport 80 -j DROP', 'unknown option "--dport"'],
  ['-p foo -j DROP', 'unknown protocol "foo" specified'],
  ['-s 300.1.1.1 -j DROP', "host/network `300.1.1.1' not found"],
  ['--foo', 'unknown option "--foo"'],
])('%s is refused in iptables’ words', (typed, message) => {
  expect(() => parseRule(splitLine(typed))).toThrow(message);
});

test('tables refuse as iptables does', () => {
  const machine = makeWorld().namespace('machine');
  const filter = machine.netfilter.table('filter');
  const refuses = (message: string, change: () => unknown) => expect(change).toThrow(message);
  filter.newChain('TEST');
  refuses('Chain already exists.', () => filter.newChain('TEST'));
  refuses('No chain/target/match by that name.', () => filter.insert('NOCHAIN', parseRule(['-j', 'DROP'])));
  refuses("Chain 'NOTARGET' does not exist", () => filter.insert('INPUT', parseRule(['-j', 'NOTARGET'])));
  refuses('Bad built-in chain name.', () => filter.setPolicy('FOO', 'DROP'));
  refuses('Bad rule (does a matching rule exist in that chain?).', () =>
    filter.deleteRule('INPUT', parseRule(['-j', 'DROP'])),
  );
  filter.insert('INPUT', parseRule(['-j', 'TEST']));
  refuses(' CHAIN_DEL failed (Device or resource busy): chain TEST', () => filter.deleteChain('TEST'));
  expect(filter.chain('TEST')!.references).toBe(1);
});

test('a restore that fails changes nothing, and says which line', () => {
  const machine = makeWorld().namespace('machine');
  machine.netfilter.restore('*filter\n-A INPUT -j DROP\nCOMMIT\n');
  const before = machine.netfilter.save();
  const bad = '*filter\n:NEW - [0:0]\n-A NEW -p foo\nCOMMIT\n';
  expect(() => machine.netfilter.restore(bad, { noFlush: true })).toThrow(
    expect.objectContaining({ line: 3 }),
  );
  expect(() => machine.netfilter.restore('*filter\n-A INPUT -j ACCEPT\n')).toThrow('COMMIT expected');
  expect(() => machine.netfilter.restore('foo')).toThrow(expect.objectContaining({ line: 1, exitCode: 1 }));
  expect(machine.netfilter.save()).toBe(before);
});

test('ipsets refuse as ipset does, and stay while rules use them', () => {
  const machine = makeWorld().namespace('machine');
  const set = machine.ipsets.create('WEB', 'hash:ip,port');
  set.add('10.96.0.1,tcp:443');
  expect(() => set.add('10.96.0.1,tcp:443')).toThrow(
    "Element cannot be added to the set: it's already added",
  );
  expect(() => set.delete('10.96.9.9,tcp:443')).toThrow(
    "Element cannot be deleted from the set: it's not added",
  );
  expect(() => set.add('foo')).toThrow('Syntax error: Second element is missing from foo.');
  expect(() => machine.ipsets.create('X', 'hash:foo' as 'hash:ip')).toThrow(
    "Syntax error: typename 'hash:foo' is unknown",
  );
  machine.netfilter.restore('*filter\n-A INPUT -m set --match-set WEB dst,dst -j ACCEPT\nCOMMIT\n');
  expect(() => machine.ipsets.destroy('WEB')).toThrow(
    'Set cannot be destroyed: it is in use by a kernel component',
  );
  machine.netfilter.restore('*filter\n-A INPUT -j ACCEPT\n-D INPUT -j ACCEPT\nCOMMIT\n');
  machine.ipsets.destroy('WEB');
  expect(() => machine.ipsets.require('WEB')).toThrow('The set with the given name does not exist');
});

test('nets in a set match by prefix; timeouts run out', async () => {
  const world = makeWorld();
  const set = world.namespace('machine').ipsets.create('NETS', 'hash:net', { timeoutSeconds: 300 });
  set.add('10.1.0.0/16');
  set.add('10.2.3.4', { timeoutSeconds: 10 });
  expect(['10.1.200.3', '10.2.3.4', '10.3.0.1'].map((address) => set.test(address))).toEqual([
    true,
    true,
    false,
  ]);
  await world.simulation.advance({ seconds: 20 });
  expect(set.list()).toMatchObject([{ text: '10.1.0.0/16', timeoutSeconds: 280 }]);
});
