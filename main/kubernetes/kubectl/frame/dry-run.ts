// What --dry-run says, and what it means for requests and answers.
import { CommandError } from './command-error.ts';
import type { FlagValues } from './flags.ts';

export type DryRun = 'none' | 'client' | 'server';

/** Throws CommandError in kubectl's words. */
export function dryRunOf(flags: FlagValues): DryRun {
  const text = flags.string('dry-run');
  if (text === '' || text === 'none' || text === 'false') return 'none';
  if (text === 'client' || text === 'server') return text;
  if (text === 'unchanged') {
    throw new CommandError(
      '--dry-run flag without a value was specified. A value must be set: "none", "server", or "client".',
    );
  }
  throw new CommandError(`Invalid dry-run value (${text}). Must be "none", "server", or "client".`);
}

/** ` (dry run)`, ` (server dry run)` or nothing, behind what was done. */
export function dryRunSuffix(dryRun: DryRun): string {
  return dryRun === 'client' ? ' (dry run)' : dryRun === 'server' ? ' (server dry run)' : '';
}

/** The query parameter of a request. */
export function dryRunQuery(dryRun: DryRun): { dryRun?: string } {
  return dryRun === 'server' ? { dryRun: 'All' } : {};
}
