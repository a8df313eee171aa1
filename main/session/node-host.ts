// The host's time and turns, as the doors hand them to the simulation. The only place where the wall's clock enters.
import { disposable, type HostLoop } from '../simulation/index.ts';

export const nodeHost: HostLoop = {
  wallNowMs: () => Date.now(),
  immediate: (task) => void setImmediate(task),
  timeout: (delayMs, task) => {
    const timer = setTimeout(task, delayMs);
    return disposable(() => clearTimeout(timer));
  },
};
