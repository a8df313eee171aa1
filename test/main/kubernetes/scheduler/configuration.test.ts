import { expect, test } from 'vitest';
import { readSchedulerProfiles } from '../../../../main/kubernetes/scheduler/index.ts';

const file = (rest: string): string =>
  `apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n${rest}`;

test('profiles are known by their names', () => {
  expect(readSchedulerProfiles(file(''))).toEqual(['default-scheduler']);
  expect(
    readSchedulerProfiles(file('profiles:\n- schedulerName: default-scheduler\n- schedulerName: batch\n')),
  ).toEqual(['default-scheduler', 'batch']);
});

test('what cannot be used is refused', () => {
  expect(() => readSchedulerProfiles('kind: Pod')).toThrow('KubeSchedulerConfiguration');
  expect(() => readSchedulerProfiles(file('profiles:\n- {}\n- {}\n'))).toThrow(
    'duplicate profile with scheduler name "default-scheduler"',
  );
  expect(() => readSchedulerProfiles(file('profiles:\n- plugins: {}\n'))).toThrow("isn't simulated");
});
