// A listening TCP socket with its backlog.
import { ErrnoError } from '../errno.ts';
import { formatIpv4 } from '../ip/ipv4.ts';
import type { Link } from '../link/link.ts';
import type { SocketAddress, SocketOwner, TcpListener, TcpSocket } from './socket.ts';
import type { TcpConnection } from './tcp-connection.ts';

interface Accepter {
  readonly resolve: (socket: TcpSocket) => void;
  readonly reject: (error: unknown) => void;
}

export interface ListenerOptions {
  readonly address: number;
  readonly port: number;
  /** How an IPv6 socket takes connections; undefined for an IPv4 one. */
  readonly ipv6: 'dual' | 'only' | undefined;
  readonly backlog: number;
  readonly inode: number;
  readonly owner: SocketOwner | undefined;
  readonly device: Link | undefined;
  readonly onClose: (listener: TcpListenerSocket) => void;
}

export class TcpListenerSocket implements TcpListener {
  readonly address: number;
  readonly port: number;
  readonly ipv6: 'dual' | 'only' | undefined;
  readonly backlog: number;
  readonly inode: number;
  readonly owner: SocketOwner | undefined;
  readonly device: Link | undefined;
  private readonly onClose: (listener: TcpListenerSocket) => void;
  private readonly ready: TcpConnection[] = [];
  private accepters: Accepter[] = [];
  private isClosed = false;
  /** Handshakes under way. */
  halfOpen = 0;

  constructor(options: ListenerOptions) {
    this.address = options.address;
    this.port = options.port;
    this.ipv6 = options.ipv6;
    this.backlog = options.backlog;
    this.inode = options.inode;
    this.owner = options.owner;
    this.device = options.device;
    this.onClose = options.onClose;
  }

  get local(): SocketAddress {
    return { address: this.ipv6 === undefined ? formatIpv4(this.address) : '::', port: this.port };
  }

  /** Connections that wait to be accepted. */
  get waiting(): number {
    return this.ready.length;
  }

  /** sk_acceptq_is_full: one more than the backlog fits. */
  get hasRoom(): boolean {
    return this.ready.length <= this.backlog;
  }

  accept(): Promise<TcpSocket> {
    if (this.isClosed) return Promise.reject(new ErrnoError('EINVAL'));
    const connection = this.ready.shift();
    if (connection !== undefined) return Promise.resolve(this.release(connection));
    return new Promise((resolve, reject) => this.accepters.push({ resolve, reject }));
  }

  /** A handshake is done. */
  opened(connection: TcpConnection): void {
    this.halfOpen--;
    const accepter = this.accepters.shift();
    if (accepter === undefined) this.ready.push(connection);
    else accepter.resolve(this.release(connection));
  }

  /** A connection that nobody has accepted is gone. */
  abandoned(connection: TcpConnection): void {
    const index = this.ready.indexOf(connection);
    if (index >= 0) this.ready.splice(index, 1);
    else this.halfOpen--;
  }

  private release(connection: TcpConnection): TcpSocket {
    connection.listener = undefined;
    connection.owner = this.owner;
    return connection;
  }

  [Symbol.dispose](): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.onClose(this);
    for (const connection of this.ready.splice(0)) {
      connection.listener = undefined;
      connection.abort();
    }
    for (const accepter of this.accepters.splice(0)) accepter.reject(new ErrnoError('EINVAL'));
    this.accepters = [];
  }
}
