// How variables are written by declare -p, export -p and readonly -p.
import { quoteForDeclare, quoteKey } from './quoting.ts';
import { scalarOf, type Attribute, type Variable, type Variables } from './variables.ts';

const LETTERS: readonly (readonly [string, Attribute])[] = [
  ['i', 'integer'],
  ['n', 'nameref'],
  ['r', 'readonly'],
  ['t', 'traced'],
  ['x', 'exported'],
  ['c', 'capitalized'],
  ['l', 'lowercase'],
  ['u', 'uppercase'],
];

/** The letters of a variable's attributes in declare's order: `aAinrtxclu`. */
export function attributeLetters(variable: Variable): string {
  const kind =
    variable.indexed !== undefined || Array.isArray(variable.dynamic?.get())
      ? 'a'
      : variable.associative !== undefined
        ? 'A'
        : '';
  return (
    kind +
    LETTERS.filter(([, attribute]) => variable.attributes.has(attribute))
      .map(([letter]) => letter)
      .join('')
  );
}

/** One line of `declare -p`. */
export function declarationOf(name: string, variable: Variable, vars: Variables): string {
  const letters = attributeLetters(variable);
  const head = `declare -${letters === '' ? '-' : letters} ${name}`;
  if (variable.associative !== undefined) {
    const pairs = vars.entries(name).map(([key, value]) => `[${quoteKey(key)}]=${quoteForDeclare(value)} `);
    return `${head}=(${pairs.join('')})`;
  }
  if (letters.startsWith('a')) {
    const pairs = vars.entries(name).map(([key, value]) => `[${key}]=${quoteForDeclare(value)}`);
    return `${head}=(${pairs.join(' ')})`;
  }
  const value = scalarOf(variable);
  return value === undefined ? head : `${head}=${quoteForDeclare(value)}`;
}
