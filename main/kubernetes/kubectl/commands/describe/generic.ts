// Describes an object of a kind that has no describer of its own: its fields as titles (GenericDescriber).
import type { AnyObject } from '../../rest/builder.ts';
import { writeOwnEvents, type Describer } from './describer.ts';
import type { DescribeWriter } from './writer.ts';

/** Words that stay in capitals (smartLabelFor's acronyms). */
const ACRONYMS = new Set(['API', 'URL', 'UID', 'OSB', 'GUID']);
const SKIPPED = new Set([
  '.metadata.managedFields',
  '.metadata.name',
  '.metadata.namespace',
  '.metadata.labels',
  '.metadata.annotations',
]);

export const describeGeneric: Describer = async (describing) => {
  const { w, object } = describing;
  w.write(0, `Name:\t${object.metadata?.name}\nNamespace:\t${object.metadata?.namespace ?? ''}\n`);
  w.labels('Labels', object.metadata?.labels);
  w.annotations('Annotations', object.metadata?.annotations);
  writeMembers(w, 0, object, '');
  await writeOwnEvents(describing);
};

function writeMembers(
  w: DescribeWriter,
  level: number,
  tree: AnyObject | Record<string, unknown>,
  path: string,
): void {
  const fields = Object.entries(tree)
    .filter(([name]) => !SKIPPED.has(`${path}.${name}`))
    .map(([name, value]) => ({ label: labelFor(name), name, value }))
    .sort((a, b) => (a.label < b.label ? -1 : a.label > b.label ? 1 : 0));
  for (const { label, name, value } of fields) {
    if (Array.isArray(value)) {
      w.write(level, `${label}:\n`);
      for (const item of value as unknown[]) {
        if (typeof item === 'object' && item !== null && !Array.isArray(item))
          writeMembers(w, level + 1, item as Record<string, unknown>, `${path}.${name}`);
        else w.write(level + 1, `${scalar(item)}\n`);
      }
    } else if (typeof value === 'object' && value !== null) {
      w.write(level, `${label}:\n`);
      writeMembers(w, level + 1, value as Record<string, unknown>, `${path}.${name}`);
    } else w.write(level, `${label}:\t${scalar(value)}\n`);
  }
}

function scalar(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** `creationTimestamp` becomes `Creation Timestamp`, `apiVersion` `API Version`. */
function labelFor(field: string): string {
  if (/[^A-Za-z0-9]/.test(field) && !/[-_.]/.test(field)) return field;
  const words = field.match(/[A-Z]+(?![a-z])|[A-Z][a-z]*|[a-z]+|[0-9]+|[^A-Za-z0-9]+/g) ?? [field];
  return words
    .map((word) =>
      ACRONYMS.has(word.toUpperCase()) ? word.toUpperCase() : word[0]!.toUpperCase() + word.slice(1),
    )
    .join(' ');
}
