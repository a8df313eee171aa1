// The sockets by which kube-proxy before 1.24 kept node ports from other programs. Nothing is ever read from them: the
// kernel's tables take the traffic first.
import { ErrnoError, type NetworkNamespace, type SocketOwner } from '../../network/index.ts';
import type { ServicePort } from './service-ports.ts';

/** First release that leaves node ports unheld. */
const HELD_UNTIL = 24;
const ANY = '0.0.0.0';

export class HeldPorts implements Disposable {
  private readonly net: NetworkNamespace;
  private readonly owner: SocketOwner;
  private readonly isOn: boolean;
  private readonly onTaken: (port: string) => void;
  /** `namespace/name` of a Service → `protocol/port` → its socket. */
  private readonly held = new Map<string, Map<string, Disposable>>();

  /** `onTaken` is told of a port that something else has. */
  constructor(net: NetworkNamespace, owner: SocketOwner, minor: number, onTaken: (port: string) => void) {
    this.net = net;
    this.owner = owner;
    this.isOn = minor < HELD_UNTIL;
    this.onTaken = onTaken;
  }

  /** Holds the node ports that a Service has now, and lets go of those that it had. */
  set(service: string, ports: readonly ServicePort[]): void {
    if (!this.isOn) return;
    const wanted = new Set(
      ports
        .filter(({ nodePort, protocol }) => nodePort !== 0 && protocol !== 'sctp')
        .map(({ nodePort, protocol }) => `${protocol}/${nodePort}`),
    );
    const sockets = this.held.get(service) ?? new Map<string, Disposable>();
    for (const [port, socket] of sockets) {
      if (wanted.has(port)) continue;
      socket[Symbol.dispose]();
      sockets.delete(port);
    }
    for (const port of wanted) {
      if (sockets.has(port)) continue;
      const socket = this.open(port);
      if (socket !== undefined) sockets.set(port, socket);
    }
    if (sockets.size === 0) this.held.delete(service);
    else this.held.set(service, sockets);
  }

  [Symbol.dispose](): void {
    for (const sockets of this.held.values()) for (const socket of sockets.values()) socket[Symbol.dispose]();
    this.held.clear();
  }

  private open(name: string): Disposable | undefined {
    const [protocol, number] = name.split('/');
    const local = { address: ANY, port: Number(number) };
    const { owner } = this;
    try {
      return protocol === 'tcp'
        ? this.net.sockets.listenTcp(local, { owner })
        : this.net.sockets.openUdp({ local, owner });
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      this.onTaken(name);
      return undefined;
    }
  }
}
