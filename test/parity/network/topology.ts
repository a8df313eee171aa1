// The recorded topology (golden/scripts/topology.sh) on virtual namespaces: each node and pod is a machine of its own.
import { BUSYBOX_APPLETS, machinePrograms, PACKAGES } from '../../../main/linux/commands/index.ts';
import type { Program } from '../../../main/linux/kernel/index.ts';
import { bash } from '../../../main/linux/shell/index.ts';
import { formatIpv4, parseIpv4, type NetworkNamespace } from '../../../main/network/index.ts';
import { makeWorld, type World } from '../../main/network/world.ts';
import { makeBareMachine, run, type BareMachine, type RunResult } from '../../support/make-machine.ts';

const NODES = [
  ['lan', '192.168.10.1', '52:54:00:a8:0a:01'],
  ['client', '192.168.10.100', '52:54:00:a8:0a:64'],
  ['master1', '192.168.10.10', '52:54:00:a8:0a:0a'],
  ['worker1', '192.168.10.11', '52:54:00:a8:0a:0b'],
  ['worker2', '192.168.10.12', '52:54:00:a8:0a:0c'],
] as const;

const PODS = [
  ['coredns', 'coredns-76f75df574-x2v9k', 'worker1', '10.244.1.2', 'veth3f1e0c02'],
  ['web1a', 'web1-6d4b75cb6d-4hk7p', 'worker1', '10.244.1.10', 'veth8a52d110'],
  ['web2a', 'web2-7f8c9b5d46-lq2zt', 'worker1', '10.244.1.11', 'veth1c7be811'],
  ['web1b', 'web1-6d4b75cb6d-w9x2r', 'worker2', '10.244.2.10', 'vethd90f4210'],
  ['web2b', 'web2-7f8c9b5d46-b6n8v', 'worker2', '10.244.2.11', 'veth65ab3e11'],
  ['tester', 'dnsutils', 'worker2', '10.244.2.20', 'vethe27c9d20'],
] as const;

const NODE_HOSTS =
  '127.0.0.1\tlocalhost\n192.168.10.10\tmaster1\n192.168.10.11\tworker1\n192.168.10.12\tworker2\n192.168.10.240\tweb1.lab.local\n';

export interface Topology {
  readonly world: World;
  readonly machines: ReadonlyMap<string, BareMachine>;
  /** Runs a script on a node or pod, stdout and stderr together as on a terminal. */
  run(alias: string, script: string, withinMs?: number): Promise<RunResult>;
}

/** busybox's applet of its first word. */
const busybox: Program = async (proc) => {
  const child = proc.spawn({ argv: proc.argv.slice(1), program: BUSYBOX_APPLETS.get(proc.argv[1] ?? '')! });
  const status = await child.wait();
  return status.kind === 'exited' ? status.exitCode : 1;
};

/** Everything topology.sh's `up` makes, without the servers. */
export async function makeTopology(): Promise<Topology> {
  const world = makeWorld(7);
  const programs: Record<string, Program> = { '/usr/bin/bash': bash, '/usr/bin/sh': bash };
  for (const [file, { program }] of machinePrograms(PACKAGES.map((each) => each.name)))
    programs[file] = program;
  programs['/usr/bin/busybox'] = busybox;
  const machines = new Map<string, BareMachine>();
  const spaces = new Map<string, NetworkNamespace>();
  const add = (alias: string, hostname: string, hosts: string, resolv: string): NetworkNamespace => {
    const net = world.namespace(alias);
    spaces.set(alias, net);
    const files = { '/etc/hosts': hosts, '/etc/resolv.conf': resolv, '/etc/hostname': `${hostname}\n` };
    machines.set(alias, makeBareMachine({ programs, net, simulation: world.simulation, hostname, files }));
    return net;
  };
  for (const [name] of NODES) add(name, name, NODE_HOSTS, 'nameserver 192.168.10.1\n');
  add('empty', 'empty', NODE_HOSTS, '');
  // The segment the recorded machines' cards were on.
  const segment = world.namespace('segment');
  const hub = segment.links.addBridge({ name: 'lan0' });
  segment.links.setUp(hub);
  for (const [index, [name, , mac]] of NODES.entries()) {
    const net = spaces.get(name)!;
    const card = net.links.addEther({
      name: 'eth0',
      mac,
      altNames: [`enp0s${index + 1}`],
      peer: { name: `port${index}`, namespace: segment },
    });
    const port = segment.links.require(`port${index}`);
    segment.links.setMaster(port, hub);
    segment.links.setUp(port);
    net.links.setUp(card);
    net.sysctls.set('net.ipv4.ip_forward', '1');
  }
  for (const [alias, hostname, , address] of PODS) {
    const hosts = `# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n${address}\t${hostname}\n`;
    add(
      alias,
      hostname,
      hosts,
      'search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n',
    );
  }

  const topology: Topology = {
    world,
    machines,
    run: (alias, script, withinMs = 120_000) =>
      run(machines.get(alias)!, ['bash', '-c', `exec 2>&1; ${script}`], { withinMs }),
  };
  for (const [name, address] of NODES) {
    const route = name === 'client' ? 'proto dhcp src 192.168.10.100 metric 100' : 'proto static';
    await must(
      topology,
      name,
      `ip addr add ${address}/24 brd + dev eth0${name === 'lan' ? '' : `; ip route add default via 192.168.10.1 dev eth0 ${route}`}`,
    );
  }
  await addFlannel(topology);
  for (const [alias, , worker, address, veth] of PODS)
    await addPod(topology, spaces, { alias, worker, address, veth });
  return topology;
}

async function must(topology: Topology, alias: string, script: string): Promise<void> {
  const result = await topology.run(alias, `set -e; ${script}`);
  if (result.status !== 0 || result.stdout !== '')
    throw new Error(`${alias}: ${script}\n${result.status} ${result.stdout}`);
}

async function addFlannel(topology: Topology): Promise<void> {
  const nodes = [
    ['worker1', 1],
    ['worker2', 2],
    ['master1', 0],
  ] as const;
  for (const [name, number] of nodes) {
    const address = `192.168.10.1${number}`;
    await must(
      topology,
      name,
      `ip link add flannel.1 address 6e:c2:1f:0a:f4:0${number} mtu 1450 type vxlan id 1 local ${address} dev eth0 dstport 8472 nolearning; ip addr add 10.244.${number}.0/32 dev flannel.1; ip link set flannel.1 up`,
    );
    if (number !== 0)
      await must(
        topology,
        name,
        `ip link add cni0 address 9a:5d:8e:41:f4:0${number} mtu 1450 type bridge; ip addr add 10.244.${number}.1/24 brd + dev cni0; ip link set cni0 up`,
      );
    for (const other of [2, 1, 0].filter((each) => each !== number))
      await must(
        topology,
        name,
        `ip route add 10.244.${other}.0/24 via 10.244.${other}.0 dev flannel.1 onlink; ip neigh add 10.244.${other}.0 lladdr 6e:c2:1f:0a:f4:0${other} dev flannel.1 nud permanent; bridge fdb append 6e:c2:1f:0a:f4:0${other} dev flannel.1 dst 192.168.10.1${other} self permanent`,
      );
  }
}

async function addPod(
  topology: Topology,
  spaces: ReadonlyMap<string, NetworkNamespace>,
  pod: { alias: string; worker: string; address: string; veth: string },
): Promise<void> {
  const host = spaces.get(pod.worker)!;
  const inside = spaces.get(pod.alias)!;
  const [, , subnet = 0, last = 0] = formatIpv4(parseIpv4(pod.address)!).split('.').map(Number);
  const tail = [subnet, last].map((octet) => octet.toString(16).padStart(2, '0')).join(':');
  host.links.addVeth({
    name: pod.veth,
    mac: `ce:4b:12:77:${tail}`,
    mtu: 1450,
    peer: { name: 'eth0', mac: `0a:58:0a:f4:${tail}`, mtu: 1450, namespace: inside },
  });
  await must(
    topology,
    pod.worker,
    `ip link set ${pod.veth} master cni0 up; bridge link set dev ${pod.veth} hairpin on`,
  );
  await must(
    topology,
    pod.alias,
    `ip addr add ${pod.address}/24 brd + dev eth0; ip link set eth0 up; ip route add default via 10.244.${subnet}.1; ip route add 10.244.0.0/16 via 10.244.${subnet}.1`,
  );
}
