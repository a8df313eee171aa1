// Arguments such as `deploy web a=b c-`: resources first, then what to set and what to take away.
import { CommandError } from '../frame/command-error.ts';

export interface Pairs {
  readonly resources: readonly string[];
  readonly set: ReadonlyMap<string, string>;
  readonly removed: readonly string[];
}

/** Separates them (cmdutil.GetResourcesAndPairs). `type` is `label` or `annotation`. Throws CommandError. */
export function splitPairs(args: readonly string[], type: string): { resources: string[]; pairs: string[] } {
  const resources: string[] = [];
  const pairs: string[] = [];
  for (const arg of args) {
    const isPair = (arg.includes('=') && !arg.startsWith('=')) || (arg.endsWith('-') && arg !== '-');
    if (isPair) pairs.push(arg);
    else if (pairs.length > 0)
      throw new CommandError(`all resources must be specified before ${type} changes: ${arg}`);
    else resources.push(arg);
  }
  return { resources, pairs };
}

/** Throws CommandError when one is both set and removed. */
export function parsePairs(args: readonly string[], type: string): Pairs {
  const { resources, pairs } = splitPairs(args, type);
  const set = new Map<string, string>();
  const removed: string[] = [];
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    if (equals > 0) set.set(pair.slice(0, equals), pair.slice(equals + 1));
    else if (pair.endsWith('-')) removed.push(pair.slice(0, -1));
  }
  if (removed.some((key) => set.has(key)))
    throw new CommandError(
      `can not both modify and remove ${type === 'annotation' ? 'an' : 'a'} ${type} in the same command`,
    );
  return { resources, set, removed };
}
