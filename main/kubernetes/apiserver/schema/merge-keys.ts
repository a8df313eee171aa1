// How lists and maps merge: patch strategies for strategic merge, list types for server-side apply.
// Source: the struct tags of k8s.io/api v0.36 (patchStrategy, patchMergeKey, listType, listMapKey, mapType, structType).

export interface ListMerging {
  /** Strategic merge: `merge` by this key; absent on a list of scalars, which then merge as a set. */
  readonly patchMergeKey?: string;
  readonly patchStrategy?: 'merge' | 'retainKeys' | 'merge,retainKeys' | 'replace';
  /** Server-side apply. Lists are atomic when nothing is said. */
  readonly listType?: 'map' | 'set' | 'atomic';
  readonly listMapKeys?: readonly string[];
}

function byKey(key: string, listMapKeys: readonly string[] = [key]): ListMerging {
  return { patchMergeKey: key, patchStrategy: 'merge', listType: 'map', listMapKeys };
}
const SET: ListMerging = { patchStrategy: 'merge', listType: 'set' };
const CONDITIONS = byKey('type');

/** `Type.field` → how it merges. */
const LISTS: Readonly<Record<string, ListMerging>> = {
  'PodSpec.containers': byKey('name'),
  'PodSpec.initContainers': byKey('name'),
  'PodSpec.ephemeralContainers': byKey('name'),
  'PodSpec.imagePullSecrets': byKey('name'),
  'PodSpec.schedulingGates': byKey('name'),
  'PodSpec.hostAliases': byKey('ip'),
  'PodSpec.topologySpreadConstraints': byKey('topologyKey', ['topologyKey', 'whenUnsatisfiable']),
  'PodSpec.volumes': { ...byKey('name'), patchStrategy: 'merge,retainKeys' },
  'PodSpec.resourceClaims': { ...byKey('name'), patchStrategy: 'merge,retainKeys' },
  'Container.env': byKey('name'),
  'Container.ports': byKey('containerPort', ['containerPort', 'protocol']),
  'Container.volumeMounts': byKey('mountPath'),
  'Container.volumeDevices': byKey('devicePath'),
  'EphemeralContainer.env': byKey('name'),
  'EphemeralContainer.ports': byKey('containerPort', ['containerPort', 'protocol']),
  'EphemeralContainer.volumeMounts': byKey('mountPath'),
  'EphemeralContainer.volumeDevices': byKey('devicePath'),
  'ResourceRequirements.claims': { listType: 'map', listMapKeys: ['name'] },
  'ServiceSpec.ports': byKey('port', ['port', 'protocol']),
  'ServiceAccount.secrets': byKey('name'),
  'CSINodeSpec.drivers': byKey('name'),
  'ObjectMeta.ownerReferences': byKey('uid'),
  'ObjectMeta.finalizers': SET,
  'NodeSpec.podCIDRs': SET,
  'NodeStatus.addresses': byKey('type'),
  'PodStatus.podIPs': byKey('ip'),
  'PodStatus.hostIPs': { patchMergeKey: 'ip', patchStrategy: 'merge', listType: 'atomic' },
  'PodStatus.resourceClaimStatuses': { ...byKey('name'), patchStrategy: 'merge,retainKeys' },
  'ContainerStatus.volumeMounts': byKey('mountPath'),
  'ContainerStatus.allocatedResourcesStatus': byKey('name'),
  'Endpoint.addresses': { listType: 'set' },
  'CSIDriverSpec.volumeLifecycleModes': { listType: 'set' },
  'MutatingWebhookConfiguration.webhooks': byKey('name'),
  'ValidatingWebhookConfiguration.webhooks': byKey('name'),
  'MutatingWebhook.matchConditions': byKey('name'),
  'ValidatingWebhook.matchConditions': byKey('name'),
  'ValidatingAdmissionPolicySpec.matchConditions': byKey('name'),
  'ValidatingAdmissionPolicySpec.variables': byKey('name'),
  'PodStatus.conditions': CONDITIONS,
  'NodeStatus.conditions': CONDITIONS,
  'NamespaceStatus.conditions': CONDITIONS,
  'PersistentVolumeClaimStatus.conditions': CONDITIONS,
  'ReplicationControllerStatus.conditions': CONDITIONS,
  'ServiceStatus.conditions': CONDITIONS,
  'DeploymentStatus.conditions': CONDITIONS,
  'ReplicaSetStatus.conditions': CONDITIONS,
  'DaemonSetStatus.conditions': CONDITIONS,
  'StatefulSetStatus.conditions': CONDITIONS,
  'JobStatus.conditions': { patchMergeKey: 'type', patchStrategy: 'merge', listType: 'atomic' },
  'HorizontalPodAutoscalerStatus.conditions': CONDITIONS,
  'PodDisruptionBudgetStatus.conditions': CONDITIONS,
  'ServiceCIDRStatus.conditions': CONDITIONS,
  'CustomResourceDefinitionStatus.conditions': { listType: 'map', listMapKeys: ['type'] },
  'APIServiceStatus.conditions': CONDITIONS,
  'CertificateSigningRequestStatus.conditions': { listType: 'map', listMapKeys: ['type'] },
  'PodFailurePolicyOnExitCodesRequirement.values': { listType: 'set' },
};

/** Structs that are replaced whole by strategic merge, and fields that keep only named members. */
const FIELDS: Readonly<Record<string, 'retainKeys' | 'replace'>> = {
  'DeploymentSpec.strategy': 'retainKeys',
  'PodDisruptionBudgetSpec.selector': 'replace',
};

/** Structs that server-side apply owns whole. */
const ATOMIC_STRUCTS: ReadonlySet<string> = new Set([
  'LabelSelector',
  'ConfigMapKeySelector',
  'SecretKeySelector',
  'FileKeySelector',
  'ObjectFieldSelector',
  'ResourceFieldSelector',
  'LocalObjectReference',
  'ObjectReference',
  'SecretReference',
  'TypedLocalObjectReference',
  'NodeSelector',
  'NodeSelectorTerm',
  'OwnerReference',
  'RoleRef',
  'Subject',
  'EndpointPort',
  'ServiceBackendPort',
  'ScopeSelector',
  'TopologySelectorTerm',
  'EndpointAddress',
]);

/** Maps that server-side apply owns whole. */
const ATOMIC_MAPS: ReadonlySet<string> = new Set([
  'ServiceSpec.selector',
  'PodSpec.nodeSelector',
  'ReplicationControllerSpec.selector',
]);

/** How a list field merges; undefined for atomic ones. */
export function listMergingOf(type: string, field: string): ListMerging | undefined {
  return LISTS[`${type}.${field}`];
}

export function fieldStrategyOf(type: string, field: string): 'retainKeys' | 'replace' | undefined {
  return FIELDS[`${type}.${field}`];
}

export function isAtomicStruct(type: string): boolean {
  return ATOMIC_STRUCTS.has(type);
}

export function isAtomicMap(type: string, field: string): boolean {
  return ATOMIC_MAPS.has(`${type}.${field}`);
}

/** The values that absent keys of associative lists stand for. */
export const LIST_KEY_DEFAULTS: Readonly<Record<string, string>> = { protocol: 'TCP' };
