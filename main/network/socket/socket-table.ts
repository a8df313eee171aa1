// The sockets of a namespace, as ss(8) and netstat(8) list them.
import type { NetworkNamespace } from '../namespace.ts';
import { EchoLayer, type EchoOptions, type EchoSocket } from './echo-layer.ts';
import type {
  SocketAddress,
  SocketOptions,
  SocketOwner,
  Sockets,
  TcpListener,
  TcpSocket,
  UdpSocket,
} from './socket.ts';
import { TcpLayer } from './tcp-layer.ts';
import type { TcpState } from './tcp-connection.ts';
import { UdpLayer } from './udp-layer.ts';

export interface SocketInfo {
  readonly protocol: 'tcp' | 'udp' | 'icmp' | 'raw';
  /** ss's words; UNCONN and ESTAB for UDP. */
  readonly state: TcpState | 'UNCONN';
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  /** For listeners: how many wait to be accepted. */
  readonly receiveQueueBytes: number;
  /** For listeners: the backlog. */
  readonly sendQueueBytes: number;
  readonly owner: SocketOwner | undefined;
  readonly inode: number;
  readonly device: string | undefined;
  /** Running timer (ss -o): name, ms left, retransmissions. */
  readonly timer:
    | { readonly name: 'on' | 'timewait'; readonly leftMs: number; readonly retransmits: number }
    | undefined;
}

const ANY: SocketAddress = { address: '0.0.0.0', port: 0 };
const ANY6: SocketAddress = { address: '::', port: 0 };
const FIRST_INODE = 20_000;

export class SocketTable implements Sockets {
  readonly tcp: TcpLayer;
  readonly udp: UdpLayer;
  readonly echoes: EchoLayer;
  private readonly namespace: NetworkNamespace;
  private lastInode = FIRST_INODE;

  constructor(namespace: NetworkNamespace) {
    this.namespace = namespace;
    const nextInode = (): number => ++this.lastInode;
    this.tcp = new TcpLayer(namespace, nextInode);
    this.udp = new UdpLayer(namespace, nextInode);
    this.echoes = new EchoLayer(namespace);
  }

  connectTcp(remote: SocketAddress, options?: SocketOptions): Promise<TcpSocket> {
    return this.tcp.connect(remote, options);
  }

  listenTcp(local: SocketAddress, options?: SocketOptions & { readonly backlog?: number }): TcpListener {
    return this.tcp.listen(local, options);
  }

  openUdp(options?: SocketOptions & { readonly remote?: SocketAddress }): UdpSocket {
    return this.udp.open(options);
  }

  /** ping's socket; `source` binds it. */
  openEcho(options?: EchoOptions): EchoSocket {
    return this.echoes.open(options);
  }

  /** Listeners, then connections, then UDP. */
  list(): SocketInfo[] {
    const listeners = this.tcp.listListeners().map((listener): SocketInfo => ({
      protocol: 'tcp',
      state: 'LISTEN',
      local: listener.local,
      remote: listener.ipv6 === undefined ? ANY : ANY6,
      receiveQueueBytes: listener.waiting,
      sendQueueBytes: listener.backlog,
      owner: listener.owner,
      inode: listener.inode,
      device: listener.device?.name,
      timer: undefined,
    }));
    const connections = this.tcp.list().map((connection): SocketInfo => ({
      protocol: 'tcp',
      state: connection.state,
      local: connection.local,
      remote: connection.remote,
      receiveQueueBytes: connection.receiveQueueBytes,
      sendQueueBytes: connection.sendQueueBytes,
      owner: connection.state === 'TIME-WAIT' ? undefined : connection.owner,
      inode: connection.state === 'TIME-WAIT' ? 0 : connection.inode,
      device: connection.device?.name,
      timer: connection.timerInfo,
    }));
    const datagrams = this.udp.list().map((endpoint): SocketInfo => ({
      protocol: 'udp',
      state: endpoint.remote === undefined ? 'UNCONN' : 'ESTAB',
      local: endpoint.local,
      remote: endpoint.remote ?? ANY,
      receiveQueueBytes: endpoint.receiveQueueBytes,
      sendQueueBytes: 0,
      owner: endpoint.owner,
      inode: endpoint.inode,
      device: endpoint.device?.name,
      timer: undefined,
    }));
    return [...listeners, ...connections, ...datagrams, ...this.kernelSockets()];
  }

  /** VXLAN devices that are up hold a UDP port, which ss shows without an owner. */
  private kernelSockets(): SocketInfo[] {
    const ports = new Set(this.namespace.links.vxlans.filter((link) => link.isUp).map((link) => link.port));
    return [...ports].map((port) => ({
      protocol: 'udp',
      state: 'UNCONN',
      local: { address: '0.0.0.0', port },
      remote: ANY,
      receiveQueueBytes: 0,
      sendQueueBytes: 0,
      owner: undefined,
      inode: 0,
      device: undefined,
      timer: undefined,
    }));
  }

  dispose(): void {
    this.tcp.dispose();
    this.udp.dispose();
  }
}
