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
