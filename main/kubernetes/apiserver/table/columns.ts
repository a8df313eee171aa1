// What printers are made of: columns with the descriptions of the fields they show.
import { descriptionsText } from '../../api/generated/descriptions.js';
import type { Cell, Column, Printer } from '../kinds/kind.ts';
import type { StoredObject } from '../object.ts';
import { ageOf } from './duration.ts';

export const NONE = '<none>';
export const UNSET = '<unset>';

let parsed: Record<string, Record<string, string>> | undefined;

/** `@Schema.field` is the field's own description; other texts stand for themselves. */
export function describe(text: string): string {
  if (!text.startsWith('@')) return text;
  parsed ??= JSON.parse(descriptionsText) as Record<string, Record<string, string>>;
  const dot = text.lastIndexOf('.');
  const description = parsed[text.slice(1, dot)]?.[text.slice(dot + 1)] ?? '';
  return (
    description
      .replace(/\n\nPossible enum values:[\s\S]*$/, '')
      // Printers describe internal types, whose role references don't say this.
      .replace(/(must return an error\.) This field is immutable\.$/, '$1')
  );
}

/** Columns as `Name|description`, with `i:` or `b:` before the name for integers and booleans and `*` after it for wide ones. */
function columns(specs: readonly string[]): readonly Column[] {
  return specs.map((spec) => {
    const bar = spec.indexOf('|');
    let name = spec.slice(0, bar);
    let type: Column['type'] = 'string';
    for (const [mark, marked] of [
      ['i:', 'integer'],
      ['b:', 'boolean'],
      ['d:', 'date'],
    ] as const) {
      if (!name.startsWith(mark)) continue;
      type = marked;
      name = name.slice(2);
    }
    const wide = name.endsWith('*');
    if (wide) name = name.slice(0, -1);
    const text = spec.slice(bar + 1);
    return {
      name,
      type,
      format: name === 'Name' ? 'name' : '',
      get description() {
        return describe(text);
      },
      priority: wide ? 1 : 0,
    };
  });
}

export const META = '@io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
export const NAME = `Name|${META}.name`;
export const AGE = `Age|${META}.creationTimestamp`;
export const TEMPLATE = [
  'Containers*|Names of each container in the template.',
  'Images*|Images referenced by each container in the template.',
];

type RowMaker<T> = (object: T & StoredObject, nowMs: number) => Cell[];

/** A printer from the specs of its columns and what makes a row. */
export function printer<T>(specs: readonly string[], row: RowMaker<T>): Printer {
  let made: readonly Column[] | undefined;
  return {
    get columns() {
      return (made ??= columns(specs));
    },
    row: (object, nowMs) => row(object as T & StoredObject, nowMs),
  };
}

/** A printer whose name column has no format, which upstream forgot for one kind. */
export function plainNamed<T>(specs: readonly string[], row: RowMaker<T>): Printer {
  const named = printer(specs, row);
  return {
    get columns() {
      return named.columns.map(({ name, type, description, priority }) => ({
        name,
        type,
        format: '',
        description,
        priority,
      }));
    },
    row: named.row.bind(named),
  };
}

export const age = (object: StoredObject, nowMs: number): string =>
  ageOf(object.metadata.creationTimestamp, nowMs);
