// Deletes Jobs some time after they finished, when their spec says so.
import { isStatus, resources, type Job } from '../../api/index.ts';
import { makeController, type Controller, type ControllerContext } from '../controller.ts';
import { instant } from '../pod-state.ts';
import { finishedCondition } from './job.ts';

/** Makes the TTL-after-finished controller. */
export function makeTtlAfterFinishedController(context: ControllerContext): Controller {
  return makeController(context, {
    name: 'ttl-after-finished-controller',
    component: 'ttl-after-finished-controller',
    workers: 5,
    setUp(run) {
      const jobs = run.informer<Job>(resources.jobs);
      run.on(jobs, { add: run.enqueue, update: run.enqueue });
      return async function sync(key) {
        const job = jobs.lister.get(key);
        const seconds = job?.spec?.ttlSecondsAfterFinished;
        if (job === undefined || seconds === undefined || job.metadata.deletionTimestamp !== undefined)
          return;
        const finishedAt = finishedCondition(job)?.lastTransitionTime;
        if (finishedAt == null) return;
        const leftMs = instant(finishedAt) + seconds * 1000 - run.clock.now();
        if (leftMs > 0) return run.queue.addAfter(key, leftMs);
        const { name, namespace, uid } = job.metadata;
        try {
          await run.client.delete(resources.jobs, name, { namespace, uid, propagationPolicy: 'Foreground' });
        } catch (error) {
          if (!isStatus(error, 'NotFound')) throw error;
        }
      };
    },
  });
}
