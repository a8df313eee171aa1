import { expect, test } from 'vitest';
import { faultsOf, updateFaultsOf } from '../../../../support/judged.ts';

const claim = (spec: object = {}, phase = 'Pending', storage = '1Gi'): { spec: object; status: object } => ({
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } }, ...spec },
  status: { phase, ...(phase === 'Bound' ? { capacity: { storage: '1Gi' } } : {}) },
});

const IMMUTABLE =
  /^spec: Forbidden: spec is immutable after creation except resources\.requests and volumeAttributesClassName for bound claims\n@@/;

test.each([
  [{ storageClassName: '-' }, /^spec\.storageClassName: Invalid value: "-": a lowercase RFC 1123 subdomain/],
  [
    { selector: { matchExpressions: [{ key: 'a', operator: 'In' }] } },
    /^spec\.selector\.matchExpressions\[0\]\.values: Required value/,
  ],
  [{ dataSourceRef: { kind: 'X', name: 'x' } }, /^spec\.dataSourceRef: Invalid value: "X"$/],
  [
    {
      dataSource: { kind: 'PersistentVolumeClaim', name: 'a' },
      dataSourceRef: { kind: 'PersistentVolumeClaim', name: 'b' },
    },
    /^spec: Invalid value: \{\}: must match dataSourceRef$/,
  ],
])('of %j it says what is wrong', (spec, expected) => {
  expect(faultsOf('persistentvolumeclaims', claim(spec))).toEqual([expect.stringMatching(expected)]);
});

test('only a bound claim may ask for more', () => {
  expect(updateFaultsOf('persistentvolumeclaims', claim({}, 'Bound'), claim({}, 'Bound', '2Gi'))).toEqual([]);
  expect(updateFaultsOf('persistentvolumeclaims', claim(), claim({}, 'Pending', '2Gi'))).toEqual([
    expect.stringMatching(IMMUTABLE),
  ]);
});

test('a claim may be bound, once', () => {
  const bound = claim({ volumeName: 'v' });
  expect(updateFaultsOf('persistentvolumeclaims', claim(), bound)).toEqual([]);
  expect(updateFaultsOf('persistentvolumeclaims', bound, claim({ volumeName: 'w' }))).toEqual([
    expect.stringMatching(IMMUTABLE),
  ]);
});

test('a waiting claim may be given a class, which then stays', () => {
  const classed = claim({ storageClassName: 'fast' });
  expect(updateFaultsOf('persistentvolumeclaims', claim(), classed)).toEqual([]);
  expect(updateFaultsOf('persistentvolumeclaims', classed, claim({ storageClassName: 'slow' }))).toEqual([
    expect.stringMatching(IMMUTABLE),
  ]);
});

test('an expansion may be taken back, though not below what is there', () => {
  const grown = (storage: string): object => ({ ...claim({}, 'Bound', storage) });
  expect(updateFaultsOf('persistentvolumeclaims', grown('3Gi'), grown('2Gi'))).toEqual([]);
  expect(updateFaultsOf('persistentvolumeclaims', grown('3Gi'), grown('1Gi'))).toEqual([
    'spec.resources.requests.storage: Forbidden: field can not be less than status.capacity',
  ]);
});

test('a volume has one source, which stays', () => {
  const volume = (spec: object): object => ({
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], ...spec },
  });
  expect(
    faultsOf(
      'persistentvolumes',
      volume({ hostPath: { path: '/' }, persistentVolumeReclaimPolicy: 'Recycle' }),
    ),
  ).toEqual([
    "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'",
  ]);
  const csi = { driver: 'd', volumeHandle: 'h' };
  expect(
    updateFaultsOf(
      'persistentvolumes',
      volume({ csi }),
      volume({ csi: { ...csi, controllerExpandSecretRef: { name: 's', namespace: 'n' } } }),
    ),
  ).toEqual([]);
  expect(
    updateFaultsOf('persistentvolumes', volume({ csi }), volume({ csi: { ...csi, fsType: 'xfs' } })),
  ).toEqual([
    expect.stringMatching(
      /^spec\.persistentvolumesource: Forbidden: spec\.persistentvolumesource is immutable after creation\n@@/,
    ),
  ]);
  const zone = (name: string): object => ({
    nodeAffinity: {
      required: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: [name] }] }],
      },
    },
  });
  expect(
    updateFaultsOf('persistentvolumes', volume({ csi, ...zone('a') }), volume({ csi, ...zone('b') })),
  ).toEqual([
    expect.stringMatching(
      /^spec\.nodeAffinity: Invalid value: .*: field is immutable, except for updating from beta label to GA$/,
    ),
  ]);
});

test.each([
  [
    'csidrivers',
    { metadata: { name: 'A_' }, spec: { fsGroupPolicy: 'X' } },
    [/^metadata\.name: Invalid value: "a_"/, /^spec\.fsGroupPolicy: Unsupported value: "X"/],
  ],
  [
    'csinodes',
    {
      spec: {
        drivers: [
          { name: 'd', nodeID: 'n' },
          { name: 'd', nodeID: '' },
        ],
      },
    },
    [/^spec\.drivers\[1\]\.nodeID: Required value/, /^spec\.drivers\[1\]\.name: Duplicate value: "d"/],
  ],
  [
    'volumeattachments',
    { spec: { attacher: 'a', nodeName: 'n', source: {} } },
    [/^spec\.source: Required value: must specify exactly one of/],
  ],
  [
    'csistoragecapacities',
    { storageClassName: '', capacity: '-1' },
    [/^storageClassName: Required value/, /^capacity: Invalid value: "-1"/],
  ],
  [
    'volumeattributesclasses',
    { driverName: 'd' },
    [/^parameters: Required value: must contain at least one key\/value pair/],
  ],
  [
    'storageclasses',
    {
      provisioner: 'a b',
      allowedTopologies: [{ matchLabelExpressions: [{ key: 'z', values: ['a', 'a'] }] }],
    },
    [
      /^provisioner: Invalid value: "a b"/,
      /^allowedTopologies\[0\]\.matchLabelExpressions\[0\]\.values\[1\]: Duplicate value: "a"/,
    ],
  ],
])('%s are judged', (plural, object, expected) => {
  expect(faultsOf(plural, object)).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
});

test('an attachment stays what it is', () => {
  const attached = (nodeName: string): object => ({
    spec: { attacher: 'a', nodeName, source: { persistentVolumeName: 'p' } },
  });
  expect(updateFaultsOf('volumeattachments', attached('a'), attached('b'))).toEqual([
    expect.stringMatching(/^spec: Invalid value: .*: field is immutable$/),
  ]);
});
