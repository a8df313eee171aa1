// A virtual network: links, IP, netfilter, IPVS, sockets. One NetworkNamespace is what Linux calls a netns.
// Every packet's fate is decided by tables in here; nothing knows of Kubernetes.
export { ErrnoError, errnoMessage } from './errno.ts';
export type {
  ByteStream,
  SocketAddress,
  SocketOwner,
  Sockets,
  TcpListener,
  TcpSocket,
  UdpSocket,
} from './socket/socket.ts';
export type { SocketInfo } from './socket/socket-table.ts';
export type { EchoReply } from './socket/echo-layer.ts';
export { createNamespace, type NetworkNamespace } from './namespace.ts';
export type { Link } from './link/link.ts';
export type { FdbEntry } from './link/fdb-table.ts';
export type { CapturedFrame } from './link/capture.ts';
export { frameBytes, packetBytes } from './link/packet-bytes.ts';
export { type Frame } from './link/frame.ts';
export type { Address } from './ip/address-table.ts';
export type { Neighbour, NeighbourState } from './ip/neighbour-table.ts';
export {
  TABLE_DEFAULT,
  TABLE_LOCAL,
  TABLE_MAIN,
  type NewRoute,
  type PolicyRule,
  type Route,
  type RouteScope,
  type RouteType,
} from './ip/route-tables.ts';
export { Packet, frameLength } from './ip/packet.ts';
export {
  cidrContains,
  formatIpv4,
  maskOf,
  parseCidr,
  parseIpv4,
  prefixLengthOf,
  type Cidr,
} from './ip/ipv4.ts';
export { protocolName, protocolNumber } from './ip/protocols.ts';
export type { Netfilter } from './netfilter/netfilter.ts';
export { type Chain, type Table, type TableName } from './netfilter/table.ts';
export { IptablesError } from './netfilter/iptables-error.ts';
export { parseRule, type Rule } from './netfilter/rule.ts';
export { splitLine } from './netfilter/tokens.ts';
export { IpSetError, type IpSet, type IpSetOptions, type IpSets, type IpSetType } from './netfilter/ipset.ts';
export type { ConntrackEntry, ConntrackTuple } from './netfilter/conntrack.ts';
export type {
  Ipvs,
  IpvsDestination,
  IpvsForwarding,
  IpvsSchedulerName,
  IpvsService,
  IpvsServiceKey,
  IpvsServiceOptions,
} from './ipvs/ipvs.ts';
export { Trace, type TraceRecord } from './trace/trace.ts';
