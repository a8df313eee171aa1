// The shells that this one can be: bash, Debian's dash, busybox's ash. What they say and what they lack.
import { ArithmeticError } from './arithmetic.ts';
import type { ShellSyntaxError } from './syntax/syntax-error.ts';

export type DialectName = 'bash' | 'dash' | 'ash';

export interface Dialect {
  readonly name: DialectName;
  /** PS1 before any startup file. */
  readonly prompt: (root: boolean) => string;
  /** Whether lines are edited; dash leaves that to the terminal. */
  readonly edits: boolean;
  /** How a message begins. */
  prefix(context: MessageContext): string;
  /** What follows the prefix when a command isn't there. */
  notFound(name: string): string;
  /** The lines that report a syntax error. */
  syntaxError(error: ShellSyntaxError, context: MessageContext): string;
}

interface MessageContext {
  /** `$0`, or the file that is being run. */
  readonly name: string;
  readonly line: number;
  readonly interactive: boolean;
  /** What stands between name and line for texts that aren't files: `-c: `, `eval: `. */
  readonly where: string;
}

/** Builtins that dash and ash don't have. */
export const BASH_ONLY: readonly string[] = [
  'declare',
  'typeset',
  'shopt',
  'pushd',
  'popd',
  'dirs',
  'mapfile',
  'readarray',
  'disown',
  'enable',
  'caller',
  'complete',
  'compgen',
  'compopt',
  'builtin',
  'bind',
  'suspend',
  'logout',
];

const bash: Dialect = {
  name: 'bash',
  prompt: () => '\\s-\\v\\$ ',
  edits: true,
  prefix: ({ name, line, interactive }) => (interactive ? `${baseName(name)}: ` : `${name}: line ${line}: `),
  notFound: (name) => `${name}: command not found`,
  syntaxError(error, { name, interactive, where }) {
    const withLine = !interactive || where !== '';
    const shown = interactive ? baseName(name) : name;
    if (error.message === '') return '';
    const head = withLine ? `${shown}: ${where}line ${error.line}: ` : `${shown}: `;
    const source = error.sourceLine === undefined || !withLine ? '' : `${head}\`${error.sourceLine}'\n`;
    const more = error.more === undefined ? '' : `${head}${error.more}\n`;
    return `${head}${error.message}\n${more}${source}`;
  },
};

const dash: Dialect = {
  name: 'dash',
  prompt: (root) => (root ? '# ' : '$ '),
  edits: false,
  prefix: ({ name, line }) => `${name}: ${line}: `,
  notFound: (name) => `${name}: not found`,
  syntaxError(error, { name, where }) {
    const head = `${name}: ${error.line}: ${where === 'eval: ' ? where : ''}Syntax error: `;
    if (error.kind === 'message') return `${head}${error.message}\n`;
    if (error.kind !== 'match') return `${head}${tokenName(error)} unexpected${expecting(error)}\n`;
    const missing = /`(.+)'$/.exec(error.message)?.[1] ?? '}';
    if (missing === '`') return `${head}EOF in backquote substitution\n`;
    if (missing === ')') return `${head}end of file unexpected (expecting ")")\n`;
    return `${head}${missing === '}' ? "Missing '}'" : missing === '))' ? "Missing '))'" : 'Unterminated quoted string'}\n`;
  },
};

/** What dash and ash say of a failed expansion or assignment. */
export function lesserMessage(error: Error, dialect: 'dash' | 'ash'): string {
  const { message } = error;
  const isAsh = dialect === 'ash';
  if (error instanceof ArithmeticError && isAsh)
    return error.trouble === 'division by 0' ? 'divide by zero' : 'arithmetic syntax error';
  if (error instanceof ArithmeticError && error.trouble !== '')
    return `arithmetic expression: ${arithmeticTrouble(error.trouble)}: "${error.expression}"`;
  if (message.endsWith('bad substitution'))
    return isAsh ? 'syntax error: bad substitution' : 'Bad substitution';
  return message
    .replace(/: unbound variable$/, ': parameter not set')
    .replace(/parameter null or not set$/, 'parameter not set or null')
    .replace(/: readonly variable$/, ': is read only');
}

function arithmeticTrouble(message: string): string {
  if (message.endsWith('operand expected') || message === 'expression expected') return 'expecting primary';
  if (message.startsWith('missing')) return "expecting ')'";
  if (message.startsWith('`')) return "expecting ':'";
  return message === 'division by 0' ? 'division by zero' : 'expecting EOF';
}

const ash: Dialect = {
  name: 'ash',
  prompt: () => '\\w \\$ ',
  edits: true,
  prefix: ({ name }) => `${name}: `,
  notFound: (name) => `${name}: not found`,
  syntaxError(error, { name, where, interactive }) {
    const isEval = where === 'eval: ';
    const head = `${name}: ${isEval ? 'eval: ' : ''}${interactive || where === '-c: ' || where === 'eval: ' ? (isEval ? 'line 0: ' : '') : `line ${error.line}: `}syntax error: `;
    if (error.kind === 'message') return `${head}${error.message.toLowerCase()}\n`;
    if (error.kind !== 'match') return `${head}unexpected ${tokenName(error)}${expecting(error)}\n`;
    const missing = /`(.+)'$/.exec(error.message)?.[1] ?? '}';
    if (missing === '`') return `${head}EOF in backquote substitution\n`;
    if (missing === ')') return `${head}unexpected end of file (expecting ")")\n`;
    return `${head}${missing === '}' ? "missing '}'" : 'unterminated quoted string'}\n`;
  },
};

export const DIALECTS: Readonly<Record<DialectName, Dialect>> = { bash, dash, ash };

function tokenName(error: ShellSyntaxError): string {
  if (error.kind === 'end') return 'end of file';
  const token = error.token ?? 'newline';
  if (token === 'newline') return token;
  if (/[<>]/.test(token)) return 'redirection';
  return error.isWord ? 'word' : `"${token}"`;
}

function expecting(error: ShellSyntaxError): string {
  return error.expected === undefined ? '' : ` (expecting "${error.expected}")`;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
