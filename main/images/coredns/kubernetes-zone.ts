// CoreDNS's kubernetes plugin: names of Services, endpoints and pods (Kubernetes DNS-Based Service Discovery, 1.1.0).
import { disposable, type Clock } from '../../simulation/index.ts';
import {
  resources,
  type EndpointSlice,
  type Namespace,
  type Pod,
  type Service,
  type Stored,
} from '../../kubernetes/api/index.ts';
import { Informer, type ApiClient } from '../../kubernetes/client/index.ts';
import { fullName, isWithin, type PluginBlock } from './corefile.ts';
import type { Reply, ResourceRecord } from './records.ts';

const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';
const TTL_DEFAULT = 5;

interface NamedEndpoint {
  readonly ip: string;
  /** Its host name, or its address with dashes. */
  readonly name: string;
  readonly hasHostname: boolean;
}

interface EndpointGroup {
  readonly endpoints: readonly NamedEndpoint[];
  readonly ports: readonly { readonly name: string; readonly protocol: string; readonly port: number }[];
}

export class KubernetesZone {
  readonly zones: readonly string[];
  private readonly primary: string;
  private readonly ttl: number;
  private readonly podsMode: 'disabled' | 'insecure' | 'verified';
  private readonly endpointPodNames: boolean;
  private readonly fallthrough: readonly string[] | undefined;
  private readonly clock: Clock;
  private readonly services: Informer<Service>;
  private readonly slices: Informer<EndpointSlice>;
  private readonly namespaces: Informer<Namespace>;
  private readonly pods: Informer<Pod> | undefined;
  private readonly slicesOf = new Map<string, Map<string, EndpointSlice>>();
  private readonly serviceByIp = new Map<string, string>();
  private readonly endpointsByIp = new Map<string, Set<string>>();
  private serial: number;

  constructor(block: PluginBlock, client: ApiClient, clock: Clock, onError: (error: unknown) => void) {
    const option = (name: string): readonly string[] | undefined =>
      block.lines.find(([word]) => word === name)?.slice(1);
    this.clock = clock;
    this.zones = (block.args.length > 0 ? block.args : ['cluster.local']).map(fullName);
    this.primary = this.zones.find((zone) => !zone.endsWith('.arpa.') && zone !== 'arpa.') ?? this.zones[0]!;
    this.ttl = Number(option('ttl')?.[0] ?? TTL_DEFAULT);
    const pods = option('pods')?.[0];
    this.podsMode = pods === 'insecure' || pods === 'verified' ? pods : 'disabled';
    this.endpointPodNames = option('endpoint_pod_names') !== undefined;
    this.fallthrough = option('fallthrough')?.map(fullName);
    this.serial = Math.floor(clock.now() / 1000);
    this.services = new Informer<Service>({ client, clock, resource: resources.services, onError });
    this.slices = new Informer<EndpointSlice>({ client, clock, resource: resources.endpointslices, onError });
    this.namespaces = new Informer<Namespace>({ client, clock, resource: resources.namespaces, onError });
    this.pods =
      this.podsMode === 'verified'
        ? new Informer<Pod>({ client, clock, resource: resources.pods, onError })
        : undefined;
    this.index();
  }

  get isSynced(): boolean {
    return (
      this.services.hasSynced &&
      this.slices.hasSynced &&
      this.namespaces.hasSynced &&
      this.pods?.hasSynced !== false
    );
  }

  start(): Disposable {
    const stack = new DisposableStack();
    for (const informer of [this.services, this.slices, this.namespaces]) stack.use(informer.start());
    if (this.pods !== undefined) stack.use(this.pods.start());
    return disposable(() => stack.dispose());
  }

  /** The answer for a name in one of the zones; undefined when the next plugin should try. */
  answer(name: string, type: string): Reply | undefined {
    const zone = this.zones.find((candidate) => isWithin(name, candidate));
    if (zone === undefined) return undefined;
    const reply = zone.endsWith('arpa.') ? this.reverse(name, type) : this.forward(name, type, zone);
    if (reply.rcode === 'NXDOMAIN' && this.fallthrough !== undefined) {
      if (this.fallthrough.length === 0 || this.fallthrough.some((candidate) => isWithin(name, candidate)))
        return undefined;
    }
    if (reply.answers.length > 0 || reply.target !== undefined) return reply;
    return { ...reply, authorities: [this.soa(zone)] };
  }

  // ── Keeping indexes ──

  private index(): void {
    const touch = (): void => {
      this.serial = Math.max(this.serial, Math.floor(this.clock.now() / 1000));
    };
    const keyOf = (object: { metadata?: { namespace?: string; name?: string } }): string =>
      `${object.metadata?.namespace ?? ''}/${object.metadata?.name ?? ''}`;
    const setIp = (service: Stored<Service>): void => {
      touch();
      const ip = service.spec?.clusterIP ?? '';
      if (ip !== '' && ip !== 'None') this.serviceByIp.set(ip, keyOf(service));
    };
    const dropIp = (service: Stored<Service>): void => {
      touch();
      const ip = service.spec?.clusterIP ?? '';
      if (this.serviceByIp.get(ip) === keyOf(service)) this.serviceByIp.delete(ip);
    };
    this.services.handle({
      add: setIp,
      update: (service, old) => {
        if (service.spec?.clusterIP !== old.spec?.clusterIP) dropIp(old);
        setIp(service);
      },
      delete: dropIp,
    });
    const ownerOf = (slice: EndpointSlice): string =>
      `${slice.metadata?.namespace ?? ''}/${slice.metadata?.labels?.[SERVICE_NAME_LABEL] ?? ''}`;
    const drop = (slice: EndpointSlice): void => {
      touch();
      const owner = ownerOf(slice);
      const group = this.slicesOf.get(owner);
      group?.delete(slice.metadata?.name ?? '');
      if (group?.size === 0) this.slicesOf.delete(owner);
      for (const { addresses } of slice.endpoints ?? [])
        for (const ip of addresses) this.endpointsByIp.get(ip)?.delete(owner);
    };
    const put = (slice: EndpointSlice): void => {
      touch();
      const owner = ownerOf(slice);
      let group = this.slicesOf.get(owner);
      if (group === undefined) this.slicesOf.set(owner, (group = new Map()));
      group.set(slice.metadata?.name ?? '', slice);
      for (const { addresses } of slice.endpoints ?? []) {
        for (const ip of addresses) {
          let owners = this.endpointsByIp.get(ip);
          if (owners === undefined) this.endpointsByIp.set(ip, (owners = new Set()));
          owners.add(owner);
        }
      }
    };
    this.slices.handle({
      add: put,
      update: (slice, old) => {
        drop(old);
        put(slice);
      },
      delete: drop,
    });
  }

  private groupsOf(key: string): EndpointGroup[] {
    return [...(this.slicesOf.get(key)?.values() ?? [])].map((slice) => ({
      endpoints: (slice.endpoints ?? [])
        .filter(({ conditions }) => conditions?.ready !== false)
        .flatMap(({ addresses, hostname, targetRef }) =>
          addresses.map((ip) => {
            const given =
              hostname !== undefined && hostname !== ''
                ? hostname
                : this.endpointPodNames
                  ? targetRef?.name
                  : undefined;
            return {
              ip,
              name: given ?? ip.replaceAll('.', '-').replaceAll(':', '-'),
              hasHostname: hostname !== undefined && hostname !== '',
            };
          }),
        ),
      ports: (slice.ports ?? []).map(({ name = '', protocol = 'TCP', port = 0 }) => ({
        name,
        protocol: protocol.toLowerCase(),
        port,
      })),
    }));
  }

  // ── Names ──

  private forward(name: string, type: string, zone: string): Reply {
    if (name === zone) {
      if (type === 'SOA') return found([this.soa(zone)]);
      if (type === 'NS')
        return {
          ...found([{ name: zone, type: 'NS', ttl: this.ttl, data: `ns.dns.${zone}` }]),
          additionals: this.nsAddress(zone),
        };
      return nothing();
    }
    const labels = name
      .slice(0, -zone.length - 1)
      .split('.')
      .toReversed();
    if (name === `dns-version.${zone}`)
      return type === 'TXT' ? found([{ name, type: 'TXT', ttl: 28_800, data: '1.1.0' }]) : nothing();
    if (name === `ns.dns.${zone}`) return type === 'A' ? found(this.nsAddress(zone)) : nothing();
    const [kind, namespace, service, ...rest] = labels;
    if (kind !== 'svc' && kind !== 'pod') return missing();
    if (namespace === undefined) return nothing();
    if (this.namespaces.lister.get(namespace) === undefined) return missing();
    if (service === undefined) return nothing();
    if (kind === 'pod') return rest.length > 0 ? missing() : this.podName(name, type, namespace, service);
    return this.serviceName(name, type, zone, namespace, service, rest.toReversed());
  }

  private nsAddress(zone: string): ResourceRecord[] {
    const ip = this.services.lister.get('kube-system/kube-dns')?.spec?.clusterIP;
    return ip === undefined ? [] : [{ name: `ns.dns.${zone}`, type: 'A', ttl: this.ttl, data: ip }];
  }

  private podName(name: string, type: string, namespace: string, dashed: string): Reply {
    if (this.podsMode === 'disabled') return missing();
    const ip = dashed.replaceAll('-', '.');
    if (!/^(\d{1,3}\.){3}\d{1,3}$/.test(ip)) return missing();
    if (
      this.pods !== undefined &&
      !this.pods.lister.list(namespace).some(({ status }) => status?.podIP === ip)
    )
      return missing();
    return type === 'A' ? found([{ name, type: 'A', ttl: this.ttl, data: ip }]) : nothing();
  }

  private serviceName(
    name: string,
    type: string,
    zone: string,
    namespace: string,
    serviceName: string,
    front: readonly string[],
  ): Reply {
    const key = `${namespace}/${serviceName}`;
    const service = this.services.lister.get(key);
    if (service === undefined) return missing();
    const base = `${serviceName}.${namespace}.svc.${zone}`;
    const { spec = {} } = service;
    if (spec.type === 'ExternalName') {
      if (front.length > 0) return missing();
      const target = fullName(spec.externalName ?? '');
      return {
        ...found([{ name, type: 'CNAME', ttl: this.ttl, data: target }]),
        ...(type === 'CNAME' ? {} : { target }),
      };
    }
    const isHeadless = spec.clusterIP === 'None';
    if (front.length === 2 && front[0]!.startsWith('_') && front[1]!.startsWith('_')) {
      return this.srv(name, type, base, key, service, isHeadless, {
        port: front[0]!.slice(1),
        protocol: front[1]!.slice(1),
      });
    }
    if (front.length === 1) {
      const matching = this.groupsOf(key).flatMap(({ endpoints }) =>
        endpoints.filter((endpoint) => endpoint.name.toLowerCase() === front[0]),
      );
      if (matching.length === 0) return missing();
      return type === 'A'
        ? found(unique(matching.map(({ ip }) => ({ name, type: 'A', ttl: this.ttl, data: ip }))))
        : nothing();
    }
    if (front.length > 0) return missing();
    if (type === 'SRV') return this.srv(name, type, base, key, service, isHeadless, undefined);
    if (!isHeadless)
      return type === 'A'
        ? found([{ name, type: 'A', ttl: this.ttl, data: spec.clusterIP ?? '' }])
        : nothing();
    const ips = this.groupsOf(key).flatMap(({ endpoints }) => endpoints.map(({ ip }) => ip));
    if (ips.length === 0) return missing();
    return type === 'A'
      ? found(unique(ips.map((ip) => ({ name, type: 'A', ttl: this.ttl, data: ip }))))
      : nothing();
  }

  private srv(
    name: string,
    type: string,
    base: string,
    key: string,
    service: Service,
    isHeadless: boolean,
    wanted: { readonly port: string; readonly protocol: string } | undefined,
  ): Reply {
    const suits = (port: { name?: string; protocol?: string }): boolean =>
      wanted === undefined ||
      ((wanted.port === '*' || (port.name ?? '').toLowerCase() === wanted.port) &&
        (wanted.protocol === '*' || (port.protocol ?? 'TCP').toLowerCase() === wanted.protocol));
    const targets: { port: number; host: string; ip: string }[] = [];
    if (isHeadless) {
      for (const { endpoints, ports } of this.groupsOf(key)) {
        for (const port of ports.filter(suits))
          for (const endpoint of endpoints)
            targets.push({ port: port.port, host: `${endpoint.name}.${base}`, ip: endpoint.ip });
      }
    } else {
      for (const port of (service.spec?.ports ?? []).filter(suits))
        targets.push({ port: port.port, host: base, ip: service.spec?.clusterIP ?? '' });
    }
    if (targets.length === 0) return missing();
    if (type === 'A')
      return found(unique(targets.map(({ ip }) => ({ name, type: 'A', ttl: this.ttl, data: ip }))));
    if (type !== 'SRV') return nothing();
    const weight = Math.floor(100 / targets.length);
    return {
      ...found(
        targets.map(({ port, host }) => ({
          name,
          type: 'SRV',
          ttl: this.ttl,
          data: { priority: 0, weight, port, target: host },
        })),
      ),
      additionals: unique(
        targets.map(({ host, ip }) => ({ name: host, type: 'A', ttl: this.ttl, data: ip })),
      ),
    };
  }

  private reverse(name: string, type: string): Reply {
    const match = /^((?:\d{1,3}\.){4})in-addr\.arpa\.$/.exec(name);
    if (match === null) return missing();
    const ip = match[1]!.slice(0, -1).split('.').toReversed().join('.');
    const names: string[] = [];
    const key = this.serviceByIp.get(ip);
    const suffix = (owner: string): string =>
      `${owner.split('/')[1]}.${owner.split('/')[0]}.svc.${this.primary}`;
    if (key !== undefined) names.push(suffix(key));
    else {
      for (const owner of this.endpointsByIp.get(ip) ?? []) {
        for (const { endpoints } of this.groupsOf(owner)) {
          for (const endpoint of endpoints) {
            if (
              endpoint.ip === ip &&
              (endpoint.hasHostname || this.services.lister.get(owner)?.spec?.clusterIP === 'None')
            )
              names.push(`${endpoint.name}.${suffix(owner)}`);
          }
        }
      }
    }
    if (names.length === 0) return missing();
    return type === 'PTR'
      ? found([...new Set(names)].map((target) => ({ name, type: 'PTR', ttl: this.ttl, data: target })))
      : nothing();
  }

  private soa(zone: string): ResourceRecord {
    return {
      name: zone,
      type: 'SOA',
      ttl: this.ttl,
      data: {
        mname: `ns.dns.${zone}`,
        rname: `hostmaster.${zone}`,
        serial: this.serial,
        refresh: 7200,
        retry: 1800,
        expire: 86_400,
        minimum: this.ttl,
      },
    };
  }
}

function found(answers: readonly ResourceRecord[]): Reply {
  return { rcode: 'NOERROR', isAuthoritative: true, answers, authorities: [], additionals: [] };
}

function nothing(): Reply {
  return found([]);
}

function missing(): Reply {
  return { ...found([]), rcode: 'NXDOMAIN' };
}

function unique(records: readonly ResourceRecord[]): ResourceRecord[] {
  return [
    ...new Map(records.map((record) => [`${record.name} ${JSON.stringify(record.data)}`, record])).values(),
  ];
}
