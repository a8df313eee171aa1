// shutdown(8), reboot(8), poweroff(8), halt(8), init(8)
import type { Process, Program } from '../../kernel/index.ts';
import { OptionError, parseOptions } from '../frame/options.ts';

/** What the name, or the verb of systemctl, does to the machine. */
export async function runPower(proc: Process, verb: string): Promise<number> {
  await proc.stderr.write(`drydock: ${verb} isn't simulated\n`);
  return 1;
}

export const shutdown: Program = async (proc) => {
  const name = (proc.argv[0] ?? '').split('/').at(-1)!;
  try {
    parseOptions(proc.argv.slice(1), {
      short: 'HPrhkcfpwdin',
      long: [
        'help',
        'halt>H',
        'poweroff>P',
        'reboot>r',
        'no-wall',
        'show',
        'force>f',
        'wtmp-only>w',
        'no-wtmp>d',
      ],
      permute: true,
    });
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    await proc.stderr.write(`${name}: ${error.message}\n`);
    return 1;
  }
  return runPower(proc, name);
};
