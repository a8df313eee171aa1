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
export type { EchoReply, EchoSocket, SocketInfo, SocketTable, TcpState } from './socket/socket-table.ts';
export type { NamespaceOptions, NetworkChange, NetworkNamespace } from './namespace.ts';
export type { Cable, Link, LinkDetails, LinkKind, LinkStats } from './link/link.ts';
export type { FdbEntry, FdbTable, LinkOptions, LinkTable } from './link/link-table.ts';
export type { CapturedFrame, CaptureTap } from './link/capture.ts';
export { BROADCAST_MAC, type ArpMessage, type Frame } from './link/frame.ts';
export type { Address, AddressTable, NewAddress } from './ip/address-table.ts';
export type { Neighbour, NeighbourState, NeighbourTable } from './ip/neighbour-table.ts';
export type {
  NewRoute,
  NextHop,
  PolicyRule,
  Route,
  RouteAnswer,
  RouteQuery,
  RouteScope,
  RouteTables,
  RouteType,
} from './ip/route-tables.ts';
export type { Sysctls } from './ip/sysctls.ts';
export { Packet } from './ip/packet.ts';
export { cidrContains, formatCidr, formatIpv4, parseCidr, parseIpv4, type Cidr } from './ip/ipv4.ts';
export type { Chain, Netfilter, Policy, RestoreOptions, Table, TableName } from './netfilter/netfilter.ts';
export { IptablesError } from './netfilter/iptables-error.ts';
export type { Rule } from './netfilter/rule.ts';
export { IpSetError, type IpSet, type IpSetMember, type IpSetOptions, type IpSets, type IpSetType } from './netfilter/ipset.ts';
export type { Conntrack, ConntrackEntry, ConntrackStats, ConntrackTuple, TcpConntrackState } from './netfilter/conntrack.ts';
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
export type { FlowSnapshot, Trace, TraceKind, TraceRecord } from './trace/trace.ts';
