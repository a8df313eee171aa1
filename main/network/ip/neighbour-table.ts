// The ARP cache, as ip-neighbour(8) shows it.
import type { Link } from '../link/link.ts';

export type NeighbourState = 'INCOMPLETE' | 'REACHABLE' | 'STALE' | 'DELAY' | 'PROBE' | 'FAILED' | 'NOARP' | 'PERMANENT';

export interface Neighbour {
  readonly address: string;
  readonly link: Link;
  readonly mac: string | undefined;
  readonly state: NeighbourState;
  /** Instants in ms. */
  readonly usedMs: number;
  readonly confirmedMs: number;
  readonly updatedMs: number;
  readonly probes: number;
}

export interface NeighbourTable {
  list(link?: Link): Neighbour[];
  get(link: Link, address: string): Neighbour | undefined;
  /** Adds or replaces (`ip neigh replace`). */
  set(link: Link, address: string, mac: string, state?: NeighbourState): void;
  /** Throws ENOENT. */
  delete(link: Link, address: string): void;
  /** Forgets all but permanent ones. */
  flush(link?: Link): void;
  /** Broadcasts a gratuitous ARP request (or reply) for one of our addresses; with `mac` for one we only answer for. */
  announce(link: Link, address: string, options?: { readonly mac?: string; readonly kind?: 'request' | 'reply' }): void;
  /** Sends an ARP request and calls back for each reply until disposed (arping). */
  probe(link: Link, address: string, onReply: (reply: { mac: string; isBroadcast: boolean }) => void): Disposable;
  /**
   * Answers ARP requests in place of the kernel, as MetalLB's speaker does over a packet socket: returns the MAC to
   * answer with, or undefined to stay silent.
   */
  addResponder(responder: (request: { link: Link; target: string; sender: string; senderMac: string }) => string | undefined): Disposable;
}
