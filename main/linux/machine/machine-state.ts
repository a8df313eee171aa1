// What a machine's kernel holds that a reopened workspace must find again: boot, loaded modules, parameters.
import { ErrnoError } from '../../network/index.ts';
import { disposable, type Random } from '../../simulation/index.ts';
import type { Store } from '../../storage/index.ts';
import type { Kernel } from '../kernel/index.ts';

export interface MachineState {
  readonly bootMs: number;
  readonly bootId: string;
  /** How often the machine was made from this workspace: each time draws from a random stream of its own. */
  readonly opens: number;
  /** undefined on the first boot. */
  readonly modules: readonly string[] | undefined;
  /** Parameters that somebody set, in that order. */
  readonly sysctls: Readonly<Record<string, string>>;
}

/** Reads the state, or begins it, and counts this opening. */
export function openMachineState(store: Store, key: string, nowMs: number, random: Random): MachineState {
  const record = store.get(key);
  const saved = record === undefined ? undefined : (JSON.parse(String(record.value)) as MachineState);
  const state: MachineState = {
    bootMs: saved?.bootMs ?? nowMs,
    bootId: saved?.bootId ?? random.fork('boot-id').uuid(),
    opens: (saved?.opens ?? 0) + 1,
    modules: saved?.modules,
    sysctls: saved?.sysctls ?? {},
  };
  store.save([{ key, value: JSON.stringify(state) }]);
  return state;
}

/** Sets the saved parameters again, and saves what changes until disposed. */
export function keepMachineState(
  kernel: Kernel,
  store: Store,
  key: string,
  opened: MachineState,
): Disposable {
  for (const [name, value] of Object.entries(opened.sysctls)) {
    try {
      kernel.setSysctl(name, value);
    } catch (error) {
      // A device or module that isn't there yet has none of its parameters.
      if (!(error instanceof ErrnoError)) throw error;
    }
  }
  let sysctls = opened.sysctls;
  const save = (): void => {
    const state: MachineState = { ...opened, modules: Array.from(kernel.modules), sysctls };
    store.save([{ key, value: JSON.stringify(state) }]);
  };
  const modules = kernel.onModulesChanged(save);
  const parameters = kernel.onSysctl((name, value) => {
    sysctls = { ...sysctls, [name]: value };
    save();
  });
  return disposable(() => {
    modules[Symbol.dispose]();
    parameters[Symbol.dispose]();
  });
}
