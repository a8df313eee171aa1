// What the steps of a pod's worker share: the pod, the parts of the kubelet, and ways to wait and to come back.
import type { Random } from '../../simulation/index.ts';
import type { Admission } from './admission.ts';
import type { Backoff } from './backoff.ts';
import type { StarterWorld } from './container-starter.ts';
import type { KnownPod } from './pod-facts.ts';
import type { Probes } from './probes.ts';
import type { PodRuntime, RuntimeCache } from './runtime-cache.ts';
import type { StatusManager } from './status-manager.ts';

export interface WorkerWorld extends StarterWorld {
  readonly random: Random;
  readonly probes: Probes;
  readonly runtime: RuntimeCache;
  readonly statuses: StatusManager;
  readonly admission: Admission;
  /** Pods whose resize waits for room: looked at when another pod ends. */
  readonly pendingResizes: Set<string>;
  /** CrashLoopBackOff, by `uid/container`. */
  readonly restarts: Backoff;
  /** Why pods can't have a network yet; undefined when they can. */
  readonly networkProblem: () => string | undefined;
  /** Sees that a static pod's mirror is on the API server. */
  readonly ensureMirror: (pod: KnownPod) => void;
  /** Nothing of the pod runs any more: what it held is free. */
  readonly onEnded: (podUid: string) => void;
  /** The pod is gone from this node. */
  readonly onGone: (podUid: string) => void;
  readonly onFault: (error: unknown) => void;
}

/** What waits ten seconds, and up to half as long again, before it is tried once more. */
export const ERROR_RETRY_MS = 10_000;

/** Thrown to leave a step when the pod is told to end meanwhile. */
export class Interrupted extends Error {}

/** One pod in the hands of its worker. */
export interface PodTask {
  readonly world: WorkerWorld;
  /** The newest version that is known. */
  readonly pod: KnownPod;
  /** Why a container that should run doesn't, by its name. */
  readonly waiting: Map<string, { reason: string; message: string }>;
  /** As `waiting`, but the status tells it only after `delayMs`. */
  waitLater(name: string, why: { reason: string; message: string }, delayMs: number): void;
  /** The next attempt at a container, by its name, where the records of the ones before were taken away. */
  readonly attempts: Map<string, number>;
  /** Tells, or no longer tells, that all containers are being restarted. */
  showRestartingAll(isOn: boolean): void;
  runtimeState(): PodRuntime;
  podIPs(): readonly string[];
  /** Looks at the pod again after `delayMs`, or sooner. */
  retry(delayMs: number): void;
  /** As `retry`, after the usual wait for errors. */
  retryUsual(): void;
  /** How long the pod's containers are given to end, in seconds. */
  endGraceSeconds(): number;
  /** Rejects with Interrupted once the pod is told to end. */
  unlessEnding<T>(step: Promise<T>): Promise<T>;
  /** Probes what runs now. */
  watchProbes(): void;
}
