// What programs see of the network: streams, listeners and datagrams, as the socket calls give them.

export interface SocketAddress {
  /** An IPv4 address in dotted form; `0.0.0.0` for any. Listening on `::` takes IPv4 too, as Linux' dual-stack sockets do. */
  readonly address: string;
  readonly port: number;
}

/** A two-way stream of bytes: a TCP connection, a TLS session over one, or a Unix socket. */
export interface ByteStream {
  /** At most `sizeMax` bytes as soon as there are any; undefined at the end. Rejects with ErrnoError (ECONNRESET, ETIMEDOUT …). */
  read(sizeMax?: number): Promise<Uint8Array | undefined>;
  /** Settles when the send buffer has taken all of it. Rejects with ErrnoError (EPIPE, ECONNRESET …). */
  write(bytes: Uint8Array): Promise<void>;
  /** Sends no more (FIN) but still reads. */
  end(): void;
  /** Gives the stream up in both directions; unread data makes TCP send RST, as Linux does. */
  close(): void;
}

/** Whom `ss -p` and `netstat -p` name for a socket. */
export interface SocketOwner {
  readonly pid: number;
  readonly command: string;
  readonly uid: number;
  /** CAP_NET_BIND_SERVICE; absent: what root has. */
  readonly bindsLowPorts?: boolean;
}

export interface TcpSocket extends ByteStream {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
}

export interface TcpListener extends Disposable {
  readonly local: SocketAddress;
  /** The next connection whose handshake is done; rejects with EINVAL once the listener is disposed. */
  accept(): Promise<TcpSocket>;
}

export interface Datagram {
  readonly bytes: Uint8Array;
  readonly from: SocketAddress;
  /** The local address it was sent to. */
  readonly to: SocketAddress;
}

export interface UdpSocket extends Disposable {
  readonly local: SocketAddress;
  /** Throws ErrnoError (ENETUNREACH, EACCES …); ICMP errors for a connected socket surface in `receive`. `from` picks the source address. */
  send(bytes: Uint8Array, to: SocketAddress, from?: string): void;
  /** The next datagram; rejects with ErrnoError, or with the signal's reason. */
  receive(signal?: AbortSignal): Promise<Datagram>;
}

export interface SocketOptions {
  readonly owner?: SocketOwner;
  /** Bind the local end; port 0 or absent takes an ephemeral port. */
  readonly local?: Partial<SocketAddress>;
  /** SO_BINDTODEVICE. */
  readonly device?: string;
  /** SO_MARK. */
  readonly mark?: number;
  /** With local address `::`: IPV6_V6ONLY, so that IPv4 isn't served. */
  readonly ipv6Only?: boolean;
  readonly signal?: AbortSignal;
}

/** The socket calls of one network namespace. */
export interface Sockets {
  /** Settles once established. Rejects with ErrnoError: ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT, EADDRNOTAVAIL. */
  connectTcp(remote: SocketAddress, options?: SocketOptions): Promise<TcpSocket>;
  /** Throws ErrnoError EADDRINUSE, EADDRNOTAVAIL, or EACCES for a low port of one who may not bind it. */
  listenTcp(local: SocketAddress, options?: SocketOptions & { readonly backlog?: number }): TcpListener;
  /** Throws ErrnoError EADDRINUSE or EADDRNOTAVAIL. A `remote` connects the socket: only its datagrams and ICMP errors arrive. */
  openUdp(options?: SocketOptions & { readonly remote?: SocketAddress }): UdpSocket;
}
