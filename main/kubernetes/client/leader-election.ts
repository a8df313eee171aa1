// Leader election by a Lease: of several copies of a program one runs at a time (client-go's tools/leaderelection).
import { disposable, rfc3339Micro, type Clock, type Random } from '../../simulation/index.ts';
import { resources, type Lease, type Stored } from '../api/index.ts';
import { isStatus } from '../api/status.ts';
import type { ApiClient } from './client.ts';
import { makeEventRecorder, type EventRecorder } from './event-recorder.ts';

/** The real default. */
const LEASE_SECONDS = 15;
/**
 * How often the holder renews. Differs: the real ones do every 2 s, which here would be five times the rows in the
 * workspace for nothing that anybody can see but a time.
 */
const RENEW_MS = 10_000;
/** How often it is tried again, by the holder that failed to renew and by those who wait. */
const RETRY_MS = 2_000;

/** How a program that may have copies is run. */
export interface LeaderElectionOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly random: Random;
  /** The program, and its Lease in kube-system, such as `kube-controller-manager`. */
  readonly name: string;
  /** The host's name; absent: without --leader-elect there is no election. */
  readonly electOn: string | undefined;
  /** Runs while we lead; disposed when we no longer do. */
  readonly lead: () => Disposable;
}

/** Runs a program at once, or takes part in the election of the one copy that runs; disposing gives the lease up. */
export function runWhileLeading({
  client,
  clock,
  random,
  name,
  electOn,
  lead,
}: LeaderElectionOptions): Disposable {
  if (electOn === undefined) return lead();
  // Host name, `_`, and a UUID that no earlier run on this host had.
  const identity = `${electOn}_${random.fork(`${name}/identity/${clock.now()}`).uuid()}`;
  const recorder = makeEventRecorder({
    client,
    clock,
    random: random.fork(`${name}/election`),
    component: name,
  });
  return takePart({ client, clock, recorder, name, namespace: 'kube-system', identity, lead });
}

interface Candidate {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly recorder: EventRecorder;
  readonly name: string;
  readonly namespace: string;
  readonly identity: string;
  readonly lead: () => Disposable;
}

function takePart({ client, clock, recorder, name, namespace, identity, lead }: Candidate): Disposable {
  let leading: Disposable | undefined;
  let observed: { record: string; atMs: number } | undefined;
  let renewedMs = 0;
  let timer: Disposable | undefined;
  let stopped = false;

  const round = async (): Promise<void> => {
    let holds = false;
    try {
      holds = await acquireOrRenew();
    } catch (error) {
      // Somebody else was faster, or the server can't be reached: the next round tells.
      if (!(error instanceof Error)) throw error;
    }
    if (stopped) return;
    const nowMs = clock.now();
    if (holds) {
      renewedMs = nowMs;
      if (leading === undefined) {
        recorder.event(
          { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', name, namespace },
          'Normal',
          'LeaderElection',
          `${identity} became leader`,
        );
        leading = lead();
      }
    } else if (leading !== undefined && nowMs - renewedMs > LEASE_SECONDS * 1000) {
      leading[Symbol.dispose]();
      leading = undefined;
      recorder.event(
        { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', name, namespace },
        'Normal',
        'LeaderElection',
        `${identity} stopped leading`,
      );
    }
    timer = clock.after(holds ? RENEW_MS : RETRY_MS, () => void round());
  };

  const acquireOrRenew = async (): Promise<boolean> => {
    const nowMs = clock.now();
    const renewTime = rfc3339Micro(nowMs);
    const mine = { holderIdentity: identity, leaseDurationSeconds: LEASE_SECONDS, renewTime };
    let lease: Stored<Lease>;
    try {
      lease = await client.get<Lease>(resources.leases, name, { namespace });
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
      const object = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace } };
      const spec = { ...mine, acquireTime: renewTime, leaseTransitions: 0 };
      await client.create<Lease>(resources.leases, { ...object, spec }, { namespace });
      return true;
    }
    const {
      holderIdentity = '',
      acquireTime,
      leaseTransitions = 0,
      leaseDurationSeconds = LEASE_SECONDS,
    } = lease.spec ?? {};
    const record = `${holderIdentity} ${lease.spec?.renewTime}`;
    // The holder's clock isn't trusted: what counts is how long we have seen no change.
    if (observed?.record !== record) observed = { record, atMs: nowMs };
    const isMine = holderIdentity === identity;
    // Differs: what ran on this host before is gone, and isn't waited for.
    const isFormerSelf = hostOf(holderIdentity) === hostOf(identity);
    const isFree = isMine || isFormerSelf || holderIdentity === '';
    if (!isFree && observed.atMs + leaseDurationSeconds * 1000 > nowMs) return false;
    const spec = isMine
      ? { ...mine, acquireTime, leaseTransitions }
      : { ...mine, acquireTime: renewTime, leaseTransitions: leaseTransitions + 1 };
    await client.update<Lease>(resources.leases, { ...lease, spec }, { namespace });
    return true;
  };

  void round();
  return disposable(() => {
    stopped = true;
    timer?.[Symbol.dispose]();
    leading?.[Symbol.dispose]();
  });
}

/** Identities are a host's name, `_`, and a UUID. */
function hostOf(identity: string): string {
  return identity.split('_')[0]!;
}
