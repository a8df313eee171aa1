// Writes Event objects about other objects: core/v1, folded as client-go's recorder folds them.
import { rfc3339, type Clock, type Random } from '../../simulation/index.ts';
import type { KubernetesObject } from '../api/meta.ts';
import { resources } from '../api/resources.ts';
import { StatusError } from '../api/status.ts';
import type { ApiClient } from './client.ts';
import { EventCorrelator, type Observation } from './event-correlator.ts';

/** core/v1 ObjectReference, as events carry it. */
export interface ObjectReference {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly fieldPath?: string;
}

/** Tells the world, through Event objects, what a component did or could not do. */
export interface EventRecorder {
  /** Records an event about `subject`; never throws and never waits. */
  event(
    subject: KubernetesObject | ObjectReference,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
  ): void;
}

export interface EventRecorderOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly random: Random;
  /** Such as `deployment-controller` or `kubelet`. */
  readonly component: string;
  /** The node, for components that run on one. */
  readonly host?: string;
}

/** Requests under way at once, and events waiting for their turn; more are dropped. */
const REQUESTS_MAX = 32;
const WAITING_MAX = 25_000;
/** client-go's sink: twelve attempts, ten seconds apart, when the server can't be reached. */
const ATTEMPTS_MAX = 12;
const RETRY_MS = 10_000;
/** An event about an object without namespace lands here. */
const DEFAULT_NAMESPACE = 'default';

interface Job {
  readonly observation: Observation;
  readonly reference: ObjectReference;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly nowMs: number;
}

/** Makes the recorder of one component. */
export function makeEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { client, clock, random, component, host = '' } = options;
  const correlator = new EventCorrelator(clock, timestamps(clock, random));
  const waiting: Job[] = [];
  /** Records being written, by correlation key: what follows on one must wait for it. */
  const writing = new Map<string, Job[]>();
  let head = 0;

  const start = (): void => {
    while (writing.size < REQUESTS_MAX && head < waiting.length) {
      const job = waiting[head++]!;
      const followers = writing.get(job.observation.key);
      if (followers !== undefined) {
        followers.push(job);
        continue;
      }
      writing.set(job.observation.key, []);
      void write(job);
    }
    if (head === waiting.length) {
      waiting.length = 0;
      head = 0;
    }
  };

  const write = async (first: Job): Promise<void> => {
    const { key } = first.observation;
    for (let job: Job | undefined = first; job !== undefined; job = writing.get(key)!.shift())
      await send(job);
    writing.delete(key);
    start();
  };

  const send = async (job: Job): Promise<void> => {
    for (let attempt = 1; ; attempt++) {
      try {
        if (job.observation.count === 1) await create(job);
        else await amend(job);
        return;
      } catch (error) {
        if (error instanceof StatusError || attempt === ATTEMPTS_MAX) {
          correlator.forget(job.observation.key); // The server's refusal is final, as in client-go.
          return;
        }
        await clock.sleep(RETRY_MS);
      }
    }
  };

  const create = async ({ observation, reference, type, reason, nowMs }: Job): Promise<void> => {
    const namespace = reference.namespace || DEFAULT_NAMESPACE;
    await client.create(
      resources.events,
      {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: `${reference.name}.${observation.name}`, namespace },
        involvedObject: reference,
        reason,
        message: observation.message,
        source: host === '' ? { component } : { component, host },
        firstTimestamp: rfc3339(observation.firstMs),
        lastTimestamp: rfc3339(nowMs),
        count: observation.count,
        type,
        eventTime: null,
        // A combined event loses its reporter on the way, as in client-go's EventAggregate.
        reportingComponent: observation.combined ? '' : component,
        reportingInstance: observation.combined ? '' : host,
      },
      { namespace },
    );
  };

  const amend = async (job: Job): Promise<void> => {
    const { observation, reference, nowMs } = job;
    const patch = { count: observation.count, lastTimestamp: rfc3339(nowMs), message: observation.message };
    const namespace = reference.namespace || DEFAULT_NAMESPACE;
    try {
      const name = `${reference.name}.${observation.name}`;
      await client.patch(resources.events, name, 'application/strategic-merge-patch+json', patch, {
        namespace,
      });
    } catch (error) {
      if (!(error instanceof StatusError) || error.code !== 404) throw error;
      await create(job); // The record has expired meanwhile.
    }
  };

  return {
    event(subject, type, reason, message) {
      const reference = referenceTo(subject);
      const { kind = '', namespace = '', name = '', uid = '', apiVersion = '', fieldPath = '' } = reference;
      const objectKey = [kind, namespace, name, uid, apiVersion].join('\n');
      const facts = { type, reason, message, objectKey, fieldPath, component, host };
      const observation = correlator.observe(facts);
      if (observation === undefined || waiting.length - head >= WAITING_MAX) return;
      waiting.push({ observation, reference, type, reason, nowMs: clock.now() });
      start();
    },
  };
}

function referenceTo(subject: KubernetesObject | ObjectReference): ObjectReference {
  if (!('metadata' in subject) || subject.metadata === undefined) return subject as ObjectReference;
  const { namespace, name, uid, resourceVersion } = subject.metadata;
  const reference = {
    kind: subject.kind,
    namespace,
    name,
    uid,
    apiVersion: subject.apiVersion,
    resourceVersion,
  };
  return Object.fromEntries(Object.entries(reference).filter(([, value]) => value !== undefined));
}

/** Suffixes of event names: the instant in ns, in hexadecimal. What is below the clock's ms is chance, but keeps the order. */
function timestamps(clock: Clock, random: Random): () => string {
  let lastNs = 0n;
  return () => {
    const nowNs = BigInt(Math.floor(clock.now())) * 1_000_000n;
    const nextNs = lastNs + BigInt(1 + random.integer(20_000));
    lastNs = nextNs > nowNs ? nextNs : nowNs + BigInt(random.integer(20_000));
    return lastNs.toString(16);
  };
}
