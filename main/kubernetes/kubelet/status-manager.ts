// Carries pod statuses to the API server: one request per pod at a time, the latest status only, again after failures.
import type { Clock } from '../../simulation/index.ts';
import { isStatus, resources, StatusError } from '../api/index.ts';
import type { Pod, Stored } from '../api/index.ts';
import type { ApiClient } from '../client/index.ts';
import { isStaticPod, type KnownPod } from './pod-facts.ts';
import type { PodStatus } from './pod-status.ts';

interface Entry {
  pod: KnownPod;
  wanted: PodStatus | undefined;
  sentText: string | undefined;
  isSending: boolean;
  readonly idle: (() => void)[];
}

const RETRY_MS = 10_000;

export interface StatusManagerOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  /** The pod on the server under which a status is kept: the mirror for static pods. undefined: not there (yet). */
  readonly serverPod: (pod: KnownPod) => Stored<Pod> | undefined;
  readonly onFault: (error: unknown) => void;
}

export class StatusManager {
  private readonly options: StatusManagerOptions;
  private readonly entries = new Map<string, Entry>();
  private isStopped = false;

  constructor(options: StatusManagerOptions) {
    this.options = options;
  }

  /** The latest status of a pod, sent or not. */
  get(podUid: string): PodStatus | undefined {
    return this.entries.get(podUid)?.wanted;
  }

  /** Sends a status unless the server has it already. */
  set(pod: KnownPod, status: PodStatus): void {
    let entry = this.entries.get(pod.metadata.uid);
    if (entry === undefined) {
      entry = { pod, wanted: undefined, sentText: undefined, isSending: false, idle: [] };
      this.entries.set(pod.metadata.uid, entry);
    }
    entry.pod = pod;
    entry.wanted = status;
    if (!entry.isSending && JSON.stringify(status) !== entry.sentText) void this.send(entry);
  }

  /** A static pod's mirror has appeared: sends what is known. */
  resend(podUid: string): void {
    const entry = this.entries.get(podUid);
    if (entry === undefined || entry.isSending) return;
    entry.sentText = undefined;
    void this.send(entry);
  }

  /** Waits for the last status to arrive, then deletes the pod from the server for good, if asked. */
  async finish(pod: KnownPod, remove: boolean): Promise<void> {
    const { uid, name, namespace } = pod.metadata;
    const entry = this.entries.get(uid);
    if (remove && entry?.isSending === true) await new Promise<void>((resolve) => entry.idle.push(resolve));
    this.entries.delete(uid);
    if (!remove || isStaticPod(pod)) return;
    while (!this.isStopped) {
      try {
        await this.options.client.delete(resources.pods, name, { namespace, gracePeriodSeconds: 0, uid });
        return;
      } catch (error) {
        if (isStatus(error, 'NotFound') || isStatus(error, 'Conflict')) return; // Gone, or another pod of that name.
        this.options.onFault(error);
        await this.options.clock.sleep(RETRY_MS);
      }
    }
  }

  stop(): void {
    this.isStopped = true;
  }

  private async send(entry: Entry): Promise<void> {
    entry.isSending = true;
    while (!this.isStopped && entry.wanted !== undefined && JSON.stringify(entry.wanted) !== entry.sentText) {
      const status = entry.wanted;
      try {
        if (!(await this.write(entry.pod, status))) break;
        entry.sentText = JSON.stringify(status);
      } catch (error) {
        if (error instanceof StatusError && error.code === 404) break;
        this.options.onFault(error);
        await this.options.clock.sleep(RETRY_MS);
      }
    }
    entry.isSending = false;
    for (const settle of entry.idle.splice(0)) settle();
  }

  /** False when there is no such pod on the server. */
  private async write(pod: KnownPod, status: PodStatus): Promise<boolean> {
    const { client } = this.options;
    let server = this.options.serverPod(pod);
    if (server === undefined) return false;
    for (;;) {
      const { name, namespace, uid } = server.metadata;
      try {
        await client.update<Pod>(
          resources.pods,
          { ...server, status },
          { ...(namespace === undefined ? {} : { namespace }), subresource: 'status' },
        );
        return true;
      } catch (error) {
        if (!isStatus(error, 'Conflict')) throw error;
        const latest: Stored<Pod> = await client.get<Pod>(
          resources.pods,
          name,
          namespace === undefined ? {} : { namespace },
        );
        if (latest.metadata.uid !== uid) return false;
        server = latest;
      }
    }
  }
}
