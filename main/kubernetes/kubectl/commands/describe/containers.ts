// Containers, volumes, tolerations: what descriptions of pods and of pod templates share.
import type { ContainerState, ContainerStatus } from '../../rest/pods.ts';
import { boolText, type DescribeWriter, timeText, type StringMap } from './writer.ts';

interface Probe {
  readonly exec?: { readonly command?: readonly string[] };
  readonly httpGet?: {
    readonly host?: string;
    readonly path?: string;
    readonly port: number | string;
    readonly scheme?: string;
  };
  readonly tcpSocket?: { readonly host?: string; readonly port: number | string };
  readonly grpc?: { readonly port: number; readonly service?: string };
  readonly initialDelaySeconds?: number;
  readonly timeoutSeconds?: number;
  readonly periodSeconds?: number;
  readonly successThreshold?: number;
  readonly failureThreshold?: number;
}

interface KeyRef {
  readonly name?: string;
  readonly key: string;
  readonly optional?: boolean;
}

export interface FullContainer {
  readonly name: string;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly ports?: readonly {
    readonly containerPort: number;
    readonly hostPort?: number;
    readonly protocol?: string;
  }[];
  readonly resources?: { readonly limits?: StringMap; readonly requests?: StringMap };
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly startupProbe?: Probe;
  readonly envFrom?: readonly {
    readonly prefix?: string;
    readonly configMapRef?: Partial<KeyRef>;
    readonly secretRef?: Partial<KeyRef>;
  }[];
  readonly env?: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: {
      readonly fieldRef?: { readonly apiVersion?: string; readonly fieldPath: string };
      readonly resourceFieldRef?: {
        readonly resource: string;
        readonly containerName?: string;
        readonly divisor?: string;
      };
      readonly secretKeyRef?: KeyRef;
      readonly configMapKeyRef?: KeyRef;
    };
  }[];
  readonly volumeMounts?: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly readOnly?: boolean;
    readonly subPath?: string;
  }[];
  readonly volumeDevices?: readonly { readonly name: string; readonly devicePath: string }[];
}

export interface Toleration {
  readonly key?: string;
  readonly operator?: string;
  readonly value?: string;
  readonly effect?: string;
  readonly tolerationSeconds?: number;
}

export interface Volume {
  readonly name: string;
  readonly [source: string]: unknown;
}

/** Tells a field of the pod where the environment refers to one; undefined in templates. */
export type FieldResolver = (fieldPath: string) => string;

/** `indent` is set for templates, whose containers stand one blank further in. */
export function writeContainers(
  w: DescribeWriter,
  label: string,
  containers: readonly FullContainer[],
  statuses: readonly ContainerStatus[],
  indent: string,
  resolve?: FieldResolver,
): void {
  w.write(0, containers.length === 0 ? `${indent}${label}: <none>\n` : `${indent}${label}:\n`);
  for (const container of containers) {
    const status = statuses.find(({ name }) => name === container.name);
    w.write(1, `${indent === '' ? '' : ' '}${container.name}:\n`);
    if (status !== undefined) w.write(2, `Container ID:\t${status.containerID ?? ''}\n`);
    w.write(2, `Image:\t${container.image ?? ''}\n`);
    if (status !== undefined) w.write(2, `Image ID:\t${status.imageID ?? ''}\n`);
    const list = (
      title: string,
      port: (each: NonNullable<FullContainer['ports']>[number]) => number,
    ): void => {
      const text = (container.ports ?? [])
        .map((each) => `${port(each)}/${each.protocol ?? 'TCP'}`)
        .join(', ');
      w.write(2, text.includes(',') ? `${title}s:\t${text}\n` : `${title}:\t${text || '<none>'}\n`);
    };
    list('Port', ({ containerPort }) => containerPort);
    list('Host Port', ({ hostPort = 0 }) => hostPort);
    writeWords(w, 'Command', container.command);
    writeWords(w, 'Args', container.args);
    if (status !== undefined) writeState(w, status);
    writeResources(w, 'Limits', container.resources?.limits);
    writeResources(w, 'Requests', container.resources?.requests);
    for (const [title, probe] of [
      ['Liveness', container.livenessProbe],
      ['Readiness', container.readinessProbe],
      ['Startup', container.startupProbe],
    ] as const) {
      if (probe !== undefined) w.write(2, `${title}:\t${probeText(probe)}\n`);
    }
    writeEnvironment(w, container, resolve);
    writeMounts(w, container);
  }
}

function writeWords(w: DescribeWriter, title: string, words: readonly string[] = []): void {
  if (words.length === 0) return;
  w.write(2, `${title}:\n`);
  for (const word of words) for (const line of word.split('\n')) w.write(3, `${line}\n`);
}

function writeState(w: DescribeWriter, status: ContainerStatus): void {
  writeOneState(w, 'State', status.state);
  if (status.lastState?.terminated !== undefined) writeOneState(w, 'Last State', status.lastState);
  w.write(2, `Ready:\t${boolText(status.ready)}\n`);
  w.write(2, `Restart Count:\t${status.restartCount}\n`);
}

function writeOneState(w: DescribeWriter, title: string, state: ContainerState | undefined): void {
  const { running, waiting, terminated } = state ?? {};
  if (running !== undefined) {
    w.write(2, `${title}:\tRunning\n`);
    w.write(3, `Started:\t${timeText(running.startedAt)}\n`);
  } else if (waiting !== undefined) {
    w.write(2, `${title}:\tWaiting\n`);
    if (waiting.reason !== undefined && waiting.reason !== '') w.write(3, `Reason:\t${waiting.reason}\n`);
  } else if (terminated !== undefined) {
    w.write(2, `${title}:\tTerminated\n`);
    if (terminated.reason !== undefined && terminated.reason !== '')
      w.write(3, `Reason:\t${terminated.reason}\n`);
    if (terminated.message !== undefined && terminated.message !== '')
      w.write(3, `Message:\t${terminated.message}\n`);
    w.write(3, `Exit Code:\t${terminated.exitCode}\n`);
    if ((terminated.signal ?? 0) > 0) w.write(3, `Signal:\t${terminated.signal}\n`);
    w.write(3, `Started:\t${timeText(terminated.startedAt)}\n`);
    w.write(3, `Finished:\t${timeText(terminated.finishedAt)}\n`);
  } else w.write(2, `${title}:\tWaiting\n`);
}

function writeResources(w: DescribeWriter, title: string, list: StringMap | undefined): void {
  const names = Object.keys(list ?? {}).sort();
  if (names.length === 0) return;
  w.write(2, `${title}:\n`);
  for (const name of names) w.write(3, `${name}:\t${list![name]}\n`);
}

function probeText(probe: Probe): string {
  const attributes = `delay=${probe.initialDelaySeconds ?? 0}s timeout=${probe.timeoutSeconds ?? 1}s period=${probe.periodSeconds ?? 10}s #success=${probe.successThreshold ?? 1} #failure=${probe.failureThreshold ?? 3}`;
  if (probe.exec !== undefined) return `exec [${(probe.exec.command ?? []).join(' ')}] ${attributes}`;
  if (probe.httpGet !== undefined) {
    const { host = '', path = '', port, scheme = 'HTTP' } = probe.httpGet;
    return `http-get ${scheme.toLowerCase()}://${host}:${port}${path.startsWith('/') || path === '' ? path : `/${path}`} ${attributes}`;
  }
  if (probe.tcpSocket !== undefined)
    return `tcp-socket ${probe.tcpSocket.host ?? ''}:${probe.tcpSocket.port} ${attributes}`;
  if (probe.grpc !== undefined)
    return `grpc <pod>:${probe.grpc.port} ${probe.grpc.service ?? ''} ${attributes}`;
  return `unknown ${attributes}`;
}

function writeEnvironment(
  w: DescribeWriter,
  container: FullContainer,
  resolve: FieldResolver | undefined,
): void {
  const { env = [], envFrom = [] } = container;
  if (envFrom.length > 0) w.write(2, 'Environment Variables from:\n');
  for (const { prefix = '', configMapRef, secretRef } of envFrom) {
    const reference = configMapRef ?? secretRef;
    const from =
      (configMapRef === undefined ? 'Secret' : 'ConfigMap') +
      (prefix === '' ? '' : ` with prefix '${prefix}'`);
    w.write(3, `${reference?.name ?? ''}\t${from}\tOptional: ${reference?.optional === true}\n`);
  }
  w.write(2, `Environment:${env.length === 0 ? '\t<none>' : ''}\n`);
  for (const { name, value = '', valueFrom } of env) {
    if (valueFrom === undefined)
      value.split('\n').forEach((line, index) => w.write(3, `${index === 0 ? `${name}:` : ''}\t${line}\n`));
    else if (valueFrom.fieldRef !== undefined) {
      const { apiVersion = 'v1', fieldPath } = valueFrom.fieldRef;
      w.write(3, `${name}:\t${resolve?.(fieldPath) ?? ''} (${apiVersion}:${fieldPath})\n`);
    } else if (valueFrom.resourceFieldRef !== undefined) {
      const { resource } = valueFrom.resourceFieldRef;
      w.write(3, `${name}:\t${resourceValue(container, resource)} (${resource})\n`);
    } else if (valueFrom.secretKeyRef !== undefined) {
      const { key, name: secret = '', optional } = valueFrom.secretKeyRef;
      w.write(
        3,
        `${name}:\t<set to the key '${key}' in secret '${secret}'>\tOptional: ${optional === true}\n`,
      );
    } else if (valueFrom.configMapKeyRef !== undefined) {
      const { key, name: map = '', optional } = valueFrom.configMapKeyRef;
      w.write(
        3,
        `${name}:\t<set to the key '${key}' of config map '${map}'>\tOptional: ${optional === true}\n`,
      );
    }
  }
}

/** In bytes or whole CPUs, as the kubelet would set it with divisor 1. */
function resourceValue({ resources }: FullContainer, resource: string): string {
  const [which = '', name = ''] = resource.split('.');
  const text = (which === 'limits' ? resources?.limits : resources?.requests)?.[name];
  if (text === undefined) return '0';
  const match = /^([\d.]+)(Ki|Mi|Gi|Ti|Pi|Ei|m|k|M|G|T|P|E)?$/.exec(text);
  const scales: Readonly<Record<string, number>> = {
    Ki: 1024,
    Mi: 1024 ** 2,
    Gi: 1024 ** 3,
    Ti: 1024 ** 4,
    Pi: 1024 ** 5,
    Ei: 1024 ** 6,
    m: 0.001,
    k: 1e3,
    M: 1e6,
    G: 1e9,
    T: 1e12,
    P: 1e15,
    E: 1e18,
  };
  return match === null ? text : String(Math.ceil(Number(match[1]) * (scales[match[2] ?? ''] ?? 1)));
}

function writeMounts(w: DescribeWriter, { volumeMounts = [], volumeDevices = [] }: FullContainer): void {
  w.write(2, `Mounts:${volumeMounts.length === 0 ? '\t<none>' : ''}\n`);
  for (const { mountPath, name, readOnly, subPath } of volumeMounts.toSorted((a, b) =>
    a.mountPath < b.mountPath ? -1 : 1,
  )) {
    const flags = [
      readOnly === true ? 'ro' : 'rw',
      ...(subPath === undefined || subPath === '' ? [] : [`path="${subPath}"`]),
    ];
    w.write(3, `${mountPath} from ${name} (${flags.join(',')})\n`);
  }
  if (volumeDevices.length === 0) return;
  w.write(2, 'Devices:\n');
  for (const { devicePath, name } of volumeDevices) w.write(3, `${devicePath} from ${name}\n`);
}

type Source = Readonly<Record<string, unknown>>;

export function writeVolumes(w: DescribeWriter, volumes: readonly Volume[], indent: string): void {
  if (volumes.length === 0) return w.write(0, `${indent}Volumes:\t<none>\n`);
  w.write(0, `${indent}Volumes:\n`);
  for (const volume of volumes) {
    w.write(1, `${indent === '' ? '' : ' '}${volume.name}:\n`);
    writeVolumeSource(w, volume);
  }
}

/** `    Type: …` and the members of a volume's source; persistent volumes show theirs so too. */
function writeVolumeSource(w: DescribeWriter, volume: Readonly<Record<string, unknown>>): void {
  const source = (name: string): Source | undefined => volume[name] as Source | undefined;
  const lines = (...members: readonly (readonly [string, unknown])[]): void => {
    for (const [title, value] of members) w.write(2, `${title}:\t${shown(value)}\n`);
  };
  const [emptyDir, hostPath, secret, configMap] = [
    source('emptyDir'),
    source('hostPath'),
    source('secret'),
    source('configMap'),
  ];
  const [claim, nfs, downward, projected, csi, local] = [
    source('persistentVolumeClaim'),
    source('nfs'),
    source('downwardAPI'),
    source('projected'),
    source('csi'),
    source('local'),
  ];
  if (emptyDir !== undefined) {
    lines(
      ['Type', "EmptyDir (a temporary directory that shares a pod's lifetime)"],
      ['Medium', emptyDir['medium'] ?? ''],
      ['SizeLimit', emptyDir['sizeLimit'] ?? '<unset>'],
    );
  } else if (hostPath !== undefined) {
    lines(
      ['Type', 'HostPath (bare host directory volume)'],
      ['Path', hostPath['path']],
      ['HostPathType', hostPath['type'] ?? ''],
    );
  } else if (secret !== undefined) {
    lines(
      ['Type', 'Secret (a volume populated by a Secret)'],
      ['SecretName', secret['secretName']],
      ['Optional', secret['optional'] === true],
    );
  } else if (configMap !== undefined) {
    lines(
      ['Type', 'ConfigMap (a volume populated by a ConfigMap)'],
      ['Name', configMap['name']],
      ['Optional', configMap['optional'] === true],
    );
  } else if (claim !== undefined) {
    lines(
      ['Type', 'PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)'],
      ['ClaimName', claim['claimName']],
      ['ReadOnly', claim['readOnly'] === true],
    );
  } else if (nfs !== undefined) {
    lines(
      ['Type', 'NFS (an NFS mount that lasts the lifetime of a pod)'],
      ['Server', nfs['server']],
      ['Path', nfs['path']],
      ['ReadOnly', nfs['readOnly'] === true],
    );
  } else if (local !== undefined) {
    lines(
      ['Type', 'LocalVolume (a persistent volume backed by local storage on a node)'],
      ['Path', local['path']],
    );
  } else if (downward !== undefined) {
    lines(['Type', 'DownwardAPI (a volume populated by information about the pod)']);
    w.write(2, 'Items:\n');
    writeDownwardItems(w, downward);
  } else if (csi !== undefined) {
    lines(
      ['Type', 'CSI (a Container Storage Interface (CSI) volume source)'],
      ['Driver', csi['driver']],
      ['FSType', csi['fsType'] ?? ''],
      ['ReadOnly', csi['readOnly'] === true],
    );
  } else if (projected !== undefined) writeProjected(projected, lines);
  else w.write(1, '<unknown>\n');
}

function writeDownwardItems(w: DescribeWriter, { items = [] }: Source): void {
  for (const { fieldRef, resourceFieldRef, path } of items as readonly {
    fieldRef?: { fieldPath: string };
    resourceFieldRef?: { resource: string };
    path: string;
  }[]) {
    w.write(3, `${fieldRef?.fieldPath ?? resourceFieldRef?.resource ?? ''} -> ${path}\n`);
  }
}

function writeProjected(
  { sources = [] }: Source,
  lines: (...members: readonly (readonly [string, unknown])[]) => void,
): void {
  lines(['Type', 'Projected (a volume that contains injected data from multiple sources)']);
  for (const { secret, configMap, downwardAPI, serviceAccountToken } of sources as readonly Readonly<
    Record<string, Source | undefined>
  >[]) {
    if (secret !== undefined)
      lines(['SecretName', secret['name']], ['SecretOptionalName', secret['optional'] ?? '<nil>']);
    if (downwardAPI !== undefined) lines(['DownwardAPI', true]);
    if (configMap !== undefined)
      lines(['ConfigMapName', configMap['name']], ['ConfigMapOptional', configMap['optional'] ?? '<nil>']);
    if (serviceAccountToken !== undefined)
      lines(['TokenExpirationSeconds', serviceAccountToken['expirationSeconds'] ?? 3600]);
  }
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? '');
}

export function writeTolerations(
  w: DescribeWriter,
  title: string,
  tolerations: readonly Toleration[] = [],
): void {
  if (tolerations.length === 0) return w.write(0, `${title}:\t<none>\n`);
  const sorted = tolerations.toSorted((a, b) =>
    (a.key ?? '') < (b.key ?? '') ? -1 : (a.key ?? '') > (b.key ?? '') ? 1 : 0,
  );
  sorted.forEach((toleration, index) =>
    w.write(0, `${index === 0 ? `${title}:` : ''}\t${tolerationText(toleration)}\n`),
  );
}

function tolerationText({
  key = '',
  operator,
  value = '',
  effect = '',
  tolerationSeconds,
}: Toleration): string {
  let text = key;
  if (value !== '') text += `=${value}`;
  if (effect !== '') text += `:${effect}`;
  if (operator === 'Exists' && value === '') text += key !== '' || effect !== '' ? ' op=Exists' : 'op=Exists';
  if (tolerationSeconds !== undefined) text += ` for ${tolerationSeconds}s`;
  return text;
}

export interface PodTemplate {
  readonly metadata?: { readonly labels?: StringMap; readonly annotations?: StringMap };
  readonly spec?: {
    readonly serviceAccountName?: string;
    readonly priorityClassName?: string;
    readonly initContainers?: readonly FullContainer[];
    readonly containers: readonly FullContainer[];
    readonly volumes?: readonly Volume[];
    readonly nodeSelector?: StringMap;
    readonly tolerations?: readonly Toleration[];
  };
}

export function writePodTemplate(w: DescribeWriter, template: PodTemplate | undefined): void {
  w.write(0, 'Pod Template:\n');
  if (template === undefined) return w.write(1, '<unset>');
  w.labels('  Labels', template.metadata?.labels);
  if (Object.keys(template.metadata?.annotations ?? {}).length > 0)
    w.annotations('  Annotations', template.metadata?.annotations);
  const { spec } = template;
  if (spec?.serviceAccountName !== undefined && spec.serviceAccountName !== '')
    w.write(0, `  Service Account:\t${spec.serviceAccountName}\n`);
  if ((spec?.initContainers ?? []).length > 0)
    writeContainers(w, 'Init Containers', spec!.initContainers!, [], '  ');
  writeContainers(w, 'Containers', spec?.containers ?? [], [], '  ');
  writeVolumes(w, spec?.volumes ?? [], '  ');
  if (spec?.priorityClassName !== undefined && spec.priorityClassName !== '')
    w.write(0, `  Priority Class Name:\t${spec.priorityClassName}\n`);
  w.labels('  Node-Selectors', spec?.nodeSelector);
  writeTolerations(w, '  Tolerations', spec?.tolerations);
}
