// Pod specs (pkg/apis/core/validation/validation.go).
import { labelKeyProblems } from '../../api/selector.ts';
import type { Container, EnvVar, PodSpec, Probe, Volume } from '../../api/types.ts';
import { parseQuantity } from '../../api/quantity.ts';
import { subdomainProblems } from '../kinds/names.ts';
import { duplicate, notFoundValue, required, unsupported } from '../refusals.ts';
import { sortedEntries, validateLabels } from '../verbs/metadata.ts';
import { type Faults, portNameProblems } from './checks.ts';

type Handler = NonNullable<NonNullable<Container['lifecycle']>['postStart']>;

const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const INTEGER_RESOURCES = /^(?!cpu$)/;

/** Everything that is wrong with a pod spec. `isPod`: not a template. */
export function checkPodSpec(faults: Faults, path: string, spec: PodSpec | undefined): void {
  const at = (field: string): string => `${path}.${field}`;
  const volumes = checkVolumes(faults, at('volumes'), spec?.volumes ?? []);
  checkContainers(faults, path, spec, volumes);
  if (spec === undefined) return;
  if (spec.restartPolicy === undefined) faults.add(required(at('restartPolicy')));
  else faults.word(at('restartPolicy'), spec.restartPolicy, ['Always', 'OnFailure', 'Never']);
  faults.word(at('dnsPolicy'), spec.dnsPolicy, [
    'ClusterFirstWithHostNet',
    'ClusterFirst',
    'Default',
    'None',
  ]);
  faults.add(...validateLabels(spec.nodeSelector, at('nodeSelector')));
  checkHost(faults, path, spec);
  checkTolerations(faults, at('tolerations'), spec);
  checkDns(faults, at('dnsConfig'), spec);
  if (
    spec.activeDeadlineSeconds !== undefined &&
    (spec.activeDeadlineSeconds < 1 || spec.activeDeadlineSeconds > 2_147_483_647)
  ) {
    faults.invalid(
      at('activeDeadlineSeconds'),
      spec.activeDeadlineSeconds,
      'must be between 1 and 2147483647, inclusive',
    );
  }
  for (const [index, gate] of (spec.readinessGates ?? []).entries()) {
    for (const problem of labelKeyProblems(gate.conditionType))
      faults.invalid(at(`readinessGates[${index}].conditionType`), gate.conditionType, problem);
  }
  const gates = new Set<string>();
  for (const [index, { name }] of (spec.schedulingGates ?? []).entries()) {
    for (const problem of labelKeyProblems(name))
      faults.invalid(at(`schedulingGates[${index}]`), name, problem);
    if (gates.has(name)) faults.add(duplicate(at(`schedulingGates[${index}]`), name));
    gates.add(name);
  }
  if (spec.os !== undefined) faults.word(at('os'), spec.os.name, ['linux', 'windows']);
  if (spec.hostPID === true && spec.shareProcessNamespace === true) {
    faults.invalid(
      `${path}.securityContext.shareProcessNamespace`,
      true,
      'ShareProcessNamespace and HostPID cannot both be enabled',
    );
  }
}

function checkHost(faults: Faults, path: string, spec: PodSpec): void {
  for (const field of ['hostname', 'subdomain'] as const) {
    const value = spec[field];
    if (value === undefined || value === '') continue;
    // These predate the message about dots.
    if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(value)) {
      faults.invalid(
        `${path}.${field}`,
        value,
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
      );
    }
  }
  for (const field of ['nodeName', 'serviceAccountName', 'priorityClassName'] as const) {
    const value = spec[field];
    if (value !== undefined && value !== '')
      for (const problem of subdomainProblems(value)) faults.invalid(`${path}.${field}`, value, problem);
  }
  for (const [index, { ip, hostnames }] of (spec.hostAliases ?? []).entries()) {
    faults.address(`${path}.hostAliases[${index}].ip`, ip);
    for (const [position, name] of (hostnames ?? []).entries()) {
      for (const problem of subdomainProblems(name))
        faults.invalid(`${path}.hostAliases[${index}].hostnames[${position}]`, name, problem);
    }
  }
}

function checkTolerations(faults: Faults, path: string, { tolerations }: PodSpec): void {
  for (const [index, toleration] of (tolerations ?? []).entries()) {
    const { key = '', operator, value = '', effect, tolerationSeconds } = toleration;
    const at = `${path}[${index}]`;
    if (key !== '') for (const problem of labelKeyProblems(key)) faults.invalid(`${at}.key`, key, problem);
    if (key === '' && operator !== 'Exists')
      faults.invalid(
        `${at}.operator`,
        operator ?? '',
        'operator must be Exists when `key` is empty, which means "match all values and all keys"',
      );
    if (tolerationSeconds !== undefined && effect !== 'NoExecute')
      faults.invalid(
        `${at}.effect`,
        effect ?? '',
        "effect must be 'NoExecute' when `tolerationSeconds` is set",
      );
    if (operator === 'Exists' && value !== '')
      faults.invalid(`${at}.operator`, toleration, "value must be empty when `operator` is 'Exists'");
    if (operator !== undefined && (operator as string) !== '')
      faults.word(`${at}.operator`, operator, ['Equal', 'Exists']);
    if (effect !== undefined && (effect as string) !== '')
      faults.word(`${at}.effect`, effect, ['NoSchedule', 'PreferNoSchedule', 'NoExecute']);
  }
}

function checkDns(faults: Faults, path: string, { dnsPolicy, dnsConfig }: PodSpec): void {
  if (dnsPolicy === 'None') {
    if (dnsConfig === undefined) {
      faults.add(required(path, 'must provide `dnsConfig` when `dnsPolicy` is None'));
      return;
    }
    if ((dnsConfig.nameservers ?? []).length === 0)
      faults.add(
        required(`${path}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None'),
      );
  }
  const servers = dnsConfig?.nameservers ?? [];
  if (servers.length > 3)
    faults.invalid(`${path}.nameservers`, servers, 'must not have more than 3 nameservers');
  for (const [index, server] of servers.entries()) faults.address(`${path}.nameservers[${index}]`, server);
}

function checkContainers(
  faults: Faults,
  path: string,
  spec: PodSpec | undefined,
  volumes: ReadonlyMap<string, Volume>,
): void {
  const names = new Set<string>();
  const hostPorts = new Set<string>();
  const containers = spec?.containers ?? [];
  if (containers.length === 0) faults.add(required(`${path}.containers`));
  for (const [index, container] of containers.entries()) {
    checkContainer(faults, `${path}.containers[${index}]`, container, volumes, names, spec!, hostPorts);
  }
  for (const [index, container] of (spec?.initContainers ?? []).entries()) {
    const at = `${path}.initContainers[${index}]`;
    checkContainer(faults, at, container, volumes, names, spec!, new Set());
    if (container.restartPolicy !== undefined)
      faults.word(`${at}.restartPolicy`, container.restartPolicy, ['Always', 'Never', 'OnFailure']);
    if (container.restartPolicy === 'Always') continue;
    for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
      if (container[field] !== undefined)
        faults.forbidden(`${at}.${field}`, 'may not be set for init containers without restartPolicy=Always');
    }
  }
}

function checkContainer(
  faults: Faults,
  at: string,
  container: Container,
  volumes: ReadonlyMap<string, Volume>,
  names: Set<string>,
  spec: PodSpec,
  hostPorts: Set<string>,
): void {
  const { name, image = '' } = container;
  if (faults.required(`${at}.name`, name)) faults.label(`${at}.name`, name);
  if (names.has(name) && name !== '') faults.add(duplicate(`${at}.name`, name));
  names.add(name);
  if (image === '') faults.add(required(`${at}.image`));
  else if (image.trim() !== image)
    faults.invalid(`${at}.image`, image, 'must not have leading or trailing whitespace');
  checkLifecycle(faults, at, container);
  if (container.livenessProbe !== undefined)
    checkProbe(faults, `${at}.livenessProbe`, container.livenessProbe, true);
  if (container.readinessProbe !== undefined)
    checkProbe(faults, `${at}.readinessProbe`, container.readinessProbe, false);
  if (container.startupProbe !== undefined)
    checkProbe(faults, `${at}.startupProbe`, container.startupProbe, true);
  faults.word(`${at}.terminationMessagePolicy`, container.terminationMessagePolicy, [
    'File',
    'FallbackToLogsOnError',
  ]);
  checkPorts(faults, `${at}.ports`, container, spec, hostPorts);
  checkEnv(faults, at, container);
  checkMounts(faults, at, container, volumes);
  faults.word(`${at}.imagePullPolicy`, container.imagePullPolicy, ['Always', 'IfNotPresent', 'Never']);
  checkResources(faults, `${at}.resources`, container.resources);
}

function checkPorts(
  faults: Faults,
  path: string,
  { ports }: Container,
  spec: PodSpec,
  hostPorts: Set<string>,
): void {
  const names = new Set<string>();
  for (const [index, port] of (ports ?? []).entries()) {
    const at = `${path}[${index}]`;
    const { name = '', containerPort, hostPort = 0, protocol = '', hostIP = '' } = port;
    if (name !== '') {
      const problems = portNameProblems(name);
      for (const problem of problems) faults.invalid(`${at}.name`, name, problem);
      if (problems.length === 0 && names.has(name)) faults.add(duplicate(`${at}.name`, name));
      names.add(name);
    }
    if (containerPort === 0) faults.add(required(`${at}.containerPort`));
    else faults.port(`${at}.containerPort`, containerPort);
    if (hostPort !== 0) {
      faults.port(`${at}.hostPort`, hostPort);
      if (spec.hostNetwork === true && hostPort !== containerPort) {
        faults.invalid(`${at}.hostPort`, hostPort, 'must match `containerPort` when `hostNetwork` is true');
      }
      const key = `${protocol}/${hostIP}/${hostPort}`;
      if (hostPorts.has(key)) faults.add(duplicate(`${at}.hostPort`, key));
      hostPorts.add(key);
    }
    if (protocol === '') faults.add(required(`${at}.protocol`));
    else faults.word(`${at}.protocol`, protocol, PROTOCOLS);
  }
}

function checkEnv(faults: Faults, path: string, { env, envFrom }: Container): void {
  for (const [index, variable] of (env ?? []).entries()) {
    const at = `${path}.env[${index}]`;
    if (variable.name === '') faults.add(required(`${at}.name`));
    else if (!/^[\x20-\x3c\x3e-\x7e]+$/.test(variable.name)) {
      faults.invalid(
        `${at}.name`,
        variable.name,
        "a valid environment variable name must consist only of printable ASCII characters other than '='",
      );
    }
    checkEnvSource(faults, `${at}.valueFrom`, variable);
  }
  for (const [index, source] of (envFrom ?? []).entries()) {
    const at = `${path}.envFrom[${index}]`;
    const kinds = (['configMapRef', 'secretRef'] as const).filter((kind) => source[kind] !== undefined);
    if (kinds.length === 0)
      faults.invalid(`${path}.envFrom`, '', 'must specify one of: `configMapRef` or `secretRef`');
    if (kinds.length > 1)
      faults.invalid(`${path}.envFrom`, '', 'may not have more than one field specified at a time');
    else for (const kind of kinds) faults.required(`${at}.${kind}.name`, source[kind]?.name);
  }
}

const FIELD_PATHS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];

function checkEnvSource(faults: Faults, at: string, { value = '', valueFrom }: EnvVar): void {
  if (valueFrom === undefined) return;
  const kinds = Object.keys(valueFrom);
  if (kinds.length === 0)
    faults.invalid(
      at,
      '',
      'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
    );
  else if (value !== '') faults.invalid(at, '', 'may not be specified when `value` is not empty');
  else if (kinds.length > 1) faults.invalid(at, '', 'may not have more than one field specified at a time');
  const { fieldRef, configMapKeyRef, secretKeyRef } = valueFrom;
  if (fieldRef !== undefined && faults.required(`${at}.fieldRef.fieldPath`, fieldRef.fieldPath)) {
    const path = fieldRef.fieldPath;
    if (!FIELD_PATHS.includes(path) && !/^metadata\.(labels|annotations)\['.+'\]$/.test(path)) {
      faults.invalid(
        `${at}.fieldRef.fieldPath`,
        path,
        `error converting fieldPath: field label not supported: ${path}`,
      );
    }
  }
  if (configMapKeyRef !== undefined) checkKeyRef(faults, `${at}.configMapKeyRef`, configMapKeyRef);
  if (secretKeyRef !== undefined) checkKeyRef(faults, `${at}.secretKeyRef`, secretKeyRef);
}

function checkKeyRef(faults: Faults, at: string, { key }: { key?: string }): void {
  if (faults.required(`${at}.key`, key)) checkConfigKey(faults, `${at}.key`, key!);
}

/** Keys of ConfigMaps and Secrets. */
export function checkConfigKey(faults: Faults, field: string, key: string): void {
  if (key.length > 253) faults.invalid(field, key, 'must be no more than 253 bytes');
  if (!/^[-._a-zA-Z0-9]+$/.test(key)) {
    faults.invalid(
      field,
      key,
      "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
    );
  }
  if (key === '.' || key === '..') faults.invalid(field, key, `must not be '${key}'`);
  else if (key.startsWith('..')) faults.invalid(field, key, "must not start with '..'");
}

function checkMounts(
  faults: Faults,
  path: string,
  { volumeMounts, volumeDevices }: Container,
  volumes: ReadonlyMap<string, Volume>,
): void {
  const paths = new Set<string>();
  for (const [index, { name, mountPath, subPath = '' }] of (volumeMounts ?? []).entries()) {
    const at = `${path}.volumeMounts[${index}]`;
    faults.required(`${at}.name`, name);
    if (!volumes.has(name)) faults.add(notFoundValue(`${at}.name`, name));
    faults.required(`${at}.mountPath`, mountPath);
    if (paths.has(mountPath)) faults.invalid(`${at}.mountPath`, mountPath, 'must be unique');
    paths.add(mountPath);
    if (subPath !== '') checkRelativePath(faults, `${path}.volumeMounts.subPath`, subPath);
  }
  for (const [index, { name }] of (volumeDevices ?? []).entries()) {
    const volume = volumes.get(name);
    if (volume === undefined) faults.add(notFoundValue(`${path}.volumeDevices[${index}].name`, name));
    else if (volume.persistentVolumeClaim === undefined && volume.ephemeral === undefined) {
      faults.invalid(
        `${path}.volumeDevices[${index}].name`,
        name,
        'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode',
      );
    }
  }
}

function checkRelativePath(faults: Faults, field: string, path: string): void {
  if (path.startsWith('/')) faults.invalid(field, path, 'must be a relative path');
  if (path.split('/').includes('..')) faults.invalid(field, path, "must not contain '..'");
}

function checkResources(faults: Faults, path: string, resources: Container['resources']): void {
  const limits = (resources?.limits ?? {}) as Record<string, string | number>;
  const requests = (resources?.requests ?? {}) as Record<string, string | number>;
  const nano = (value: string | number): bigint => parseQuantity(value)?.nano ?? 0n;
  for (const [list, amounts] of [
    ['limits', limits],
    ['requests', requests],
  ] as const) {
    for (const [name, value] of sortedEntries(amounts)) {
      const field = `${path}.${list}[${name}]`;
      if (!name.includes('/') && !/^(cpu|memory|ephemeral-storage|hugepages-.+)$/.test(name)) {
        faults.add({
          type: 'Invalid',
          field: `${path}.${list}`,
          body: `Invalid value: ${JSON.stringify(name)}: must be a standard resource type or fully qualified`,
        });
        faults.add({
          type: 'Invalid',
          field: `${path}.${list}`,
          body: `Invalid value: ${JSON.stringify(name)}: must be a standard resource for containers`,
        });
      }
      if (nano(value) < 0n) faults.invalid(field, value, 'must be greater than or equal to 0');
      if (name.includes('/') && INTEGER_RESOURCES.test(name) && nano(value) % 1_000_000_000n !== 0n)
        faults.invalid(field, value, 'must be an integer');
    }
  }
  for (const [name, value] of sortedEntries(requests)) {
    const limit = limits[name];
    if (limit !== undefined && nano(value) > nano(limit) && !name.includes('/')) {
      faults.invalid(`${path}.requests`, value, `must be less than or equal to ${name} limit of ${limit}`);
    } else if (limit !== undefined && name.includes('/') && nano(value) !== nano(limit)) {
      faults.invalid(`${path}.requests`, value, `must be equal to ${name} limit of ${limit}`);
    }
    if (limit === undefined && name.includes('/'))
      faults.add(required(`${path}.limits`, 'Limit must be set for non overcommitable resources'));
  }
}

function checkLifecycle(faults: Faults, path: string, { lifecycle }: Container): void {
  for (const hook of ['postStart', 'preStop'] as const) {
    const handler = lifecycle?.[hook];
    if (handler !== undefined) checkHandler(faults, `${path}.lifecycle.${hook}`, handler);
  }
}

function checkProbe(faults: Faults, at: string, probe: Probe, onlyOnce: boolean): void {
  checkHandler(faults, at, probe as Handler);
  for (const field of [
    'initialDelaySeconds',
    'timeoutSeconds',
    'periodSeconds',
    'successThreshold',
    'failureThreshold',
  ] as const) {
    faults.notNegative(`${at}.${field}`, probe[field]);
  }
  if (probe.terminationGracePeriodSeconds !== undefined && probe.terminationGracePeriodSeconds <= 0) {
    faults.invalid(
      `${at}.terminationGracePeriodSeconds`,
      probe.terminationGracePeriodSeconds,
      'must be greater than 0',
    );
  }
  if (onlyOnce && probe.successThreshold !== 1 && (probe.successThreshold ?? 0) >= 0) {
    faults.invalid(`${at}.successThreshold`, probe.successThreshold, 'must be 1');
  }
}

function checkHandler(faults: Faults, at: string, handler: Handler & { grpc?: { port: number } }): void {
  const kinds = (['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const).filter(
    (kind) => handler[kind] !== undefined,
  );
  if (kinds.length === 0) faults.add(required(at, 'must specify a handler type'));
  for (const kind of kinds.slice(1))
    faults.forbidden(`${at}.${kind}`, 'may not specify more than 1 handler type');
  const { exec, httpGet, tcpSocket, grpc } = handler;
  if (exec !== undefined && (exec.command ?? []).length === 0) faults.add(required(`${at}.exec.command`));
  if (httpGet !== undefined) {
    faults.required(`${at}.httpGet.path`, httpGet.path);
    faults.portOrName(`${at}.httpGet.port`, httpGet.port);
    faults.word(`${at}.httpGet.scheme`, httpGet.scheme, ['HTTP', 'HTTPS']);
    for (const { name } of httpGet.httpHeaders ?? []) {
      if (!/^[-A-Za-z0-9]+$/.test(name)) {
        faults.invalid(
          `${at}.httpGet.httpHeaders`,
          name,
          "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')",
        );
      }
    }
  }
  if (tcpSocket !== undefined) faults.portOrName(`${at}.tcpSocket.port`, tcpSocket.port);
  if (grpc !== undefined) faults.port(`${at}.grpc.port`, grpc.port);
}

const HOST_PATH_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];

function checkVolumes(faults: Faults, path: string, volumes: readonly Volume[]): Map<string, Volume> {
  const known = new Map<string, Volume>();
  for (const [index, volume] of volumes.entries()) {
    const at = `${path}[${index}]`;
    checkVolumeSource(faults, at, volume);
    const { name } = volume;
    if (name === '') faults.add(required(`${at}.name`));
    else {
      faults.label(`${at}.name`, name);
      if (known.has(name)) faults.add(duplicate(`${at}.name`, name));
      known.set(name, volume);
    }
  }
  return known;
}

function checkVolumeSource(faults: Faults, at: string, volume: Volume): void {
  const sources = Object.keys(volume).filter((field) => field !== 'name');
  for (const extra of sources.slice(1))
    faults.forbidden(`${at}.${extra}`, 'may not specify more than 1 volume type');
  const { hostPath, secret, configMap, emptyDir, persistentVolumeClaim, nfs } = volume;
  if (sources.length > 1) return;
  if (hostPath !== undefined) {
    if (faults.required(`${at}.hostPath.path`, hostPath.path) && hostPath.path.split('/').includes('..')) {
      faults.invalid(`${at}.hostPath.path`, hostPath.path, "must not contain '..'");
    }
    if (hostPath.type !== undefined && !HOST_PATH_TYPES.includes(hostPath.type))
      faults.add(unsupported(`${at}.hostPath.type`, hostPath.type, HOST_PATH_TYPES));
  }
  if (secret !== undefined) {
    faults.required(`${at}.secret.secretName`, secret.secretName);
    checkModeAndItems(faults, `${at}.secret`, secret);
  }
  if (configMap !== undefined) {
    faults.required(`${at}.configMap.name`, configMap.name);
    checkModeAndItems(faults, `${at}.configMap`, configMap);
  }
  const limit = emptyDir?.sizeLimit;
  if (limit !== undefined && (parseQuantity(limit)?.nano ?? 0n) < 0n) {
    faults.forbidden(`${at}.emptyDir.sizeLimit`, 'SizeLimit field must be a valid resource quantity');
  }
  if (persistentVolumeClaim !== undefined)
    faults.required(`${at}.persistentVolumeClaim.claimName`, persistentVolumeClaim.claimName);
  if (nfs !== undefined) {
    faults.required(`${at}.nfs.server`, nfs.server);
    faults.required(`${at}.nfs.path`, nfs.path);
  }
}

interface ModeAndItems {
  readonly defaultMode?: number;
  readonly items?: readonly { readonly key: string; readonly path: string; readonly mode?: number }[];
}

function checkModeAndItems(faults: Faults, at: string, { defaultMode, items }: ModeAndItems): void {
  if (defaultMode !== undefined && (defaultMode < 0 || defaultMode > 0o777)) {
    faults.invalid(
      `${at}.defaultMode`,
      defaultMode,
      'must be a number between 0 and 0777 (octal), both inclusive',
    );
  }
  for (const [index, { key, path }] of (items ?? []).entries()) {
    faults.required(`${at}.items[${index}].key`, key);
    if (faults.required(`${at}.items[${index}].path`, path))
      checkRelativePath(faults, `${at}.items[${index}].path`, path);
  }
}
