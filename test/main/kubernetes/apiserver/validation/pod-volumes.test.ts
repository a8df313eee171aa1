import { expect, test } from 'vitest';
import { faultsOf } from '../../../../support/judged.ts';

const withVolume = (volume: object, container: object = {}): string[] =>
  faultsOf('pods', {
    spec: { containers: [{ name: 'c', image: 'i', ...container }], volumes: [{ name: 'v', ...volume }] },
  });

test.each([
  [{ hostPath: { path: '' } }, ['hostPath.path: Required value']],
  [{ nfs: { server: 's', path: 'p' } }, ['nfs.path: Invalid value: "p": must be an absolute path']],
  [{ secret: { secretName: '' } }, ['secret.secretName: Required value']],
  [
    { configMap: { name: 'c', defaultMode: 512, items: [{ key: 'k', path: '../x' }] } },
    [
      'configMap.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive',
      'configMap.items[0].path: Invalid value: "../x": must not contain \'..\'',
    ],
  ],
  [
    { configMap: { name: 'c', items: [{ key: 'k', path: '..x', mode: -1 }] } },
    [
      'configMap.items[0].path: Invalid value: "..x": must not start with \'..\'',
      'configMap.items[0].mode: Invalid value: -1: must be a number between 0 and 0777 (octal), both inclusive',
    ],
  ],
  [
    { downwardAPI: { items: [{ path: 'a' }] } },
    ['downwardAPI: Required value: one of fieldRef and resourceFieldRef is required'],
  ],
  [
    { downwardAPI: { items: [{ path: 'a', fieldRef: { fieldPath: 'status.podIP' } }] } },
    [
      'downwardAPI.fieldRef.fieldPath: Unsupported value: "status.podIP": supported values: "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"',
    ],
  ],
  [
    { downwardAPI: { items: [{ path: 'a', resourceFieldRef: { resource: 'limits.cpu' } }] } },
    ['downwardAPI.resourceFieldRef.containerName: Required value'],
  ],
  [
    { projected: { sources: [{ serviceAccountToken: { path: 't', expirationSeconds: 5 } }] } },
    [
      'projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes',
    ],
  ],
  [
    { projected: { sources: [{ secret: { name: 's' }, configMap: { name: 'c' } }] } },
    ['projected.sources[0].configMap: Forbidden: may not specify more than 1 volume type'],
  ],
  [
    {
      projected: {
        sources: [
          { secret: { name: 's', items: [{ key: 'k', path: 'p' }] } },
          { configMap: { name: 'c', items: [{ key: 'k', path: 'p' }] } },
        ],
      },
    },
    ['projected: Invalid value: "c": conflicting duplicate paths'],
  ],
  [
    { csi: { driver: 'A_' } },
    [
      expect.stringMatching(
        /^spec\.volumes\[0\]\.csi\.driver: Invalid value: "a_": a lowercase RFC 1123 subdomain/,
      ),
    ],
  ],
  [{ image: { reference: '', pullPolicy: 'Always' } }, ['image.reference: Required value']],
  [
    { gcePersistentDisk: { pdName: 'p', partition: 300 } },
    ['gcePersistentDisk.partition: Invalid value: 300: must be between 0 and 255, inclusive'],
  ],
  [{ rbd: {} }, ['rbd.monitors: Required value', 'rbd.image: Required value']],
  [
    { iscsi: { targetPortal: 'p', iqn: 'x', lun: 0 } },
    ['iscsi.iqn: Invalid value: "x": must be valid format starting with iqn, eui, or naa'],
  ],
  [
    { ephemeral: { volumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'] } } } },
    ['ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value'],
  ],
] as const)('of %j it says what is wrong', (volume, expected) => {
  expect(withVolume(volume)).toEqual(
    expected.map((text) => (typeof text === 'string' ? `spec.volumes[0].${text}` : text)),
  );
});

test('of several sources the later ones are refused, in an order of their own', () => {
  expect(withVolume({ configMap: { name: 'c' }, emptyDir: {}, secret: { secretName: 's' } })).toEqual([
    'spec.volumes[0].secret: Forbidden: may not specify more than 1 volume type',
    'spec.volumes[0].configMap: Forbidden: may not specify more than 1 volume type',
  ]);
});

test('a volume with faults cannot be mounted either', () => {
  const mount = { volumeMounts: [{ name: 'v', mountPath: '/v' }] };
  expect(withVolume({ hostPath: { path: '' } }, mount)).toEqual([
    'spec.volumes[0].hostPath.path: Required value',
    'spec.containers[0].volumeMounts[0].name: Not found: "v"',
  ]);
});

test.each([
  [{ subPath: '/a' }, 'subPath: Invalid value: "/a": must be a relative path'],
  [
    { subPathExpr: '$(A)', subPath: 'b' },
    '[0].subPathExpr: Invalid value: "$(A)": subPathExpr and subPath are mutually exclusive',
  ],
  [
    { mountPropagation: 'Bidirectional' },
    'mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers',
  ],
  [
    { mountPropagation: 'X' },
    'mountPropagation: Unsupported value: "X": supported values: "Bidirectional", "HostToContainer", "None"',
  ],
  [
    { recursiveReadOnly: 'Enabled' },
    'recursiveReadOnly: Forbidden: may only be specified when readOnly is true',
  ],
])('of the mount %j it says what is wrong', (mount, expected) => {
  const path = 'spec.containers[0].volumeMounts';
  expect(withVolume({ emptyDir: {} }, { volumeMounts: [{ name: 'v', mountPath: '/v', ...mount }] })).toEqual([
    expected.startsWith('[') ? path + expected : `${path}.${expected}`,
  ]);
});

test('devices are claims, once each, and nothing is both mounted and a device', () => {
  const claim = { persistentVolumeClaim: { claimName: 'p' } };
  const device = { name: 'v', devicePath: '/d' };
  expect(withVolume(claim, { volumeDevices: [device] })).toEqual([]);
  expect(withVolume({ emptyDir: {} }, { volumeDevices: [device] })).toEqual([
    'spec.containers[0].volumeDevices[0].name: Invalid value: "v": can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode',
  ]);
  expect(withVolume(claim, { volumeDevices: [device, { name: 'v', devicePath: '/../e' }] })).toEqual([
    'spec.containers[0].volumeDevices[1].name: Invalid value: "v": must be unique',
    'spec.containers[0].volumeDevices[1].devicePath: Invalid value: "/../e": can not contain backsteps (\'..\')',
  ]);
  expect(
    withVolume(claim, { volumeDevices: [device], volumeMounts: [{ name: 'v', mountPath: '/d' }] }),
  ).toEqual([
    'spec.containers[0].volumeMounts[0].name: Invalid value: "v": must not already exist in volumeDevices',
    'spec.containers[0].volumeMounts[0].mountPath: Invalid value: "/d": must not already exist as a path in volumeDevices',
    'spec.containers[0].volumeDevices[0].name: Invalid value: "v": must not already exist in volumeMounts',
    'spec.containers[0].volumeDevices[0].devicePath: Invalid value: "/d": must not already exist as a path in volumeMounts',
  ]);
});
