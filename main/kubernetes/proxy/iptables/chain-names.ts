// Names of the chains that kube-proxy makes for each Service port: a hash of what the chain is about.
import { createHash } from 'node:crypto';
import type { ServicePort } from '../service-ports.ts';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** The first 16 characters of base32 (RFC 4648) of the SHA-256 of a text. */
function hash16(text: string): string {
  const digest = createHash('sha256').update(text).digest();
  let name = '';
  for (let half = 0; half < 2; half++) {
    let bits = 0n;
    for (let i = 0; i < 5; i++) bits = (bits << 8n) | BigInt(digest[half * 5 + i]!);
    for (let shift = 35n; shift >= 0n; shift -= 5n) name += BASE32[Number((bits >> shift) & 31n)]!;
  }
  return name;
}

export interface ServiceChains {
  /** The hash that the four share. */
  readonly hash: string;
  /** All endpoints. */
  readonly cluster: string;
  /** Endpoints on this node. */
  readonly local: string;
  /** Traffic from outside. */
  readonly external: string;
  /** Source ranges of a load balancer. */
  readonly firewall: string;
}

/** The chains of a Service port. */
export function serviceChains(port: ServicePort): ServiceChains {
  const hash = hash16(port.nameString + port.protocol);
  return {
    hash,
    cluster: `KUBE-SVC-${hash}`,
    local: `KUBE-SVL-${hash}`,
    external: `KUBE-EXT-${hash}`,
    firewall: `KUBE-FW-${hash}`,
  };
}

/** The chain of one endpoint, `ip:port`, of a Service port. */
export function endpointChain(port: ServicePort, endpoint: string): string {
  return `KUBE-SEP-${hash16(port.nameString + port.protocol + endpoint)}`;
}

/** Orders hashes by the bits they stand for: letters before digits. */
export function compareHashes(a: string, b: string): number {
  for (let i = 0; i < a.length; i++) {
    const difference = BASE32.indexOf(a[i]!) - BASE32.indexOf(b[i]!);
    if (difference !== 0) return difference;
  }
  return 0;
}
