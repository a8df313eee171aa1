// The real host's loop, for tests that drive a Simulation.
import { disposable, type HostLoop } from '../../main/simulation/index.ts';

/** Wall time and turns of this Node process. */
export const hostLoop: HostLoop = {
  wallNowMs: () => Date.now(),
  immediate: (task) => void setImmediate(task),
  timeout: (delayMs, task) => {
    const timer = setTimeout(task, delayMs);
    return disposable(() => clearTimeout(timer));
  },
};
