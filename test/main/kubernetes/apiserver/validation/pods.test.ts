import { expect, test } from 'vitest';
import { faultsOf, updateFaultsOf } from '../../../../support/judged.ts';

const pod = (spec: object = {}, metadata: object = {}): { metadata: object; spec: object } => ({
  metadata,
  spec: { containers: [{ name: 'c', image: 'nginx:1' }], ...spec },
});

const NOT_THESE =
  /^spec: Forbidden: pod updates may not change fields other than `spec\.containers\[\*\]\.image`/;

test('an image may change, and be neither empty nor padded', () => {
  const image = (name: string): object =>
    pod({ containers: [{ name: 'c', image: name, imagePullPolicy: 'Always' }] });
  expect(updateFaultsOf('pods', image('a:1'), image('a:2'))).toEqual([]);
  expect(updateFaultsOf('pods', image('a:1'), image(' a:2'))).toContain(
    'spec.containers[0].image: Invalid value: " a:2": must not have leading or trailing whitespace',
  );
});

test('containers neither come nor go', () => {
  const two = pod({
    containers: [
      { name: 'c', image: 'nginx:1' },
      { name: 'd', image: 'nginx:1' },
    ],
  });
  expect(updateFaultsOf('pods', pod(), two)).toEqual([
    'spec.containers: Forbidden: pod updates may not add or remove containers',
  ]);
});

test('another field may not change, and the message shows the difference of the internal types', () => {
  const [fault, ...others] = updateFaultsOf('pods', pod({ hostname: 'a' }), pod({ hostname: 'b' }));
  expect(others).toEqual([]);
  expect(fault).toMatch(NOT_THESE);
  expect(fault).toMatch(/\n- "Hostname": "a",\n\+ "Hostname": "b",\n/);
});

test('the deadline may only come nearer, and never go', () => {
  const deadline = (seconds?: number): object =>
    pod(seconds === undefined ? {} : { activeDeadlineSeconds: seconds });
  expect(updateFaultsOf('pods', deadline(), deadline(9))).toEqual([]);
  expect(updateFaultsOf('pods', deadline(9), deadline(8))).toEqual([]);
  expect(updateFaultsOf('pods', deadline(8), deadline(9))).toEqual([
    'spec.activeDeadlineSeconds: Invalid value: 9: must be less than or equal to previous value',
  ]);
  expect(updateFaultsOf('pods', deadline(8), deadline())).toEqual([
    'spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value',
  ]);
});

test('tolerations may be added, and only the seconds of one that is there may change', () => {
  const tolerant = (...tolerations: object[]): object => pod({ tolerations });
  const seconds = (tolerationSeconds: number): object => ({
    key: 'k',
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds,
  });
  const other = { key: 'l', operator: 'Equal', value: 'v', effect: 'NoSchedule' };
  expect(updateFaultsOf('pods', tolerant(seconds(1)), tolerant(seconds(2), other))).toEqual([]);
  expect(updateFaultsOf('pods', tolerant(other), tolerant({ ...other, value: 'w' }))).toEqual([
    'spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds',
  ]);
});

test('a grace period may only be mended from a negative one to 1', () => {
  const grace = (terminationGracePeriodSeconds: number): object => pod({ terminationGracePeriodSeconds });
  expect(updateFaultsOf('pods', grace(30), grace(1))).toEqual([expect.stringMatching(NOT_THESE)]);
});

test('gates are only taken away', () => {
  const gated = (...names: string[]): object => pod({ schedulingGates: names.map((name) => ({ name })) });
  expect(updateFaultsOf('pods', gated('a', 'b'), gated('b'))).toEqual([]);
  expect(updateFaultsOf('pods', gated('a'), gated('a', 'b'))).toEqual([
    "spec.schedulingGates[1].name: Forbidden: only deletion is allowed, but found new scheduling gate 'b'",
  ]);
});

test('a gated pod may ask for fewer nodes, never for others', () => {
  const gated = (spec: object): object => pod({ schedulingGates: [{ name: 'a' }], ...spec });
  const one = gated({ nodeSelector: { disk: 'ssd' } });
  expect(updateFaultsOf('pods', one, gated({ nodeSelector: { disk: 'ssd', zone: 'z' } }))).toEqual([]);
  expect(updateFaultsOf('pods', one, gated({ nodeSelector: { disk: 'hdd' } }))).toEqual([
    'spec.nodeSelector: Invalid value: {"disk":"hdd"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)',
  ]);
  const affinity = (...keys: string[]): object =>
    gated({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: keys.map((key) => ({ key, operator: 'Exists' })) }],
          },
        },
      },
    });
  expect(updateFaultsOf('pods', gated({}), affinity('a'))).toEqual([]);
  expect(updateFaultsOf('pods', affinity('a'), affinity('a', 'b'))).toEqual([]);
  expect(updateFaultsOf('pods', affinity('a'), affinity('b'))[0]).toMatch(
    /nodeSelectorTerms\[0\]: Invalid value: .*: only additions are allowed \(no mutations or deletions\)$/,
  );
});

test('new pods have no ephemeral containers, and mirror pods a node', () => {
  expect(faultsOf('pods', pod({ ephemeralContainers: [{ name: 'e', image: 'e' }] }))).toContain(
    'spec.ephemeralContainers: Forbidden: cannot be set on create',
  );
  expect(faultsOf('pods', pod({}, { annotations: { 'kubernetes.io/config.mirror': 'h' } }))).toEqual([
    'metadata.annotations[kubernetes.io/config.mirror]: Invalid value: "h": must set spec.nodeName if mirror pod annotation is set',
  ]);
});

test('a binding changes what updates may not', () => {
  expect(updateFaultsOf('pods', pod(), pod({ nodeName: 'n' }), 'binding')).toEqual([]);
  expect(updateFaultsOf('pods', pod(), pod({ nodeName: 'n' }))).toEqual([expect.stringMatching(NOT_THESE)]);
});
