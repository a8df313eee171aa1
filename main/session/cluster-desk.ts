// The cluster of a workspace: booted, resumed, put away and brought back, one at a time.
import type { ClusterState, MachineInfo } from '../../preload/contract.ts';
import { Cluster, requireProfile, withNodes, type Latencies } from '../cluster/index.ts';
import type { OwnImage } from '../images/index.ts';
import { makeRandom, type Simulation } from '../simulation/index.ts';
import type { Store } from '../storage/index.ts';

/** Which cluster a workspace holds. */
export interface ClusterIdentity {
  /** `free`, or the id of the lab that it belongs to. */
  readonly owner: string;
  readonly profile: string;
  readonly nodes?: number;
  readonly seed: string;
  readonly latencies?: Latencies;
  /** What its lab brings with it. */
  readonly images?: readonly OwnImage[];
}

export interface ClusterDeskOptions {
  readonly simulation: Simulation;
  readonly store: Store;
  readonly onChange: () => void;
  readonly onFault: (error: unknown) => void;
}

const IDENTITY_KEY = '/cluster/identity';
/** What belongs to a cluster, and goes with it into snapshots. */
const CLUSTER_PREFIXES = ['/registry/', '/machines/', '/cluster/'];

export class ClusterDesk implements Disposable {
  private readonly options: ClusterDeskOptions;
  private current: Cluster | undefined;
  private phase: ClusterState['phase'] = 'none';
  private message: string | undefined;

  constructor(options: ClusterDeskOptions) {
    this.options = options;
  }

  get cluster(): Cluster | undefined {
    return this.current;
  }

  /** Which cluster the workspace holds, running or not. */
  get identity(): ClusterIdentity | undefined {
    const record = this.options.store.get(IDENTITY_KEY);
    return record === undefined ? undefined : (JSON.parse(String(record.value)) as ClusterIdentity);
  }

  state(): ClusterState {
    const { current, message } = this;
    return {
      phase: this.phase,
      profile: this.identity?.profile ?? '',
      machines: current === undefined ? [] : current.profile.machines.map(machineInfo),
      ...(message === undefined ? {} : { message }),
    };
  }

  /** Boots what the workspace holds. */
  async resume(): Promise<void> {
    const { identity } = this;
    if (identity !== undefined && this.current === undefined) await this.boot(identity);
  }

  /** Makes the workspace's cluster this one: as it was left, or new. The one before is put away. */
  async switchTo(identity: ClusterIdentity): Promise<void> {
    const { store, simulation } = this.options;
    const before = this.identity;
    if (before?.owner === identity.owner) return this.resume();
    this.stop();
    if (before !== undefined) store.takeSnapshot(shelfName(before.owner), simulation.now());
    const shelved = store.listSnapshots().some(({ name }) => name === shelfName(identity.owner));
    if (shelved) store.restoreSnapshot(shelfName(identity.owner), CLUSTER_PREFIXES);
    else this.clear();
    await this.boot(this.identity ?? identity);
  }

  /** A new cluster in place of the one the workspace holds. */
  async replace(identity: ClusterIdentity): Promise<void> {
    this.stop();
    this.clear();
    await this.boot(identity);
  }

  /** Names the cluster's present state. */
  takeSnapshot(name: string): void {
    this.options.store.takeSnapshot(name, this.options.simulation.now());
  }

  hasSnapshot(name: string): boolean {
    return this.options.store.listSnapshots().some((snapshot) => snapshot.name === name);
  }

  /** Stops the cluster, brings back a named state, and boots it. */
  async restoreSnapshot(name: string): Promise<void> {
    this.stop();
    this.options.store.restoreSnapshot(name, CLUSTER_PREFIXES);
    await this.resume();
  }

  stop(): void {
    this.current?.[Symbol.dispose]();
    this.current = undefined;
    this.setPhase('none');
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  private clear(): void {
    const { store } = this.options;
    const records = CLUSTER_PREFIXES.flatMap((prefix) => store.list(prefix));
    store.write(records.map(({ key }) => ({ key, value: undefined })));
  }

  private async boot(identity: ClusterIdentity): Promise<void> {
    const { simulation, store, onFault } = this.options;
    this.setPhase('booting');
    const base = requireProfile(identity.profile);
    const sized = identity.nodes === undefined ? base : withNodes(base, identity.nodes);
    const profile = identity.latencies === undefined ? sized : { ...sized, latencies: identity.latencies };
    if (this.identity === undefined) store.save([{ key: IDENTITY_KEY, value: JSON.stringify(identity) }]);
    try {
      const { images } = identity;
      this.current = new Cluster({
        simulation,
        store,
        random: makeRandom(identity.seed),
        profile,
        images,
        onFault,
      });
      await this.current.start();
      this.setPhase('running');
    } catch (error) {
      this.current?.[Symbol.dispose]();
      this.current = undefined;
      this.setPhase('failed', error instanceof Error ? error.message : String(error));
      throw error;
    }
  }

  private setPhase(phase: ClusterState['phase'], message?: string): void {
    this.phase = phase;
    this.message = message;
    this.options.onChange();
  }
}

function shelfName(owner: string): string {
  return `cluster/${owner}`;
}

function machineInfo({ name, address, role }: MachineInfo): MachineInfo {
  return { name, address, role };
}
