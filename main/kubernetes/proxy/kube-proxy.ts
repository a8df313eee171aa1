// The program /usr/local/bin/kube-proxy: reads its configuration once, picks a mode, and follows Services and slices.
import { minorOf } from '../api/api-versions.ts';
import { ErrnoError, type IpvsSchedulerName, type NetworkNamespace } from '../../network/index.ts';
import type { Kernel, Process, Program } from '../../linux/kernel/index.ts';
import { isStatus, resources } from '../api/index.ts';
import type { EndpointSlice, Node, Service } from '../api/index.ts';
import { Informer, type ApiClient } from '../client/index.ts';
import { klogLine, untilStopped } from '../daemon/index.ts';
import { ChangeTracker, type ProxiedService } from './change-tracker.ts';
import { readProxyConfig, type ProxyConfig } from './config.ts';
import { chooseEndpoints } from './endpoints.ts';
import { HeldPorts } from './held-ports.ts';
import { HealthChecks } from './health-checks.ts';
import { IptablesProxier } from './iptables/proxier.ts';
import { rangeHolds } from './iptables/rules.ts';
import { IpvsProxier } from './ipvs/proxier.ts';

export interface KubeProxyOptions {
  /** How the program reaches the API server, from its own network and service account. */
  readonly client: (proc: Process) => ApiClient;
  /** Such as `v1.36.2`. */
  readonly version: string;
}

const CONFIG_DEFAULT = '/var/lib/kube-proxy/config.conf';
const IPVS_MODULES = ['ip_vs', 'ip_vs_rr', 'ip_vs_wrr', 'ip_vs_sh', 'nf_conntrack'];
const NODE_RETRY_MS = 1000;
const NODE_ATTEMPTS_MAX = 5;

/** What both modes do. */
interface Proxier {
  start(): void;
  sync(changes: readonly ProxiedService[]): void;
  syncAll?(services: readonly ProxiedService[]): void;
  resyncNodePorts?(): void;
  dispose?(): void;
}

/** Makes the program of the kube-proxy image. */
export function makeKubeProxy(options: KubeProxyOptions): Program {
  return async (proc) => {
    const flags = readFlags(proc.argv);
    let config: ProxyConfig;
    try {
      config = readProxyConfig(proc.fs.readText(flags.get('config') ?? CONFIG_DEFAULT));
    } catch (error) {
      const message =
        error instanceof ErrnoError
          ? `open ${error.path}: ${error.message.toLowerCase()}`
          : error instanceof Error
            ? error.message
            : String(error);
      await log(proc, 'E', 'run.go:72', `"command failed" err="failed complete: ${message}"`);
      return 1;
    }
    const run = new ProxyRun(
      proc,
      config,
      options,
      flags.get('hostname-override') ?? config.hostnameOverride ?? proc.kernel.hostnameOf(proc.pid),
    );
    try {
      return await run.untilStopped();
    } finally {
      run.dispose();
    }
  };
}

function readFlags(argv: readonly string[]): Map<string, string> {
  const flags = new Map<string, string>();
  argv.slice(1).forEach((word, index, words) => {
    const match = /^--?([\w-]+)(?:=(.*))?$/s.exec(word);
    if (match !== null) flags.set(match[1]!, match[2] ?? words[index + 1] ?? 'true');
  });
  return flags;
}

function log(proc: Process, severity: 'I' | 'W' | 'E', source: string, message: string): Promise<void> {
  return proc.stderr.write(klogLine(severity, proc.clock.now(), proc.pid, source, message));
}

class ProxyRun {
  private readonly proc: Process;
  private readonly config: ProxyConfig;
  private readonly client: ApiClient;
  private readonly version: string;
  private readonly nodeName: string;
  private readonly tracker: ChangeTracker;
  private readonly health: HealthChecks;
  private readonly nodePorts: HeldPorts;
  private readonly stack = new DisposableStack();
  private proxier: Proxier | undefined;
  private hasSynced = false;
  private isQueued = false;
  private lastSyncMs = -Infinity;
  private isStopped = false;

  constructor(proc: Process, config: ProxyConfig, options: KubeProxyOptions, nodeName: string) {
    this.proc = proc;
    this.config = config;
    this.client = options.client(proc);
    this.version = options.version;
    this.nodeName = nodeName;
    this.tracker = new ChangeTracker(nodeName);
    this.health = new HealthChecks(proc.net, this.owner, (error) => this.fault(error));
    this.nodePorts = this.stack.use(
      new HeldPorts(proc.net, this.owner, minorOf(options.version), (port) => {
        const words = `"can't open port, skipping it" port=${JSON.stringify(port)}`;
        void log(proc, 'E', 'proxier.go:1223', words);
      }),
    );
  }

  async untilStopped(): Promise<number> {
    const failed = this.start().then(
      () => new Promise<never>(() => undefined),
      (error: unknown) => this.die(error),
    );
    return untilStopped(this.proc, failed);
  }

  dispose(): void {
    if (this.isStopped) return;
    this.isStopped = true;
    this.proxier?.dispose?.();
    this.health.dispose();
    this.stack.dispose();
  }

  private get owner() {
    return this.proc.socketOwner;
  }

  private async die(error: unknown): Promise<number> {
    const message = error instanceof Error ? error.message : String(error);
    await log(this.proc, 'E', 'run.go:72', `"command failed" err=${JSON.stringify(message)}`);
    return 1;
  }

  private async start(): Promise<void> {
    const { proc, config, health } = this;
    const node = await this.node();
    const nodeIP = node?.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? '127.0.0.1';
    const zone = node?.metadata?.labels?.['topology.kubernetes.io/zone'];
    await log(proc, 'I', 'server.go:715', `"Successfully retrieved node IP(s)" IPs=["${nodeIP}"]`);
    const mode = await this.chooseMode();
    this.proxier = this.makeProxier(mode, nodeIP, zone);
    await log(proc, 'I', 'server.go:886', `"Version info" version="${this.version}"`);
    this.proxier.start();
    health.serveHealthz(config.healthzBindAddress);
    health.serveMetrics(config.metricsBindAddress, mode);

    const { clock } = proc;
    const onError = (error: unknown): void => this.fault(error);
    const services = new Informer<Service>({
      client: this.client,
      clock,
      resource: resources.services,
      onError,
    });
    const slices = new Informer<EndpointSlice>({
      client: this.client,
      clock,
      resource: resources.endpointslices,
      onError,
    });
    services.handle({
      add: (service) => this.change(() => this.tracker.setService(service)),
      update: (service) => this.change(() => this.tracker.setService(service)),
      delete: (service) => this.change(() => this.tracker.deleteService(service)),
    });
    slices.handle({
      add: (slice) => this.change(() => this.tracker.setSlice(slice)),
      update: (slice) => this.change(() => this.tracker.setSlice(slice)),
      delete: (slice) => this.change(() => this.tracker.deleteSlice(slice)),
    });
    await log(proc, 'I', 'config.go:199', '"Starting service config controller"');
    this.stack.use(services.start());
    await log(proc, 'I', 'config.go:105', '"Starting endpoint slice config controller"');
    this.stack.use(slices.start());
    await Promise.all([services.waitForSync(), slices.waitForSync()]);
    await log(proc, 'I', 'shared_informer.go:356', '"Caches are synced" controller="service config"');
    await log(proc, 'I', 'shared_informer.go:356', '"Caches are synced" controller="endpoint slice config"');
    if (this.isStopped) return;
    this.hasSynced = true;
    this.stack.use(proc.net.onChange(({ kind }) => this.onNetworkChange(kind)));
    this.sync();
  }

  /** The Node object, for its address; asked a few times, as it may not be registered yet. */
  private async node(): Promise<Node | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.client.get<Node>(resources.nodes, this.nodeName);
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        await log(
          this.proc,
          'E',
          'server.go:697',
          `"Failed to retrieve node info" err=${JSON.stringify(text)}`,
        );
        if (attempt >= NODE_ATTEMPTS_MAX) {
          await log(
            this.proc,
            'W',
            'server.go:709',
            `"Can't determine this node's IP, assuming loopback; if this is incorrect, please set the --bind-address flag"`,
          );
          return undefined;
        }
        await this.proc.sleep(NODE_RETRY_MS * attempt);
      }
    }
  }

  private async chooseMode(): Promise<'iptables' | 'ipvs'> {
    const { proc, config } = this;
    const { mode } = config;
    if (mode === 'ipvs') {
      const missing = missingModules(proc.kernel, [
        ...IPVS_MODULES,
        `ip_vs_${config.ipvs.scheduler || 'rr'}`,
      ]);
      if (missing.length === 0) {
        await log(proc, 'I', 'server_linux.go:143', '"Using ipvs Proxier"');
        if (config.ipvs.scheduler === '') {
          await log(proc, 'W', 'proxier.go:409', '"IPVS scheduler not specified, use rr by default"');
        }
        return 'ipvs';
      }
      // Differs: since 1.23 the real one gives up here and exits; the older fall-back is what the course teaches.
      const words = `IPVS proxier will not be used because the following required kernel modules are not loaded: [${missing.join(' ')}]`;
      await log(
        proc,
        'W',
        'server_linux.go:139',
        `"Can't use the IPVS proxier, falling back to iptables" err=${JSON.stringify(words)}`,
      );
    } else if (mode !== '' && mode !== 'iptables') {
      throw new Error(
        mode === 'nftables' || mode === 'userspace'
          ? `drydock: kube-proxy's mode ${mode} isn't simulated`
          : `unknown proxy mode "${mode}"`,
      );
    } else if (mode === '')
      await log(
        proc,
        'I',
        'server_linux.go:53',
        '"Unknown proxy mode, assuming iptables proxy" proxyMode=""',
      );
    await log(proc, 'I', 'server_linux.go:63', '"Using iptables proxy"');
    return 'iptables';
  }

  private makeProxier(mode: 'iptables' | 'ipvs', nodeIP: string, zone: string | undefined): Proxier {
    const { proc, config, nodeName } = this;
    const { net, kernel } = proc;
    const nodePortIPs = (): string[] => localAddresses(net, config.nodePortAddresses);
    const shared = {
      nodeName,
      zone,
      nodeIP,
      clusterCIDR: config.clusterCIDR,
      masqueradeAll: config.iptables.masqueradeAll,
      masqueradeBit: config.iptables.masqueradeBit,
      nodePortIPs,
    };
    if (mode === 'ipvs') {
      const { tcpTimeout, tcpFinTimeout, udpTimeout, scheduler, strictARP } = config.ipvs;
      if (tcpTimeout + tcpFinTimeout + udpTimeout > 0)
        net.ipvs.setTimeouts({ tcp: tcpTimeout, tcpFin: tcpFinTimeout, udp: udpTimeout });
      return new IpvsProxier(net, proc.clock, {
        ...shared,
        scheduler: (scheduler || 'rr') as IpvsSchedulerName,
        strictARP,
      });
    }
    if (
      config.iptables.localhostNodePorts &&
      net.sysctls.get('net.ipv4.conf.all.route_localnet') !== undefined
    ) {
      net.sysctls.set('net.ipv4.conf.all.route_localnet', '1');
    }
    return new IptablesProxier(net.netfilter, {
      ...shared,
      localhostNodePorts: config.iptables.localhostNodePorts,
      nfacct: kernel.modules.has('xt_nfacct'),
      nodePortAddresses: config.nodePortAddresses,
    });
  }

  private onNetworkChange(kind: string): void {
    if (kind !== 'address' || this.proxier?.resyncNodePorts === undefined || this.isQueued) return;
    const before = this.nodePortIPsSeen;
    const now = localAddresses(this.proc.net, this.config.nodePortAddresses).join();
    if (before === now) return;
    this.nodePortIPsSeen = now;
    this.proc.clock.soon(() => {
      if (!this.isStopped) this.proxier?.resyncNodePorts?.();
    });
  }
  private nodePortIPsSeen = '';

  private change(take: () => void): void {
    take();
    if (this.hasSynced) this.queueSync();
  }

  /** Changes that come together are written together, and no oftener than minSyncPeriod. */
  private queueSync(): void {
    if (this.isQueued || this.isStopped) return;
    this.isQueued = true;
    const { clock } = this.proc;
    const minMs =
      this.proxier instanceof IpvsProxier ? this.config.ipvs.minSyncMs : this.config.iptables.minSyncMs;
    clock.after(Math.max(0, this.lastSyncMs + minMs - clock.now()), () => {
      this.isQueued = false;
      if (!this.isStopped && this.tracker.hasChanges) this.sync();
    });
  }

  private sync(): void {
    const { proxier, tracker, proc } = this;
    if (proxier === undefined) return;
    const changes = tracker.takeChanges();
    const isFirst = this.lastSyncMs === -Infinity;
    this.lastSyncMs = proc.clock.now();
    this.nodePortIPsSeen = localAddresses(proc.net, this.config.nodePortAddresses).join();
    if (isFirst && proxier.syncAll !== undefined) proxier.syncAll(changes);
    else proxier.sync(changes);
    for (const service of changes) {
      this.syncHealth(service);
      this.nodePorts.set(service.key, service.ports);
    }
    this.forgetStaleFlows(changes);
  }

  private syncHealth(service: ProxiedService): void {
    const port = service.ports.find(({ healthCheckNodePort }) => healthCheckNodePort !== 0);
    if (port === undefined) return this.health.set(service.key, undefined);
    const local = service.endpointsOf(port).filter((endpoint) => endpoint.local && endpoint.ready);
    this.health.set(service.key, { port: port.healthCheckNodePort, localEndpoints: local.length });
  }

  /** UDP has no end: flows to endpoints that are gone would go on into nothing (kube-proxy's conntrack cleanup). */
  private forgetStaleFlows(changes: readonly ProxiedService[]): void {
    const node = { nodeName: this.nodeName, zone: undefined };
    for (const service of changes) {
      for (const port of service.ports) {
        if (port.protocol !== 'udp') continue;
        const { reachable } = chooseEndpoints(service.endpointsOf(port), port, node);
        const targets = new Set(reachable.map(({ ip }) => ip));
        const addresses = new Set([port.clusterIP, ...port.externalIPs, ...port.loadBalancerVIPs]);
        this.proc.net.conntrack.delete(({ protocol, original, reply }) => {
          const isOurs = addresses.has(original.destination) && original.destinationPort === port.port;
          const isNodePort = port.nodePort !== 0 && original.destinationPort === port.nodePort;
          return (
            protocol === 'udp' && (isOurs || isNodePort) && targets.size > 0 && !targets.has(reply.source)
          );
        });
      }
    }
  }

  private fault(error: unknown): void {
    if (this.isStopped || isStatus(error, 'Expired')) return;
    const text = error instanceof Error ? error.message : String(error);
    log(this.proc, 'E', 'reflector.go:205', `"Failed to watch" err=${JSON.stringify(text)}`).catch(
      () => undefined,
    );
  }
}

/** Modules that are neither loaded nor can be. */
function missingModules(kernel: Kernel, names: readonly string[]): string[] {
  return names.filter((name) => {
    if (kernel.modules.has(name)) return false;
    try {
      kernel.loadModule(name);
      return false;
    } catch (error) {
      if (error instanceof ErrnoError) return true;
      throw error;
    }
  });
}

/** This node's addresses that take NodePorts: all but loopback and kube-ipvs0, or those in the CIDRs given. */
function localAddresses(net: NetworkNamespace, cidrs: readonly string[]): string[] {
  const all = net.addresses.list().filter(({ family, link }) => family === 4 && link.name !== 'kube-ipvs0');
  const chosen =
    cidrs.length === 0
      ? all.filter(({ link }) => link.kind !== 'loopback')
      : all.filter(({ address }) => cidrs.some((cidr) => rangeHolds(cidr, address)));
  return [...new Set(chosen.map(({ address }) => address))];
}
