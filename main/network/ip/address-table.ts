// Interface addresses, as ip-address(8) shows them.
import type { Link } from '../link/link.ts';

export interface Address {
  readonly link: Link;
  readonly family: 4 | 6;
  /** Without prefix: `192.168.10.11`. */
  readonly address: string;
  readonly prefixLength: number;
  readonly broadcast: string | undefined;
  readonly scope: 'global' | 'link' | 'host';
  /** The interface name unless labelled; IPv4 only. */
  readonly label: string;
  readonly isSecondary: boolean;
}

export interface NewAddress {
  readonly address: string;
  /** Absent: 32. */
  readonly prefixLength?: number;
  /** `+` computes it, as `ip addr add … brd +`. */
  readonly broadcast?: string;
  readonly scope?: 'global' | 'link' | 'host';
  readonly label?: string;
  /** IFA_F_NOPREFIXROUTE. */
  readonly noPrefixRoute?: boolean;
}

export interface AddressTable {
  /** In the order `ip addr` prints: by link, then as added. */
  list(link?: Link): Address[];
  /** Adds its local and prefix routes too. Throws EEXIST, EINVAL. */
  add(link: Link, address: NewAddress): Address;
  /** Throws EADDRNOTAVAIL. */
  delete(link: Link, address: string, prefixLength?: number): void;
  flush(link: Link): void;
  /** Whether packets to it are delivered here (a `local` route matches). */
  isLocal(address: string): boolean;
}
