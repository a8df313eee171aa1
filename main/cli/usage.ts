// Reads command lines; one that makes no sense is told in a sentence to the person who typed it.
import { parseArgs, type ParseArgsConfig } from 'node:util';

/** Ends the command with status 2 and one sentence. */
export class UsageError extends Error {}

/** A whole number of an option. Throws UsageError. */
export function wholeNumber(name: string, text: string, minimum: number, maximum = Infinity): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < minimum || value > maximum) {
    const range = maximum === Infinity ? `from ${minimum}` : `from ${minimum} to ${maximum}`;
    throw new UsageError(`--${name} wants a whole number ${range}, not "${text}".`);
  }
  return value;
}

/** Reads the options of a subcommand. Throws UsageError. */
export function readOptions<Config extends ParseArgsConfig>(
  config: Config,
): ReturnType<typeof parseArgs<Config>> {
  try {
    return parseArgs(config);
  } catch (error) {
    if (error instanceof TypeError)
      throw new UsageError(error.message.split('. To specify')[0]!.replace(/\.?$/, '.'));
    throw error;
  }
}
