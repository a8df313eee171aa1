// Figures of big clusters: from nothing to all nodes Ready, and what a node costs.
import { resources, type Node } from '../../kubernetes/api/index.ts';
import { heapBytes, makeFolder, msText, openWorld, timed, type Row } from './world.ts';

const KIB_BYTES = 1024;

/** Boots so many nodes. */
export async function measureNodes(nodes: number): Promise<Row[]> {
  using folder = makeFolder();
  const baseBytes = heapBytes();
  // Flannel on every node tells every other node of each: its work grows with the square.
  using world = openWorld(folder.path, nodes, 'bridge');
  const { cluster, clock } = world;
  let ready = 0;
  const boot = await timed(async () => {
    await cluster.start();
    await clock.advanceUntil(() => ready >= nodes, { minutes: 5 });
    const { items } = await cluster.admin.list<Node>(resources.nodes);
    ready = items.filter(isReady).length;
  });
  const idle = await timed(() => clock.advance({ minutes: 1 }));
  const count = nodes.toLocaleString('en');
  return [
    {
      what: `boot of ${count} nodes (bridge network)${ready < nodes ? ` (only ${ready} Ready)` : ''}`,
      figure: msText(boot.ms),
    },
    { what: '  one idle minute skipped', figure: msText(idle.ms) },
    { what: '  heap per node', figure: `${Math.round((heapBytes() - baseBytes) / nodes / KIB_BYTES)} KiB` },
  ];
}

function isReady(node: Node): boolean {
  return node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
}
