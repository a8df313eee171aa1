// Counters of connections, packets and bytes with their smoothed rates (ip_vs_est.c).

export interface IpvsStats {
  readonly connections: number;
  readonly inPackets: number;
  readonly outPackets: number;
  readonly inBytes: number;
  readonly outBytes: number;
}

/** Per second, as the kernel's estimator smooths them. */
export interface IpvsRates {
  readonly connectionsPerSecond: number;
  readonly inPacketsPerSecond: number;
  readonly outPacketsPerSecond: number;
  readonly inBytesPerSecond: number;
  readonly outBytesPerSecond: number;
}

/** The estimator looks every two seconds. */
export const ESTIMATION_MS = 2000;

export class TrafficCounter {
  // Order: connections, in packets, out packets, in bytes, out bytes.
  private readonly counts = [0, 0, 0, 0, 0];
  private readonly zeros = [0, 0, 0, 0, 0];
  private readonly last = [0, 0, 0, 0, 0];
  private readonly smoothed = [0, 0, 0, 0, 0];

  connection(): void {
    this.counts[0]!++;
  }

  packetIn(bytes: number): void {
    this.counts[1]!++;
    this.counts[3]! += bytes;
  }

  packetOut(bytes: number): void {
    this.counts[2]!++;
    this.counts[4]! += bytes;
  }

  /** Counts from here on are shown from zero (`ipvsadm -Z`). */
  zero(): void {
    for (let i = 0; i < 5; i++) {
      this.zeros[i] = this.counts[i]!;
      this.last[i] = this.counts[i]!;
      this.smoothed[i] = 0;
    }
  }

  /** One step of the estimator: a quarter of the way to the rate of the last two seconds. False when nothing moves any more. */
  estimate(): boolean {
    let isMoving = false;
    for (let i = 0; i < 5; i++) {
      const rate = (this.counts[i]! - this.last[i]!) / (ESTIMATION_MS / 1000);
      this.last[i] = this.counts[i]!;
      this.smoothed[i]! += (rate - this.smoothed[i]!) / 4;
      if (this.smoothed[i]! < 0.001) this.smoothed[i] = 0;
      else isMoving = true;
    }
    return isMoving;
  }

  get stats(): IpvsStats {
    const [connections = 0, inPackets = 0, outPackets = 0, inBytes = 0, outBytes = 0] = this.counts.map(
      (count, index) => count - this.zeros[index]!,
    );
    return { connections, inPackets, outPackets, inBytes, outBytes };
  }

  get rates(): IpvsRates {
    const [connections = 0, inPackets = 0, outPackets = 0, inBytes = 0, outBytes = 0] = this.smoothed.map(
      (rate) => Math.floor(rate + 0.5),
    );
    return {
      connectionsPerSecond: connections,
      inPacketsPerSecond: inPackets,
      outPacketsPerSecond: outPackets,
      inBytesPerSecond: inBytes,
      outBytesPerSecond: outBytes,
    };
  }
}
