// Checks that a learner typed something: a pattern on the shell history of a machine's root.
import type { HistoryCondition } from '../lab.ts';
import type { World as LabWorld } from '../../cluster/index.ts';
import { HOLDS, missing, type Verdict } from './verdict.ts';

const HISTORY_PATH = '/root/.bash_history';

export function checkHistory(world: LabWorld, { machine, matches }: HistoryCondition): Verdict {
  const history = world.readMachineFile(machine, HISTORY_PATH) ?? '';
  const pattern = new RegExp(matches);
  if (history.split('\n').some((line) => pattern.test(line))) return HOLDS;
  return missing(
    `${machine} 的命令历史里还没有这样的命令。`,
    `No such command is in the shell history of ${machine} yet.`,
  );
}
