// When the change happened that a write of endpoints answers: endpointslice's TriggerTimeTracker.
import { rfc3339 } from '../../simulation/index.ts';
import type { ObjectKey, Pod, Service, Stored } from '../api/index.ts';
import { instant, podCondition } from './pod-state.ts';

/** The annotation that carries it. */
export const TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time';

/** Remembers, per Service, when its pods last turned ready or not. */
export class TriggerTimes {
  private readonly known = new Map<ObjectKey, { pods: Map<string, number>; serviceMs: number }>();

  /** The earliest change since the last call for this Service; undefined when it can't be told. */
  next(key: ObjectKey, service: Stored<Service>, pods: readonly Stored<Pod>[]): string | undefined {
    const before = this.known.get(key);
    const now = new Map<string, number>();
    let earliestMs = Infinity;
    for (const pod of pods) {
      const time = podCondition(pod, 'Ready')?.lastTransitionTime;
      if (time == null) continue;
      const ms = instant(time);
      now.set(pod.metadata.name, ms);
      if (before !== undefined && ms > (before.pods.get(pod.metadata.name) ?? 0))
        earliestMs = Math.min(earliestMs, ms);
    }
    const serviceMs = instant(service.metadata.creationTimestamp);
    if (before === undefined || serviceMs > before.serviceMs) earliestMs = serviceMs;
    this.known.set(key, { pods: now, serviceMs });
    return earliestMs === Infinity ? undefined : rfc3339(earliestMs);
  }

  forget(key: ObjectKey): void {
    this.known.delete(key);
  }
}
