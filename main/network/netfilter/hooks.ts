// Netfilter's hooks in Linux's order.
import type { Link } from '../link/link.ts';
import type { NetworkNamespace } from '../namespace.ts';
import type { Packet } from '../ip/packet.ts';

export class Hooks {
  isActive = false;
  constructor(_namespace: NetworkNamespace) {}
  preRouting(_packet: Packet, _link: Link): boolean {
    return true;
  }
  input(_packet: Packet, _link: Link): boolean {
    return true;
  }
  forward(_packet: Packet, _inLink: Link, _outLink: Link): boolean {
    return true;
  }
  output(_packet: Packet, _link: Link): 'accept' | 'drop' | 'stolen' {
    return 'accept';
  }
  postRouting(_packet: Packet, _link: Link): boolean {
    return true;
  }
}
