// IP protocol numbers and names, as /etc/protocols has them.

const PROTOCOLS: readonly (readonly [number: number, name: string])[] = [
  [0, 'ip'],
  [1, 'icmp'],
  [2, 'igmp'],
  [4, 'ipencap'],
  [6, 'tcp'],
  [17, 'udp'],
  [33, 'dccp'],
  [41, 'ipv6'],
  [47, 'gre'],
  [50, 'esp'],
  [51, 'ah'],
  [58, 'ipv6-icmp'],
  [103, 'pim'],
  [112, 'vrrp'],
  [132, 'sctp'],
  [136, 'udplite'],
];

const names = new Map(PROTOCOLS.map(([number, name]) => [number, name]));
const numbers = new Map(PROTOCOLS.map(([number, name]) => [name, number]));

/** The name, or the number as text. */
export function protocolName(number: number): string {
  return names.get(number) ?? String(number);
}

/** A protocol by name or number; undefined if there is none such. `all` and `ip` are 0. */
export function protocolNumber(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text) <= 255 ? Number(text) : undefined;
  const name = text.toLowerCase();
  if (name === 'all') return 0;
  if (name === 'icmpv6') return 58;
  return numbers.get(name);
}
