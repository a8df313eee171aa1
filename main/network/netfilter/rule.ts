// One iptables rule: what it matches, what it does, its counters, and its two printed forms.

export interface Rule {
  /** Source and destination as `a.b.c.d/len`, undefined for any; the interfaces may end in `+`. */
  readonly source: { readonly cidr: string; readonly isInverted: boolean } | undefined;
  readonly destination: { readonly cidr: string; readonly isInverted: boolean } | undefined;
  readonly inInterface: { readonly name: string; readonly isInverted: boolean } | undefined;
  readonly outInterface: { readonly name: string; readonly isInverted: boolean } | undefined;
  /** `tcp`, `udp`, `icmp`, … or a number. */
  readonly protocol:
    | { readonly name: string; readonly number: number; readonly isInverted: boolean }
    | undefined;
  /** The matches, in order, by extension name. */
  readonly matches: readonly { readonly name: string }[];
  /** ACCEPT, DROP, DNAT …, or a chain's name; undefined for none. */
  readonly target: { readonly name: string; readonly isGoto: boolean } | undefined;
  packets: number;
  bytes: number;
  /** The rule as iptables-save prints it, without `-A CHAIN `. Equal rules have equal texts. */
  toSpec(): string;
  /** What `iptables -L` prints after the addresses: matches and target options. `numeric` is -n. */
  describe(numeric: boolean): string;
}
