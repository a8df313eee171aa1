// What crosses a link: an Ethernet frame around an IP packet or an ARP message.
import type { Packet } from '../ip/packet.ts';

/** RFC 826 for IPv4 over Ethernet. Addresses are dotted text only at the edges; here they are numbers. */
export interface ArpMessage {
  readonly operation: 'request' | 'reply';
  readonly senderMac: string;
  readonly senderIp: number;
  readonly targetMac: string;
  readonly targetIp: number;
}

export interface Frame {
  readonly source: string;
  readonly destination: string;
  /** 802.1Q VLAN id. */
  readonly vlan: number | undefined;
  readonly payload: Packet | ArpMessage;
}

export const BROADCAST_MAC = 'ff:ff:ff:ff:ff:ff';
