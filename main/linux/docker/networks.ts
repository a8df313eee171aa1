// Docker's bridge networks: a bridge per network, an address per container, NAT in the machine's own tables, docker-proxy for the rest.
import { createHash } from 'node:crypto';
import { ErrnoError, type NetworkNamespace, type TcpSocket } from '../../network/index.ts';
import type { Random } from '../../simulation/index.ts';
import type { Kernel, Program, Task } from '../kernel/index.ts';
import { EngineError, type EngineNetwork, type PublishedPort } from './engine-types.ts';

export interface NetworksOptions {
  readonly kernel: Kernel;
  readonly random: Random;
}

interface Endpoint {
  readonly network: EngineNetwork;
  readonly address: string;
  readonly ports: readonly PublishedPort[];
  readonly proxies: readonly Task[];
}

const PRIVATE_PORT_FIRST = 32_768;

/** What of the machine's network belongs to Docker. */
export class Networks {
  private readonly options: NetworksOptions;
  private readonly endpoints = new Map<string, Endpoint>();
  private readonly prepared = new Set<string>();

  constructor(options: NetworksOptions) {
    this.options = options;
  }

  private get host(): NetworkNamespace {
    return this.options.kernel.net;
  }

  /** The bridge with its address and rules; safe to repeat. */
  prepare(network: EngineNetwork): void {
    if (network.driver !== 'bridge') return;
    const { links, addresses, sysctls } = this.host;
    const bridge = links.get(network.bridge) ?? links.addBridge({ name: network.bridge });
    if (!bridge.isUp) links.setUp(bridge);
    const prefixLength = Number(network.subnet.split('/')[1]);
    if (!addresses.list(bridge).some(({ address }) => address === network.gateway))
      addresses.add(bridge, { address: network.gateway, prefixLength, broadcast: '+' });
    sysctls.set('net.ipv4.ip_forward', '1');
    if (this.prepared.has(network.id)) return;
    this.prepared.add(network.id);
    this.addTopRules();
    const nat = this.host.netfilter.table('nat');
    const has = (chain: string, text: string): boolean =>
      (nat.chain(chain)?.rules ?? []).some((rule) => rule.toSpec().includes(text));
    if (!has('POSTROUTING', `-s ${network.subnet} ! -o ${network.bridge}`))
      this.host.netfilter.restore(
        `*nat\n-A POSTROUTING -s ${network.subnet} ! -o ${network.bridge} -j MASQUERADE\n-A DOCKER -i ${network.bridge} -j RETURN\nCOMMIT\n` +
          `*filter\n-A DOCKER-ISOLATION-STAGE-1 -i ${network.bridge} ! -o ${network.bridge} -j DOCKER-ISOLATION-STAGE-2\n-A DOCKER-ISOLATION-STAGE-2 -o ${network.bridge} -j DROP\n` +
          `-A FORWARD -o ${network.bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n-A FORWARD -o ${network.bridge} -j DOCKER\n-A FORWARD -i ${network.bridge} ! -o ${network.bridge} -j ACCEPT\n-A FORWARD -i ${network.bridge} -o ${network.bridge} -j ACCEPT\nCOMMIT\n`,
        { noFlush: true },
      );
  }

  /**
   * The chains that all networks share.
   * Differs: the policy of FORWARD stays ACCEPT where Docker makes it DROP; nodes are set up to undo that.
   */
  private addTopRules(): void {
    const { netfilter } = this.host;
    if (netfilter.table('nat').chain('DOCKER') !== undefined) return;
    netfilter.restore(
      '*nat\n:DOCKER - [0:0]\n-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER\n-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER\nCOMMIT\n' +
        '*filter\n:DOCKER - [0:0]\n:DOCKER-ISOLATION-STAGE-1 - [0:0]\n:DOCKER-ISOLATION-STAGE-2 - [0:0]\n:DOCKER-USER - [0:0]\n' +
        '-A FORWARD -j DOCKER-USER\n-A FORWARD -j DOCKER-ISOLATION-STAGE-1\n-A DOCKER-USER -j RETURN\nCOMMIT\n',
      { noFlush: true },
    );
  }

  /** Takes a removed network's bridge away. */
  discard(network: EngineNetwork): void {
    const bridge = this.host.links.get(network.bridge);
    if (bridge !== undefined) this.host.links.delete(bridge);
    this.dropRules((text) => text.includes(` ${network.bridge} `) || text.includes(`${network.subnet} `));
    this.prepared.delete(network.id);
  }

  private dropRules(isOwn: (text: string) => boolean): void {
    for (const name of ['nat', 'filter'] as const) {
      const table = this.host.netfilter.table(name);
      for (const chain of [
        'PREROUTING',
        'POSTROUTING',
        'FORWARD',
        'DOCKER',
        'DOCKER-ISOLATION-STAGE-1',
        'DOCKER-ISOLATION-STAGE-2',
      ]) {
        const rules = table.chain(chain)?.rules ?? [];
        for (let number = rules.length; number > 0; number--)
          if (isOwn(`${rules[number - 1]?.toSpec() ?? ''} `)) table.deleteNumber(chain, number);
      }
    }
  }

  /** A host port for each published one; 0 becomes the next free. Throws EngineError when one is taken. */
  claim(name: string, endpointId: string, wanted: readonly PublishedPort[]): PublishedPort[] {
    const taken = new Set(
      Array.from(this.endpoints.values()).flatMap(({ ports }) =>
        ports.map(({ hostPort, protocol }) => `${hostPort}/${protocol}`),
      ),
    );
    let next = PRIVATE_PORT_FIRST;
    return wanted.map((port) => {
      let { hostPort } = port;
      if (hostPort === 0) {
        while (taken.has(`${next}/${port.protocol}`)) next++;
        hostPort = next;
      }
      if (taken.has(`${hostPort}/${port.protocol}`))
        throw new EngineError(
          'start-failed',
          `driver failed programming external connectivity on endpoint ${name} (${endpointId}): Bind for ${port.hostIp}:${hostPort} failed: port is already allocated`,
        );
      taken.add(`${hostPort}/${port.protocol}`);
      return { ...port, hostPort };
    });
  }

  /** Connects a container: eth0 with an address, a way out, and its ports published. */
  connect(
    id: string,
    name: string,
    net: NetworkNamespace,
    network: EngineNetwork,
    wanted: readonly PublishedPort[],
    keep: string,
  ): { address: string; mac: string; ports: PublishedPort[] } {
    this.prepare(network);
    const { links } = this.host;
    const endpointId = createHash('sha256').update(`${id}/${network.id}`).digest('hex');
    const ports = this.claim(name, endpointId, wanted);
    const address = this.allocate(network, keep);
    const mac = `02:42:${address
      .split('.')
      .map((part) => Number(part).toString(16).padStart(2, '0'))
      .join(':')}`;
    const existing = net.links.get('eth0');
    if (existing !== undefined) net.links.delete(existing);
    const end = links.addVeth({
      name: `veth${this.options.random.string(7, '0123456789abcdef')}`,
      peer: { name: 'eth0', namespace: net, mac },
    });
    links.setMaster(end, links.require(network.bridge));
    links.setUp(end);
    const eth0 = net.links.require('eth0');
    net.links.setUp(eth0);
    net.addresses.add(eth0, { address, prefixLength: Number(network.subnet.split('/')[1]), broadcast: '+' });
    net.routes.replace({ destination: '0.0.0.0', prefixLength: 0, gateway: network.gateway, link: eth0 });
    const proxies: Task[] = [];
    try {
      for (const port of ports) proxies.push(...this.publish(port, address, network));
    } catch (error) {
      this.unpublish(address, ports, proxies);
      net.links.delete(eth0);
      if (!(error instanceof ErrnoError)) throw error;
      const port = ports[proxies.length] ?? ports[0]!;
      throw new EngineError(
        'start-failed',
        `driver failed programming external connectivity on endpoint ${name} (${endpointId}): Error starting userland proxy: listen ${port.protocol}4 ${port.hostIp}:${port.hostPort}: bind: ${error.message.toLowerCase()}`,
      );
    }
    this.endpoints.set(id, { network, address, ports, proxies });
    return { address, mac, ports };
  }

  private publish(port: PublishedPort, address: string, network: EngineNetwork): Task[] {
    const { hostPort, containerPort, protocol, hostIp } = port;
    const proxies = protocol === 'tcp' ? [this.startProxy(port, address)] : [];
    const to = hostIp === '0.0.0.0' || hostIp === '' ? '' : `-d ${hostIp}/32 `;
    this.host.netfilter.restore(
      `*nat\n-A POSTROUTING -s ${address}/32 -d ${address}/32 -p ${protocol} -m ${protocol} --dport ${containerPort} -j MASQUERADE\n` +
        `-A DOCKER ${to}! -i ${network.bridge} -p ${protocol} -m ${protocol} --dport ${hostPort} -j DNAT --to-destination ${address}:${containerPort}\nCOMMIT\n` +
        `*filter\n-A DOCKER -d ${address}/32 ! -i ${network.bridge} -o ${network.bridge} -p ${protocol} -m ${protocol} --dport ${containerPort} -j ACCEPT\nCOMMIT\n`,
      { noFlush: true },
    );
    return proxies;
  }

  /** docker-proxy: holds the port, and carries what comes by way of localhost. Throws ErrnoError EADDRINUSE. */
  private startProxy({ hostIp, hostPort, containerPort }: PublishedPort, address: string): Task {
    const { kernel } = this.options;
    const listener = kernel.net.sockets.listenTcp({
      address: hostIp === '' ? '0.0.0.0' : hostIp,
      port: hostPort,
    });
    listener[Symbol.dispose](); // Only to learn now whether it can be had.
    const argv = [
      '/usr/bin/docker-proxy',
      '-proto',
      'tcp',
      '-host-ip',
      hostIp,
      '-host-port',
      String(hostPort),
      '-container-ip',
      address,
      '-container-port',
      String(containerPort),
    ];
    return kernel.start({ argv, program: makeProxy(hostIp, hostPort, address, containerPort) });
  }

  private unpublish(address: string, ports: readonly PublishedPort[], proxies: readonly Task[]): void {
    for (const proxy of proxies)
      if (this.options.kernel.process(proxy.pid) !== undefined)
        this.options.kernel.kill(proxy.pid, 'SIGKILL');
    if (ports.length > 0)
      this.dropRules((text) => text.includes(`${address}/32 `) || text.includes(` ${address}:`));
  }

  disconnect(id: string, net: NetworkNamespace): void {
    const endpoint = this.endpoints.get(id);
    if (endpoint === undefined) return;
    this.endpoints.delete(id);
    this.unpublish(endpoint.address, endpoint.ports, endpoint.proxies);
    const eth0 = net.links.get('eth0');
    if (eth0 !== undefined) net.links.delete(eth0);
  }

  /** The one it had before if that's free, else the lowest free one. */
  private allocate(network: EngineNetwork, keep: string): string {
    const [base = '', prefix = '16'] = network.subnet.split('/');
    const used = new Set([network.gateway, ...Array.from(this.endpoints.values(), ({ address }) => address)]);
    const first = toNumber(base);
    const inside = (address: string): boolean =>
      toNumber(address) > first && toNumber(address) < first + 2 ** (32 - Number(prefix)) - 1;
    if (keep !== '' && inside(keep) && !used.has(keep)) return keep;
    for (let step = 2; step < 2 ** (32 - Number(prefix)) - 1; step++) {
      const address = toText(first + step);
      if (!used.has(address)) return address;
    }
    throw new EngineError(
      'start-failed',
      "failed to create endpoint: no available IPv4 addresses on this network's address pools",
    );
  }
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function toText(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}

function makeProxy(hostIp: string, hostPort: number, address: string, port: number): Program {
  return async (proc) => {
    const { sockets } = proc.net;
    const owner = proc.socketOwner;
    using listener = sockets.listenTcp(
      { address: hostIp === '' ? '0.0.0.0' : hostIp, port: hostPort },
      { owner },
    );
    for (;;) {
      const near = await proc.interruptible(listener.accept());
      sockets.connectTcp({ address, port }, { owner }).then(
        (far) => void Promise.all([carry(near, far), carry(far, near)]),
        () => near.close(), // Nobody listens in the container: the caller sees its connection end.
      );
    }
  };
}

async function carry(from: TcpSocket, to: TcpSocket): Promise<void> {
  try {
    for (let bytes = await from.read(); bytes !== undefined; bytes = await from.read()) await to.write(bytes);
    to.end();
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    from.close();
    to.close();
  }
}
