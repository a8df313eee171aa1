// The columns that kinds are printed with; names and ages only for what has no printer of its own.
import type { Cell, Column, Kind, Printer } from '../kinds/kind.ts';
import type { StoredObject } from '../object.ts';
import { ageOf } from './duration.ts';
import { printers } from './kind-printers.ts';

const NAME_DESCRIPTION =
  'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names';

export const DEFAULT_COLUMNS: readonly Column[] = [
  { name: 'Name', type: 'string', format: 'name', description: NAME_DESCRIPTION, priority: 0 },
  { name: 'Age', type: 'string', format: '', description: 'Created At', priority: 0 },
];

const DEFAULT_PRINTER: Printer = {
  columns: DEFAULT_COLUMNS,
  row: (object: StoredObject, nowMs: number): Cell[] => [
    object.metadata.name,
    ageOf(object.metadata.creationTimestamp, nowMs),
  ],
};

/** The printer of a kind; `shown` is the kind of a subresource's objects. */
export function printerOf(kind: Kind, shown: string | undefined): Printer {
  const isOther = shown !== undefined && shown !== kind.resource.kind;
  if (kind.printer !== undefined && (kind.custom !== undefined || !isOther)) return kind.printer;
  const own = isOther ? shown : kind.resource.plural;
  return printers[own] ?? DEFAULT_PRINTER;
}
