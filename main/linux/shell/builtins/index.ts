// Gathers every builtin.
import { completionBuiltins } from './completion.ts';
import { directoryBuiltins } from './directories.ts';
import { flowBuiltins } from './flow.ts';
import { historyBuiltins } from './history.ts';
import { inputBuiltins } from './input.ts';
import { jobBuiltins } from './jobs.ts';
import { bindBuiltins } from './bind.ts';
import { miscellaneousBuiltins } from './miscellaneous.ts';
import { nameBuiltins } from './names.ts';
import { optionBuiltins } from './options.ts';
import { outputBuiltins } from './output.ts';
import { builtins } from './registry.ts';
import { testBuiltins } from './test.ts';
import { limitBuiltins } from './ulimit.ts';
import { variableBuiltins } from './variables.ts';

/** Fills the registry, once. (Not done while modules load: builtins and the interpreter need each other.) */
export function installBuiltins(): void {
  if (builtins.size > 0) return;
  const groups = [
    flowBuiltins,
    outputBuiltins,
    testBuiltins,
    variableBuiltins,
    optionBuiltins,
    inputBuiltins,
    directoryBuiltins,
    jobBuiltins,
    nameBuiltins,
    historyBuiltins,
    completionBuiltins,
    bindBuiltins,
    miscellaneousBuiltins,
    limitBuiltins,
  ];
  for (const [name, builtin] of groups.flat()) builtins.set(name, builtin);
}
