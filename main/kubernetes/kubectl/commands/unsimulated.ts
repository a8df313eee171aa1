// Commands of kubectl that are known here, and that say that they aren't simulated.
import { CommandError } from '../frame/command-error.ts';
import type { Command } from '../frame/command.ts';

/** A command with its help and flags, but without an effect. */
export function unsimulated(name: string, words = name, commands?: readonly Command[]): Command {
  return {
    name,
    ...(commands === undefined
      ? { run: () => Promise.reject(new CommandError(`drydock: kubectl ${words} isn't simulated`, 'plain')) }
      : { commands }),
  };
}
