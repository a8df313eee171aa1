// What the kernel says of bridges and their ports as links come, go and change: net/bridge/br_stp.c, net/ipv6/addrconf.c.
import type { Link, NetworkNamespace } from '../../network/index.ts';

interface Port {
  readonly bridge: string;
  readonly number: number;
  isForwarding: boolean;
}

/** Tells the changes of a namespace's links until disposed. */
export class LinkLog {
  private readonly printk: (text: string) => void;
  private readonly ports = new Map<Link, Port>();
  private readonly ready = new Set<Link>();

  constructor({ links }: NetworkNamespace, printk: (text: string) => void) {
    this.printk = printk;
    links.watcher = (link, isGone) => this.changed(link, isGone);
  }

  private changed(link: Link, isGone: boolean): void {
    const { master, details } = link;
    const port = this.ports.get(link);
    if (port !== undefined && port.bridge !== master?.name) this.leave(link, port);
    if (master !== undefined && !isGone) this.follow(link, master);
    if (details.kind === 'bridge') for (const each of details.ports) this.follow(each, link);
    this.tellReady(link, isGone);
  }

  /** A port of a bridge: it joins, and then forwards while both are up. */
  private follow(link: Link, bridge: Link): void {
    const port = this.ports.get(link) ?? this.join(link, bridge);
    const isForwarding = link.hasCarrier && bridge.isUp;
    if (isForwarding === port.isForwarding) return;
    port.isForwarding = isForwarding;
    for (const state of isForwarding ? ['blocking', 'forwarding'] : ['disabled'])
      this.tell(link, port, state);
  }

  private join(link: Link, bridge: Link): Port {
    const taken = Array.from(this.ports.values(), (port) => (port.bridge === bridge.name ? port.number : 0));
    let number = 1;
    while (taken.includes(number)) number++;
    const port: Port = { bridge: bridge.name, number, isForwarding: false };
    this.ports.set(link, port);
    this.tell(link, port, 'blocking');
    this.tell(link, port, 'disabled');
    this.printk(`device ${link.name} entered promiscuous mode`);
    return port;
  }

  private leave(link: Link, port: Port): void {
    this.ports.delete(link);
    if (port.isForwarding) this.tell(link, port, 'disabled');
    this.printk(`device ${link.name} left promiscuous mode`);
    this.tell(link, port, 'disabled');
  }

  private tell(link: Link, { bridge, number }: Port, state: string): void {
    this.printk(`${bridge}: port ${number}(${link.name}) entered ${state} state`);
  }

  private tellReady(link: Link, isGone: boolean): void {
    if (link.kind !== 'veth' && link.kind !== 'bridge') return;
    if (isGone || !link.hasCarrier) {
      this.ready.delete(link);
    } else if (!this.ready.has(link)) {
      this.ready.add(link);
      this.printk(`IPv6: ADDRCONF(NETDEV_CHANGE): ${link.name}: link becomes ready`);
    }
  }
}
