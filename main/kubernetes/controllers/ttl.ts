// The TTL controller: tells kubelets, by an annotation, how long they may cache Secrets and ConfigMaps.
import { resources, type Node } from '../api/index.ts';
import { makeController, type Controller, type ControllerContext } from './controller.ts';

const ANNOTATION = 'node.alpha.kubernetes.io/ttl';
/** Seconds by the number of nodes (kubernetes pkg/controller/ttl). */
const TTL_SECONDS: readonly [nodesMax: number, seconds: number][] = [
  [100, 0],
  [500, 15],
  [1000, 30],
  [2000, 60],
  [Infinity, 300],
];

/** Makes the TTL controller. */
export function makeTtlController(context: ControllerContext): Controller {
  return makeController(context, {
    name: 'ttl-controller',
    component: 'ttl-controller',
    workers: 5,
    setUp(run) {
      const nodes = run.informer<Node>(resources.nodes);
      run.on(nodes, { add: run.enqueue, update: run.enqueue });
      return async function sync(name) {
        const node = nodes.lister.get(name);
        if (node === undefined) return;
        const [, seconds] = TTL_SECONDS.find(([nodesMax]) => nodes.lister.size <= nodesMax)!;
        if (node.metadata.annotations?.[ANNOTATION] === String(seconds)) return;
        const patch = { metadata: { annotations: { [ANNOTATION]: String(seconds) } } };
        await run.client.patch<Node>(resources.nodes, name, 'application/strategic-merge-patch+json', patch);
      };
    },
  });
}
