// Which API versions each Kubernetes release serves: the facts from which discovery, warnings and conversion follow.
import type { Resource } from './meta.ts';
import { builtInResources, resources, type ResourceInfo, type Subresource } from './resources.ts';

/** The life of a kind in one group-version. Numbers are minor versions of Kubernetes 1. */
interface Life {
  /** First release that serves it unasked. */
  readonly introduced: number;
  readonly deprecated?: number;
  /** First release that doesn't serve it. */
  readonly removed?: number;
  /** `group/version` to use instead. */
  readonly replacement?: string;
}

/** First release whose server sends Warning headers (KEP-1693). */
const WARNS_SINCE = 19;

/**
 * `group/version` → kind → its life. A version of a kind that isn't here is in every release. Sources: the
 * prerelease-lifecycle tags of k8s.io/api, and release notes for what is older than those.
 */
const LIVES: Readonly<Record<string, Readonly<Record<string, Life>>>> = {
  v1: {
    ComponentStatus: { introduced: 0, deprecated: 19 },
    Endpoints: { introduced: 0, deprecated: 33, replacement: 'discovery.k8s.io/v1 EndpointSlice' },
  },
  'admissionregistration.k8s.io/v1': {
    MutatingWebhookConfiguration: { introduced: 16 },
    ValidatingWebhookConfiguration: { introduced: 16 },
    ValidatingAdmissionPolicy: { introduced: 30 },
    ValidatingAdmissionPolicyBinding: { introduced: 30 },
    MutatingAdmissionPolicy: { introduced: 36 },
    MutatingAdmissionPolicyBinding: { introduced: 36 },
  },
  'admissionregistration.k8s.io/v1beta1': lives(
    ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'],
    { introduced: 9, deprecated: 16, removed: 22, replacement: 'admissionregistration.k8s.io/v1' },
  ),
  'apiextensions.k8s.io/v1': { CustomResourceDefinition: { introduced: 16 } },
  'apiextensions.k8s.io/v1beta1': lives(['CustomResourceDefinition'], {
    introduced: 7,
    deprecated: 16,
    removed: 22,
    replacement: 'apiextensions.k8s.io/v1',
  }),
  'apiregistration.k8s.io/v1': { APIService: { introduced: 10 } },
  'apiregistration.k8s.io/v1beta1': lives(['APIService'], {
    introduced: 7,
    deprecated: 19,
    removed: 22,
    replacement: 'apiregistration.k8s.io/v1',
  }),
  'apps/v1': lives(['ControllerRevision', 'DaemonSet', 'Deployment', 'ReplicaSet', 'StatefulSet'], {
    introduced: 9,
  }),
  'apps/v1beta1': {
    ...lives(['Deployment', 'StatefulSet'], {
      introduced: 6,
      deprecated: 8,
      removed: 16,
      replacement: 'apps/v1',
    }),
    ...lives(['ControllerRevision'], { introduced: 7, deprecated: 8, removed: 16, replacement: 'apps/v1' }),
  },
  'apps/v1beta2': lives(['ControllerRevision', 'DaemonSet', 'Deployment', 'ReplicaSet', 'StatefulSet'], {
    introduced: 8,
    deprecated: 9,
    removed: 16,
    replacement: 'apps/v1',
  }),
  'authentication.k8s.io/v1': { SelfSubjectReview: { introduced: 28 } },
  'autoscaling/v2': { HorizontalPodAutoscaler: { introduced: 23 } },
  'autoscaling/v2beta1': lives(['HorizontalPodAutoscaler'], {
    introduced: 8,
    deprecated: 22,
    removed: 25,
    replacement: 'autoscaling/v2',
  }),
  'autoscaling/v2beta2': lives(['HorizontalPodAutoscaler'], {
    introduced: 12,
    deprecated: 23,
    removed: 26,
    replacement: 'autoscaling/v2',
  }),
  'batch/v1': { CronJob: { introduced: 21 } },
  'batch/v1beta1': lives(['CronJob'], {
    introduced: 8,
    deprecated: 21,
    removed: 25,
    replacement: 'batch/v1',
  }),
  'certificates.k8s.io/v1': { CertificateSigningRequest: { introduced: 19 } },
  'certificates.k8s.io/v1beta1': lives(['CertificateSigningRequest'], {
    introduced: 6,
    deprecated: 19,
    removed: 22,
    replacement: 'certificates.k8s.io/v1',
  }),
  'coordination.k8s.io/v1': { Lease: { introduced: 14 } },
  'coordination.k8s.io/v1beta1': lives(['Lease'], {
    introduced: 12,
    deprecated: 19,
    removed: 22,
    replacement: 'coordination.k8s.io/v1',
  }),
  'discovery.k8s.io/v1': { EndpointSlice: { introduced: 21 } },
  'discovery.k8s.io/v1beta1': lives(['EndpointSlice'], {
    introduced: 17,
    deprecated: 21,
    removed: 25,
    replacement: 'discovery.k8s.io/v1',
  }),
  'events.k8s.io/v1': { Event: { introduced: 19 } },
  'events.k8s.io/v1beta1': lives(['Event'], {
    introduced: 8,
    deprecated: 19,
    removed: 25,
    replacement: 'events.k8s.io/v1',
  }),
  'extensions/v1beta1': {
    ...lives(['DaemonSet', 'Deployment', 'ReplicaSet'], {
      introduced: 2,
      deprecated: 8,
      removed: 16,
      replacement: 'apps/v1',
    }),
    ...lives(['Ingress'], {
      introduced: 1,
      deprecated: 14,
      removed: 22,
      replacement: 'networking.k8s.io/v1',
    }),
    ...lives(['NetworkPolicy'], {
      introduced: 3,
      deprecated: 9,
      removed: 16,
      replacement: 'networking.k8s.io/v1',
    }),
    PodSecurityPolicy: { introduced: 3, deprecated: 11, removed: 16 },
  },
  'flowcontrol.apiserver.k8s.io/v1': lives(['FlowSchema', 'PriorityLevelConfiguration'], { introduced: 29 }),
  'networking.k8s.io/v1': {
    Ingress: { introduced: 19 },
    IngressClass: { introduced: 19 },
    IPAddress: { introduced: 33 },
    ServiceCIDR: { introduced: 33 },
  },
  'networking.k8s.io/v1beta1': {
    ...lives(['Ingress'], {
      introduced: 14,
      deprecated: 19,
      removed: 22,
      replacement: 'networking.k8s.io/v1',
    }),
    ...lives(['IngressClass'], {
      introduced: 18,
      deprecated: 19,
      removed: 22,
      replacement: 'networking.k8s.io/v1',
    }),
  },
  'node.k8s.io/v1': { RuntimeClass: { introduced: 20 } },
  'node.k8s.io/v1beta1': lives(['RuntimeClass'], {
    introduced: 14,
    deprecated: 22,
    removed: 25,
    replacement: 'node.k8s.io/v1',
  }),
  'policy/v1': { PodDisruptionBudget: { introduced: 21 } },
  'policy/v1beta1': {
    ...lives(['PodDisruptionBudget'], {
      introduced: 5,
      deprecated: 21,
      removed: 25,
      replacement: 'policy/v1',
    }),
    PodSecurityPolicy: { introduced: 10, deprecated: 21, removed: 25 },
  },
  'rbac.authorization.k8s.io/v1beta1': lives(['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'], {
    introduced: 6,
    deprecated: 17,
    removed: 22,
    replacement: 'rbac.authorization.k8s.io/v1',
  }),
  'resource.k8s.io/v1': lives(['DeviceClass', 'ResourceClaim', 'ResourceClaimTemplate', 'ResourceSlice'], {
    introduced: 34,
  }),
  'scheduling.k8s.io/v1': { PriorityClass: { introduced: 14 } },
  'scheduling.k8s.io/v1beta1': lives(['PriorityClass'], {
    introduced: 11,
    deprecated: 14,
    removed: 22,
    replacement: 'scheduling.k8s.io/v1',
  }),
  'storage.k8s.io/v1': {
    VolumeAttachment: { introduced: 13 },
    CSINode: { introduced: 17 },
    CSIDriver: { introduced: 18 },
    CSIStorageCapacity: { introduced: 24 },
    VolumeAttributesClass: { introduced: 34 },
  },
  'storage.k8s.io/v1beta1': {
    ...lives(['StorageClass'], storageBeta(4, 19)),
    ...lives(['VolumeAttachment'], storageBeta(10, 19)),
    ...lives(['CSIDriver'], storageBeta(14, 19)),
    ...lives(['CSINode'], storageBeta(14, 17)),
    ...lives(['CSIStorageCapacity'], { ...storageBeta(21, 24), removed: 27 }),
  },
};

/** Subresources that came later than their resource: `plural/name` → first release. */
const SUBRESOURCES_SINCE: Readonly<Record<string, number>> = {
  'pods/ephemeralcontainers': 23,
  'pods/resize': 33,
  'serviceaccounts/token': 20,
};

/** The Eviction subresource's body was policy/v1beta1 before this release. */
const EVICTION_V1_SINCE = 22;

function storageBeta(introduced: number, deprecated: number): Life {
  return { introduced, deprecated, removed: 22, replacement: 'storage.k8s.io/v1' };
}

/** One life for several kinds; a replacement without a kind means the same kind. */
function lives(kinds: readonly string[], life: Life): Record<string, Life> {
  return Object.fromEntries(
    kinds.map((kind) => [
      kind,
      life.replacement === undefined ? life : { ...life, replacement: `${life.replacement} ${kind}` },
    ]),
  );
}

type VersionedKind = Pick<Resource, 'group' | 'version' | 'kind'>;

function lifeOf({ group, version, kind }: VersionedKind): Life | undefined {
  return LIVES[group === '' ? version : `${group}/${version}`]?.[kind];
}

/** The minor number of a version such as `v1.19.16`. Throws RangeError for what isn't a version of Kubernetes 1. */
export function minorOf(gitVersion: string): number {
  const match = /^v1\.(\d+)\.\d+/.exec(gitVersion);
  if (match === null) throw new RangeError(`"${gitVersion}" is no version of Kubernetes 1, such as v1.36.2.`);
  return Number(match[1]);
}

/** Whether a release serves a kind in a version. */
export function isServedIn(minor: number, kind: VersionedKind): boolean {
  const life = lifeOf(kind);
  return life === undefined || (life.introduced <= minor && minor < (life.removed ?? Infinity));
}

/** What a release says in a Warning header to whoever uses a deprecated version; undefined if nothing. */
export function deprecationWarning(minor: number, kind: VersionedKind): string | undefined {
  const life = lifeOf(kind);
  if (minor < WARNS_SINCE || life?.deprecated === undefined || minor < life.deprecated) return undefined;
  const { group, version } = kind;
  return [
    `${group === '' ? version : `${group}/${version}`} ${kind.kind} is deprecated in v1.${life.deprecated}+`,
    life.removed === undefined ? '' : `, unavailable in v1.${life.removed}+`,
    life.replacement === undefined ? '' : `; use ${life.replacement}`,
  ].join('');
}

/** A version of a kind that is stored in another one. */
export interface OlderVersion {
  readonly resource: ResourceInfo;
  readonly stored: ResourceInfo;
}

const STORED_BY_KIND = new Map<string, ResourceInfo>(
  builtInResources
    .filter(({ group, version }) => `${group}/${version}` !== 'autoscaling/v1' && group !== 'events.k8s.io')
    .map((resource) => [resource.kind, resource]),
);

/** Every version that some release serves of a kind which Drydock stores in its present version. */
const OLDER_VERSIONS: readonly OlderVersion[] = [
  { resource: resources.eventsEventsK8sIo, stored: resources.events },
  { resource: resources.horizontalpodautoscalersV1, stored: resources.horizontalpodautoscalers },
  ...Object.entries(LIVES).flatMap(([groupVersion, kinds]) =>
    Object.keys(kinds).flatMap((kind) => olderVersion(groupVersion, kind)),
  ),
];

function olderVersion(groupVersion: string, kind: string): OlderVersion[] {
  const [group, version] = groupVersion.includes('/')
    ? (groupVersion.split('/') as [string, string])
    : ['', groupVersion];
  const stored = STORED_BY_KIND.get(kind);
  if (stored === undefined || !/^v\d+(alpha|beta)\d+$/.test(version)) return [];
  return [{ stored, resource: Object.freeze({ ...stored, group, version }) }];
}

/** The version that objects of a resource are stored in, where it is another one. */
export function storedVersionOf(resource: Parameters<typeof keyOf>[0]): ResourceInfo | undefined {
  const key = keyOf(resource);
  return OLDER_VERSIONS.find((older) => keyOf(older.resource) === key)?.stored;
}

/** The versions in which releases before a kind's present version may serve it, the latest first. */
export function formerVersionsOf({ group, kind }: Pick<Resource, 'group' | 'kind'>): ResourceInfo[] {
  return OLDER_VERSIONS.filter(({ stored }) => stored.kind === kind && stored.group === group)
    .map(({ resource }) => resource)
    .sort((a, b) => (lifeOf(b)?.removed ?? 0) - (lifeOf(a)?.removed ?? 0));
}

/** The versions beside the stored ones that a release serves. */
export function olderVersionsIn(minor: number): OlderVersion[] {
  return OLDER_VERSIONS.filter(({ resource }) => isServedIn(minor, resource)).map(({ resource, stored }) => ({
    stored,
    resource: withSubresourcesOf(minor, resource),
  }));
}

/** All built-in resources of a release, in every version that it serves. */
export function builtInResourcesIn(minor: number): ResourceInfo[] {
  const older = olderVersionsIn(minor).map(({ resource }) => resource);
  const named = new Set(older.map(keyOf));
  return [
    ...builtInResources
      .filter((resource) => isServedIn(minor, resource) && !named.has(keyOf(resource)))
      .map((resource) => withSubresourcesOf(minor, resource)),
    ...older,
    ...unsimulatedIn(minor),
  ];
}

function keyOf({ group, version, plural }: Pick<Resource, 'group' | 'version' | 'plural'>): string {
  return `${group}/${version}/${plural}`;
}

/** The resource with the subresources that it had in a release. */
function withSubresourcesOf(minor: number, resource: ResourceInfo): ResourceInfo {
  const adapt = (subresource: Subresource): Subresource[] => {
    if (minor < (SUBRESOURCES_SINCE[`${resource.plural}/${subresource.name}`] ?? 0)) return [];
    if (subresource.name === 'eviction' && minor < EVICTION_V1_SINCE)
      return [{ ...subresource, groupVersion: 'policy/v1beta1' }];
    return [subresource];
  };
  const subresources = resource.subresources.flatMap(adapt);
  const same =
    subresources.length === resource.subresources.length &&
    subresources.every((subresource, index) => subresource === resource.subresources[index]);
  return same ? resource : Object.freeze({ ...resource, subresources });
}

/** What a release serves and Drydock only names: to use it is refused in clear words. */
export function unsimulatedIn(minor: number): ResourceInfo[] {
  return UNSIMULATED.filter((resource) => isServedIn(minor, resource));
}

const UNSIMULATED: readonly ResourceInfo[] = ['extensions', 'policy'].map((group) =>
  Object.freeze({
    group,
    version: 'v1beta1',
    plural: 'podsecuritypolicies',
    kind: 'PodSecurityPolicy',
    namespaced: false,
    singular: 'podsecuritypolicy',
    shortNames: ['psp'],
    categories: [],
    verbs: resources.priorityclasses.verbs,
    subresources: [],
    listKind: 'PodSecurityPolicyList',
  }),
);
