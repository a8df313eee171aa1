// Taint eviction: deletes pods from nodes with NoExecute taints that they don't tolerate, or no longer.
import { rfc3339 } from '../../simulation/index.ts';
import {
  isStatus,
  keyOf,
  resources,
  type Node,
  type ObjectKey,
  type Pod,
  type Stored,
  type Taint,
} from '../api/index.ts';
import { tolerates } from '../scheduler/index.ts';
import { makeController, type Controller, type ControllerContext } from './controller.ts';
import { indexPodsByNode, POD_NODE_INDEX } from './node-lifecycle.ts';
import { isPodFinished } from './pod-state.ts';
import { withCondition } from './status.ts';

/** Makes the taint eviction controller. */
export function makeTaintEvictionController(context: ControllerContext): Controller {
  return makeController(context, {
    name: 'taint-eviction-controller',
    component: 'taint-eviction-controller',
    workers: 8,
    setUp(run) {
      const nodes = run.informer<Node>(resources.nodes);
      const pods = run.informer<Pod>(resources.pods);
      /** Since when, and until when, a pod's stay is limited. */
      const scheduled = new Map<ObjectKey, { sinceMs: number; dueMs: number }>();
      indexPodsByNode(pods);

      const enqueueNode = (node: Stored<Node>): void => {
        for (const pod of pods.indexer.byIndex(POD_NODE_INDEX, node.metadata.name)) run.enqueue(pod);
      };
      run.on(nodes, {
        add: (node) => {
          if (noExecute(node).length > 0) enqueueNode(node);
        },
        update: (node, old) => {
          if (JSON.stringify(noExecute(node)) !== JSON.stringify(noExecute(old))) enqueueNode(node);
        },
      });
      const isTainted = (pod: Stored<Pod>): boolean => {
        const node = pod.spec?.nodeName ? nodes.lister.get(pod.spec.nodeName) : undefined;
        return node !== undefined && noExecute(node).length > 0;
      };
      run.on(pods, {
        add: (pod) => {
          if (isTainted(pod)) run.enqueue(pod);
        },
        update: (pod, old) => {
          if (pod.spec !== old.spec && isTainted(pod)) run.enqueue(pod);
        },
        delete: (pod) => void scheduled.delete(keyOf(pod)),
      });

      const cancel = (pod: Stored<Pod>): void => {
        if (!scheduled.delete(keyOf(pod))) return;
        run.recorder.event(pod, 'Normal', 'TaintManagerEviction', `Cancelling deletion of Pod ${keyOf(pod)}`);
      };

      return async function sync(key) {
        const pod = pods.lister.get(key);
        if (pod === undefined || pod.metadata.deletionTimestamp !== undefined || isPodFinished(pod)) return;
        const node = nodes.lister.get(pod.spec?.nodeName ?? '');
        const stayMs = node === undefined ? Infinity : allowedStayMs(pod, noExecute(node));
        if (stayMs === Infinity) return cancel(pod);

        const nowMs = run.clock.now();
        const sinceMs = scheduled.get(key)?.sinceMs ?? nowMs;
        const dueMs = sinceMs + stayMs;
        if (dueMs > nowMs) {
          scheduled.set(key, { sinceMs, dueMs });
          run.queue.addAfter(key, dueMs - nowMs);
          return;
        }
        run.recorder.event(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${key}`);
        await markDisrupted(pod);
        const { name, namespace, uid } = pod.metadata;
        try {
          await run.client.delete(resources.pods, name, { namespace, uid });
        } catch (error) {
          if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error;
        }
      };

      async function markDisrupted(pod: Stored<Pod>): Promise<void> {
        const condition = {
          type: 'DisruptionTarget',
          status: 'True' as const,
          reason: 'DeletionByTaintManager',
          message: 'Taint manager: deleting due to NoExecute taint',
          lastTransitionTime: rfc3339(run.clock.now()),
        };
        const conditions = withCondition(pod.status?.conditions, condition);
        const { name, namespace } = pod.metadata;
        try {
          const patch = { status: { conditions: conditions.filter(({ type }) => type === condition.type) } };
          const options = { namespace, subresource: 'status' };
          await run.client.patch(
            resources.pods,
            name,
            'application/strategic-merge-patch+json',
            patch,
            options,
          );
        } catch (error) {
          if (!isStatus(error, 'NotFound')) throw error;
        }
      }
    },
  });
}

function noExecute(node: Node): Taint[] {
  return (node.spec?.taints ?? []).filter(({ effect }) => effect === 'NoExecute');
}

/** How long the pod may stay: 0 if a taint isn't tolerated, else the shortest tolerationSeconds that applies. */
function allowedStayMs(pod: Pod, taints: readonly Taint[]): number {
  let stayMs = Infinity;
  for (const taint of taints) {
    const covering = (pod.spec?.tolerations ?? []).filter((toleration) => tolerates(toleration, taint));
    if (covering.length === 0) return 0;
    for (const { tolerationSeconds } of covering) {
      if (tolerationSeconds !== undefined) stayMs = Math.min(stayMs, Math.max(0, tolerationSeconds) * 1000);
    }
  }
  return stayMs;
}
