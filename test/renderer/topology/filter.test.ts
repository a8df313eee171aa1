// Which namespaces are shown, and how a Pod's state is judged.
import { expect, test } from 'vitest';

import type { Topology } from '../../../preload/contract.ts';
import {
  ALL_NAMESPACES,
  filterTopology,
  namespacesOf,
  USER_NAMESPACES,
} from '../../../renderer/topology/filter.ts';
import { podTone } from '../../../renderer/topology/words.ts';

const topology: Topology = {
  machines: [],
  services: [],
  pods: ['default', 'kube-system', 'web'].map((namespace) => ({
    namespace,
    name: 'p',
    status: 'Running',
    ready: true,
    restarts: 0,
    address: undefined,
    node: undefined,
    labels: {},
  })),
};

test('the system namespaces are hidden until they are asked for', () => {
  const shown = (filter: string): string[] => namespacesOf(filterTopology(topology, filter));
  expect(shown(USER_NAMESPACES)).toEqual(['default', 'web']);
  expect(shown(ALL_NAMESPACES)).toEqual(['default', 'kube-system', 'web']);
  expect(shown('kube-system')).toEqual(['kube-system']);
});

test('a Pod in trouble is told from one on its way', () => {
  const tone = (status: string, ready = false): string => podTone({ status, ready });
  expect(tone('Running', true)).toBe('good');
  expect(tone('Running')).toBe('busy');
  expect(tone('ContainerCreating')).toBe('busy');
  expect(tone('Terminating', true)).toBe('busy');
  expect(tone('Completed')).toBe('done');
  for (const status of ['CrashLoopBackOff', 'ErrImagePull', 'Error', 'OOMKilled', 'Init:Error', 'Evicted']) {
    expect(tone(status)).toBe('bad');
  }
});
