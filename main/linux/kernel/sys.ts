// sysfs, as far as tools read it: network devices, modules, the machine's identity. sysfs(5).
import {
  fixed,
  GeneratedDirectory,
  GeneratedFile,
  GeneratedLink,
  GeneratedTree,
  type GeneratedNode,
} from './generated-tree.ts';
import type { MachineKernel } from './make-kernel.ts';
import type { Process } from './process.ts';
import type { Link } from '../../network/index.ts';

export function makeSys(kernel: MachineKernel): GeneratedTree {
  const tree = new GeneratedTree('sysfs', () => kernel.clock.now());
  const directory = (nodes: Readonly<Record<string, () => GeneratedNode>>) => () =>
    new GeneratedDirectory(tree, fixed(nodes));
  const file = (text: string) => () => new GeneratedFile(tree, () => `${text}\n`);
  const empty = directory({});
  const linksOf = (viewer: Process | undefined): Link[] => {
    return (viewer?.net ?? kernel.net).links.list();
  };
  const netClass = () =>
    new GeneratedDirectory(tree, {
      names: (viewer) => linksOf(viewer).map(({ name }) => name),
      lookup(name, viewer) {
        const link = linksOf(viewer).find((candidate) => candidate.name === name);
        return link === undefined ? undefined : deviceDirectory(tree, link);
      },
    });
  const modules = () =>
    new GeneratedDirectory(tree, {
      names: () => Array.from(kernel.modules),
      lookup: (name) => (kernel.modules.has(name) ? directory({ initstate: file('live') })() : undefined),
    });
  tree.setRoot(
    fixed({
      block: directory({ sda: directory({ size: file('83886080'), removable: file('0') }) }),
      class: directory({
        dmi: directory({
          id: directory({
            product_name: file('KVM'),
            product_uuid: file(kernel.systemUuid),
            sys_vendor: file('Red Hat'),
          }),
        }),
        net: netClass,
      }),
      devices: empty,
      fs: directory({ cgroup: empty, bpf: empty }),
      kernel: directory({
        mm: directory({ transparent_hugepage: directory({ enabled: file('[always] madvise never') }) }),
      }),
      module: modules,
    }),
  );
  return tree;
}

function deviceDirectory(tree: GeneratedTree, link: Link): GeneratedDirectory {
  const file = (make: () => string | number) => () => new GeneratedFile(tree, () => `${make()}\n`);
  const { stats } = link;
  const statistics = fixed({
    rx_bytes: file(() => stats.rxBytes),
    rx_dropped: file(() => stats.rxDropped),
    rx_errors: file(() => stats.rxErrors),
    rx_packets: file(() => stats.rxPackets),
    tx_bytes: file(() => stats.txBytes),
    tx_dropped: file(() => stats.txDropped),
    tx_errors: file(() => stats.txErrors),
    tx_packets: file(() => stats.txPackets),
  });
  const { details } = link;
  const nodes: Record<string, () => GeneratedNode> = {
    address: file(() => link.mac),
    carrier: file(() => (link.operState === 'DOWN' ? 0 : 1)),
    ifindex: file(() => link.index),
    mtu: file(() => link.mtu),
    operstate: file(() => link.operState.toLowerCase()),
    statistics: () => new GeneratedDirectory(tree, statistics),
    type: file(() => (link.kind === 'loopback' ? 772 : link.kind === 'ipip' ? 768 : 1)),
  };
  const { master } = link;
  if (master !== undefined) nodes['master'] = () => new GeneratedLink(tree, `../${master.name}`);
  if (details.kind === 'bridge') {
    const ports = Object.fromEntries(
      details.ports.map((port) => [port.name, () => new GeneratedLink(tree, `../../${port.name}`)]),
    );
    nodes['brif'] = () => new GeneratedDirectory(tree, fixed(ports));
    nodes['bridge'] = () =>
      new GeneratedDirectory(tree, fixed({ stp_state: file(() => (details.stp ? 1 : 0)) }));
  }
  return new GeneratedDirectory(tree, fixed(nodes));
}
