// The filter language of tcpdump, on packets made for it.
import { expect, test } from 'vitest';

import { LINKTYPE_RAW } from '../../../../../main/linux/commands/network/pcap.ts';
import { dissect, type Dissected } from '../../../../../main/linux/commands/network/tcpdump-dissect.ts';
import { compileFilter, FilterError } from '../../../../../main/linux/commands/network/tcpdump-filter.ts';
import { Packet, packetBytes, parseIpv4 } from '../../../../../main/network/index.ts';

function make(fields: Partial<Packet> & { from: string; to: string }): Dissected {
  const { from, to, ...rest } = fields;
  const packet = Object.assign(new Packet(), rest);
  packet.source = parseIpv4(from)!;
  packet.destination = parseIpv4(to)!;
  return dissect(packetBytes(packet), LINKTYPE_RAW);
}

const SYN = make({
  from: '10.0.0.1',
  to: '10.0.1.2',
  protocol: 6,
  sourcePort: 40_000,
  destinationPort: 80,
  flags: 2,
});
const SYN_ACK = make({
  from: '10.0.1.2',
  to: '10.0.0.1',
  protocol: 6,
  sourcePort: 80,
  destinationPort: 40_000,
  flags: 18,
});
const DNS = make({ from: '10.0.0.1', to: '10.96.0.10', protocol: 17, sourcePort: 5353, destinationPort: 53 });
const ECHO = make({ from: '10.0.0.1', to: '192.168.1.9', protocol: 1, icmpType: 8 });
const ALL = { SYN, SYN_ACK, DNS, ECHO };

function chosen(expression: string): string {
  const filter = compileFilter(expression, (name) => (name === 'web' ? ['10.0.1.2'] : []));
  return Object.entries(ALL)
    .filter(([, packet]) => filter(packet))
    .map(([name]) => name)
    .join(' ');
}

test.each([
  ['', 'SYN SYN_ACK DNS ECHO'],
  ['tcp', 'SYN SYN_ACK'],
  ['host 10.0.1.2', 'SYN SYN_ACK'],
  ['host web', 'SYN SYN_ACK'],
  ['src host 10.0.1.2', 'SYN_ACK'],
  ['src 10.0.0.1 and not icmp', 'SYN DNS'],
  ['dst net 10.96.0.0/12', 'DNS'],
  ['net 192.168', 'ECHO'],
  ['port 80 or 53', 'SYN SYN_ACK DNS'],
  ['udp port 53', 'DNS'],
  ['tcp dst port http', 'SYN'],
  ['portrange 50-60', 'DNS'],
  ['icmp or (tcp and src port 80)', 'SYN_ACK ECHO'],
  ['!(tcp or udp)', 'ECHO'],
  ['arp', ''],
  ['ip proto 17', 'DNS'],
  ['tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn', 'SYN'],
  ['tcp[13] & 16 != 0', 'SYN_ACK'],
  ['icmp[icmptype] = icmp-echo', 'ECHO'],
  ['less 40', 'DNS ECHO'],
  ['ip[9] == 6 && greater 60', 'SYN SYN_ACK'],
  ['src or dst port 53', 'DNS'],
])('%j takes %s', (expression, names) => {
  expect(chosen(expression)).toBe(names);
});

test.each(['foo bar', 'host', 'port', 'tcp and', '(tcp', 'port nosuch', 'net 10.0.0.1/8', 'host nosuch'])(
  '%j is refused',
  (expression) => {
    expect(() => chosen(expression)).toThrow(FilterError);
  },
);
