// Runs a script on a virtual machine as its root, and says what came out: for tables of cases.
import { run, type BareMachine } from './make-machine.ts';

export type RunScript = (script: string, stdin?: string) => Promise<{ out: string; status: number }>;

/** stdout and stderr together, in a pipe. */
export function scriptRunner(machine: BareMachine): RunScript {
  return async (script, stdin = '') => {
    const { stdout, status } = await run(machine, ['bash', '-c', `exec 2>&1; ${script}`], {
      stdin,
      withinMs: 600_000,
    });
    if (machine.faults.length > 0) throw machine.faults[0];
    return { out: stdout, status };
  };
}
