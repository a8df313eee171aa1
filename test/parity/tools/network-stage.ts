// The recorded topology with its servers: web pods, name servers, an API server's stand-in, odd servers, and services' rules.
import { decode, encode, AUTHORITATIVE_ANSWER, RECURSION_AVAILABLE, type Answer } from 'dns-packet';
import { makeNginx } from '../../../main/images/nginx/program.ts';
import type { TcpSocket } from '../../../main/network/index.ts';
import { issueCertificate, makeKeyPair } from '../../../main/network/tls/index.ts';
import { makeRandom } from '../../../main/simulation/index.ts';
import { makeTopology, type Topology } from '../network/topology.ts';

const NAMES: Readonly<Record<string, string>> = {
  'kubernetes.default.svc.cluster.local': '10.96.0.1',
  'web1.default.svc.cluster.local': '10.96.10.11',
  'web2.default.svc.cluster.local': '10.96.10.12',
  'noep.default.svc.cluster.local': '10.96.10.13',
};

const SERVICES = [
  { address: '10.96.0.1', port: 443, to: ['192.168.10.10:6443'], nodePort: 0, external: '', sticky: false },
  {
    address: '10.96.10.11',
    port: 80,
    to: ['10.244.1.10:80', '10.244.2.10:80'],
    nodePort: 30080,
    external: '192.168.10.240',
    sticky: false,
  },
  {
    address: '10.96.10.12',
    port: 80,
    to: ['10.244.1.11:80', '10.244.2.11:80'],
    nodePort: 30081,
    external: '',
    sticky: true,
  },
] as const;

/** All of topology.sh's `up iptables`. */
export async function makeNetworkStage(): Promise<Topology> {
  const topology = await makeTopology();
  serveNames(topology, 'coredns', true);
  serveNames(topology, 'lan', false);
  for (const pod of ['web1a', 'web1b', 'web2a', 'web2b']) await serveWeb(topology, pod);
  await serveApi(topology);
  serveOdd(topology);
  for (const node of ['master1', 'worker1', 'worker2']) await installRules(topology, node);
  const tester = topology.machines.get('tester')!;
  tester.kernel.files.writeFile('/etc/debian_version', '12.8\n');
  await must(topology, 'worker1', 'ip addr add 192.168.10.240/32 dev eth0');
  return topology;
}

async function must(topology: Topology, alias: string, script: string): Promise<void> {
  const { status, stdout } = await topology.run(alias, `set -e; ${script}`);
  if (status !== 0) throw new Error(`${alias}: ${script}\n${stdout}`);
}

function serveNames(topology: Topology, alias: string, isCluster: boolean): void {
  const { net } = topology.machines.get(alias)!.kernel;
  const socket = net.sockets.openUdp({ local: { address: '0.0.0.0', port: 53 } });
  const serve = async (): Promise<void> => {
    for (;;) {
      const { bytes, from, to } = await socket.receive();
      const query = decode(Buffer.from(bytes));
      const question = query.questions![0]!;
      const address = isCluster ? NAMES[question.name.toLowerCase()] : undefined;
      const answers: Answer[] =
        address !== undefined && question.type === 'A'
          ? [{ type: 'A', name: question.name, ttl: 30, data: address }]
          : [];
      const flags =
        (isCluster ? AUTHORITATIVE_ANSWER : RECURSION_AVAILABLE) | (address === undefined ? 3 : 0);
      socket.send(
        encode({ type: 'response', id: query.id!, flags, questions: [question], answers }),
        from,
        to.address,
      );
    }
  };
  serve().catch((error: unknown) => topology.world.faults.push(error));
}

async function serveWeb(topology: Topology, pod: string): Promise<void> {
  const { kernel } = topology.machines.get(pod)!;
  const config = `pid /run/n.pid; error_log /run/n.err; worker_processes 1; daemon off; events {}
http { access_log /run/n.access; default_type text/plain; types { text/html html; }
 server { listen 80; root /run/www; location = /hostname { return 200 "$hostname\\n"; } location = /redirect { return 302 /; } location = /loop { return 301 /loop; } location = /post { return 200 "$request_method $host\\n"; } location = /fail { return 503; } }
 server { listen 80; server_name web1.example.com; return 200 "vhost web1.example.com\\n"; } }`;
  kernel.files.mkdir('/run/www', { recursive: true });
  kernel.files.writeFile('/run/n.conf', config);
  await must(
    topology,
    pod,
    `echo ${pod.slice(0, 4)} > /run/www/index.html; touch -d '2024-05-14 09:12:33 UTC' /run/www/index.html`,
  );
  kernel.start({ argv: ['nginx', '-c', '/run/n.conf'], program: makeNginx('1.22.1') });
}

async function serveApi(topology: Topology): Promise<void> {
  const { kernel } = topology.machines.get('master1')!;
  const { privateKey } = makeKeyPair(makeRandom('api'), { rsaBits: 2048 });
  const nowMs = topology.world.simulation.now();
  const certificate = issueCertificate(
    {
      commonName: 'kube-apiserver',
      dnsNames: ['kubernetes', 'kubernetes.default.svc'],
      ipAddresses: ['10.96.0.1', '192.168.10.10'],
      isAuthority: true,
      notBeforeMs: nowMs - 1000,
      notAfterMs: nowMs + 3650 * 86_400_000,
      serial: '01',
    },
    privateKey,
  );
  kernel.files.mkdir('/etc/kubernetes/pki', { recursive: true });
  kernel.files.writeFile('/etc/kubernetes/pki/ca.crt', certificate);
  kernel.files.writeFile('/run/api.key', privateKey);
  kernel.files.writeFile(
    '/run/api.conf',
    `pid /run/api.pid; error_log /run/api.err; worker_processes 1; daemon off; events {}
http { access_log off; default_type application/json;
 server { listen 6443 ssl http2; ssl_certificate /etc/kubernetes/pki/ca.crt; ssl_certificate_key /run/api.key; location = /livez { default_type text/plain; return 200 ok; }
 location / { return 403 '{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"forbidden: User \\\\"system:anonymous\\\\" cannot get path \\\\"/\\\\"","reason":"Forbidden","details":{},"code":403}\\n'; } } }`,
  );
  kernel.start({ argv: ['nginx', '-c', '/run/api.conf'], program: makeNginx('1.22.1') });
  await topology.world.simulation.advance({ ms: 100 });
}

/** oddserver.py's. */
function serveOdd(topology: Topology): void {
  const { kernel } = topology.machines.get('master1')!;
  const { simulation, faults } = topology.world;
  const pause = (ms: number): Promise<void> => new Promise((resolve) => simulation.after(ms, resolve));
  const say = (socket: TcpSocket, text: string): Promise<void> => socket.write(Buffer.from(text));
  const odd: Readonly<Record<number, (socket: TcpSocket) => Promise<void>>> = {
    9052: async (socket) => {
      await socket.read();
      socket.end();
    },
    9056: async (socket) => {
      await pause(5);
      socket.close(); // With bytes unread: a reset goes out, as with SO_LINGER 0.
    },
    9028: async (socket) => {
      await socket.read();
      await pause(600_000);
    },
    9018: async (socket) => {
      await socket.read();
      await say(socket, 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this much\n');
      socket.end();
    },
    9001: async (socket) => {
      await socket.read();
      await say(socket, 'hello there\n');
      socket.end();
    },
    9100: async (socket) => {
      await socket.read();
      await say(socket, 'HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n');
      for (let n = 0; n < 4; n++) {
        await say(socket, '123456789\n');
        await pause(1000);
      }
      socket.end();
    },
    9053: async (socket) => {
      await pause(5);
      socket.close();
    },
  };
  for (const [port, serve] of Object.entries(odd)) {
    const listener = kernel.net.sockets.listenTcp({ address: '0.0.0.0', port: Number(port) });
    const acceptAll = async (): Promise<void> => {
      for (;;) {
        const socket = await listener.accept();
        serve(socket).catch(() => undefined); // Its client has left.
      }
    };
    acceptAll().catch((error: unknown) => faults.push(error));
  }
}

async function installRules(topology: Topology, node: string): Promise<void> {
  const lines: string[] = [
    'modprobe br_netfilter; sysctl -qw net.bridge.bridge-nf-call-iptables=1',
    'iptables -t nat -N MARK-MASQ',
    'iptables -t nat -A MARK-MASQ -j MARK --set-xmark 0x4000/0x4000',
    'iptables -t nat -A POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE',
    'iptables -t nat -N SERVICES',
  ];
  for (const [index, { address, port, to, nodePort, external, sticky }] of SERVICES.entries()) {
    lines.push(
      `iptables -t nat -N SVC${index}`,
      `iptables -t nat -A SERVICES -d ${address}/32 -p tcp --dport ${port} -j SVC${index}`,
    );
    if (external !== '')
      lines.push(`iptables -t nat -A SERVICES -d ${external}/32 -p tcp --dport ${port} -j SVC${index}`);
    if (nodePort !== 0) lines.push(`iptables -t nat -A SERVICES -p tcp --dport ${nodePort} -j SVC${index}`);
    lines.push(`iptables -t nat -A SVC${index} ! -s 10.244.0.0/16 -j MARK-MASQ`);
    for (const [at, endpoint] of to.entries()) {
      const left = to.length - at;
      const some = left > 1 && !sticky ? `-m statistic --mode random --probability ${1 / left} ` : '';
      lines.push(`iptables -t nat -A SVC${index} -p tcp ${some}-j DNAT --to-destination ${endpoint}`);
    }
  }
  lines.push(
    'iptables -t nat -A SERVICES -d 10.96.0.10/32 -p udp --dport 53 -j DNAT --to-destination 10.244.1.2:53',
    'iptables -t nat -A POSTROUTING -s 10.244.0.0/16 ! -d 10.244.0.0/16 -j MASQUERADE',
    'iptables -t nat -A PREROUTING -j SERVICES',
    'iptables -t nat -A OUTPUT -j SERVICES',
    ...['INPUT', 'FORWARD', 'OUTPUT'].map(
      (chain) =>
        `iptables -A ${chain} -d 10.96.10.13/32 -p tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable`,
    ),
  );
  await must(topology, node, lines.join('; '));
}
