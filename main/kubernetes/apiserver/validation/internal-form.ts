// Parts of objects as the server's internal Go types print them in messages: Go's field names and order, every member shown.
import { isTree, type Tree } from '../object.ts';
import { INTERNAL_TYPES } from './internal-types.ts';

/** How a field is printed: its Go name, its name on the wire and what it holds. */
interface Field {
  readonly name: string;
  readonly wire: string;
  readonly holds: string;
}

/** What stands for a member that isn't set. */
const ZEROS: Readonly<Record<string, unknown>> = { s: '', n: 0, b: false, q: '0', p: null, m: null };

/** `DNSPolicy` → `dnsPolicy`, `TTY` → `tty`. */
function wireName(name: string): string {
  const run = /^[A-Z]*/.exec(name)![0];
  if (run.length === name.length) return name.toLowerCase();
  const lowered = run.length > 1 ? run.length - 1 : 1;
  return name.slice(0, lowered).toLowerCase() + name.slice(lowered);
}

const parsed = new Map<string, readonly Field[]>();

function fieldsOf(type: string): readonly Field[] {
  let fields = parsed.get(type);
  if (fields === undefined) {
    const text = INTERNAL_TYPES[type];
    if (text === undefined) throw new RangeError(`no internal type ${type}`);
    fields = text
      .trim()
      .split(/\s+/)
      .map((word) => {
        const [names = '', holds = 's'] = word.split(':');
        const [name = '', wire = name === '' ? '' : wireName(name)] = names.split('=');
        return { name, wire, holds };
      });
    parsed.set(type, fields);
  }
  return fields;
}

/** A value of the API as JSON of the internal type of that name. `undefined` is the type's zero value. */
export function internalForm(type: string, value: unknown): Tree {
  const given = isTree(value) ? value : {};
  const form: Tree = {};
  for (const { name, wire, holds } of fieldsOf(type)) {
    if (holds.startsWith('+'))
      Object.assign(form, internalForm(holds.slice(1), name === '' ? given : given[name]));
    else form[name] = memberForm(holds, holds.endsWith('^') ? given : given[wire]);
  }
  return form;
}

function memberForm(holds: string, value: unknown): unknown {
  if (holds.endsWith('^')) return internalForm(holds.slice(0, -1), value);
  if (holds === 'L') return selectorForm(value);
  if (holds === 'm') return value === undefined || value === null ? null : sortedMembers(value as Tree);
  if (holds in ZEROS) return value ?? ZEROS[holds];
  if (holds.startsWith('[]'))
    return Array.isArray(value) ? value.map((item) => internalForm(holds.slice(2), item)) : null;
  if (holds.startsWith('*'))
    return value === undefined || value === null ? null : internalForm(holds.slice(1), value);
  return internalForm(holds, value);
}

/** A map as Go prints it, by key. */
function sortedMembers(map: Readonly<Tree>): Tree {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Labels as a message shows them. */
export function labelsForm(labels: Readonly<Record<string, string>> | undefined): Tree | null {
  return labels === undefined ? null : sortedMembers(labels);
}

/** A label selector; metav1 types keep their wire names. */
export function selectorForm(value: unknown): unknown {
  if (!isTree(value)) return null;
  const { matchLabels, matchExpressions } = value;
  return {
    ...(isTree(matchLabels) && Object.keys(matchLabels).length > 0
      ? { matchLabels: sortedMembers(matchLabels) }
      : {}),
    ...(Array.isArray(matchExpressions) && matchExpressions.length > 0
      ? {
          matchExpressions: (matchExpressions as Tree[]).map(({ key, operator, values }) => ({
            key,
            operator,
            ...(Array.isArray(values) && values.length > 0 ? { values } : {}),
          })),
        }
      : {}),
  };
}

/** The metadata of a template, whose members stand among those of the object. */
export function templateForm(template: unknown): Tree {
  const { metadata, spec } = (template ?? {}) as { metadata?: Tree; spec?: unknown };
  const form: Tree = {};
  for (const name of ['name', 'generateName', 'labels', 'annotations', 'finalizers']) {
    const value = metadata?.[name];
    if (value === undefined || value === '') continue;
    if (isTree(value)) {
      if (Object.keys(value).length > 0) form[name] = sortedMembers(value);
    } else form[name] = value;
  }
  form['Spec'] = internalForm('PodSpec', spec);
  return form;
}
