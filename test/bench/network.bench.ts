// How many new connections per second the virtual network makes, on this machine: `node test/bench/network.ts`.
import { makeRandom, Simulation } from '../../main/simulation/index.ts';
import { createNamespace, Trace, type NetworkNamespace } from '../../main/network/index.ts';
import { hostLoop } from '../support/host-loop.ts';

const CONNECTIONS = 20_000;
const CLIENTS = 8;

function world() {
  const simulation = new Simulation({ startMs: 0, host: hostLoop, onFault: (error) => console.error(error) });
  const random = makeRandom(1);
  const trace = new Trace();
  const namespace = (name: string): NetworkNamespace => {
    const made = createNamespace({ name, clock: simulation, random: random.fork(name), trace });
    made.links.setUp(made.links.require('lo'));
    return made;
  };
  return { simulation, namespace };
}

function up(namespace: NetworkNamespace, name: string, address: string, prefixLength: number): void {
  const link = namespace.links.require(name);
  namespace.links.setUp(link);
  if (address !== '') namespace.addresses.add(link, { address, prefixLength });
}

/** Clients – node (IPVS or iptables) – two pods; each connection sends a line, gets one and closes. */
function topology(mode: 'ipvs' | 'iptables' | 'direct', services: number) {
  const { simulation, namespace } = world();
  const node = namespace('node');
  node.sysctls.set('net.ipv4.ip_forward', '1');
  node.sysctls.set('net.ipv4.vs.conntrack', '1');
  const clients = Array.from({ length: CLIENTS }, (_, index) => {
    const client = namespace(`client${index}`);
    client.links.addVeth({ name: 'eth0', peer: { name: `c${index}`, namespace: node } });
    up(node, `c${index}`, `10.1.${index}.1`, 24);
    up(client, 'eth0', `10.1.${index}.2`, 24);
    client.routes.add({ destination: '0.0.0.0', prefixLength: 0, gateway: `10.1.${index}.1` });
    return client;
  });
  for (const index of [2, 3]) {
    const pod = namespace(`pod${index}`);
    pod.links.addVeth({ name: 'eth0', peer: { name: `p${index}`, namespace: node } });
    up(node, `p${index}`, `10.2.${index}.1`, 24);
    up(pod, 'eth0', `10.2.${index}.2`, 24);
    pod.routes.add({ destination: '0.0.0.0', prefixLength: 0, gateway: `10.2.${index}.1` });
    const listener = pod.sockets.listenTcp({ address: '0.0.0.0', port: 80 });
    const serve = async (): Promise<void> => {
      for (;;) {
        const socket = await listener.accept();
        void socket.read().then(() => {
          void socket.write(Buffer.from('hello\n'));
          socket.end();
        });
      }
    };
    serve().catch(() => undefined);
  }
  const rules = ['*nat', ':KUBE-SERVICES - [0:0]', '-A PREROUTING -j KUBE-SERVICES'];
  for (let i = 0; i < services; i++) {
    const address = `10.96.${(i >> 8) & 255}.${i & 255}`;
    if (mode === 'ipvs') {
      const key = { protocol: 'tcp', address, port: 80 } as const;
      node.ipvs.addService(key, { scheduler: 'rr' });
      for (const pod of [2, 3])
        node.ipvs.addDestination(key, { address: `10.2.${pod}.2`, port: 80, forwarding: 'masq' });
    } else {
      rules.push(
        `-A KUBE-SERVICES -d ${address}/32 -p tcp -m comment --comment "default/web${i} cluster IP" -m tcp --dport 80 -j DNAT --to-destination 10.2.${2 + (i & 1)}.2:80`,
      );
    }
  }
  rules.push('-A POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE --random-fully', 'COMMIT');
  if (mode !== 'direct') node.netfilter.restore(rules.join('\n'));
  if (mode === 'ipvs') {
    const dummy = node.links.addDummy({ name: 'kube-ipvs0' });
    const last = services - 1;
    node.addresses.add(dummy, { address: `10.96.${(last >> 8) & 255}.${last & 255}` });
  }
  return {
    simulation,
    clients,
    target: mode === 'direct' ? '10.2.2.2' : `10.96.${((services - 1) >> 8) & 255}.${(services - 1) & 255}`,
  };
}

async function run(mode: 'ipvs' | 'iptables' | 'direct', services: number): Promise<void> {
  const { simulation, clients, target } = topology(mode, services);
  let done = 0;
  const work = async (client: NetworkNamespace, count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const socket = await client.sockets.connectTcp({ address: target, port: 80 });
      void socket.write(Buffer.from('GET\n'));
      while ((await socket.read()) !== undefined);
      socket.close();
      done++;
    }
  };
  const startMs = performance.now();
  const all = clients.flatMap((client) =>
    Array.from({ length: 8 }, () => work(client, CONNECTIONS / CLIENTS / 8)),
  );
  void Promise.all(all);
  await simulation.advanceUntil(() => done >= Math.floor(CONNECTIONS / CLIENTS / 8) * CLIENTS * 8, {
    seconds: 10,
  });
  const seconds = (performance.now() - startMs) / 1000;
  console.log(
    `${mode.padEnd(9)} ${String(services).padStart(5)} services: ${Math.round(done / seconds)} connections/s`,
  );
}

await run('direct', 1);
for (const services of [1, 100, 1000, 5000]) {
  await run('ipvs', services);
  await run('iptables', services);
}
