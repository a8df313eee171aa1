// dmesg: the boot, modules that come and go, and bridges with their ports.
import { expect, test } from 'vitest';
import { makeBareMachine, makeTestNet } from '../../../support/make-machine.ts';

test('the boot’s lines are the machine’s own figures', () => {
  const { kernel } = makeBareMachine();
  const texts = kernel.messages.map(({ text }) => text);
  expect(texts[0]).toMatch(/^Linux version 3\.10\.0-1160\.el7\.x86_64 /);
  expect(texts).toContain('Memory: 3858759K/4194304K available');
  expect(texts).toContain('smp: Brought up 1 node, 2 CPUs');
  expect(texts).toContain('sd 0:0:0:0: [sda] 83886080 512-byte logical blocks: (42.9 GB/40 GiB)');
});

test('modules greet once, schedulers come and go', () => {
  const { kernel } = makeBareMachine();
  const before = kernel.messages.length;
  kernel.loadModule('ip_vs_rr');
  kernel.loadModule('ip-vs-rr');
  kernel.unloadModule('ip_vs_rr');
  kernel.unloadModule('ip_vs');
  expect(kernel.messages.slice(before).map(({ text }) => text)).toEqual([
    'IPVS: Registered protocols (TCP, UDP, SCTP, AH, ESP)',
    'IPVS: Connection hash table configured (size=4096, memory=64Kbytes)',
    'IPVS: ipvs loaded.',
    'IPVS: [rr] scheduler registered.',
    'IPVS: [rr] scheduler unregistered.',
    'IPVS: ipvs unloaded.',
  ]);
});

test('a veth that becomes a port of a bridge, and goes again, is told as the kernel tells it', () => {
  const { kernel, clock } = makeBareMachine();
  const { links } = kernel.net;
  const pod = makeTestNet(clock, 'pod');
  const bridge = links.addBridge({ name: 'cni0' });
  links.setUp(bridge);
  const before = kernel.messages.length;
  const veth = links.addVeth({ name: 'veth1', peer: { name: 'eth0', namespace: pod } });
  links.setMaster(veth, bridge);
  links.setUp(veth);
  pod.links.setUp(pod.links.require('eth0'));
  links.delete(veth);
  expect(kernel.messages.slice(before).map(({ text }) => text)).toEqual([
    'cni0: port 1(veth1) entered blocking state',
    'cni0: port 1(veth1) entered disabled state',
    'device veth1 entered promiscuous mode',
    'cni0: port 1(veth1) entered blocking state',
    'cni0: port 1(veth1) entered forwarding state',
    'IPv6: ADDRCONF(NETDEV_CHANGE): veth1: link becomes ready',
    'cni0: port 1(veth1) entered disabled state',
    'device veth1 left promiscuous mode',
    'cni0: port 1(veth1) entered disabled state',
  ]);
});
