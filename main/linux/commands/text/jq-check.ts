// What a jq program names without its being defined, found before it runs.
import type { Filter, Pattern } from './jq-parse.ts';

/** A name nobody defines, and where in the program it stands. */
export interface Missing {
  readonly name: string;
  readonly at: number;
}

/** Every call and variable without a definition, in order. `has` knows the functions there are by `name/arity`. */
export function undefinedNames(
  filter: Filter,
  variables: Iterable<string>,
  has: (key: string) => boolean,
): Missing[] {
  const missing: Missing[] = [];
  const visit = (node: Filter, known: ReadonlySet<string>): void => {
    switch (node.kind) {
      case 'define': {
        const inner = new Set([...known, `${node.name}/${node.parameters.length}`]);
        const body = new Set(inner);
        for (const name of node.parameters) {
          body.add(`${name.replace('$', '')}/0`);
          if (name.startsWith('$')) body.add(name);
        }
        visit(node.body, body);
        visit(node.rest, inner);
        return;
      }
      case 'call': {
        const key = `${node.name}/${node.args.length}`;
        if (!known.has(key) && !has(key)) missing.push({ name: key, at: node.at });
        for (const arg of node.args) visit(arg, known);
        return;
      }
      case 'variable':
        if (!known.has(`$${node.name}`)) missing.push({ name: `$${node.name}`, at: node.at });
        return;
      case 'break':
        if (!known.has(`*${node.name}`)) missing.push({ name: `$*label-${node.name}`, at: node.at });
        return;
      case 'label':
        visit(node.body, new Set([...known, `*${node.name}`]));
        return;
      case 'as': {
        visit(node.source, known);
        const patterns = [node.pattern, ...(node.alternatives ?? [])];
        visit(node.body, new Set([...known, ...patterns.flatMap((one) => bound(one, known, visit))]));
        return;
      }
      case 'reduce':
      case 'foreach': {
        visit(node.source, known);
        visit(node.init, known);
        const inner = new Set([...known, ...bound(node.pattern, known, visit)]);
        visit(node.update, inner);
        if (node.extract !== undefined) visit(node.extract, inner);
        return;
      }
      default:
        for (const value of Object.values(node)) children(value, known);
    }
  };
  const children = (value: unknown, known: ReadonlySet<string>): void => {
    if (Array.isArray(value)) for (const one of value) children(one, known);
    else if (typeof value === 'object' && value !== null) {
      if ('kind' in value) visit(value as Filter, known);
      else if (!('literal' in value)) for (const one of Object.values(value)) children(one, known);
    }
  };
  visit(filter, new Set([...variables].map((name) => `$${name}`)));
  return missing.toSorted((a, b) => a.at - b.at);
}

/** The variables a pattern binds, as `$name`. */
function bound(
  pattern: Pattern,
  known: ReadonlySet<string>,
  visit: (node: Filter, known: ReadonlySet<string>) => void,
): string[] {
  if (pattern.kind === 'variable') return [`$${pattern.name}`];
  if (pattern.kind === 'array') return pattern.items.flatMap((one) => bound(one, known, visit));
  return pattern.entries.flatMap(({ key, pattern: inner }) => {
    if (key.kind !== 'variable') visit(key, known);
    return [...(key.kind === 'variable' ? [`$${key.name}`] : []), ...bound(inner, known, visit)];
  });
}
