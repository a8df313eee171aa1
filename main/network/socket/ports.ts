// Choosing ephemeral ports as Linux does.
import type { NetworkNamespace } from '../namespace.ts';

/** Port numbers handed out in net.ipv4.ip_local_port_range. */
export class EphemeralPorts {
  private readonly namespace: NetworkNamespace;
  private offset: number;

  constructor(namespace: NetworkNamespace) {
    this.namespace = namespace;
    this.offset = namespace.random.integer(0x8000);
  }

  /**
   * A port for which `isFree` holds; undefined when there is none. connect(2) prefers the parity of the range's
   * lower end, bind(2) the other (inet_hash_connect, inet_csk_find_open_port).
   */
  take(kind: 'connect' | 'bind', isFree: (port: number) => boolean): number | undefined {
    const [low = 32768, high = 60999] = (this.namespace.sysctls.get('net.ipv4.ip_local_port_range') ?? '')
      .split('\t')
      .map(Number);
    const half = Math.max(1, (high - low + 1) >> 1);
    const parity = kind === 'connect' ? 0 : 1;
    for (const flip of [parity, 1 - parity]) {
      for (let tried = 0; tried < half; tried++) {
        const port = low + flip + 2 * ((this.offset + tried) % half);
        if (port <= high && isFree(port)) {
          this.offset = (this.offset + tried + 1 + this.namespace.random.integer(8)) % half;
          return port;
        }
      }
    }
    return undefined;
  }
}
