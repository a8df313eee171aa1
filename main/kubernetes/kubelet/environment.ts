// The environment of a container: service variables, envFrom, env with valueFrom and $(NAME) expansion.
import { canonicalQuantity, isStatus, quantityMilliValue, requireQuantity } from '../api/index.ts';
import type { Container, EnvVar, Service } from '../api/index.ts';
import type { KnownPod } from './pod-facts.ts';

/** What valueFrom may refer to. Getters reject with StatusError NotFound. */
export interface EnvironmentSources {
  readonly services: readonly Service[];
  configMap(name: string): Promise<{ readonly data?: Record<string, string> }>;
  secret(name: string): Promise<{ readonly data?: Record<string, string> }>;
  /** Of the node, for limits that aren't set. */
  readonly allocatable: Readonly<Record<string, string>>;
  readonly podIPs: readonly string[];
  readonly hostIP: string;
}

/** The environment can't be made; the container waits with CreateContainerConfigError. */
export class ConfigError extends Error {}

export interface EnvironmentEntry {
  readonly name: string;
  readonly value: string;
}

/** Builds the environment of one container, in the kubelet's order. */
export async function environmentOf(
  pod: KnownPod,
  container: Container,
  sources: EnvironmentSources,
): Promise<EnvironmentEntry[]> {
  const serviceVariables = serviceVariablesOf(pod, sources.services);
  const result = new Map<string, string>();

  for (const from of container.envFrom ?? []) {
    const reference = from.configMapRef ?? from.secretRef;
    if (reference === undefined) continue;
    const isSecret = from.configMapRef === undefined;
    const data = await readData(isSecret, reference.name ?? '', reference.optional === true, sources);
    for (const key of Object.keys(data).toSorted()) result.set(`${from.prefix ?? ''}${key}`, data[key]!);
  }
  const scope = new Map<string, string>();
  for (const entry of container.env ?? []) {
    const value = await valueOf(
      pod,
      container,
      entry,
      sources,
      (name) => scope.get(name) ?? result.get(name) ?? serviceVariables.get(name),
    );
    if (value === undefined) continue;
    scope.set(entry.name, value);
    result.set(entry.name, value);
  }
  for (const [name, value] of serviceVariables) if (!result.has(name)) result.set(name, value);
  return [...result].map(([name, value]) => ({ name, value }));
}

async function valueOf(
  pod: KnownPod,
  container: Container,
  entry: EnvVar,
  sources: EnvironmentSources,
  lookup: (name: string) => string | undefined,
): Promise<string | undefined> {
  const from = entry.valueFrom;
  if (from === undefined) return expand(entry.value ?? '', lookup);
  if (from.fieldRef !== undefined) return fieldValue(pod, from.fieldRef.fieldPath, sources);
  if (from.resourceFieldRef !== undefined)
    return resourceValue(pod, container, from.resourceFieldRef, sources.allocatable);
  const reference = from.configMapKeyRef ?? from.secretKeyRef;
  if (reference === undefined) return undefined;
  const isSecret = from.configMapKeyRef === undefined;
  const optional = reference.optional === true;
  const data = await readData(isSecret, reference.name ?? '', optional, sources);
  const value = data[reference.key];
  if (value === undefined && !optional) {
    const owner = `${pod.metadata.namespace}/${reference.name ?? ''}`;
    throw new ConfigError(
      `couldn't find key ${reference.key} in ${isSecret ? 'Secret' : 'ConfigMap'} ${owner}`,
    );
  }
  return value;
}

async function readData(
  isSecret: boolean,
  name: string,
  optional: boolean,
  sources: EnvironmentSources,
): Promise<Record<string, string>> {
  try {
    if (!isSecret) return (await sources.configMap(name)).data ?? {};
    const { data = {} } = await sources.secret(name);
    return Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
    );
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error;
    if (optional) return {};
    throw new ConfigError(error.message, { cause: error });
  }
}

/** Replaces $(NAME) by values; $$ stands for $, and unknown names stay as they are (k8s.io/kubernetes/third_party/forked/golang/expansion). */
export function expand(text: string, lookup: (name: string) => string | undefined): string {
  return text.replace(/\$(\$|\([^)]*\))/g, (whole, what: string) => {
    if (what === '$') return '$';
    return lookup(what.slice(1, -1)) ?? whole;
  });
}

/** {SVC}_SERVICE_HOST and the docker-links variables of the services a pod sees. */
function serviceVariablesOf(pod: KnownPod, services: readonly Service[]): Map<string, string> {
  const chosen = new Map<string, Service>();
  const links = pod.spec.enableServiceLinks !== false;
  for (const service of services) {
    const { name = '', namespace = '' } = service.metadata ?? {};
    const { clusterIP = '' } = service.spec ?? {};
    if (clusterIP === '' || clusterIP === 'None') continue;
    if (namespace === 'default' && name === 'kubernetes') {
      if (!chosen.has(name)) chosen.set(name, service);
    } else if (links && namespace === pod.metadata.namespace) chosen.set(name, service);
  }
  const variables = new Map<string, string>();
  for (const [name, service] of [...chosen].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    addServiceVariables(variables, name, service);
  return variables;
}

function addServiceVariables(variables: Map<string, string>, name: string, service: Service): void {
  const prefix = name.toUpperCase().replaceAll('-', '_');
  const { clusterIP = '', ports = [] } = service.spec ?? {};
  const first = ports[0];
  if (first === undefined) return;
  variables.set(`${prefix}_SERVICE_HOST`, clusterIP);
  variables.set(`${prefix}_SERVICE_PORT`, String(first.port));
  for (const port of ports) {
    if (port.name !== undefined && port.name !== '') {
      variables.set(
        `${prefix}_SERVICE_PORT_${port.name.toUpperCase().replaceAll('-', '_')}`,
        String(port.port),
      );
    }
  }
  ports.forEach((port, index) => {
    const protocol = port.protocol ?? 'TCP';
    const url = `${protocol.toLowerCase()}://${clusterIP}:${port.port}`;
    const base = `${prefix}_PORT_${port.port}_${protocol.toUpperCase()}`;
    if (index === 0) variables.set(`${prefix}_PORT`, url);
    variables.set(base, url);
    variables.set(`${base}_PROTO`, protocol.toLowerCase());
    variables.set(`${base}_PORT`, String(port.port));
    variables.set(`${base}_ADDR`, clusterIP);
  });
}

/** The downward API's fields of a pod. Throws ConfigError for a path that isn't one. */
export function fieldValue(
  pod: KnownPod,
  path: string,
  sources: Pick<EnvironmentSources, 'podIPs' | 'hostIP'>,
): string {
  const subscript = /^metadata\.(labels|annotations)\['([^']*)'\]$/.exec(path);
  if (subscript !== null) {
    const map = subscript[1] === 'labels' ? pod.metadata.labels : pod.metadata.annotations;
    return map?.[subscript[2]!] ?? '';
  }
  switch (path) {
    case 'metadata.name':
      return pod.metadata.name;
    case 'metadata.namespace':
      return pod.metadata.namespace;
    case 'metadata.uid':
      return pod.metadata.uid;
    case 'metadata.labels':
      return formatMap(pod.metadata.labels);
    case 'metadata.annotations':
      return formatMap(pod.metadata.annotations);
    case 'spec.nodeName':
      return pod.spec.nodeName ?? '';
    case 'spec.serviceAccountName':
      return pod.spec.serviceAccountName ?? '';
    case 'status.hostIP':
    case 'status.hostIPs':
      return sources.hostIP;
    case 'status.podIP':
      return sources.podIPs[0] ?? '';
    case 'status.podIPs':
      return sources.podIPs.join(',');
    default:
      throw new ConfigError(`unsupported fieldPath: ${path}`);
  }
}

/** One `key="value"` line for each entry, by key. */
function formatMap(map: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(map ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n');
}

/** The downward API's resources of a container, in units of the divisor, rounded up. */
export function resourceValue(
  pod: KnownPod,
  own: Container,
  reference: {
    readonly resource: string;
    readonly containerName?: string;
    readonly divisor?: string | number;
  },
  allocatable: Readonly<Record<string, string>>,
): string {
  const wanted = reference.containerName ?? own.name;
  const container =
    [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find(({ name }) => name === wanted) ?? own;
  const [list, name = ''] = reference.resource.split('.', 2) as [string, string?];
  const values = list === 'limits' ? container.resources?.limits : container.resources?.requests;
  const value = values?.[name] ?? (list === 'limits' ? (allocatable[name] ?? '0') : '0');
  const divisor =
    reference.divisor === undefined || String(reference.divisor) === '0'
      ? '1'
      : canonicalQuantity(reference.divisor);
  if (name === 'cpu') return String(Math.ceil(quantityMilliValue(value) / quantityMilliValue(divisor)));
  const by = requireQuantity(divisor).nano;
  return String((requireQuantity(value).nano + by - 1n) / by);
}
