// Pod garbage collection: removes pods that nobody else will, such as those of nodes that are gone.
import { rfc3339 } from '../../simulation/index.ts';
import { isStatus, keyOf, resources, type Node, type Pod, type Stored } from '../api/index.ts';
import { makeController, type Controller, type ControllerContext } from './controller.ts';
import { indexPodsByNode, POD_NODE_INDEX } from './node-lifecycle.ts';
import { instant, isPodFinished } from './pod-state.ts';

const PERIOD_MS = 20_000;
/** How long a node has to be missing before its pods are orphans. */
const QUARANTINE_MS = 40_000;
/** Finished pods kept (--terminated-pod-gc-threshold). */
const FINISHED_PODS_MAX = 12_500;
const STATE_INDEX = 'gc-state';

/** Makes the pod garbage collector. */
export function makePodGarbageCollector(context: ControllerContext): Controller {
  return makeController(context, {
    name: 'pod-garbage-collector-controller',
    component: 'pod-garbage-collector-controller',
    workers: 4,
    setUp(run) {
      const pods = run.informer<Pod>(resources.pods);
      const nodes = run.lister<Node>(resources.nodes);
      const missingSince = new Map<string, number>();
      indexPodsByNode(pods);
      // Only the pods that may be of interest are filed, so that a round costs what there is to do.
      pods.indexer.addIndex(STATE_INDEX, (pod) => {
        if (isPodFinished(pod)) return ['finished'];
        return pod.metadata.deletionTimestamp !== undefined && !pod.spec?.nodeName
          ? ['unscheduled-terminating']
          : [];
      });

      run.every(PERIOD_MS, () => {
        if (!pods.hasSynced) return;
        const nowMs = run.clock.now();
        const names = pods.indexer.indexValues(POD_NODE_INDEX);
        for (const name of missingSince.keys())
          if (nodes.get(name) !== undefined || !names.includes(name)) missingSince.delete(name);
        for (const name of names) {
          if (nodes.get(name) !== undefined) continue;
          const sinceMs = missingSince.get(name) ?? nowMs;
          missingSince.set(name, sinceMs);
          if (nowMs - sinceMs >= QUARANTINE_MS)
            pods.indexer.byIndex(POD_NODE_INDEX, name).forEach(run.enqueue);
        }
        pods.indexer.byIndex(STATE_INDEX, 'unscheduled-terminating').forEach(run.enqueue);
        const finished = pods.indexer.byIndex(STATE_INDEX, 'finished');
        if (finished.length <= FINISHED_PODS_MAX) return;
        finished.sort(
          (a, b) => instant(a.metadata.creationTimestamp) - instant(b.metadata.creationTimestamp),
        );
        finished.slice(0, finished.length - FINISHED_PODS_MAX).forEach(run.enqueue);
      });

      return async function sync(key) {
        const pod = pods.lister.get(key);
        if (pod === undefined) return;
        const orphaned = pod.spec?.nodeName !== undefined && nodes.get(pod.spec.nodeName) === undefined;
        if (orphaned && !isPodFinished(pod)) await markFailed(pod);
        const { name, namespace, uid } = pod.metadata;
        try {
          await run.client.delete(resources.pods, name, { namespace, uid, gracePeriodSeconds: 0 });
        } catch (error) {
          if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error;
        }
      };

      async function markFailed(pod: Stored<Pod>): Promise<void> {
        const condition = {
          type: 'DisruptionTarget',
          status: 'True',
          reason: 'DeletionByPodGC',
          message: 'PodGC: node no longer exists',
          lastTransitionTime: rfc3339(run.clock.now()),
        };
        const { name, namespace } = pod.metadata;
        const patch = { status: { phase: 'Failed', conditions: [condition] } };
        const options = { namespace, subresource: 'status' };
        try {
          await run.client.patch(
            resources.pods,
            name,
            'application/strategic-merge-patch+json',
            patch,
            options,
          );
        } catch (error) {
          if (!isStatus(error, 'NotFound'))
            throw new Error(`cannot mark ${keyOf(pod)} as failed`, { cause: error });
        }
      }
    },
  });
}
