// A whole Linux machine with systemd, a journal and every package, as the recordings of system tools were made on.
import { MACHINE_UNITS, machinePrograms, PACKAGES } from '../../../main/linux/commands/index.ts';
import type { LayerFile, Program } from '../../../main/linux/kernel/index.ts';
import { makeMachine } from '../../../main/linux/machine/index.ts';
import { bash, dash } from '../../../main/linux/shell/index.ts';
import type { UnitDefinition } from '../../../main/linux/systemd/index.ts';
import { makeRandom } from '../../../main/simulation/index.ts';
import { makeMemoryStore } from '../../support/memory-store.ts';
import { makeTestNet, makeTestSimulation, type BareMachine } from '../../support/make-machine.ts';

export interface SystemMachineOptions {
  readonly hostname?: string;
  /** Added to, or instead of, every command's program. */
  readonly programs?: Readonly<Record<string, Program>>;
  readonly files?: Readonly<Record<string, LayerFile | string>>;
  readonly units?: readonly UnitDefinition[];
  /** Packages installed from the start, besides a machine's own; all there are by default. */
  readonly packages?: readonly string[];
}

/** Boots one, with sshd, and lets it come up. */
export async function makeSystemMachine(options: SystemMachineOptions = {}): Promise<BareMachine> {
  const faults: unknown[] = [];
  const clock = makeTestSimulation(faults);
  const programs = new Map<string, Program>([
    ['/usr/bin/bash', bash],
    ['/usr/bin/sh', dash],
  ]);
  for (const [file, { program }] of machinePrograms(options.packages ?? PACKAGES.map(({ name }) => name)))
    if (!programs.has(file)) programs.set(file, program);
  for (const [file, program] of Object.entries(options.programs ?? {})) programs.set(file, program);
  const files = new Map<string, LayerFile>();
  for (const [file, content] of Object.entries(options.files ?? {}))
    files.set(file, typeof content === 'string' ? { type: 'file', content } : content);
  const machine = makeMachine({
    name: options.hostname ?? 'lab',
    clock,
    random: makeRandom(1),
    store: makeMemoryStore(),
    net: makeTestNet(clock),
    programs,
    baseFiles: files,
    units: options.units,
    onFault: (error) => faults.push(error),
  });
  for (const unit of MACHINE_UNITS) machine.systemd.define(unit);
  let booted = false;
  void machine.boot().then(() => (booted = true));
  await clock.advanceUntil(() => booted, { seconds: 60 });
  return { kernel: machine.kernel, clock, faults };
}
