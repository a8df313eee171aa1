// A virtual network: links, IP, netfilter, IPVS, sockets. One NetworkNamespace is what Linux calls a netns.
// Every packet's fate is decided by tables in here; nothing knows of Kubernetes.
export { ErrnoError, errnoMessage, type ErrnoCode } from './errno.ts';
export type {
  ByteStream,
  Datagram,
  SocketAddress,
  SocketOptions,
  SocketOwner,
  Sockets,
  TcpListener,
  TcpSocket,
  UdpSocket,
} from './socket/socket.ts';
export type { SocketInfo, SocketTable } from './socket/socket-table.ts';
export type { EchoError, EchoOptions, EchoReply, EchoRequest, EchoSocket } from './socket/echo-layer.ts';
export type { TcpState } from './socket/tcp-connection.ts';
export {
  createNamespace,
  type NamespaceOptions,
  type NetworkChange,
  type NetworkNamespace,
} from './namespace.ts';
export type { Link, LinkDetails, LinkKind, LinkStats } from './link/link.ts';
export type { Cable, CableProperties } from './link/cable.ts';
export type { LinkOptions, LinkTable } from './link/link-table.ts';
export type { FdbEntry, FdbTable } from './link/fdb-table.ts';
export type { CapturedFrame, CaptureTap } from './link/capture.ts';
export { frameBytes, packetBytes } from './link/packet-bytes.ts';
export { BROADCAST_MAC, type ArpMessage, type Frame } from './link/frame.ts';
export type { Address, AddressTable, NewAddress } from './ip/address-table.ts';
export type { ArpRequest, Neighbour, NeighbourState, NeighbourTable } from './ip/neighbour-table.ts';
export {
  TABLE_DEFAULT,
  TABLE_LOCAL,
  TABLE_MAIN,
  type NewRoute,
  type NextHop,
  type PolicyRule,
  type Route,
  type RouteAnswer,
  type RouteQuery,
  type RouteScope,
  type RouteTables,
  type RouteType,
} from './ip/route-tables.ts';
export type { Sysctls } from './ip/sysctls.ts';
export { Packet, frameLength } from './ip/packet.ts';
export {
  cidrContains,
  formatCidr,
  formatIpv4,
  maskOf,
  parseCidr,
  parseIpv4,
  prefixLengthOf,
  type Cidr,
} from './ip/ipv4.ts';
export { protocolName, protocolNumber } from './ip/protocols.ts';
export type { Netfilter, NetfilterLog, RestoreOptions } from './netfilter/netfilter.ts';
export { isTableName } from './netfilter/netfilter.ts';
export { BUILT_IN_CHAINS, type Chain, type Policy, type Table, type TableName } from './netfilter/table.ts';
export { IptablesError } from './netfilter/iptables-error.ts';
export { parseRule, type Rule } from './netfilter/rule.ts';
export { splitLine } from './netfilter/tokens.ts';
export type { RecentList } from './netfilter/recent.ts';
export {
  ipSetHeader,
  IpSetError,
  parseOptions as parseIpSetOptions,
  type IpSet,
  type IpSetMember,
  type IpSetOptions,
  type IpSets,
  type IpSetType,
} from './netfilter/ipset.ts';
export type {
  Conntrack,
  ConntrackEntry,
  ConntrackEvent,
  ConntrackStats,
  ConntrackTuple,
  TcpConntrackState,
} from './netfilter/conntrack.ts';
export type {
  Ipvs,
  IpvsConnection,
  IpvsDestination,
  IpvsDestinationOptions,
  IpvsForwarding,
  IpvsProtocol,
  IpvsRates,
  IpvsSchedulerName,
  IpvsService,
  IpvsServiceKey,
  IpvsServiceOptions,
  IpvsStats,
} from './ipvs/ipvs.ts';
export { Trace, type FlowSnapshot, type HookName, type TraceKind, type TraceRecord } from './trace/trace.ts';
export { icmpTypeName, snapshotOf, tcpFlagsText } from './trace/snapshot.ts';
