// What the container runtime has for each pod, kept by its events so that no sync reads the whole machine.
import { disposable } from '../../simulation/index.ts';
import type { Container, Containerd, Sandbox } from '../../linux/containerd/index.ts';

/** A pod as the runtime sees it. */
export interface PodRuntime {
  /** Newest first. */
  readonly sandboxes: readonly Sandbox[];
  /** Newest first. */
  readonly containers: readonly Container[];
}

/** What happened to one of a pod's containers or sandboxes. */
export type RuntimeChange = 'created' | 'started' | 'stopped' | 'deleted';

interface Ids {
  readonly sandboxes: Set<string>;
  readonly containers: Set<string>;
}

export const POD_UID_LABEL = 'io.kubernetes.pod.uid';

/** The pod lifecycle event generator in its evented form. */
export class RuntimeCache {
  private readonly containerd: Containerd;
  private readonly byPod = new Map<string, Ids>();
  private sandboxes = new Map<string, Sandbox>();
  private sandboxesAreStale = true;

  constructor(containerd: Containerd) {
    this.containerd = containerd;
  }

  /** Takes in what is there and then follows; tells the uid of each pod that changed. */
  start(onPodChanged: (podUid: string, kind: RuntimeChange) => void): Disposable {
    this.refreshSandboxes();
    for (const container of this.containerd.listContainers()) {
      const uid =
        this.sandboxes.get(container.sandboxId)?.spec.podUid ?? container.spec.labels[POD_UID_LABEL];
      if (uid !== undefined) this.idsOf(uid).containers.add(container.id);
    }
    const following = this.containerd.onEvent(({ id, kind, podUid }) => {
      if (podUid === '') return; // Started by hand with ctr: not a pod's.
      const ids = this.idsOf(podUid);
      if (this.containerd.containerStatus(id) !== undefined) ids.containers.add(id);
      else if (kind === 'deleted' && ids.containers.delete(id)) this.forgetEmpty(podUid);
      else this.sandboxesAreStale = true;
      onPodChanged(podUid, kind);
    });
    return disposable(() => following[Symbol.dispose]());
  }

  /** Uids of all pods of which the runtime has something. */
  podUids(): string[] {
    if (this.sandboxesAreStale) this.refreshSandboxes();
    return [...this.byPod.keys()];
  }

  get(podUid: string): PodRuntime {
    if (this.sandboxesAreStale) this.refreshSandboxes();
    const ids = this.byPod.get(podUid);
    if (ids === undefined) return { sandboxes: [], containers: [] };
    const sandboxes = [...ids.sandboxes].flatMap((id) => this.sandboxes.get(id) ?? []);
    const containers = [...ids.containers].flatMap((id) => this.containerd.containerStatus(id) ?? []);
    const newest = (a: { createdMs: number; spec: { attempt: number } }, b: typeof a): number =>
      b.createdMs - a.createdMs || b.spec.attempt - a.spec.attempt;
    return { sandboxes: sandboxes.toSorted(newest), containers: containers.toSorted(newest) };
  }

  private idsOf(podUid: string): Ids {
    let ids = this.byPod.get(podUid);
    if (ids === undefined) this.byPod.set(podUid, (ids = { sandboxes: new Set(), containers: new Set() }));
    return ids;
  }

  private forgetEmpty(podUid: string): void {
    const ids = this.byPod.get(podUid);
    if (ids !== undefined && ids.containers.size === 0 && ids.sandboxes.size === 0) this.byPod.delete(podUid);
  }

  private refreshSandboxes(): void {
    this.sandboxesAreStale = false;
    const had = this.sandboxes;
    this.sandboxes = new Map(this.containerd.listSandboxes().map((sandbox) => [sandbox.id, sandbox]));
    for (const sandbox of this.sandboxes.values()) this.idsOf(sandbox.spec.podUid).sandboxes.add(sandbox.id);
    for (const [id, { spec }] of had) {
      if (this.sandboxes.has(id)) continue;
      this.byPod.get(spec.podUid)?.sandboxes.delete(id);
      this.forgetEmpty(spec.podUid);
    }
  }
}

/** The newest instance of a container by its name in the pod spec. */
export function newestOf(runtime: PodRuntime, name: string): Container | undefined {
  return runtime.containers.find(({ spec }) => spec.name === name);
}

/** The instance before the newest. */
export function previousOf(runtime: PodRuntime, name: string): Container | undefined {
  return runtime.containers.filter(({ spec }) => spec.name === name)[1];
}
