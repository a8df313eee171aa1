// Defaults of pod specs and their parts (pkg/apis/core/v1/defaults.go).
import { formatQuantity, parseQuantity } from '../../api/quantity.ts';
import type { Container, PodSpec, Probe, Volume } from '../../api/types.ts';

type Handler = NonNullable<NonNullable<Container['lifecycle']>['postStart']>;
type Resources = NonNullable<Container['resources']>;

/** Fills in a pod spec. `isPod` is for pods themselves, whose requests come from limits; templates keep what they say. */
export function defaultPodSpec(spec: PodSpec, isPod: boolean): void {
  spec.dnsPolicy ??= 'ClusterFirst';
  spec.restartPolicy ??= 'Always';
  if (spec.hostNetwork === true) defaultHostPorts(spec);
  spec.securityContext ??= {};
  if (isPod && (spec.terminationGracePeriodSeconds ?? 0) < 0) spec.terminationGracePeriodSeconds = 1;
  spec.terminationGracePeriodSeconds ??= 30;
  spec.schedulerName ??= 'default-scheduler';
  if (isPod) spec.enableServiceLinks ??= true;
  if (spec.serviceAccountName !== undefined || spec.serviceAccount !== undefined) {
    spec.serviceAccountName ??= spec.serviceAccount!;
    spec.serviceAccount = spec.serviceAccountName;
  }
  roundUp(spec.overhead);
  roundResources(spec.resources);
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
  const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? [])];
  for (const container of containers) defaultContainer(container);
  for (const container of spec.ephemeralContainers ?? []) defaultContainer(container as unknown as Container);
  if (!isPod) return;
  for (const container of containers) requestsFromLimits(container);
  if (spec.resources !== undefined) defaultPodResources(spec);
}

function defaultHostPorts(spec: PodSpec): void {
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    for (const port of container.ports ?? []) port.hostPort ??= port.containerPort;
  }
}

function requestsFromLimits(container: Container): void {
  const resources = container.resources as Resources | undefined;
  if (resources?.limits === undefined) return;
  const requests = (resources.requests ??= {});
  for (const [name, value] of Object.entries(resources.limits)) requests[name] ??= value;
}

/** Pod-level requests default to what containers ask for, else to the pod's limits. */
function defaultPodResources(spec: PodSpec): void {
  const { resources } = spec;
  if (resources?.limits === undefined) return;
  const requests = (resources.requests ??= {});
  for (const [name, value] of Object.entries(resources.limits)) requests[name] ??= value;
}

/** The tag decides the pull policy; an image without one means `latest`. */
function defaultPullPolicy(image: string): 'Always' | 'IfNotPresent' {
  if (image.includes('@')) return 'IfNotPresent';
  const name = image.slice(image.lastIndexOf('/') + 1);
  const tag = name.includes(':') ? name.slice(name.indexOf(':') + 1) : 'latest';
  return tag === 'latest' ? 'Always' : 'IfNotPresent';
}

/** Finer than thousandths, as canonical quantities write it. */
const FINE = /[nu]$|\.\d{4}/;

/** Amounts of resources are counted in thousandths at the finest (SetDefaults_ResourceList). */
export function roundUp(amounts: Record<string, string | number> | undefined): void {
  for (const name in amounts) {
    if (!FINE.test(String(amounts[name]))) continue;
    const quantity = parseQuantity(amounts[name]!);
    if (quantity === undefined) continue;
    const { nano, format } = quantity;
    const milli = nano >= 0n ? (nano + 999_999n) / 1_000_000n : nano / 1_000_000n;
    amounts[name] = formatQuantity({ nano: milli * 1_000_000n, format });
  }
}

function roundResources(resources: Container['resources']): void {
  roundUp(resources?.limits);
  roundUp(resources?.requests);
}

function defaultContainer(container: Container): void {
  roundResources(container.resources);
  container.imagePullPolicy ??= defaultPullPolicy(container.image ?? '');
  container.terminationMessagePath ??= '/dev/termination-log';
  container.terminationMessagePolicy ??= 'File';
  for (const port of container.ports ?? []) port.protocol ??= 'TCP';
  for (const variable of container.env ?? []) {
    const field = variable.valueFrom?.fieldRef;
    if (field !== undefined) field.apiVersion ??= 'v1';
    const file = variable.valueFrom?.fileKeyRef;
    if (file !== undefined) file.optional ??= false;
  }
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) {
    if (probe !== undefined) defaultProbe(probe);
  }
  defaultHandler(container.lifecycle?.postStart);
  defaultHandler(container.lifecycle?.preStop);
}

function defaultProbe(probe: Probe): void {
  defaultHandler(probe);
  if (probe.grpc !== undefined) probe.grpc.service ??= '';
  probe.timeoutSeconds ??= 1;
  probe.periodSeconds ??= 10;
  probe.successThreshold ??= 1;
  probe.failureThreshold ??= 3;
}

function defaultHandler(handler: Handler | Probe | undefined): void {
  const get = handler?.httpGet;
  if (get === undefined) return;
  get.path ??= '/';
  get.scheme ??= 'HTTP';
}

const DEFAULT_MODE = 0o644;

function defaultVolume(volume: Volume): void {
  if (Object.keys(volume).length === 1) volume.emptyDir = {};
  if (volume.secret !== undefined) volume.secret.defaultMode ??= DEFAULT_MODE;
  if (volume.configMap !== undefined) volume.configMap.defaultMode ??= DEFAULT_MODE;
  if (volume.hostPath !== undefined) volume.hostPath.type ??= '';
  if (volume.downwardAPI !== undefined) {
    volume.downwardAPI.defaultMode ??= DEFAULT_MODE;
    for (const item of volume.downwardAPI.items ?? []) defaultDownwardItem(item);
  }
  if (volume.projected !== undefined) {
    volume.projected.defaultMode ??= DEFAULT_MODE;
    for (const source of volume.projected.sources ?? []) {
      for (const item of source.downwardAPI?.items ?? []) defaultDownwardItem(item);
      if (source.serviceAccountToken !== undefined) source.serviceAccountToken.expirationSeconds ??= 3600;
    }
  }
  if (volume.iscsi !== undefined) volume.iscsi.iscsiInterface ??= 'default';
  if (volume.rbd !== undefined) {
    volume.rbd.pool ??= 'rbd';
    volume.rbd.user ??= 'admin';
    volume.rbd.keyring ??= '/etc/ceph/keyring';
  }
  if (volume.azureDisk !== undefined) {
    volume.azureDisk.cachingMode ??= 'ReadWrite';
    volume.azureDisk.kind ??= 'Shared';
    volume.azureDisk.fsType ??= 'ext4';
    volume.azureDisk.readOnly ??= false;
  }
  if (volume.scaleIO !== undefined) {
    volume.scaleIO.storageMode ??= 'ThinProvisioned';
    volume.scaleIO.fsType ??= 'xfs';
  }
  const claim = volume.ephemeral?.volumeClaimTemplate;
  if (claim !== undefined) claim.spec.volumeMode ??= 'Filesystem';
  if (volume.image !== undefined) volume.image.pullPolicy ??= defaultPullPolicy(volume.image.reference ?? '');
}

function defaultDownwardItem(item: { fieldRef?: { apiVersion?: string } }): void {
  if (item.fieldRef !== undefined) item.fieldRef.apiVersion ??= 'v1';
}
