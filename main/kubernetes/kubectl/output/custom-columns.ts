// `-o custom-columns=NAME:.path,…`: a table of one's own.
import { ErrnoError } from '../../../network/index.ts';
import type { Process } from '../../../linux/kernel/index.ts';
import { CommandError } from '../frame/command-error.ts';
import { parseJsonPath, relaxedJsonPath } from './jsonpath.ts';
import { formatTable } from './table.ts';

function templateAt({ fs }: Process, path: string): string {
  try {
    return fs.readText(path);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new CommandError(`error reading template ${path}, open ${path}: ${error.message.toLowerCase()}`);
  }
}

/** A printer for the format's columns. Throws CommandError in kubectl's words. */
export function customColumns(
  format: string,
  proc: Process,
  noHeaders: boolean,
): (objects: readonly object[]) => string {
  const equals = format.indexOf('=');
  const argument = equals === -1 ? '' : format.slice(equals + 1);
  if (argument === '') throw new CommandError('custom-columns format specified but no custom columns given');
  const spec = format.startsWith('custom-columns-file') ? fromFile(templateAt(proc, argument)) : argument;
  const columns = spec.split(',').map((column) => {
    const colon = column.indexOf(':');
    if (colon === -1)
      throw new CommandError(`unexpected custom-columns spec: ${column}, expected <header>:<json-path-expr>`);
    return { header: column.slice(0, colon), path: parseJsonPath(relaxedJsonPath(column.slice(colon + 1))) };
  });
  return (objects) =>
    formatTable(
      noHeaders ? undefined : columns.map(({ header }) => header),
      objects.map((object) =>
        columns.map(({ path }) => {
          const values = path.find(object, true);
          return values.length === 0 ? '<none>' : values.map(columnText).join(',');
        }),
      ),
    );
}

/** Headers on the first line, paths under them on the second. */
function fromFile(text: string): string {
  const [headers = '', paths = ''] = text.split('\n');
  const split = (line: string): string[] => line.trim().split(/\s+/);
  return split(headers)
    .map((header, index) => `${header}:${split(paths)[index] ?? ''}`)
    .join(',');
}

/** Go's %v of a value. */
function columnText(value: unknown): string {
  if (value === null || value === undefined) return '<none>';
  if (Array.isArray(value)) return `[${value.map(columnText).join(' ')}]`;
  if (typeof value === 'object') {
    const pairs = Object.entries(value as Record<string, unknown>).sort(([a], [b]) => (a < b ? -1 : 1));
    return `map[${pairs.map(([key, member]) => `${key}:${columnText(member)}`).join(' ')}]`;
  }
  return String(value as string | number | boolean);
}
