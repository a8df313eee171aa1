// Someone at a machine with every command, its prompt a plain `$ `.
import type { LayerFile, Program } from '../../../../main/linux/kernel/index.ts';
import { makeBareMachine } from '../../../support/make-machine.ts';
import { allPrograms } from '../../../parity/shell/harness.ts';
import { sitDown, type Person } from '../shell/terminal.ts';

export interface SitOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly rc?: string;
  readonly files?: Readonly<Record<string, LayerFile | string>>;
  readonly programs?: Readonly<Record<string, Program>>;
}

export async function sit({ rc = '', files = {}, programs = {}, ...size }: SitOptions = {}): Promise<Person> {
  const all = new Map([...(await allPrograms()), ...Object.entries(programs)]);
  const machine = makeBareMachine({
    programs: all,
    files: { '/root/.bashrc': `PS1='$ '\n${rc}\n`, ...files },
  });
  return sitDown({ machine, ...size });
}

/** The last lines of the screen. */
export function tail(person: Person, count: number): string[] {
  return person.screen().slice(-count);
}
