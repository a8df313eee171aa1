// kubectl annotate.
import { CommandError } from '../frame/command-error.ts';
import type { Command, Invocation } from '../frame/command.ts';
import type { Pairs } from '../rest/pairs.ts';
import { runMetadataPairs, type StringMap } from './metadata-pairs.ts';

export const annotate: Command = {
  name: 'annotate',
  run: (invocation) =>
    runMetadataPairs(invocation, {
      word: 'annotation',
      field: 'annotations',
      change: changed,
      outcome: () => ({ word: 'annotated', isChange: true }),
    }),
};

function changed({ flags }: Invocation, before: StringMap, { set, removed }: Pairs): Promise<StringMap> {
  const clashes = [...set].filter(([key, value]) => before[key] !== undefined && before[key] !== value);
  if (clashes.length > 0 && !flags.bool('overwrite')) {
    const found = clashes.map(([key]) => `'${key}' already has a value (${before[key]})`).join('; ');
    throw new CommandError(`--overwrite is false but found the following declared annotation(s): ${found}`);
  }
  const after: Record<string, string> = { ...before, ...Object.fromEntries(set) };
  for (const key of removed) delete after[key];
  return Promise.resolve(after);
}
