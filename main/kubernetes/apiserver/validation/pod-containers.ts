// Containers of a pod: main, init and ephemeral ones (pkg/apis/core/validation validateContainers and its siblings).
import type { Container, PodSpec, Volume } from '../../api/types.ts';
import { required } from '../refusals.ts';
import { portNameProblems, type Faults } from './checks.ts';
import { checkEnv } from './pod-env.ts';
import { checkHooksAndProbes } from './pod-probes.ts';
import { checkContainerSecurity } from './pod-security.ts';
import { checkMounts } from './pod-volumes.ts';
import { checkResizePolicy, checkResources } from './resources.ts';

const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];

/** What all containers of a pod are checked against. */
export interface PodParts {
  readonly spec: PodSpec;
  readonly volumes: ReadonlyMap<string, Volume>;
}

export function checkContainers(faults: Faults, path: string, parts: PodParts): void {
  const { spec } = parts;
  const names = new Set<string>();
  checkMainContainers(faults, `${path}.containers`, parts, names);
  for (const [index, container] of (spec.initContainers ?? []).entries())
    checkInitContainer(faults, `${path}.initContainers[${index}]`, container, parts, names);
  for (const [index, container] of (spec.ephemeralContainers ?? []).entries())
    checkEphemeral(faults, `${path}.ephemeralContainers[${index}]`, container as Ephemeral, parts, names);
}

function checkMainContainers(faults: Faults, path: string, parts: PodParts, names: Set<string>): void {
  const containers = parts.spec.containers ?? [];
  if (containers.length === 0) faults.add(required(path));
  for (const [index, container] of containers.entries()) {
    const at = `${path}[${index}]`;
    checkContainer(faults, at, container, parts);
    takeName(faults, at, container.name, names);
    checkHooksAndProbes(faults, at, container, parts.spec);
    checkRestart(faults, at, container, ['Always', 'Never', 'OnFailure']);
  }
  const hostPorts = new Set<string>();
  for (const [index, container] of containers.entries())
    checkHostPorts(faults, `${path}[${index}]`, container, hostPorts);
}

function takeName(faults: Faults, at: string, name: string, names: Set<string>): void {
  if (names.has(name) && name !== '') faults.duplicate(`${at}.name`, name);
  names.add(name);
}

function checkInitContainer(
  faults: Faults,
  at: string,
  container: Container,
  parts: PodParts,
  names: Set<string>,
): void {
  checkContainer(faults, at, container, parts);
  checkRestart(faults, at, container, ['Always', 'Never', 'OnFailure']);
  takeName(faults, at, container.name, names);
  checkHostPorts(faults, at, container, new Set());
  if (container.restartPolicy === 'Always') {
    checkHooksAndProbes(faults, at, container, parts.spec);
    return;
  }
  for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
    if (container[field] !== undefined)
      faults.forbidden(`${at}.${field}`, 'may not be set for init containers without restartPolicy=Always');
  }
  if ((container.resizePolicy ?? []).length > 0)
    faults.invalid(`${at}.resizePolicy`, container.resizePolicy, 'must not be set for init containers');
}

/** A container's own restart policy and the rules of it (KEP-5307). */
function checkRestart(faults: Faults, at: string, container: Container, policies: readonly string[]): void {
  const { restartPolicy, restartPolicyRules = [] } = container;
  if (restartPolicy !== undefined) faults.word(`${at}.restartPolicy`, restartPolicy, policies);
  if (restartPolicyRules.length > 0 && restartPolicy === undefined)
    faults.add(required(`${at}.restartPolicy`, 'must specify restartPolicy when restart rules are used'));
  if (restartPolicyRules.length > 20)
    faults.tooMany(`${at}.restartPolicyRules`, restartPolicyRules.length, 20);
  for (const [index, { action, exitCodes }] of restartPolicyRules.entries()) {
    const rule = `${at}.restartPolicyRules[${index}]`;
    faults.word(`${rule}.action`, action, ['Restart', 'RestartAllContainers']);
    if (exitCodes === undefined) {
      faults.add(required(`${rule}.exitCodes`, 'must be specified'));
      continue;
    }
    faults.word(`${rule}.exitCodes.operator`, exitCodes.operator, ['In', 'NotIn']);
    if ((exitCodes.values ?? []).length === 0)
      faults.invalid(`${rule}.exitCodes.values`, exitCodes.values ?? null, 'must have at least one value');
  }
}

function checkContainer(faults: Faults, at: string, container: Container, { spec, volumes }: PodParts): void {
  const { name = '', image = '' } = container as Partial<Container>;
  if (faults.required(`${at}.name`, name)) faults.label(`${at}.name`, name);
  if (image === '') faults.add(required(`${at}.image`));
  else checkImage(faults, at, image);
  faults.word(`${at}.terminationMessagePolicy`, container.terminationMessagePolicy, [
    'File',
    'FallbackToLogsOnError',
  ]);
  checkPorts(faults, `${at}.ports`, container, spec);
  checkEnv(faults, at, container);
  checkMounts(faults, at, container, volumes);
  faults.word(`${at}.imagePullPolicy`, container.imagePullPolicy, ['Always', 'IfNotPresent', 'Never']);
  checkResources(faults, `${at}.resources`, container.resources, spec);
  checkResizePolicy(faults, `${at}.resizePolicy`, container, spec);
  checkContainerSecurity(faults, `${at}.securityContext`, container.securityContext, spec);
}

export function checkImage(faults: Faults, at: string, image: string): void {
  if (image.trim() !== image)
    faults.invalid(`${at}.image`, image, 'must not have leading or trailing whitespace');
}

function checkPorts(faults: Faults, path: string, { ports }: Container, spec: PodSpec): void {
  const names = new Set<string>();
  for (const [index, port] of (ports ?? []).entries()) {
    const at = `${path}[${index}]`;
    const { name = '', containerPort, hostPort = 0, protocol = '' } = port;
    if (name !== '') {
      const problems = portNameProblems(name);
      faults.problems(`${at}.name`, name, problems);
      if (problems.length === 0 && names.has(name)) faults.duplicate(`${at}.name`, name);
      names.add(name);
    }
    if (containerPort === 0) faults.add(required(`${at}.containerPort`));
    else faults.port(`${at}.containerPort`, containerPort);
    if (hostPort !== 0) faults.port(`${at}.hostPort`, hostPort);
    if (protocol === '') faults.add(required(`${at}.protocol`));
    else faults.word(`${at}.protocol`, protocol, PROTOCOLS);
    if (spec.hostNetwork === true && hostPort !== 0 && hostPort !== containerPort)
      faults.invalid(`${at}.hostPort`, hostPort, 'must match `containerPort` when `hostNetwork` is true');
  }
}

function checkHostPorts(faults: Faults, at: string, { ports }: Container, taken: Set<string>): void {
  for (const [index, { hostPort = 0, hostIP = '', protocol = '' }] of (ports ?? []).entries()) {
    if (hostPort === 0) continue;
    const key = `${protocol}/${hostIP}/${hostPort}`;
    if (taken.has(key)) faults.duplicate(`${at}.ports[${index}].hostPort`, key);
    taken.add(key);
  }
}

type Ephemeral = Container & { readonly targetContainerName?: string };

/** Fields that an ephemeral container may have. */
const EPHEMERAL_FIELDS = new Set([
  'name',
  'image',
  'command',
  'args',
  'workingDir',
  'env',
  'envFrom',
  'volumeMounts',
  'volumeDevices',
  'terminationMessagePath',
  'terminationMessagePolicy',
  'imagePullPolicy',
  'securityContext',
  'stdin',
  'stdinOnce',
  'tty',
  'targetContainerName',
]);
const NOT_EPHEMERAL = 'cannot be set for an Ephemeral Container';

function checkEphemeral(
  faults: Faults,
  at: string,
  container: Ephemeral,
  parts: PodParts,
  names: Set<string>,
): void {
  checkContainer(faults, at, container, parts);
  takeName(faults, at, container.name, names);
  const target = container.targetContainerName ?? '';
  const others = [...(parts.spec.containers ?? []), ...(parts.spec.initContainers ?? [])];
  if (target !== '' && !others.some(({ name }) => name === target))
    faults.notFound(`${at}.targetContainerName`, target);
  for (const [field, value] of Object.entries(container)) {
    if (EPHEMERAL_FIELDS.has(field) || isEmpty(value)) continue;
    faults.forbidden(`${at}.${field}`, NOT_EPHEMERAL);
  }
  for (const [index, { subPath = '', subPathExpr = '' }] of (container.volumeMounts ?? []).entries()) {
    if (subPath !== '') faults.forbidden(`${at}.volumeMounts[${index}].subPath`, NOT_EPHEMERAL);
    if (subPathExpr !== '') faults.forbidden(`${at}.volumeMounts[${index}].subPathExpr`, NOT_EPHEMERAL);
  }
}

function isEmpty(value: unknown): boolean {
  return (
    value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0)
  );
}
