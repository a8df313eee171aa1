// kubectl label.
import { CommandError } from '../frame/command-error.ts';
import type { Command, Invocation } from '../frame/command.ts';
import type { Pairs } from '../rest/pairs.ts';
import { runMetadataPairs, type StringMap } from './metadata-pairs.ts';

export const label: Command = {
  name: 'label',
  run: (invocation) =>
    runMetadataPairs(invocation, {
      word: 'label',
      field: 'labels',
      check: ({ set }) => set.forEach((value, key) => requireLabelValue(key, value)),
      change: changed,
      outcome,
    }),
};

function requireLabelValue(key: string, value: string): void {
  const reasons: string[] = [];
  if (value.length > 63) reasons.push('must be no more than 63 characters');
  if (!/^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/.test(value)) {
    reasons.push(
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
    );
  }
  if (reasons.length > 0)
    throw new CommandError(`invalid label value: "${key}=${value}": ${reasons.join(';')}`);
}

async function changed(
  { kubectl, flags }: Invocation,
  before: StringMap,
  { set, removed }: Pairs,
): Promise<StringMap> {
  const labels: Record<string, string> = { ...before };
  for (const [key, value] of set) {
    const old = before[key];
    if (old !== undefined && old !== value && !flags.bool('overwrite')) {
      throw new CommandError(`'${key}' already has a value (${old}), and --overwrite is false`);
    }
    labels[key] = value;
  }
  for (const key of removed) {
    if (labels[key] === undefined) await kubectl.out(`label "${key}" not found.\n`);
    delete labels[key];
  }
  return labels;
}

/** kubectl goes by the lengths of the two texts (updateDataChangeMsg). */
function outcome(
  before: StringMap,
  after: StringMap,
  overwrite: boolean,
): { word: string; isChange: boolean } {
  const [from, to] = [sortedText(before), sortedText(after)];
  if (from === to) return { word: 'not labeled', isChange: false };
  return { word: !overwrite && to.length < from.length ? 'unlabeled' : 'labeled', isChange: true };
}

function sortedText(labels: StringMap): string {
  const entries = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length === 0 ? '' : JSON.stringify(entries);
}
