// Runs one check of a lab against a cluster: at once, or until it holds within its time.
import type { Condition, LabCheck } from '../lab.ts';
import type { World as LabWorld } from '../../cluster/index.ts';
import { checkCommand } from './command.ts';
import { checkHistory } from './history.ts';
import { checkHttp } from './http.ts';
import { checkObjects } from './objects.ts';
import { HOLDS, missing, type Verdict } from './verdict.ts';

export type { Verdict } from './verdict.ts';

/** Virtual time between two looks at a check that may still become true, in ms. */
const RETRY_MS = 500;

/** Settles with the verdict; waits up to `withinMs` of virtual time for it to hold. */
export async function runCheck(world: LabWorld, check: LabCheck): Promise<Verdict> {
  const deadline = world.clock.now() + check.withinMs;
  for (;;) {
    const verdict = await judge(world, check.condition);
    if (verdict.holds || world.clock.now() >= deadline) return verdict;
    await world.clock.sleep(RETRY_MS);
  }
}

async function judge(world: LabWorld, condition: Condition): Promise<Verdict> {
  switch (condition.kind) {
    case 'objects':
      return checkObjects(world, condition.objects);
    case 'command':
      return checkCommand(world, condition.command);
    case 'http':
      return checkHttp(world, condition.http);
    case 'history':
      return checkHistory(world, condition.history);
    case 'not':
      return (await judge(world, condition.of)).holds
        ? missing('不该成立的条件成立了。', 'Something holds that must not hold.')
        : HOLDS;
    case 'all':
    case 'any': {
      let last: Verdict = HOLDS;
      for (const each of condition.of) {
        last = await judge(world, each);
        if (last.holds === (condition.kind === 'any')) return last;
      }
      return last;
    }
  }
}
