// Where things stand in the picture, and that they stay there.
import { expect, test } from 'vitest';

import type { Topology, TopologyPod, TopologyService } from '../../../preload/contract.ts';
import { layoutTopology, NO_MEMORY, NOWHERE, type Box } from '../../../renderer/topology/topology-layout.ts';

const pod = (name: string, node: string | undefined): TopologyPod => ({
  namespace: 'default',
  name,
  status: 'Running',
  ready: true,
  restarts: 0,
  address: undefined,
  node,
  labels: {},
});

const service = (name: string, ...pods: string[]): TopologyService => ({
  namespace: 'default',
  name,
  type: 'ClusterIP',
  clusterIP: '10.96.0.9',
  ports: ['80/TCP'],
  externalAddresses: [],
  sessionAffinity: 'None',
  endpoints: pods.map((endpoint) => ({ pod: `default/${endpoint}`, address: '10.244.0.1', ready: true })),
});

const topology = (pods: TopologyPod[], services: TopologyService[] = []): Topology => ({
  machines: ['master1', 'worker1', 'worker2'].map((name) => ({
    name,
    address: '',
    role: 'worker',
    ready: true,
    unschedulable: false,
  })),
  pods,
  services,
});

const overlaps = (a: Box, b: Box): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

test('no two boxes overlap, and every Pod is inside its machine', () => {
  const pods = Array.from({ length: 40 }, (_, index) => pod(`p${index}`, ['worker1', 'worker2'][index % 3]));
  const services = [service('a', 'p0'), service('b', 'p1'), service('c')];
  const { layout } = layoutTopology(topology(pods, services), NO_MEMORY);
  const outer = [...layout.machines.values(), ...layout.services.values()];
  for (const a of outer) for (const b of outer) expect(a !== b && overlaps(a, b)).toBe(false);
  const inner = [...layout.pods.values()];
  expect(inner).toHaveLength(40);
  for (const a of inner) {
    const machine = layout.machines.get(a.machine)!;
    expect(a.x + a.width).toBeLessThanOrEqual(machine.width);
    expect(a.y + a.height).toBeLessThanOrEqual(machine.height);
    for (const b of inner) expect(a !== b && a.machine === b.machine && overlaps(a, b)).toBe(false);
  }
});

test('a Pod that goes leaves its neighbours where they are, and the next one takes its place', () => {
  const first = layoutTopology(topology(['a', 'b', 'c'].map((name) => pod(name, 'worker1'))), NO_MEMORY);
  const second = layoutTopology(topology(['b', 'c'].map((name) => pod(name, 'worker1'))), first.memory);
  expect(second.layout.pods.get('default/c')).toEqual(first.layout.pods.get('default/c'));
  const third = layoutTopology(topology(['a2', 'b', 'c'].map((name) => pod(name, 'worker1'))), second.memory);
  expect(third.layout.pods.get('default/a2')).toEqual(first.layout.pods.get('default/a'));
});

test('a new Service leaves the others in their order', () => {
  const pods = [pod('a', 'master1'), pod('b', 'worker2')];
  const first = layoutTopology(topology(pods, [service('z', 'a'), service('y', 'b')]), NO_MEMORY);
  const second = layoutTopology(
    topology(pods, [service('a-new', 'a'), service('z', 'a'), service('y', 'b')]),
    first.memory,
  );
  const xOf = (name: string): number => second.layout.services.get(`default/${name}`)!.x;
  expect(xOf('z')).toBeLessThan(xOf('y'));
  expect(xOf('y')).toBeLessThan(xOf('a-new'));
});

test('at first a Service stands near the machines that answer for it', () => {
  const pods = [pod('left', 'master1'), pod('right', 'worker2')];
  const { layout } = layoutTopology(
    topology(pods, [service('to-right', 'right'), service('to-left', 'left')]),
    NO_MEMORY,
  );
  expect(layout.services.get('default/to-left')!.x).toBeLessThan(layout.services.get('default/to-right')!.x);
});

test('a Pod without a machine waits in a box of its own, until it has one', () => {
  const first = layoutTopology(topology([pod('a', undefined)]), NO_MEMORY);
  expect(first.layout.pods.get('default/a')!.machine).toBe(NOWHERE);
  const second = layoutTopology(topology([pod('a', 'worker1')]), first.memory);
  expect(second.layout.pods.get('default/a')!.machine).toBe('worker1');
  expect(second.layout.machines.has(NOWHERE)).toBe(false);
});

test('many machines stand in rows', () => {
  const machines = Array.from({ length: 50 }, (_, index) => ({
    name: `n${index}`,
    address: '',
    role: 'worker' as const,
    ready: true,
    unschedulable: false,
  }));
  const pods = Array.from({ length: 120 }, (_, index) => pod(`p${index}`, `n${(index * 7) % 50}`));
  const { layout } = layoutTopology({ machines, pods, services: [] }, NO_MEMORY);
  const boxes = [...layout.machines.values()];
  for (const a of boxes) for (const b of boxes) expect(a !== b && overlaps(a, b)).toBe(false);
  expect(layout.width / layout.height).toBeGreaterThan(1);
  expect(layout.width / layout.height).toBeLessThan(5);
});

test('a thousand Pods on a hundred machines are laid out in less than a tenth of a second', () => {
  const machines = Array.from({ length: 100 }, (_, index) => ({
    name: `n${index}`,
    address: '',
    role: 'worker' as const,
    ready: true,
    unschedulable: false,
  }));
  const pods = Array.from({ length: 1000 }, (_, index) => pod(`p${index}`, `n${index % 100}`));
  const { memory } = layoutTopology({ machines, pods, services: [] }, NO_MEMORY);
  const startedMs = performance.now();
  layoutTopology({ machines, pods: pods.slice(1), services: [] }, memory);
  expect(performance.now() - startedMs).toBeLessThan(100);
});
