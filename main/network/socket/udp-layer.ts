// UDP of one namespace (RFC 768).
import { ErrnoError, type ErrnoCode } from '../errno.ts';
import { formatIpv4, parseIpv4 } from '../ip/ipv4.ts';
import { Packet, PROTO_UDP } from '../ip/packet.ts';
import type { Link } from '../link/link.ts';
import type { NetworkNamespace } from '../namespace.ts';
import { requireBindable } from './low-ports.ts';
import { EphemeralPorts } from './ports.ts';
import type { Datagram, SocketAddress, SocketOptions, SocketOwner, UdpSocket } from './socket.ts';
import { icmpErrno } from './tcp-connection.ts';

/** Bytes that wait for a reader (net.core.rmem_default); further datagrams are dropped. */
const RECEIVE_BUFFER_BYTES = 212_992;
/** The largest payload of an IPv4 datagram. */
const PAYLOAD_BYTES_MAX = 65_507;
/** What each waiting datagram costs beside its bytes. */
const DATAGRAM_OVERHEAD_BYTES = 768;

interface Receiver {
  readonly resolve: (datagram: Datagram) => void;
  readonly reject: (error: unknown) => void;
}

export class UdpLayer {
  private readonly namespace: NetworkNamespace;
  private readonly nextInode: () => number;
  private readonly ports: EphemeralPorts;
  private readonly byPort = new Map<number, UdpEndpoint[]>();

  constructor(namespace: NetworkNamespace, nextInode: () => number) {
    this.namespace = namespace;
    this.nextInode = nextInode;
    this.ports = new EphemeralPorts(namespace);
  }

  open(options: SocketOptions & { readonly remote?: SocketAddress } = {}): UdpEndpoint {
    const address = parseIpv4(options.local?.address?.replace(/^::$/, '0.0.0.0') ?? '0.0.0.0');
    if (address === undefined) throw new ErrnoError('EAFNOSUPPORT');
    const { routes, sysctls, links } = this.namespace;
    const isOurs = address === 0 || routes.addressType(address) !== 'unicast';
    if (!isOurs && sysctls.number('net.ipv4.ip_nonlocal_bind') !== 1) throw new ErrnoError('EADDRNOTAVAIL');
    const wanted = options.local?.port ?? 0;
    requireBindable(sysctls, wanted, options.owner);
    const port = wanted === 0 ? this.ports.take('bind', (each) => this.isFree(address, each)) : wanted;
    if (port === undefined || !this.isFree(address, port)) throw new ErrnoError('EADDRINUSE');
    const endpoint = new UdpEndpoint(this.namespace, {
      address,
      port,
      inode: this.nextInode(),
      owner: options.owner,
      device: options.device === undefined ? undefined : links.require(options.device),
      mark: options.mark ?? 0,
      onClose: (each) => this.remove(each),
    });
    if (options.remote !== undefined) endpoint.connect(options.remote);
    this.byPort.set(port, [...(this.byPort.get(port) ?? []), endpoint]);
    return endpoint;
  }

  list(): UdpEndpoint[] {
    return [...this.byPort.values()].flat();
  }

  receive(packet: Packet, link: Link): void {
    const endpoint = this.find(
      packet.destinationPort,
      packet.destination,
      packet.source,
      packet.sourcePort,
      link,
    );
    if (endpoint !== undefined) return endpoint.take(packet);
    this.namespace.stack.traceDrop(packet, link, 'deliver', 'no-listener');
    this.namespace.stack.icmp.error(packet, 3, 3, link);
  }

  receiveError(error: Packet, original: Packet): void {
    for (const endpoint of this.byPort.get(original.sourcePort) ?? []) {
      if (endpoint.isConnectedTo(original.destination, original.destinationPort)) {
        endpoint.fail(icmpErrno(error.icmpType, error.icmpCode));
      }
    }
  }

  private find(
    port: number,
    to: number,
    from: number,
    fromPort: number,
    link: Link,
  ): UdpEndpoint | undefined {
    const candidates = this.byPort.get(port);
    if (candidates === undefined) return undefined;
    let best: UdpEndpoint | undefined;
    let bestScore = -1;
    for (const candidate of candidates) {
      const score = candidate.score(to, from, fromPort, link);
      if (score > bestScore) {
        best = candidate;
        bestScore = score;
      }
    }
    return best;
  }

  private isFree(address: number, port: number): boolean {
    const others = this.byPort.get(port) ?? [];
    return !others.some(
      (other) => address === 0 || other.boundAddress === 0 || other.boundAddress === address,
    );
  }

  private remove(endpoint: UdpEndpoint): void {
    const left = (this.byPort.get(endpoint.port) ?? []).filter((each) => each !== endpoint);
    if (left.length === 0) this.byPort.delete(endpoint.port);
    else this.byPort.set(endpoint.port, left);
  }

  dispose(): void {
    for (const endpoint of this.list()) endpoint[Symbol.dispose]();
  }
}

interface EndpointOptions {
  readonly address: number;
  readonly port: number;
  readonly inode: number;
  readonly owner: SocketOwner | undefined;
  readonly device: Link | undefined;
  readonly mark: number;
  readonly onClose: (endpoint: UdpEndpoint) => void;
}

export class UdpEndpoint implements UdpSocket {
  private readonly namespace: NetworkNamespace;
  /** As bound; 0 for any. */
  boundAddress: number;
  readonly port: number;
  readonly inode: number;
  readonly owner: SocketOwner | undefined;
  readonly device: Link | undefined;
  private readonly mark: number;
  private readonly onClose: (endpoint: UdpEndpoint) => void;
  private peer: { address: number; port: number } | undefined = undefined;
  private queue: Datagram[] = [];
  receiveQueueBytes = 0;
  private receivers: Receiver[] = [];
  private error: ErrnoCode | undefined = undefined;
  private isClosed = false;

  constructor(namespace: NetworkNamespace, options: EndpointOptions) {
    this.namespace = namespace;
    this.boundAddress = options.address;
    this.port = options.port;
    this.inode = options.inode;
    this.owner = options.owner;
    this.device = options.device;
    this.mark = options.mark;
    this.onClose = options.onClose;
  }

  get local(): SocketAddress {
    return { address: formatIpv4(this.boundAddress), port: this.port };
  }

  get remote(): SocketAddress | undefined {
    return this.peer === undefined
      ? undefined
      : { address: formatIpv4(this.peer.address), port: this.peer.port };
  }

  /** Throws ENETUNREACH and its like. Also chooses the local address. */
  connect(remote: SocketAddress): void {
    const address = parseIpv4(remote.address);
    if (address === undefined) throw new ErrnoError('EAFNOSUPPORT');
    const { routes, addresses } = this.namespace;
    const result = routes.lookup(address, this.boundAddress, this.mark, undefined, this.device);
    if (result === undefined && this.device === undefined) throw new ErrnoError('ENETUNREACH');
    if (result?.type === 'unreachable') throw new ErrnoError('EHOSTUNREACH');
    if (result?.type === 'prohibit') throw new ErrnoError('EACCES');
    if (result?.type === 'blackhole') throw new ErrnoError('EINVAL');
    if (this.boundAddress === 0) {
      this.boundAddress =
        result === undefined
          ? (addresses.select(this.device!, address, 'global') ?? 0)
          : routes.sourceFor(result, address);
    }
    this.peer = { address, port: remote.port };
  }

  isConnectedTo(address: number, port: number): boolean {
    return this.peer !== undefined && this.peer.address === address && this.peer.port === port;
  }

  /** compute_score: how well a datagram fits; -1 if not at all. */
  score(to: number, from: number, fromPort: number, link: Link): number {
    let score = 0;
    if (this.boundAddress !== 0) {
      if (this.boundAddress !== to) return -1;
      score += 4;
    }
    if (this.peer !== undefined) {
      if (this.peer.address !== from || this.peer.port !== fromPort) return -1;
      score += 8;
    }
    if (this.device !== undefined) {
      if (this.device !== link) return -1;
      score += 4;
    }
    return score;
  }

  send(bytes: Uint8Array, to: SocketAddress, from?: string): void {
    if (this.isClosed) throw new ErrnoError('EBADF');
    if (this.error !== undefined) {
      const code = this.error;
      this.error = undefined;
      throw new ErrnoError(code);
    }
    const destination = parseIpv4(to.address);
    if (destination === undefined) throw new ErrnoError('EAFNOSUPPORT');
    if (to.port === 0) throw new ErrnoError('EINVAL');
    if (bytes.length > PAYLOAD_BYTES_MAX) throw new ErrnoError('EMSGSIZE');
    const packet = new Packet();
    packet.protocol = PROTO_UDP;
    packet.source = (from === undefined ? undefined : parseIpv4(from)) ?? this.boundAddress;
    packet.destination = destination === 0 ? 0x7f000001 : destination;
    packet.sourcePort = this.port;
    packet.destinationPort = to.port;
    packet.mark = this.mark;
    packet.payload = bytes.slice();
    const failure = this.namespace.stack.sendLocal(packet, { link: this.device });
    if (failure !== undefined) throw new ErrnoError(failure);
  }

  receive(signal?: AbortSignal): Promise<Datagram> {
    const first = this.queue.shift();
    if (first !== undefined) {
      this.receiveQueueBytes -= first.bytes.length + DATAGRAM_OVERHEAD_BYTES;
      return Promise.resolve(first);
    }
    if (this.error !== undefined) {
      const code = this.error;
      this.error = undefined;
      return Promise.reject(new ErrnoError(code));
    }
    if (this.isClosed) return Promise.reject(new ErrnoError('EBADF'));
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => this.wait(resolve, reject, signal));
  }

  private wait(
    resolve: Receiver['resolve'],
    reject: Receiver['reject'],
    signal: AbortSignal | undefined,
  ): void {
    if (signal === undefined) {
      this.receivers.push({ resolve, reject });
      return;
    }
    const onAbort = (): void => {
      this.receivers = this.receivers.filter((each) => each !== receiver);
      reject(signal.reason);
    };
    const receiver: Receiver = {
      resolve: (datagram) => {
        signal.removeEventListener('abort', onAbort);
        resolve(datagram);
      },
      reject: (error) => {
        signal.removeEventListener('abort', onAbort);
        reject(error);
      },
    };
    signal.addEventListener('abort', onAbort, { once: true });
    this.receivers.push(receiver);
  }

  /** A datagram for this socket came in. */
  take(packet: Packet): void {
    const datagram = {
      bytes: packet.payload,
      from: { address: formatIpv4(packet.source), port: packet.sourcePort },
      to: { address: formatIpv4(packet.destination), port: packet.destinationPort },
    };
    const receiver = this.receivers.shift();
    if (receiver !== undefined) return receiver.resolve(datagram);
    const size = packet.payload.length + DATAGRAM_OVERHEAD_BYTES;
    if (this.receiveQueueBytes + size > RECEIVE_BUFFER_BYTES) return;
    this.queue.push(datagram);
    this.receiveQueueBytes += size;
  }

  fail(code: ErrnoCode): void {
    const receiver = this.receivers.shift();
    if (receiver === undefined) this.error = code;
    else receiver.reject(new ErrnoError(code));
  }

  [Symbol.dispose](): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.onClose(this);
    for (const receiver of this.receivers.splice(0)) receiver.reject(new ErrnoError('EBADF'));
  }
}
