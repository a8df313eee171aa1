// The status of a pod for the API: container states, phase and conditions, from what the runtime says.
import { rfc3339 } from '../../simulation/index.ts';
import type { Container as RuntimeContainer } from '../../linux/containerd/index.ts';
import type { ContainerState, ContainerStatus, Pod, PodCondition } from '../api/index.ts';
import {
  allContainersOf,
  ephemeralContainersOf,
  initContainersOf,
  isHostNetwork,
  qosClassOf,
  regularContainersOf,
  type KnownPod,
  type PodContainer,
} from './pod-facts.ts';
import type { ResizeCondition } from './pod-resize.ts';
import { newestOf, previousOf, type PodRuntime } from './runtime-cache.ts';

export type PodStatus = NonNullable<Pod['status']>;
type Phase = NonNullable<PodStatus['phase']>;

/** Why a pod is over though its containers could go on. */
export interface PodFailure {
  readonly reason: string;
  readonly message: string;
  /** Others ended it, which its conditions tell (KEP-3329). */
  readonly isDisruption?: boolean;
}

/** What the runtime can't know. */
export interface StatusFacts {
  readonly nodeIP: string;
  readonly nowMs: number;
  readonly minor: number;
  readonly runtimeName: string;
  /** Why a container that should run doesn't, by its name. */
  readonly waiting: ReadonlyMap<string, { readonly reason: string; readonly message: string }>;
  /** Readiness of a running container by its probes. */
  readonly isReady: (container: PodContainer, runtime: RuntimeContainer) => boolean;
  readonly isStarted: (container: PodContainer, runtime: RuntimeContainer) => boolean;
  /** What the container wrote to its termination log. */
  readonly terminationMessage: (container: PodContainer, runtime: RuntimeContainer) => string | undefined;
  /** The image's canonical name and its `repo@digest`. */
  readonly imageOf: (runtime: RuntimeContainer) => { readonly image: string; readonly imageID: string };
  /** The pod is over, whatever its containers say. */
  readonly failure: PodFailure | undefined;
  readonly isTerminal: boolean;
  readonly resize: readonly ResizeCondition[];
  /** Which attempt at a container of this name comes next, when the records of the ones before are gone. */
  readonly attemptOf: (name: string) => number;
  /** All containers are being ended, to begin anew together. */
  readonly isRestartingAll: boolean;
}

/** Whether a container that isn't running should be started (again). */
export function shouldStart(
  pod: KnownPod,
  container: PodContainer,
  current: RuntimeContainer | undefined,
): boolean {
  if (pod.metadata.deletionTimestamp !== undefined) return false;
  if (current === undefined || current.state === 'created') return true;
  if (current.state === 'running' || container.kind === 'ephemeral') return false;
  const policy =
    container.kind === 'sidecar'
      ? 'Always'
      : (container.spec.restartPolicy ?? pod.spec.restartPolicy ?? 'Always');
  if (restartsByRule(container, current.exitCode ?? 0)) return true;
  if (container.kind === 'init') return current.exitCode !== 0 && policy !== 'Never';
  return policy === 'Always' || (policy === 'OnFailure' && current.exitCode !== 0);
}

/** True if a container's end, by its own rules, restarts all containers of its pod (KEP-5532). */
export function restartsAll({ spec }: PodContainer, exitCode: number): boolean {
  return ruleFor(spec, exitCode) === 'RestartAllContainers';
}

/** The first of the container's own rules that its exit code meets says that it is restarted (KEP-5307). */
function restartsByRule({ spec, kind }: PodContainer, exitCode: number): boolean {
  if (kind === 'init' && exitCode === 0) return false;
  return ruleFor(spec, exitCode) !== undefined;
}

function ruleFor({ restartPolicyRules = [] }: PodContainer['spec'], exitCode: number): string | undefined {
  return restartPolicyRules.find(({ exitCodes }) => {
    if (exitCodes === undefined) return false;
    const isListed = (exitCodes.values ?? []).includes(exitCode);
    return exitCodes.operator === 'NotIn' ? !isListed : isListed;
  })?.action;
}

/** All init containers have done their work: the next ones may start. */
function isInitialized(pod: KnownPod, runtime: PodRuntime, isStarted: StatusFacts['isStarted']): boolean {
  return (
    initContainersOf(pod).every((container) =>
      isInitDone(container, newestOf(runtime, container.spec.name), isStarted),
    ) || hasMainContainers(pod, runtime)
  );
}

/** Once a main container has been made, init containers count as done, even when their records are collected. */
export function hasMainContainers(pod: KnownPod, runtime: PodRuntime): boolean {
  const sandbox = runtime.sandboxes[0];
  return regularContainersOf(pod).some(({ spec }) =>
    runtime.containers.some(
      (instance) => instance.spec.name === spec.name && instance.sandboxId === sandbox?.id,
    ),
  );
}

export function isInitDone(
  container: PodContainer,
  current: RuntimeContainer | undefined,
  isStarted: StatusFacts['isStarted'],
): boolean {
  if (current === undefined) return false;
  if (container.kind === 'sidecar') return current.state === 'running' && isStarted(container, current);
  return current.state === 'exited' && current.exitCode === 0;
}

/** The whole status. `old` gives times of transitions and conditions that others set. */
export function makePodStatus(pod: KnownPod, runtime: PodRuntime, facts: StatusFacts): PodStatus {
  const old = pod.status;
  const initialized = isInitialized(pod, runtime, facts.isStarted);
  const statusOf = (container: PodContainer): ContainerStatus =>
    containerStatus(pod, container, runtime, facts, initialized);
  const init = initContainersOf(pod).map(statusOf);
  const regular = regularContainersOf(pod).map(statusOf);
  const ephemeral = ephemeralContainersOf(pod).map(statusOf);

  const phase: Phase =
    facts.failure !== undefined
      ? 'Failed'
      : old?.phase === 'Failed' || old?.phase === 'Succeeded'
        ? old.phase
        : phaseOf(pod, init, regular, facts.isTerminal, willRestart(pod, runtime));
  const sandbox = runtime.sandboxes[0];
  // A pod that is over keeps showing the address it had.
  const oldIPs = old?.podIPs?.flatMap(({ ip }) => ip ?? []) ?? [];
  const ips = sandbox === undefined || sandbox.ips.length === 0 ? oldIPs : sandbox.ips;
  const podIPs = isHostNetwork(pod) ? [facts.nodeIP] : ips;
  const generation = pod.metadata.generation;
  const requests = podResources(pod);
  const { reason, message } = facts.failure ?? (old?.phase === 'Failed' ? old : {});
  return {
    ...(reason === undefined ? {} : { reason, message }),
    phase,
    conditions: conditionsOf(pod, phase, runtime, init, regular, initialized, facts),
    hostIP: facts.nodeIP,
    ...(facts.minor >= 28 ? { hostIPs: [{ ip: facts.nodeIP }] } : {}),
    ...(podIPs.length > 0 ? { podIP: podIPs[0]!, podIPs: podIPs.map((ip) => ({ ip })) } : {}),
    startTime: old?.startTime ?? rfc3339(facts.nowMs),
    ...(init.length > 0 ? { initContainerStatuses: init } : {}),
    containerStatuses: regular,
    ...(ephemeral.length > 0 ? { ephemeralContainerStatuses: ephemeral } : {}),
    qosClass: qosClassOf(pod),
    ...(facts.minor >= 33 && generation !== undefined ? { observedGeneration: generation } : {}),
    ...(facts.minor >= 36 ? requests : {}),
  };
}

/** Pod-level sums that 1.36 reports: `allocatedResources` and `resources`, when one container states all there is. */
function podResources(pod: KnownPod): Pick<PodStatus, never> {
  const only = pod.spec.containers.length === 1 ? pod.spec.containers[0]?.resources : undefined;
  if (only?.requests === undefined) return { resources: {} };
  return {
    allocatedResources: only.requests,
    resources: { requests: only.requests, ...(only.limits === undefined ? {} : { limits: only.limits }) },
  };
}

function containerStatus(
  pod: KnownPod,
  container: PodContainer,
  runtime: PodRuntime,
  facts: StatusFacts,
  initialized: boolean,
): ContainerStatus {
  const { spec } = container;
  const current = newestOf(runtime, spec.name);
  const previous = previousOf(runtime, spec.name);
  const mounts = volumeMountsOf(container, facts.minor);
  if (current === undefined || current.state === 'created') {
    const waiting = facts.waiting.get(spec.name);
    // Init containers and what waits for them are "PodInitializing"; without init containers it's "ContainerCreating".
    const reason =
      (pod.spec.initContainers ?? []).length > 0 &&
      !(initialized && container.kind === 'regular' && waiting !== undefined)
        ? 'PodInitializing'
        : 'ContainerCreating';
    const state: ContainerState = { waiting: waiting === undefined ? { reason } : waitingState(waiting) };
    return {
      name: spec.name,
      state,
      lastState: previous === undefined ? {} : terminated(container, previous, facts),
      ready: false,
      restartCount: previous === undefined ? facts.attemptOf(spec.name) : previous.spec.attempt,
      image: spec.image ?? '',
      imageID: '',
      started: false,
      ...mounts,
    };
  }
  const running = current.state === 'running';
  let state: ContainerState = running
    ? { running: { startedAt: rfc3339(current.startedMs ?? current.createdMs) } }
    : terminated(container, current, facts);
  let lastState: ContainerState = previous === undefined ? {} : terminated(container, previous, facts);
  const waiting = facts.waiting.get(spec.name);
  if (!running && waiting !== undefined && shouldStart(pod, container, current)) {
    lastState = state;
    state = { waiting: waitingState(waiting) };
  }
  const started = running && facts.isStarted(container, current);
  const isDoneInit = container.kind === 'init' && !running && current.exitCode === 0;
  const { image, imageID } = facts.imageOf(current);
  return {
    name: spec.name,
    state,
    lastState,
    ready:
      isDoneInit ||
      (running &&
        container.kind !== 'init' &&
        container.kind !== 'ephemeral' &&
        facts.isReady(container, current)),
    restartCount: current.spec.attempt,
    image,
    imageID,
    containerID: `${facts.runtimeName}://${current.id}`,
    started: container.kind === 'init' ? running : started,
    ...(facts.minor >= 33 && container.kind !== 'ephemeral'
      ? { resources: statusResources(spec), ...allocated(spec) }
      : {}),
    ...(facts.minor >= 33 ? { user: { linux: userOf(pod, container) } } : {}),
    ...mounts,
  };
}

function waitingState({ reason, message }: { readonly reason: string; readonly message: string }): {
  reason: string;
  message?: string;
} {
  return message === '' ? { reason } : { reason, message };
}

function statusResources(spec: PodContainer['spec']): NonNullable<ContainerStatus['resources']> {
  const { limits, requests } = spec.resources ?? {};
  return { ...(limits === undefined ? {} : { limits }), ...(requests === undefined ? {} : { requests }) };
}

function allocated(spec: PodContainer['spec']): Pick<ContainerStatus, 'allocatedResources'> {
  return spec.resources?.requests === undefined ? {} : { allocatedResources: spec.resources.requests };
}

function userOf(
  pod: KnownPod,
  { spec }: PodContainer,
): { uid: number; gid: number; supplementalGroups: number[] } {
  const uid = spec.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser ?? 0;
  const gid = spec.securityContext?.runAsGroup ?? pod.spec.securityContext?.runAsGroup ?? 0;
  const groups = new Set([gid, ...(pod.spec.securityContext?.supplementalGroups ?? [])]);
  if (pod.spec.securityContext?.fsGroup !== undefined) groups.add(pod.spec.securityContext.fsGroup);
  return { uid, gid, supplementalGroups: [...groups].toSorted((a, b) => a - b) };
}

function volumeMountsOf({ spec }: PodContainer, minor: number): Pick<ContainerStatus, 'volumeMounts'> {
  const mounts = spec.volumeMounts ?? [];
  if (minor < 31 || mounts.length === 0) return {};
  return {
    volumeMounts: mounts.map(({ name, mountPath, readOnly }) => ({
      name,
      mountPath,
      ...(readOnly === true ? { readOnly, recursiveReadOnly: 'Disabled' } : {}),
    })),
  };
}

function terminated(container: PodContainer, instance: RuntimeContainer, facts: StatusFacts): ContainerState {
  const message =
    instance.message !== undefined && instance.message !== ''
      ? instance.message
      : facts.terminationMessage(container, instance);
  const exitCode = instance.exitCode ?? 137;
  return {
    terminated: {
      exitCode,
      reason: instance.reason ?? (exitCode === 0 ? 'Completed' : 'Error'),
      ...(message === undefined || message === '' ? {} : { message }),
      startedAt: rfc3339(instance.startedMs ?? 0),
      finishedAt: rfc3339(instance.finishedMs ?? instance.createdMs),
      containerID: `${facts.runtimeName}://${instance.id}`,
    },
  };
}

/** getPhase of kubelet_pods.go. */
function phaseOf(
  pod: KnownPod,
  init: readonly ContainerStatus[],
  regular: readonly ContainerStatus[],
  isTerminal: boolean,
  willRestart: boolean,
): Phase {
  const policy = pod.spec.restartPolicy ?? 'Always';
  let pendingInit = 0;
  let failedInit = 0;
  initContainersOf(pod).forEach(({ kind }, index) => {
    const status = init[index]!;
    const last = status.lastState?.terminated;
    if (kind === 'sidecar') {
      if (
        status.state?.running !== undefined
          ? status.started !== true
          : status.state?.waiting !== undefined && last === undefined
      )
        pendingInit++;
    } else if (status.state?.terminated !== undefined) {
      if (status.state.terminated.exitCode !== 0) failedInit++;
    } else if (status.state?.waiting !== undefined && last !== undefined) {
      if (last.exitCode !== 0) failedInit++;
    } else pendingInit++;
  });
  let running = 0;
  let waiting = 0;
  let stopped = 0;
  let succeeded = 0;
  for (const { state, lastState } of regular) {
    if (state?.running !== undefined) running++;
    else if (state?.terminated !== undefined) {
      stopped++;
      if (state.terminated.exitCode === 0) succeeded++;
    } else if (lastState?.terminated !== undefined) stopped++;
    else waiting++;
  }
  if (failedInit > 0 && policy === 'Never') return 'Failed';
  if (pendingInit > 0 && running === 0 && stopped === 0) return 'Pending';
  if (waiting > 0) return 'Pending';
  if (running > 0) return 'Running';
  if (stopped > 0) {
    if (isTerminal) return stopped === succeeded ? 'Succeeded' : 'Failed';
    if (policy === 'Always' || willRestart) return 'Running';
    if (stopped === succeeded) return 'Succeeded';
    return policy === 'Never' ? 'Failed' : 'Running';
  }
  return 'Pending';
}

/** A container has ended that its own policy or rules will start again. */
function willRestart(pod: KnownPod, runtime: PodRuntime): boolean {
  return regularContainersOf(pod).some((container) => {
    const { restartPolicy, restartPolicyRules } = container.spec;
    if (restartPolicy === undefined && restartPolicyRules === undefined) return false;
    const current = newestOf(runtime, container.spec.name);
    return current?.state === 'exited' && shouldStart(pod, container, current);
  });
}

function conditionsOf(
  pod: KnownPod,
  phase: string,
  runtime: PodRuntime,
  init: readonly ContainerStatus[],
  regular: readonly ContainerStatus[],
  initialized: boolean,
  facts: StatusFacts,
): PodCondition[] {
  const old = pod.status?.conditions ?? [];
  const generation = facts.minor >= 34 ? pod.metadata.generation : undefined;
  const make = (type: PodCondition['type'], verdict: Verdict): PodCondition => {
    const before = old.find((condition) => condition.type === type);
    const status: PodCondition['status'] = verdict.ok ? 'True' : 'False';
    return {
      type,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      status,
      lastProbeTime: null as unknown as string, // The API writes it out as null.
      lastTransitionTime:
        before?.status === status
          ? (before.lastTransitionTime ?? rfc3339(facts.nowMs))
          : rfc3339(facts.nowMs),
      ...(verdict.reason === undefined ? {} : { reason: verdict.reason }),
      ...(verdict.message === undefined || verdict.message === '' ? {} : { message: verdict.message }),
    };
  };
  const ready = containersVerdict(phase, [...sidecarStatuses(pod, init), ...regular]);
  const conditions = [
    make('Initialized', initVerdict(pod, phase, init, initialized)),
    make('Ready', gatesVerdict(pod, ready, old)),
    make('ContainersReady', ready),
    make('PodScheduled', { ok: true }),
  ];
  const sandbox = runtime.sandboxes[0];
  const hasSandbox = sandbox?.state === 'ready' && (isHostNetwork(pod) || sandbox.ips.length > 0);
  if (facts.minor >= 29) conditions.unshift(make('PodReadyToStartContainers', { ok: hasSandbox }));
  if (facts.failure?.isDisruption === true && facts.minor >= 26) {
    const words = { reason: 'TerminationByKubelet', message: facts.failure.message };
    conditions.unshift(make('DisruptionTarget', { ok: true, ...words }));
  }
  if (facts.isRestartingAll) conditions.unshift(make('AllContainersRestarting', { ok: true }));
  for (const { type, ...words } of facts.resize) conditions.unshift(make(type, { ok: true, ...words }));
  const own = new Set(conditions.map(({ type }) => type));
  return [...conditions, ...old.filter(({ type }) => !own.has(type) && !COMING_AND_GOING.has(type))];
}

/** Conditions of the kubelet's own that are left out when they don't hold. */
const COMING_AND_GOING: ReadonlySet<string> = new Set([
  'PodReadyToStartContainers',
  'PodResizePending',
  'PodResizeInProgress',
  'AllContainersRestarting',
]);

interface Verdict {
  readonly ok: boolean;
  readonly reason?: string;
  readonly message?: string;
}

function sidecarStatuses(pod: KnownPod, init: readonly ContainerStatus[]): ContainerStatus[] {
  return initContainersOf(pod).flatMap(({ kind }, index) => (kind === 'sidecar' ? [init[index]!] : []));
}

function initVerdict(
  pod: KnownPod,
  phase: string,
  init: readonly ContainerStatus[],
  initialized: boolean,
): Verdict {
  if (phase === 'Succeeded') return { ok: true, reason: 'PodCompleted', message: '' };
  if (initialized) return { ok: true };
  const incomplete = initContainersOf(pod).flatMap(({ kind, spec }, index) => {
    const status = init[index]!;
    const done = kind === 'sidecar' ? status.started === true : status.state?.terminated?.exitCode === 0;
    return done ? [] : [spec.name];
  });
  return {
    ok: false,
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${incomplete.join(' ')}]`,
  };
}

function containersVerdict(phase: string, statuses: readonly ContainerStatus[]): Verdict {
  if (phase === 'Succeeded') return { ok: false, reason: 'PodCompleted', message: '' };
  if (phase === 'Failed') return { ok: false, reason: 'PodFailed', message: '' };
  const unready = statuses.filter(({ ready }) => !ready).map(({ name }) => name);
  if (unready.length === 0) return { ok: true };
  return {
    ok: false,
    reason: 'ContainersNotReady',
    message: `containers with unready status: [${unready.join(' ')}]`,
  };
}

function gatesVerdict(pod: KnownPod, containers: Verdict, old: readonly PodCondition[]): Verdict {
  if (!containers.ok) return containers;
  const messages: string[] = [];
  for (const { conditionType } of pod.spec.readinessGates ?? []) {
    const condition = old.find(({ type }) => type === conditionType);
    if (condition === undefined)
      messages.push(`corresponding condition of pod readiness gate "${conditionType}" does not exist.`);
    else if (condition.status !== 'True')
      messages.push(
        `the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`,
      );
  }
  return messages.length === 0
    ? { ok: true }
    : { ok: false, reason: 'ReadinessGatesNotReady', message: messages.join(', ') };
}

/** No container runs and none will: the pod has reached its end. */
export function isFinished(pod: KnownPod, runtime: PodRuntime): boolean {
  if (
    initContainersOf(pod).some((container) => {
      const current = newestOf(runtime, container.spec.name);
      return (
        container.kind === 'init' &&
        current?.state === 'exited' &&
        current.exitCode !== 0 &&
        !shouldStart(pod, container, current)
      );
    })
  )
    return !allContainersOf(pod).some(({ spec }) => newestOf(runtime, spec.name)?.state === 'running');
  return regularContainersOf(pod).every((container) => {
    const current = newestOf(runtime, container.spec.name);
    return current !== undefined && current.state === 'exited' && !shouldStart(pod, container, current);
  });
}
