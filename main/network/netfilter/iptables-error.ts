// What iptables refuses, in its own words and with its exit status.

/** The message is what iptables prints after its `iptables v1.8.9 (nf_tables): ` or `iptables: ` prefix. */
export class IptablesError extends Error {
  /** 1 other, 2 bad parameter, 3 version or table problem, 4 resource problem (iptables(8)). */
  readonly exitCode: number;
  /** `usage` errors get the version prefix and the "Try `iptables -h'" line; `kernel` ones `iptables: ` only. */
  readonly kind: 'usage' | 'kernel';
  /** Line of the iptables-restore input, from 1. */
  line: number | undefined;
  constructor(
    message: string,
    options: { exitCode?: number; kind?: 'usage' | 'kernel'; line?: number } = {},
  ) {
    super(message);
    this.exitCode = options.exitCode ?? 2;
    this.kind = options.kind ?? 'usage';
    this.line = options.line;
  }
}
