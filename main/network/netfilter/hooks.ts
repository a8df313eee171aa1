// Netfilter's hooks in the order of their priorities: raw, conntrack, mangle, nat, filter, IPVS (linux/netfilter_ipv4.h).
import type { Packet } from '../ip/packet.ts';
import type { Link } from '../link/link.ts';
import type { NetworkNamespace } from '../namespace.ts';
import type { HookContext } from './match.ts';
import { Nat } from './nat.ts';
import type { HookName } from '../trace/trace.ts';
import type { Table } from './table.ts';

export type OutputVerdict = 'accept' | 'drop' | 'stolen';

export class Hooks {
  private readonly namespace: NetworkNamespace;
  readonly nat: Nat;
  /** Whether anything is hooked at all; a namespace without rules and services pays nothing. */
  isActive = false;
  private raw: Table | undefined = undefined;
  private mangle: Table | undefined = undefined;
  private natTable: Table | undefined = undefined;
  private filter: Table | undefined = undefined;
  private security: Table | undefined = undefined;

  constructor(namespace: NetworkNamespace) {
    this.namespace = namespace;
    this.nat = new Nat(namespace);
  }

  /** A table or the list of virtual services changed. */
  refresh(): void {
    const { netfilter, ipvs } = this.namespace;
    this.raw = netfilter.existing('raw');
    this.mangle = netfilter.existing('mangle');
    this.natTable = netfilter.existing('nat');
    this.filter = netfilter.existing('filter');
    this.security = netfilter.existing('security');
    this.isActive = !netfilter.isEmpty || ipvs.isActive;
  }

  preRouting(packet: Packet, inLink: Link): boolean {
    const context = this.context('PREROUTING', inLink, undefined);
    if (this.raw !== undefined && !this.raw.accepts('PREROUTING', packet, context)) return false;
    if (!this.namespace.conntrack.track(packet)) return false;
    if (this.mangle !== undefined && !this.mangle.accepts('PREROUTING', packet, context)) return false;
    return this.translate(packet, context);
  }

  input(packet: Packet, inLink: Link): boolean {
    const context = this.context('INPUT', inLink, undefined);
    if (!this.filtered(packet, context)) return false;
    const { ipvs } = this.namespace;
    if (ipvs.isActive && !packet.isIpvs) {
      if (ipvs.fromServer(packet, 'INPUT')) packet.isIpvs = true;
      else {
        const verdict = ipvs.fromClient(packet, 'INPUT');
        if (verdict === 'drop' || verdict === 'stolen') return false;
      }
    }
    return this.translate(packet, context) && this.confirm(packet);
  }

  forward(packet: Packet, inLink: Link, outLink: Link): boolean {
    const context = this.context('FORWARD', inLink, outLink);
    if (!this.filtered(packet, context)) return false;
    const { ipvs } = this.namespace;
    if (ipvs.isActive && !packet.isIpvs && ipvs.fromServer(packet, 'FORWARD')) packet.isIpvs = true;
    return true;
  }

  output(packet: Packet, outLink: Link): OutputVerdict {
    const context = this.context('OUTPUT', undefined, outLink);
    if (this.raw !== undefined && !this.raw.accepts('OUTPUT', packet, context)) return 'drop';
    if (!this.namespace.conntrack.track(packet)) return 'drop';
    if (this.mangle !== undefined && !this.mangle.accepts('OUTPUT', packet, context)) return 'drop';
    if (!this.translate(packet, context)) return 'drop';
    const { ipvs } = this.namespace;
    if (ipvs.isActive && !packet.isIpvs) {
      if (ipvs.fromServer(packet, 'OUTPUT')) packet.isIpvs = true;
      else {
        const verdict = ipvs.fromClient(packet, 'OUTPUT');
        if (verdict === 'drop') return 'drop';
        if (verdict === 'stolen') return 'stolen';
      }
    }
    // Filters see it as it is now.
    if (
      this.filter !== undefined &&
      !this.filter.accepts('OUTPUT', packet, this.context('OUTPUT', undefined, outLink))
    )
      return 'drop';
    if (this.security !== undefined && !this.security.accepts('OUTPUT', packet, context)) return 'drop';
    return 'accept';
  }

  postRouting(packet: Packet, outLink: Link): boolean {
    const context = this.context('POSTROUTING', undefined, outLink);
    if (this.mangle !== undefined && !this.mangle.accepts('POSTROUTING', packet, context)) return false;
    return this.translate(packet, context) && this.confirm(packet);
  }

  private filtered(packet: Packet, context: HookContext): boolean {
    const { hook } = context;
    if (this.mangle !== undefined && !this.mangle.accepts(hook, packet, context)) return false;
    if (this.filter !== undefined && !this.filter.accepts(hook, packet, context)) return false;
    return this.security === undefined || this.security.accepts(hook, packet, context);
  }

  private confirm(packet: Packet): boolean {
    if (this.namespace.conntrack.confirm(packet)) return true;
    this.namespace.stack.traceDrop(packet, undefined, 'conntrack', 'conntrack-clash');
    return false;
  }

  /** nf_nat_inet_fn: a new connection's binding is decided by the nat table, then packets follow it. */
  private translate(packet: Packet, context: HookContext): boolean {
    const { connection } = packet;
    if (connection === undefined) return true;
    const { hook } = context;
    const isDestination = hook === 'PREROUTING' || hook === 'OUTPUT';
    const isDone = isDestination ? connection.isDestinationDone : connection.isSourceDone;
    if (!isDone && !packet.isReply && !packet.isRelated && !connection.isConfirmed) {
      if (this.natTable !== undefined && !this.natTable.accepts(hook, packet, context)) return false;
      if (isDestination) connection.isDestinationDone = true;
      else if (!connection.isSourceDone && !this.nat.bindSource(connection, undefined)) return false;
    }
    if (connection.isDestinationNat || connection.isSourceNat) this.nat.translate(packet, hook);
    return true;
  }

  private context(hook: HookName, inLink: Link | undefined, outLink: Link | undefined): HookContext {
    return { namespace: this.namespace, hook, inLink, outLink };
  }
}
