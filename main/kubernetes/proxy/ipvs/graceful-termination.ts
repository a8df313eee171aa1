// Real servers that leave: no new connections at once (weight 0), gone when their last connection is.
import type { Ipvs, IpvsDestination } from '../../../network/index.ts';
import { every, type Clock } from '../../../simulation/index.ts';

interface Leaving {
  readonly key: VirtualKey;
  readonly address: string;
  readonly port: number;
}

type VirtualKey = {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly address: string;
  readonly port: number;
};

/** rsCheckDeleteInterval of upstream. */
const CHECK_MS = 60_000;

export class GracefulTermination {
  private readonly ipvs: Ipvs;
  private readonly clock: Clock;
  private readonly leaving = new Map<string, Leaving>();
  private checking: Disposable | undefined;

  constructor(ipvs: Ipvs, clock: Clock) {
    this.ipvs = ipvs;
    this.clock = clock;
  }

  /** Takes a real server away: at once for UDP and for one without connections, else when they have ended. */
  end(key: VirtualKey, destination: IpvsDestination): void {
    const name = nameOf(key, `${destination.address}:${destination.port}`);
    if (this.leaving.has(name)) return;
    if (this.isIdle(key, destination))
      return this.ipvs.deleteDestination(key, destination.address, destination.port);
    this.ipvs.editDestination(key, {
      address: destination.address,
      port: destination.port,
      forwarding: destination.forwarding,
      weight: 0,
    });
    this.leaving.set(name, { key, address: destination.address, port: destination.port });
    this.checking ??= every(this.clock, CHECK_MS, () => this.check());
  }

  has(key: VirtualKey, address: string): boolean {
    return this.leaving.has(nameOf(key, address));
  }

  /** The real server is wanted again. */
  cancel(key: VirtualKey, address: string): void {
    this.leaving.delete(nameOf(key, address));
  }

  forgetService(key: VirtualKey): void {
    const prefix = nameOf(key, '');
    for (const name of this.leaving.keys()) if (name.startsWith(prefix)) this.leaving.delete(name);
  }

  dispose(): void {
    this.checking?.[Symbol.dispose]();
  }

  private check(): void {
    for (const [name, { key, address, port }] of this.leaving) {
      const destination = this.ipvs
        .getService(key)
        ?.destinations.find((entry) => entry.address === address && entry.port === port);
      if (destination !== undefined && !this.isIdle(key, destination)) continue;
      if (destination !== undefined) this.ipvs.deleteDestination(key, address, port);
      this.leaving.delete(name);
    }
    if (this.leaving.size > 0) return;
    this.checking?.[Symbol.dispose]();
    this.checking = undefined;
  }

  private isIdle(key: VirtualKey, destination: IpvsDestination): boolean {
    return key.protocol === 'udp' || destination.activeConnections + destination.inactiveConnections === 0;
  }
}

function nameOf(key: VirtualKey, address: string): string {
  return `${key.protocol}/${key.address}:${key.port}/${address}`;
}
