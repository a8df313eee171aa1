// Label and field selectors: the textual form, the LabelSelector object, and matching.

export interface Requirement {
  readonly key: string;
  readonly operator: 'in' | 'notin' | '=' | '==' | '!=' | 'exists' | '!' | 'gt' | 'lt';
  readonly values: readonly string[];
}

/** A conjunction of requirements; an empty one matches everything. */
export interface LabelSelector {
  readonly requirements: readonly Requirement[];
  matches(labels: Readonly<Record<string, string>> | undefined): boolean;
}

/** The `metav1.LabelSelector` of specs. */
export interface LabelSelectorSpec {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

/** A selector that can't be parsed; the message is upstream's. */
export class SelectorError extends Error {}

const EVERYTHING = selectorOf([]);
const NOTHING: LabelSelector = Object.freeze({ requirements: [], matches: () => false });

function selectorOf(requirements: readonly Requirement[]): LabelSelector {
  return Object.freeze({
    requirements,
    matches(labels: Readonly<Record<string, string>> | undefined): boolean {
      for (const requirement of requirements) if (!meets(requirement, labels)) return false;
      return true;
    },
  });
}

function meets(
  { key, operator, values }: Requirement,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  const value = labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'in':
    case '=':
    case '==':
      return value !== undefined && values.includes(value);
    case 'notin':
    case '!=':
      return value === undefined || !values.includes(value);
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    case 'gt':
    case 'lt': {
      if (value === undefined || !/^[+-]?\d+$/.test(value)) return false;
      const [left, right] = [BigInt(value.replace('+', '')), BigInt(values[0]!.replace('+', ''))];
      return operator === 'gt' ? left > right : left < right;
    }
  }
}

/** A selector for exactly these labels, as a Service or ReplicationController has it. */
export function labelsSelector(labels: Readonly<Record<string, string>> | undefined): LabelSelector {
  if (labels === undefined) return EVERYTHING;
  return selectorOf(
    Object.entries(labels).map(([key, value]) => ({ key, operator: '=' as const, values: [value] })),
  );
}

/** A selector from a spec's LabelSelector: absent matches nothing, empty matches everything. */
export function labelSelectorOf(spec: LabelSelectorSpec | undefined): LabelSelector {
  if (spec === undefined || spec === null) return NOTHING;
  const requirements: Requirement[] = [];
  for (const [key, value] of Object.entries(spec.matchLabels ?? {}))
    requirements.push({ key, operator: '=', values: [value] });
  const operators = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: '!' } as const;
  for (const { key, operator, values } of spec.matchExpressions ?? []) {
    const known = operators[operator as keyof typeof operators];
    if (known === undefined) throw new SelectorError(`"${operator}" is not a valid label selector operator`);
    requirements.push({ key, operator: known, values: values ?? [] });
  }
  return requirements.length === 0 ? EVERYTHING : selectorOf(requirements);
}

/** The canonical text, keys sorted, as `kubectl describe` and the scale subresource show it. */
export function formatLabelSelector(selector: LabelSelector): string {
  return [...selector.requirements]
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ key, operator, values }) => {
      switch (operator) {
        case 'exists':
          return key;
        case '!':
          return `!${key}`;
        case 'in':
        case 'notin':
          return `${key} ${operator} (${[...values].sort().join(',')})`;
        case 'gt':
          return `${key}>${values[0]}`;
        case 'lt':
          return `${key}<${values[0]}`;
        default:
          return `${key}${operator}${values[0]}`;
      }
    })
    .join(',');
}

type Token = { readonly text: string; readonly symbol: boolean };

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at);
    const space = /^[ \t\r\n]+/.exec(rest);
    if (space !== null) {
      at += space[0].length;
      continue;
    }
    const symbol = /^(?:==|!=|[()=!,><])/.exec(rest);
    const token = symbol ?? /^[^ \t\r\n()=!,><]+/.exec(rest)!;
    tokens.push({ text: token[0], symbol: symbol !== null });
    at += token[0].length;
  }
  return tokens;
}

const QUALIFIED_NAME = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** What is wrong with a label key, in upstream's words; empty when nothing is. */
export function labelKeyProblems(key: string): string[] {
  const parts = key.split('/');
  const problems: string[] = [];
  let name = key;
  if (parts.length === 2) {
    const prefix = parts[0]!;
    name = parts[1]!;
    if (prefix === '') problems.push('prefix part must be non-empty');
    else {
      if (prefix.length > 253) problems.push('prefix part must be no more than 253 characters');
      if (!DNS_SUBDOMAIN.test(prefix)) {
        problems.push(
          `prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
        );
      }
    }
  } else if (parts.length > 2) {
    return [
      `a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  if (name === '') problems.push('name part must be non-empty');
  else if (name.length > 63) problems.push('name part must be no more than 63 bytes');
  if (!QUALIFIED_NAME.test(name)) {
    problems.push(
      `name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
    );
  }
  return problems;
}

/** What is wrong with a label value, in upstream's words; empty when nothing is. */
export function labelValueProblems(value: string): string[] {
  const problems: string[] = [];
  if (value.length > 63) problems.push('must be no more than 63 bytes');
  if (!LABEL_VALUE.test(value)) {
    problems.push(
      `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
    );
  }
  return problems;
}

/** Parses `app=web,tier in (a,b),!legacy`. Throws SelectorError with upstream's text. */
export function parseLabelSelector(text: string | undefined): LabelSelector {
  if (text === undefined || text.trim() === '') return EVERYTHING;
  return new LabelParser(tokensOf(text)).parse();
}

class LabelParser {
  private at = 0;
  private readonly tokens: readonly Token[];
  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
  }

  parse(): LabelSelector {
    const requirements: Requirement[] = [];
    for (;;) {
      const token = this.peek();
      if (token === undefined) break;
      if (token.symbol && token.text !== '!') {
        throw this.plain(token.text, "!, identifier, or 'end of string'");
      }
      requirements.push(this.requirement());
      const next = this.next();
      if (next === undefined) break;
      if (next.text !== ',' || !next.symbol) throw this.plain(next.text, "',' or 'end of string'");
      const following = this.peek();
      if (following === undefined || (following.symbol && following.text !== '!')) {
        throw this.plain(following?.text ?? '', "identifier after ','");
      }
    }
    return selectorOf(requirements);
  }

  private unexpected(found: string, expected: string): SelectorError {
    return new SelectorError(`unable to parse requirement: found '${found}', expected: ${expected}`);
  }

  /** Between requirements upstream says less, and before a set it leaves a comma out. */
  private plain(found: string, expected: string): SelectorError {
    return new SelectorError(`found '${found}', expected: ${expected}`);
  }

  private peek(): Token | undefined {
    return this.tokens[this.at];
  }

  private next(): Token | undefined {
    return this.tokens[this.at++];
  }

  private requirement(): Requirement {
    let negated = false;
    if (this.peek()?.text === '!') {
      negated = true;
      this.at++;
    }
    const keyToken = this.next();
    if (keyToken === undefined || keyToken.symbol) {
      throw this.unexpected(keyToken?.text ?? '', 'identifier');
    }
    const key = keyToken.text;
    checkKey(key);
    const following = this.peek();
    if (following === undefined || following.text === ',')
      return { key, operator: negated ? '!' : 'exists', values: [] };
    if (negated) throw this.unexpected(following.text, "',' or 'end of string'");
    this.at++;
    switch (following.text) {
      case 'in':
      case 'notin':
        return this.checked({ key, operator: following.text, values: this.set() });
      case '=':
      case '==':
      case '!=':
        return this.checked({ key, operator: following.text, values: [this.exact()] });
      case '>':
      case '<': {
        const value = this.exact();
        if (!/^[+-]?\d+$/.test(value)) {
          throw new SelectorError(
            `unable to parse requirement: values[0]: Invalid value: "${value}": for 'Gt', 'Lt' operators, the value must be an integer`,
          );
        }
        return { key, operator: following.text === '>' ? 'gt' : 'lt', values: [value] };
      }
      default:
        throw this.unexpected(following.text, 'in, notin, =, ==, !=, gt, lt');
    }
  }

  private checked(requirement: Requirement): Requirement {
    requirement.values.forEach((value, index) => {
      const problems = labelValueProblems(value);
      if (problems.length > 0) {
        throw new SelectorError(
          `unable to parse requirement: values[${index}][${requirement.key}]: Invalid value: ${JSON.stringify(value)}: ${problems.join('; ')}`,
        );
      }
    });
    return requirement;
  }

  private exact(): string {
    const token = this.peek();
    if (token === undefined || token.text === ',') return '';
    this.at++;
    if (token.symbol) throw this.unexpected(token.text, 'identifier');
    return token.text;
  }

  private set(): string[] {
    const open = this.next();
    if (open?.text !== '(') {
      throw new SelectorError(`unable to parse requirement: found '${open?.text ?? ''}' expected: '('`);
    }
    const values: string[] = [];
    for (;;) {
      const token = this.next();
      if (token === undefined) throw this.unexpected('', "',', ')' or identifier");
      if (token.text === ')' && token.symbol) {
        if (values.length === 0) values.push('');
        return [...new Set(values)].sort();
      }
      if (token.text === ',') {
        values.push('');
        continue;
      }
      if (token.symbol) throw this.unexpected(token.text, "',', ')' or identifier");
      values.push(token.text);
      const separator = this.peek();
      if (separator?.text === ',') this.at++;
      else if (separator?.text !== ')') throw this.unexpected(separator?.text ?? '', "',' or ')'");
    }
  }
}

function checkKey(key: string): void {
  const problems = labelKeyProblems(key);
  if (problems.length > 0) {
    throw new SelectorError(
      `unable to parse requirement: <nil>: Invalid value: ${JSON.stringify(key)}: ${problems.join('; ')}`,
    );
  }
}

export interface FieldRequirement {
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

/** Parses `metadata.name=web,status.phase!=Running`. Throws SelectorError with upstream's text. */
export function parseFieldSelector(text: string | undefined): FieldRequirement[] {
  if (text === undefined || text === '') return [];
  const requirements: FieldRequirement[] = [];
  for (const term of splitTerms(text)) {
    if (term === '') continue;
    const match = /^((?:\\.|[^=!\\])*?)(!=|==|=)((?:.|\n)*)$/.exec(term);
    if (match === null) throw new SelectorError(`invalid selector: '${text}'; can't understand '${term}'`);
    requirements.push({
      field: match[1]!,
      operator: match[2] === '!=' ? '!=' : '=',
      value: unescape(match[3]!),
    });
  }
  return requirements;
}

function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let term = '';
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\' && at + 1 < text.length) term += text[at]! + text[++at]!;
    else if (text[at] === ',') {
      terms.push(term);
      term = '';
    } else term += text[at];
  }
  terms.push(term);
  return terms;
}

function unescape(value: string): string {
  if (!value.includes('\\') && !/[,=]/.test(value)) return value;
  let plain = '';
  for (let at = 0; at < value.length; at++) {
    const character = value[at]!;
    if (character === '\\') {
      const escaped = value[++at];
      if (escaped === undefined || !'\\,='.includes(escaped)) {
        throw new SelectorError(`invalid field selector: invalid escape sequence: \\${escaped ?? ''}`);
      }
      plain += escaped;
    } else if (character === '=' || character === ',') {
      throw new SelectorError(`invalid field selector: unescaped character in value: ${character}`);
    } else plain += character;
  }
  return plain;
}
