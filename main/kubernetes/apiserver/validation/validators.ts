// Validation of the built-in kinds, by plural.
import type {
  ClusterRole,
  ClusterRoleBinding,
  ConfigMap,
  CronJob,
  DaemonSet,
  Deployment,
  EndpointSlice,
  Endpoints,
  Ingress,
  Job,
  NetworkPolicy,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  PodSpec,
  PodTemplateSpec,
  PriorityClass,
  ReplicaSet,
  ReplicationController,
  Secret,
  Service,
  StatefulSet,
  StorageClass,
} from '../../api/types.ts';
import type { Kind, WriteContext } from '../kinds/kind.ts';
import { subdomainProblems } from '../kinds/names.ts';
import { cloneTree, equalTrees, type ApiObject, type StoredObject } from '../object.ts';
import { duplicate, forbiddenField, invalidValue, required, unsupported } from '../refusals.ts';
import { addressProblem, checkLabelSelector, Faults, portNameProblems } from './checks.ts';
import { checkConfigKey, checkPodSpec } from './pod.ts';
import { policyBindingValidator, policyValidator, systemClassProblems } from './policies.ts';
import { checkService, checkServiceUpdate } from './service.ts';
import {
  checkCronJob,
  checkDaemonSet,
  checkDeployment,
  checkJobSpec,
  checkReplicaSet,
  checkReplicationController,
  checkSameSelector,
  checkStatefulSet,
  checkTemplate,
} from './workloads.ts';
import { sortedEntries } from '../verbs/metadata.ts';

type Validator = Pick<Kind, 'validate' | 'validateUpdate' | 'validateStatus'>;
type Check<T> = (faults: Faults, object: T, context: WriteContext) => void;
type UpdateCheck<T> = (faults: Faults, object: T, old: T, context: WriteContext) => void;

/** A validator from a check of whole objects and one of what an update may not change. */
function validator<T>(check: Check<T>, update?: UpdateCheck<T>): Validator {
  return {
    validate(object: ApiObject, context) {
      const faults = new Faults();
      check(faults, object as unknown as T, context);
      return faults.all;
    },
    validateUpdate(object: ApiObject, old: StoredObject, context) {
      const faults = new Faults();
      check(faults, object as unknown as T, context);
      update?.(faults, object as unknown as T, old as unknown as T, context);
      return faults.all;
    },
  };
}

const POD_UPDATE_MESSAGE =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

/** What of a pod's spec may be changed, made the same on both sides. */
function withoutMutable(spec: PodSpec | undefined, model: PodSpec | undefined): PodSpec {
  const copy = cloneTree(spec ?? { containers: [] });
  for (const list of ['containers', 'initContainers'] as const) {
    for (const [index, container] of (copy[list] ?? []).entries()) {
      const image = model?.[list]?.[index]?.image;
      if (image === undefined) delete container.image;
      else container.image = image;
    }
  }
  for (const field of ['activeDeadlineSeconds', 'tolerations', 'schedulingGates'] as const)
    delete copy[field];
  return copy;
}

function checkPodUpdate(faults: Faults, pod: Pod, old: Pod, { subresource }: WriteContext): void {
  if (subresource !== '') return;
  const [spec, before] = [pod.spec, old.spec];
  for (const list of ['containers', 'initContainers'] as const) {
    if ((spec?.[list] ?? []).length !== (before?.[list] ?? []).length) {
      faults.forbidden(`spec.${list}`, 'pod updates may not add or remove containers');
      return;
    }
  }
  const seconds = spec?.activeDeadlineSeconds;
  if (
    before?.activeDeadlineSeconds !== undefined &&
    (seconds === undefined || seconds > before.activeDeadlineSeconds)
  ) {
    if (seconds === undefined)
      faults.invalid(
        'spec.activeDeadlineSeconds',
        null,
        'must not update from a positive integer to nil value',
      );
    else
      faults.invalid('spec.activeDeadlineSeconds', seconds, `must be less than or equal to previous value`);
  }
  const gates = new Set((before?.schedulingGates ?? []).map(({ name }) => name));
  for (const [index, { name }] of (spec?.schedulingGates ?? []).entries()) {
    if (!gates.has(name))
      faults.forbidden(
        `spec.schedulingGates[${index}].name`,
        `only deletion is allowed, but found new scheduling gate '${name}'`,
      );
  }
  const missing = (before?.tolerations ?? []).some(
    (toleration) =>
      !(spec?.tolerations ?? []).some((item) =>
        equalTrees({ ...item, tolerationSeconds: 0 }, { ...toleration, tolerationSeconds: 0 }),
      ),
  );
  if (missing)
    faults.forbidden(
      'spec.tolerations',
      'existing toleration can not be modified except its tolerationSeconds',
    );
  if (!equalTrees(withoutMutable(spec, before), withoutMutable(before, before)))
    faults.forbidden('spec', POD_UPDATE_MESSAGE);
}

const pods = validator<Pod>((faults, pod, { subresource }) => {
  checkPodSpec(faults, 'spec', pod.spec);
  if (subresource !== '') return;
  if ((pod.spec?.schedulingGates ?? []).length > 0 && (pod.spec?.nodeName ?? '') !== '') {
    faults.forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared');
  }
}, checkPodUpdate);

/** Marks the API's copy of a pod that a node runs from a file. */
const MIRROR = 'kubernetes.io/config.mirror';

const podValidator: Validator = {
  validate(object, context) {
    const errors = pods.validate!(object, context);
    if (((object as Pod).spec?.ephemeralContainers ?? []).length > 0)
      errors.push(forbiddenField('spec.ephemeralContainers', 'cannot be set on create'));
    const mirror = object.metadata?.annotations?.[MIRROR];
    if (mirror !== undefined && ((object as Pod).spec?.nodeName ?? '') === '')
      errors.push(
        invalidValue(
          `metadata.annotations[${MIRROR}]`,
          mirror,
          'must set spec.nodeName if mirror pod annotation is set',
        ),
      );
    return errors;
  },
  validateUpdate: (object, old, context) =>
    context.subresource === 'binding' ? [] : pods.validateUpdate!(object, old, context),
};

function checkKeys(faults: Faults, field: string, data: Readonly<Record<string, unknown>> | undefined): void {
  for (const [key] of sortedEntries(data)) checkConfigKey(faults, `${field}[${key}]`, key);
}

/** Data of one ConfigMap or Secret, in bytes. */
const DATA_BYTES_MAX = 1024 * 1024;

function checkConfigMap(faults: Faults, { data, binaryData }: ConfigMap): void {
  checkKeys(faults, 'data', data);
  for (const [key] of sortedEntries(data)) {
    if (binaryData?.[key] !== undefined)
      faults.invalid(`data[${key}]`, key, 'duplicate of key present in binaryData');
  }
  checkKeys(faults, 'binaryData', binaryData);
  let sizeBytes = 0;
  for (const value of Object.values(data ?? {})) sizeBytes += Buffer.byteLength(value);
  for (const value of Object.values(binaryData ?? {})) sizeBytes += Math.floor((value.length * 3) / 4);
  if (sizeBytes > DATA_BYTES_MAX)
    faults.add({
      type: 'TooLong',
      field: '',
      body: `Too long: may not be more than ${DATA_BYTES_MAX} bytes`,
    });
}

function checkImmutable(
  faults: Faults,
  now: ConfigMap,
  old: ConfigMap,
  fields: readonly ('data' | 'binaryData')[],
): void {
  if (old.immutable !== true) return;
  if (now.immutable !== true) faults.forbidden('immutable', 'field is immutable when `immutable` is set');
  for (const field of fields) {
    if (!equalTrees(now[field] ?? {}, old[field] ?? {}))
      faults.forbidden(field, 'field is immutable when `immutable` is set');
  }
}

const SECRET_KEYS: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
};

function checkSecret(faults: Faults, { data, type = '', metadata }: Secret): void {
  checkKeys(faults, 'data', data);
  for (const key of SECRET_KEYS[type] ?? []) {
    const value = data?.[key];
    if (value === undefined) {
      faults.add(required(`data[${key}]`));
      continue;
    }
    if (!key.startsWith('.docker')) continue;
    try {
      JSON.parse(Buffer.from(value, 'base64').toString('utf8'));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      faults.invalid(`data[${key}]`, '<secret contents redacted>', 'invalid character');
    }
  }
  if (
    type === 'kubernetes.io/service-account-token' &&
    (metadata?.annotations?.['kubernetes.io/service-account.name'] ?? '') === ''
  ) {
    faults.add(required('metadata.annotations[kubernetes.io/service-account.name]'));
  }
  if (
    type === 'kubernetes.io/basic-auth' &&
    data?.['username'] === undefined &&
    data?.['password'] === undefined
  ) {
    faults.add(required('data[username]'), required('data[password]'));
  }
}

function checkEndpoints(faults: Faults, { subsets }: Endpoints): void {
  for (const [index, { addresses = [], notReadyAddresses = [], ports = [] }] of (subsets ?? []).entries()) {
    const at = `subsets[${index}]`;
    if (addresses.length === 0 && notReadyAddresses.length === 0)
      faults.add(required(at, 'must specify `addresses` or `notReadyAddresses`'));
    for (const [list, items] of [
      ['addresses', addresses],
      ['notReadyAddresses', notReadyAddresses],
    ] as const) {
      for (const [position, { ip }] of items.entries()) {
        const field = `${at}.${list}[${position}].ip`;
        const problem = addressProblem(ip);
        if (problem !== undefined) {
          faults.invalid(field, ip, problem);
          faults.invalid(field, ip, 'must be a valid IP address');
        } else faults.reachable(field, ip);
      }
    }
    for (const [position, { port, name = '', protocol = '' }] of ports.entries()) {
      const field = `${at}.ports[${position}]`;
      if (name === '' && ports.length > 1) faults.add(required(`${field}.name`));
      else if (name !== '') faults.label(`${field}.name`, name);
      faults.port(`${field}.port`, port);
      if (protocol === '') faults.add(required(`${field}.protocol`));
      else faults.word(`${field}.protocol`, protocol, ['SCTP', 'TCP', 'UDP']);
    }
  }
}

function checkSlice(faults: Faults, slice: EndpointSlice): void {
  const type = slice.addressType as string;
  if (type === '') faults.add(required('addressType'));
  else faults.word('addressType', type, ['FQDN', 'IPv4', 'IPv6']);
  for (const [index, endpoint] of (slice.endpoints ?? []).entries()) {
    const at = `endpoints[${index}]`;
    if ((endpoint.addresses ?? []).length === 0)
      faults.add(required(`${at}.addresses`, 'must contain at least 1 address'));
    for (const [position, address] of (endpoint.addresses ?? []).entries()) {
      const field = `${at}.addresses[${position}]`;
      if (type === 'IPv4') {
        if (addressProblem(address) !== undefined) faults.invalid(field, address, addressProblem(address)!);
        else if (address.includes(':')) faults.invalid(`${at}.addresses`, address, 'must be an IPv4 address');
        if (addressProblem(address) === undefined) faults.reachable(field, address);
      }
    }
    if (endpoint.nodeName !== undefined) {
      for (const problem of subdomainProblems(endpoint.nodeName))
        faults.invalid(`${at}.nodeName`, endpoint.nodeName, problem);
    }
  }
  const names = new Set<string>();
  for (const [index, { name = '', protocol }] of (slice.ports ?? []).entries()) {
    const at = `ports[${index}]`;
    if (name !== '')
      for (const problem of portNameProblems(name).filter(() => !/^[-a-z0-9]{1,63}$/.test(name)))
        faults.invalid(`${at}.name`, name, problem);
    if (names.has(name)) faults.add(duplicate(`${at}.name`, name));
    names.add(name);
    if (protocol !== undefined) faults.word(`${at}.protocol`, protocol, ['SCTP', 'TCP', 'UDP']);
  }
}

const RBAC_GROUP = 'rbac.authorization.k8s.io';

function checkRules(namespaced: boolean): Check<ClusterRole> {
  return (faults, { rules }) => {
    for (const [index, rule] of (rules ?? []).entries()) {
      const at = `rules[${index}]`;
      if ((rule.verbs ?? []).length === 0)
        faults.add(required(`${at}.verbs`, 'verbs must contain at least one value'));
      if ((rule.nonResourceURLs ?? []).length > 0) {
        if (namespaced)
          faults.invalid(
            `${at}.nonResourceURLs`,
            rule.nonResourceURLs,
            'namespaced rules cannot apply to non-resource URLs',
          );
        if (
          (rule.apiGroups ?? []).length + (rule.resources ?? []).length + (rule.resourceNames ?? []).length >
          0
        ) {
          faults.invalid(
            `${at}.nonResourceURLs`,
            rule.nonResourceURLs,
            'rules cannot apply to both regular resources and non-resource URLs',
          );
        }
        continue;
      }
      if ((rule.apiGroups ?? []).length === 0)
        faults.add(required(`${at}.apiGroups`, 'resource rules must supply at least one api group'));
      if ((rule.resources ?? []).length === 0)
        faults.add(required(`${at}.resources`, 'resource rules must supply at least one resource'));
    }
  };
}

function checkBinding(namespaced: boolean): Check<ClusterRoleBinding> {
  return (faults, { roleRef, subjects }) => {
    if (roleRef.apiGroup !== RBAC_GROUP)
      faults.add(unsupported('roleRef.apiGroup', roleRef.apiGroup, [RBAC_GROUP]));
    faults.word('roleRef.kind', roleRef.kind, namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole']);
    faults.required('roleRef.name', roleRef.name);
    for (const [index, subject] of (subjects ?? []).entries()) {
      const at = `subjects[${index}]`;
      faults.required(`${at}.name`, subject.name);
      const group = subject.kind === 'ServiceAccount' ? '' : RBAC_GROUP;
      if (subject.kind === 'ServiceAccount') {
        if ((subject.apiGroup ?? '') !== '')
          faults.add(unsupported(`${at}.apiGroup`, subject.apiGroup, ['']));
        if (!namespaced && (subject.namespace ?? '') === '') faults.add(required(`${at}.namespace`));
      } else if (subject.kind === 'User' || subject.kind === 'Group') {
        if (subject.apiGroup !== group) faults.add(unsupported(`${at}.apiGroup`, subject.apiGroup, [group]));
      } else faults.add(unsupported(`${at}.kind`, subject.kind, ['ServiceAccount', 'User', 'Group']));
    }
  };
}

const sameRoleRef: UpdateCheck<ClusterRoleBinding> = (faults, now, old) => {
  if (equalTrees(now.roleRef, old.roleRef)) return;
  const { apiGroup, kind, name } = now.roleRef;
  faults.invalid('roleRef', { APIGroup: apiGroup, Kind: kind, Name: name }, 'cannot change roleRef');
};

type Backend = NonNullable<NonNullable<Ingress['spec']>['defaultBackend']>;

function checkBackend(faults: Faults, at: string, backend: Backend | undefined): void {
  const { service, resource } = backend ?? {};
  if (service !== undefined && resource !== undefined) {
    faults.invalid(at, '', 'cannot set both resource and service backends');
    return;
  }
  if (resource !== undefined) return;
  if (service === undefined) {
    faults.add(required(at, 'resource or service backend is required'));
    return;
  }
  if ((service.name ?? '') === '') faults.add(required(`${at}.service.name`));
  else faults.label(`${at}.service.name`, service.name);
  const { name = '', number = 0 } = service.port ?? {};
  if (name !== '' && number !== 0) faults.invalid(at, '', 'cannot set both port name & port number');
  else if (name !== '')
    for (const problem of portNameProblems(name)) faults.invalid(`${at}.service.port.name`, name, problem);
  else if (number !== 0) faults.port(`${at}.service.port.number`, number);
  else faults.add(required(at, 'port name or number is required'));
}

function checkIngress(faults: Faults, { spec }: Ingress): void {
  if ((spec?.rules ?? []).length === 0 && spec?.defaultBackend === undefined) {
    faults.invalid('spec', spec?.rules ?? [], 'either `defaultBackend` or `rules` must be specified');
  }
  if (spec?.defaultBackend !== undefined) checkBackend(faults, 'spec.defaultBackend', spec.defaultBackend);
  for (const [index, { host = '', http }] of (spec?.rules ?? []).entries()) {
    const at = `spec.rules[${index}]`;
    if (host !== '') {
      if (addressProblem(host) === undefined)
        faults.invalid(`${at}.host`, host, 'must be a DNS name, not an IP address');
      else if (!host.includes('*'))
        for (const problem of subdomainProblems(host)) faults.invalid(`${at}.host`, host, problem);
    }
    if (http === undefined) continue;
    if ((http.paths ?? []).length === 0) faults.add(required(`${at}.http.paths`));
    for (const [position, { path = '', pathType, backend }] of (http.paths ?? []).entries()) {
      const field = `${at}.http.paths[${position}]`;
      if (pathType === undefined) faults.add(required(`${field}.pathType`, 'pathType must be specified'));
      else if (!['Exact', 'Prefix', 'ImplementationSpecific'].includes(pathType))
        faults.add(unsupported(`${field}.pathType`, pathType, ['Exact', 'ImplementationSpecific', 'Prefix']));
      else if (!path.startsWith('/') && (pathType !== 'ImplementationSpecific' || path !== ''))
        faults.invalid(`${field}.path`, path, 'must be an absolute path');
      checkBackend(faults, `${field}.backend`, backend);
    }
  }
}

function checkNetworkPolicy(faults: Faults, { spec }: NetworkPolicy): void {
  checkLabelSelector(faults, 'spec.podSelector', spec?.podSelector as never);
  for (const [index, type] of (spec?.policyTypes ?? []).entries()) {
    if (type !== 'Ingress' && type !== 'Egress')
      faults.add(unsupported(`spec.policyTypes[${index}]`, type, ['Ingress', 'Egress']));
  }
}

function checkBudget(faults: Faults, { spec }: PodDisruptionBudget): void {
  if (spec?.minAvailable !== undefined && spec.maxUnavailable !== undefined) {
    faults.invalid(
      'spec',
      {
        MinAvailable: spec.minAvailable,
        Selector: spec.selector ?? null,
        MaxUnavailable: spec.maxUnavailable,
        UnhealthyPodEvictionPolicy: spec.unhealthyPodEvictionPolicy ?? null,
      },
      'minAvailable and maxUnavailable cannot be both set',
    );
  }
}

function immutableFields<T>(...fields: (keyof T & string)[]): UpdateCheck<T> {
  return (faults, now, old) => {
    for (const field of fields) {
      if (!equalTrees(now[field], old[field]))
        faults.invalid(field, now[field] ?? null, 'field is immutable');
    }
  };
}

function checkClaim(faults: Faults, { spec }: PersistentVolumeClaim): void {
  if ((spec?.accessModes ?? []).length === 0)
    faults.add(required('spec.accessModes', 'at least 1 access mode is required'));
  for (const mode of spec?.accessModes ?? []) {
    if (!['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'].includes(mode)) {
      faults.add(
        unsupported('spec.accessModes', mode, [
          'ReadOnlyMany',
          'ReadWriteMany',
          'ReadWriteOnce',
          'ReadWriteOncePod',
        ]),
      );
    }
  }
  if (spec?.resources?.requests?.['storage'] === undefined) faults.add(required('spec.resources[storage]'));
}

const sameSelector: UpdateCheck<{ spec?: object }> = (faults, now, old) =>
  checkSameSelector(faults, now.spec as never, old.spec as never);

export const validators: Readonly<Record<string, Validator>> = {
  pods: podValidator,
  services: validator<Service>(checkService, checkServiceUpdate),
  deployments: validator<Deployment>(checkDeployment, sameSelector as UpdateCheck<Deployment>),
  replicasets: validator<ReplicaSet>(checkReplicaSet, sameSelector as UpdateCheck<ReplicaSet>),
  replicationcontrollers: validator<ReplicationController>(checkReplicationController),
  daemonsets: validator<DaemonSet>(checkDaemonSet, sameSelector as UpdateCheck<DaemonSet>),
  statefulsets: validator<StatefulSet>(checkStatefulSet),
  jobs: validator<Job>(
    (faults, { spec }) => checkJobSpec(faults, 'spec', spec),
    (faults, now, old) => {
      for (const field of ['completionMode', 'selector'] as const) {
        if (!equalTrees(now.spec?.[field], old.spec?.[field]))
          faults.invalid(`spec.${field}`, now.spec?.[field], 'field is immutable');
      }
    },
  ),
  cronjobs: validator<CronJob>(checkCronJob),
  podtemplates: validator<{ template?: PodTemplateSpec }>((faults, { template }) =>
    checkTemplate(faults, 'template', template),
  ),
  configmaps: validator<ConfigMap>(checkConfigMap, (faults, now, old) =>
    checkImmutable(faults, now, old, ['data', 'binaryData']),
  ),
  secrets: validator<Secret>(checkSecret, (faults, now, old) => {
    if (now.type !== old.type) faults.invalid('type', now.type, 'field is immutable');
    checkImmutable(faults, now, old, ['data']);
  }),
  endpoints: validator<Endpoints>(checkEndpoints),
  endpointslices: validator<EndpointSlice>(checkSlice, immutableFields<EndpointSlice>('addressType')),
  roles: validator<ClusterRole>(checkRules(true)),
  clusterroles: validator<ClusterRole>(checkRules(false)),
  rolebindings: validator<ClusterRoleBinding>(checkBinding(true), sameRoleRef),
  clusterrolebindings: validator<ClusterRoleBinding>(checkBinding(false), sameRoleRef),
  ingresses: validator<Ingress>(checkIngress),
  networkpolicies: validator<NetworkPolicy>(checkNetworkPolicy),
  poddisruptionbudgets: validator<PodDisruptionBudget>(checkBudget),
  persistentvolumeclaims: validator<PersistentVolumeClaim>(checkClaim),
  storageclasses: validator<StorageClass>(
    (faults, { provisioner }) => void faults.required('provisioner', provisioner),
    immutableFields<StorageClass>('parameters', 'provisioner', 'reclaimPolicy', 'volumeBindingMode'),
  ),
  validatingadmissionpolicies: policyValidator,
  validatingadmissionpolicybindings: policyBindingValidator,
  priorityclasses: validator<PriorityClass>(
    (faults, { metadata }) => faults.add(...systemClassProblems(metadata?.name ?? '')),
    (faults, now, old) => {
      if (now.value !== old.value) faults.forbidden('value', 'may not be changed in an update.');
      if (now.preemptionPolicy !== old.preemptionPolicy)
        faults.invalid('preemptionPolicy', now.preemptionPolicy, 'field is immutable');
    },
  ),
};
