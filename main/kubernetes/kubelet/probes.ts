// Startup, readiness and liveness probes: one worker for each probe of each running container (kubelet's prober).
import { disposable, type Clock, type Random } from '../../simulation/index.ts';
import {
  RuntimeError,
  type Container as RuntimeContainer,
  type Containerd,
} from '../../linux/containerd/index.ts';
import type { Kernel } from '../../linux/kernel/index.ts';
import type { Container, Probe } from '../api/index.ts';
import type { EventRecorder } from '../client/index.ts';
import { runInContainer } from './container-exec.ts';
import { grpcProbe } from './grpc-probe.ts';
import { dialError, httpGet } from './http-get.ts';
import { containerReference, type KnownPod, type PodContainer } from './pod-facts.ts';

type ProbeKind = 'Startup' | 'Readiness' | 'Liveness';
const FIELD = { Startup: 'startupProbe', Readiness: 'readinessProbe', Liveness: 'livenessProbe' } as const;

export interface ProbesOptions {
  readonly kernel: Kernel;
  readonly containerd: Containerd;
  readonly clock: Clock;
  readonly random: Random;
  readonly recorder: EventRecorder;
  /** Such as `1.36`. */
  readonly version: string;
  /** Called when a result changes that the pod's worker should see. */
  readonly onResult: (podUid: string) => void;
}

type Outcome =
  | { readonly kind: 'success' }
  | { readonly kind: 'failure'; readonly output: string }
  | { readonly kind: 'unknown'; readonly error: string };

interface Worker extends Disposable {
  readonly kind: ProbeKind;
  /** undefined: no verdict yet. */
  passed: boolean | undefined;
}

interface Watched {
  readonly podUid: string;
  readonly workers: Worker[];
}

/** How often the runtime is asked for news (PLEG's relist). */
const NOTICE_MS_MAX = 1000;
const SUCCESS: Outcome = { kind: 'success' };

/** Probe results of this node's containers. */
export class Probes {
  private readonly options: ProbesOptions;
  /** By container id. */
  private readonly watched = new Map<string, Watched>();

  constructor(options: ProbesOptions) {
    this.options = options;
  }

  /** Starts the workers of a container that runs; may be repeated. */
  watch(pod: KnownPod, container: PodContainer, instance: RuntimeContainer, podIP: () => string): void {
    if (this.watched.has(instance.id) || container.kind === 'init' || container.kind === 'ephemeral') return;
    const workers = (['Startup', 'Readiness', 'Liveness'] as const).flatMap((kind) => {
      const probe = container.spec[FIELD[kind]];
      return probe === undefined ? [] : [this.startWorker(kind, probe, pod, container, instance, podIP)];
    });
    this.watched.set(instance.id, { podUid: pod.metadata.uid, workers });
  }

  /** Ends the workers of a container that no longer runs. */
  forget(containerId: string): void {
    for (const worker of this.watched.get(containerId)?.workers ?? []) worker[Symbol.dispose]();
    this.watched.delete(containerId);
  }

  /** Ends the probes that could restart a container of a pod that is ending; readiness goes on. */
  stopRestarts(podUid: string): void {
    for (const watched of this.watched.values()) {
      if (watched.podUid !== podUid) continue;
      for (const worker of watched.workers) if (worker.kind !== 'Readiness') worker[Symbol.dispose]();
    }
  }

  forgetPod(podUid: string): void {
    for (const [id, watched] of this.watched) if (watched.podUid === podUid) this.forget(id);
  }

  isStarted(container: PodContainer, instance: RuntimeContainer): boolean {
    if (container.spec.startupProbe === undefined) return true;
    return this.workerOf(instance.id, 'Startup')?.passed === true;
  }

  isReady(container: PodContainer, instance: RuntimeContainer): boolean {
    if (!this.isStarted(container, instance)) return false;
    return (
      container.spec.readinessProbe === undefined || this.workerOf(instance.id, 'Readiness')?.passed === true
    );
  }

  /** The probe for which a container has to be restarted. */
  failedProbe(containerId: string): 'Startup' | 'Liveness' | undefined {
    if (this.workerOf(containerId, 'Startup')?.passed === false) return 'Startup';
    return this.workerOf(containerId, 'Liveness')?.passed === false ? 'Liveness' : undefined;
  }

  dispose(): void {
    for (const id of this.watched.keys()) this.forget(id);
  }

  private workerOf(containerId: string, kind: ProbeKind): Worker | undefined {
    return this.watched.get(containerId)?.workers.find((worker) => worker.kind === kind);
  }

  private startWorker(
    kind: ProbeKind,
    probe: Probe,
    pod: KnownPod,
    container: PodContainer,
    instance: RuntimeContainer,
    podIP: () => string,
  ): Worker {
    const { clock, random, recorder, onResult } = this.options;
    const subject = containerReference(pod, container);
    const periodMs = (probe.periodSeconds ?? 10) * 1000;
    let stopped = false;
    let timer: Disposable | undefined;
    let run = 0;
    let last: Outcome['kind'] | undefined;

    const settle = (passed: boolean): void => {
      if (worker.passed === passed) return;
      worker.passed = passed;
      onResult(pod.metadata.uid);
    };
    const take = (outcome: Outcome): void => {
      if (outcome.kind === 'unknown') {
        recorder.event(
          subject,
          'Warning',
          'Unhealthy',
          `${kind} probe errored and resulted in unknown state: ${outcome.error}`,
        );
        return;
      }
      if (outcome.kind === 'failure')
        recorder.event(subject, 'Warning', 'Unhealthy', `${kind} probe failed: ${outcome.output}`);
      run = outcome.kind === last ? run + 1 : 1;
      last = outcome.kind;
      const threshold =
        outcome.kind === 'failure' ? (probe.failureThreshold ?? 3) : (probe.successThreshold ?? 1);
      if (run < threshold) return;
      settle(outcome.kind === 'success');
      // A restart is on its way: on hold until then. A startup probe is done once it has passed.
      if ((kind !== 'Readiness' && outcome.kind === 'failure') || kind === 'Startup')
        worker[Symbol.dispose]();
    };
    const tick = async (): Promise<void> => {
      timer = clock.after(periodMs, () => void tick());
      if (kind !== 'Startup' && !this.isStarted(container, instance)) return;
      const outcome = await this.attempt(probe, container.spec, instance, podIP());
      if (!stopped && this.options.containerd.containerStatus(instance.id)?.state === 'running')
        take(outcome);
    };
    const worker: Worker = {
      kind,
      passed: undefined,
      ...disposable(() => {
        stopped = true;
        timer?.[Symbol.dispose]();
      }),
    };
    const sinceStartMs = clock.now() - (instance.startedMs ?? clock.now());
    // Nobody looks at a container in the instant it starts: the kubelet hears of it within a second.
    const noticeMs = random.fraction() * NOTICE_MS_MAX;
    const delayMs = Math.max((probe.initialDelaySeconds ?? 0) * 1000, noticeMs);
    timer = clock.after(delayMs - sinceStartMs, () => void tick());
    return worker;
  }

  private async attempt(
    probe: Probe,
    spec: Container,
    instance: RuntimeContainer,
    podIP: string,
  ): Promise<Outcome> {
    const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
    if (probe.exec !== undefined) return this.exec(probe.exec.command ?? [], instance, timeoutMs);
    if (probe.httpGet !== undefined) {
      const { host, port, path = '/', scheme = 'HTTP', httpHeaders = [] } = probe.httpGet;
      const number = portNumber(port, spec);
      if (number === undefined)
        return { kind: 'unknown', error: `couldn't find port: ${port} in container ${spec.name}` };
      const target = {
        scheme,
        address: host ?? podIP,
        port: number,
        path: path.startsWith('/') ? path : `/${path}`,
        headers: httpHeaders.map(({ name, value }) => [name, value] as const),
      };
      const result = await httpGet(
        this.options.kernel.net,
        this.options.clock,
        target,
        timeoutMs,
        `kube-probe/${this.options.version}`,
      );
      if ('error' in result) return { kind: 'failure', output: result.error };
      return result.status >= 200 && result.status < 400
        ? SUCCESS
        : { kind: 'failure', output: `HTTP probe failed with statuscode: ${result.status}` };
    }
    if (probe.tcpSocket !== undefined) {
      const number = portNumber(probe.tcpSocket.port, spec);
      if (number === undefined)
        return {
          kind: 'unknown',
          error: `couldn't find port: ${probe.tcpSocket.port} in container ${spec.name}`,
        };
      return this.tcp(probe.tcpSocket.host ?? podIP, number, timeoutMs);
    }
    if (probe.grpc !== undefined) {
      const { port, service = '' } = probe.grpc;
      const target = { address: podIP, port, service };
      const agent = `kube-probe/${this.options.version}`;
      const { kernel, clock } = this.options;
      const output = await grpcProbe(kernel.net, clock, target, timeoutMs, agent);
      return output === undefined ? SUCCESS : { kind: 'failure', output };
    }
    return { kind: 'unknown', error: `missing probe handler for ${spec.name}` };
  }

  private async exec(
    command: readonly string[],
    instance: RuntimeContainer,
    timeoutMs: number,
  ): Promise<Outcome> {
    try {
      const result = await runInContainer(this.options, instance.id, command, timeoutMs);
      if (result.timedOut)
        return {
          kind: 'failure',
          output: `command timed out: ${JSON.stringify(command.join(' '))} timed out after ${timeoutMs / 1000}s`,
        };
      return result.exitCode === 0 ? SUCCESS : { kind: 'failure', output: result.output };
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      return { kind: 'unknown', error: `rpc error: code = ${error.code} desc = ${error.message}` };
    }
  }

  private async tcp(address: string, port: number, timeoutMs: number): Promise<Outcome> {
    const aborter = new AbortController();
    const alarm = this.options.clock.after(timeoutMs, () => aborter.abort(new Error('timeout')));
    try {
      (
        await this.options.kernel.net.sockets.connectTcp({ address, port }, { signal: aborter.signal })
      ).close();
      return SUCCESS;
    } catch (error) {
      if (aborter.signal.aborted)
        return { kind: 'failure', output: `dial tcp ${address}:${port}: i/o timeout` };
      return { kind: 'failure', output: dialError(error, `${address}:${port}`) };
    } finally {
      alarm[Symbol.dispose]();
    }
  }
}

/** A port by number, or by its name in the container. */
export function portNumber(port: number | string, spec: Container): number | undefined {
  if (typeof port === 'number') return port;
  return (
    spec.ports?.find(({ name }) => name === port)?.containerPort ??
    (/^\d+$/.test(port) ? Number(port) : undefined)
  );
}
