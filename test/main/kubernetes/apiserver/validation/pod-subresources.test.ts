import { expect, test } from 'vitest';
import { defaulterOf } from '../../../../../main/kubernetes/apiserver/kinds/defaults.ts';
import type { ApiObject, StoredObject } from '../../../../../main/kubernetes/apiserver/object.ts';
import { podSubresources } from '../../../../../main/kubernetes/apiserver/validation/pod-subresources.ts';

function pod(spec: object): ApiObject {
  const object = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'n', uid: 'u', resourceVersion: '1' },
    spec: { containers: [{ name: 'c', image: 'i', resources: {} }], ...spec },
  };
  defaulterOf('pods')!(object);
  return object;
}

function faults(subresource: string, before: object, after: object): string[] {
  const old = pod(before) as StoredObject;
  const object = pod(after);
  podSubresources[subresource]!.prepare(object, old);
  return podSubresources[subresource]!.validate(object, old).map(({ field, body }) => `${field}: ${body}`);
}

const debug = (more: object = {}): object => ({ ephemeralContainers: [{ name: 'e', image: 'b', ...more }] });

test('an ephemeral container may be added to a pod, and then stays as it is', () => {
  expect(faults('ephemeralcontainers', {}, debug())).toEqual([]);
  expect(faults('ephemeralcontainers', debug(), {})).toEqual([
    'spec.ephemeralContainers: Forbidden: existing ephemeral containers "e" may not be removed\n',
  ]);
  expect(faults('ephemeralcontainers', debug(), debug({ tty: true }))).toEqual([
    expect.stringMatching(
      /^spec\.ephemeralContainers: Forbidden: existing ephemeral containers "e" may not be changed\n@@[^]*- "TTY": false,\n\+ "TTY": true,/,
    ),
  ]);
});

test('it is looked at as other containers are, and may have less', () => {
  const found = faults(
    'ephemeralcontainers',
    {},
    debug({
      name: 'c',
      image: '',
      env: [{ name: '' }],
      restartPolicy: 'Always',
      ports: [{ containerPort: 80 }],
      targetContainerName: 'x',
    }),
  );
  expect(found).toEqual([
    'spec.ephemeralContainers[0].image: Required value',
    'spec.ephemeralContainers[0].env[0].name: Required value',
    'spec.ephemeralContainers[0].name: Duplicate value: "c"',
    'spec.ephemeralContainers[0].targetContainerName: Not found: "x"',
    'spec.ephemeralContainers[0].restartPolicy: Forbidden: cannot be set for an Ephemeral Container',
    'spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container',
  ]);
});

test('a resize changes amounts of processor and memory, and no more than its limits', () => {
  const sized = (resources: object): object => ({ containers: [{ name: 'c', image: 'i', resources }] });
  const before = sized({ requests: { cpu: '1' }, limits: { cpu: '2' } });
  expect(faults('resize', before, sized({ requests: { cpu: '1500m' }, limits: { cpu: '2' } }))).toEqual([]);
  expect(faults('resize', before, sized({ requests: { cpu: '3' }, limits: { cpu: '2' } }))).toEqual([
    'spec.containers[0].resources.requests: Invalid value: "3": must be less than or equal to cpu limit of 2',
  ]);
  expect(faults('resize', before, sized({ requests: { cpu: '1' } }))).toEqual([
    'spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed',
  ]);
});
