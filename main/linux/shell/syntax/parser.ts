// The grammar of bash: from source text to commands, one complete line at a time.
import {
  plainText,
  type AndOr,
  type ArrayLiteral,
  type Assignment,
  type CaseItem,
  type Command,
  type DeclarationArgument,
  type HereDocument,
  type List,
  type ListItem,
  type Pipeline,
  type Redirect,
  type TestExpression,
  type Word,
} from './ast.ts';
import { ShellSyntaxError } from './syntax-error.ts';
import { isName, WordScanner, type ScanOptions, type TextMode } from './word-scanner.ts';

type Token =
  | {
      readonly kind: 'word';
      readonly word: Word;
      readonly assignment: Assignment | undefined;
      readonly start: number;
    }
  | { readonly kind: 'operator'; readonly text: string; readonly start: number }
  /** `3` or `{name}` right before a redirection. */
  | {
      readonly kind: 'descriptor';
      readonly fd: number | undefined;
      readonly name: string | undefined;
      readonly start: number;
    }
  | { readonly kind: 'newline'; readonly start: number }
  | { readonly kind: 'end'; readonly start: number };

const OPERATORS = [
  '&>>',
  '<<<',
  '<<-',
  ';;&',
  '&&',
  '||',
  ';;',
  ';&',
  '|&',
  '<<',
  '>>',
  '<&',
  '>&',
  '<>',
  '>|',
  '&>',
  '&',
  '|',
  ';',
  '(',
  ')',
  '<',
  '>',
];
const REDIRECTIONS = new Set(['<', '>', '>>', '<>', '>|', '<&', '>&', '&>', '&>>', '<<', '<<-', '<<<']);
const RESERVED = new Set([
  'if',
  'then',
  'else',
  'elif',
  'fi',
  'for',
  'while',
  'until',
  'do',
  'done',
  'case',
  'esac',
  'select',
  'function',
  'in',
  '{',
  '}',
  '!',
  '[[',
  ']]',
  'time',
  'coproc',
]);
/** Reserved words that can't begin a command. */
const CLOSERS = new Set(['then', 'else', 'elif', 'fi', 'do', 'done', 'esac', '}']);
/** Reserved words that begin a compound command. */
const COMPOUNDS = new Set(['{', 'if', 'for', 'select', 'while', 'until', 'case', '[[']);
/** Builtins whose arguments may be assignments. */
const DECLARATIONS = new Set(['declare', 'typeset', 'local', 'export', 'readonly', 'eval', 'alias', 'let']);
const UNARY_TESTS = /^-[abcdefghknoprstuvwxzGLNORS]$/;
const BINARY_TESTS = new Set([
  '==',
  '=',
  '!=',
  '=~',
  '<',
  '>',
  '-eq',
  '-ne',
  '-lt',
  '-le',
  '-gt',
  '-ge',
  '-nt',
  '-ot',
  '-ef',
]);
const NOTHING: ReadonlySet<string> = new Set();
/** What isn't in dash: reserved words, operators, and forms by how they begin. */
const DASH_LACKS: ReadonlySet<string> = new Set([
  '[[',
  ']]',
  'function',
  'select',
  'time',
  'coproc',
  '&>',
  '&>>',
  '|&',
  '<<<',
  ';&',
  ';;&',
  '<(',
  '=(',
  '((',
]);
const ASH_LACKS: ReadonlySet<string> = new Set(['select', 'coproc', '|&', '<<<', ';&', ';;&', '<(', '=(']);
/** How deep commands may nest. */
const DEPTH_MAX = 1000;
const EMPTY_WORD: Word = { parts: [], text: '', line: 0 };

/** Whether a word is one of bash's keywords. */
export function isReservedWord(text: string): boolean {
  return RESERVED.has(text);
}

/** Parses a source step by step, as bash does: a later syntax error doesn't stop what stands before it. */
export class Parser extends WordScanner {
  private token: Token | undefined;
  private assignmentsAllowed = true;
  private commandPosition = true;
  private depth = 0;
  /** Groups that are open. */
  private braces = 0;
  /** Aliases being expanded, with the position where each one's text ends. */
  private expanding: { name: string; end: number }[] = [];
  /** Set when an alias ended in a blank: the next word is looked up too. */
  private aliasNext = -1;

  // ── Entry points ──

  /**
   * The next complete command (up to a newline), or undefined at the end of the source.
   * Throws ShellSyntaxError; parsing may go on at the next line after that.
   */
  next(): List | undefined {
    this.startCommand();
    for (;;) {
      const token = this.peek();
      if (token.kind === 'end') {
        if (this.pendingHereDocuments.length > 0) this.readHereDocuments();
        return undefined;
      }
      if (token.kind !== 'newline') break;
      this.take();
    }
    const list = this.list(new Set(), true);
    const token = this.peek();
    if (token.kind !== 'newline' && token.kind !== 'end') throw this.unexpected(token);
    if (this.pendingHereDocuments.length > 0 && token.kind === 'end') this.readHereDocuments();
    if (token.kind === 'newline') this.token = undefined;
    return list;
  }

  /** All of the source at once. */
  all(): List {
    const items: ListItem[] = [];
    for (let list = this.next(); list !== undefined; list = this.next()) items.push(...list.items);
    return { items };
  }

  /** Switches the recognition of extended globs, for what hasn't been read yet. */
  setExtglob(extglob: boolean): void {
    this.extglob = extglob;
  }

  /**
   * Counts on from a line that an error was in, instead of the end of its command: bash forgets the lines between
   * (its line number is shared by parser and interpreter, and the jump to the top level leaves it as it is).
   */
  resumeAfter(line: number): void {
    this.line = line + 1;
  }

  /** Number of the line to be read next. */
  get nextLine(): number {
    return this.line;
  }

  /** How much of the source has been read. */
  get consumed(): number {
    return this.pos;
  }

  protected derive(text: string, line: number): WordScanner {
    return new Parser(text, { ...this.options, line, extglob: this.extglob });
  }

  protected substitution(): List {
    const saved = {
      token: this.token,
      allowed: this.assignmentsAllowed,
      command: this.commandPosition,
      documents: this.pendingHereDocuments,
    };
    this.token = undefined;
    this.pendingHereDocuments = [];
    const startLine = this.line;
    const items: ListItem[] = [];
    for (;;) {
      this.commandPosition = this.assignmentsAllowed = true;
      const token = this.peek();
      if (token.kind === 'end') throw this.matchError(')', Math.max(this.endLine(), startLine));
      if (token.kind === 'operator' && token.text === ')') break;
      if (token.kind === 'newline') {
        this.token = undefined;
        continue;
      }
      if (CLOSERS.has(this.reserved() ?? '')) {
        const error = this.unexpected(token, ')');
        error.inSubstitution = true;
        throw error;
      }
      try {
        items.push(...this.list(new Set(), true).items);
      } catch (error) {
        if (!(error instanceof ShellSyntaxError)) throw error;
        if (error.kind === 'end') throw this.matchError(')', error.line);
        error.inSubstitution = true;
        throw error;
      }
      const next = this.peek();
      if (next.kind === 'word' || (next.kind === 'operator' && next.text !== ')')) {
        const error = this.unexpected(next, ')');
        error.inSubstitution = true;
        throw error;
      }
    }
    this.token = undefined;
    this.pendingHereDocuments = [...this.pendingHereDocuments, ...saved.documents];
    this.token = saved.token;
    this.assignmentsAllowed = saved.allowed;
    this.commandPosition = saved.command;
    return { items };
  }

  // ── Tokens ──

  private peek(): Token {
    this.token ??= this.scanToken();
    return this.token;
  }

  /** Takes the token; what follows is read by the flags set from now on. */
  private take(): Token {
    const token = this.peek();
    this.token = undefined;
    return token;
  }

  private scanToken(): Token {
    this.skipBlanks();
    const start = this.pos;
    const c = this.source[start];
    if (c === undefined) {
      if (this.ended || start === 0 || this.source[start - 1] === '\n') return { kind: 'end', start };
      return this.virtualNewline(start);
    }
    if (c === '\n') {
      this.pos++;
      this.line++;
      if (this.pendingHereDocuments.length > 0) this.readHereDocuments();
      return { kind: 'newline', start };
    }
    const descriptor = this.scanDescriptor();
    if (descriptor !== undefined) return descriptor;
    if (!((c === '<' || c === '>') && this.source[start + 1] === '(') || this.lacks.has('<(')) {
      const operator = OPERATORS.find((text) => this.source.startsWith(text, start) && !this.lacks.has(text));
      if (operator !== undefined) {
        this.pos += operator.length;
        return { kind: 'operator', text: operator, start };
      }
    }
    if (this.assignmentsAllowed) {
      const assignment = this.scanAssignment();
      if (assignment !== undefined) {
        const word: Word = { parts: [], text: assignment.text, line: this.line };
        return { kind: 'word', word, assignment, start };
      }
    }
    const word = this.scanWord()!;
    if ((this.commandPosition || this.aliasNext === start) && this.expandAlias(word, start))
      return this.scanToken();
    return { kind: 'word', word, assignment: undefined, start };
  }

  /** A source's last line may lack its newline. */
  private virtualNewline(start: number): Token {
    this.ended = true;
    if (this.pendingHereDocuments.length > 0) this.readHereDocuments();
    if (this.options.dialect === undefined) this.line++;
    return { kind: 'newline', start };
  }

  private skipBlanks(): void {
    for (;;) {
      const c = this.source[this.pos];
      if (c === ' ' || c === '\t' || (c === '\r' && this.source[this.pos + 1] === undefined)) {
        if (this.aliasNext === this.pos) this.aliasNext++;
        this.pos++;
      } else if (c === '\\' && this.source[this.pos + 1] === '\n') {
        this.pos += 2;
        this.line++;
        if (this.pos >= this.source.length && this.options.onUnterminatedHereDocument === undefined) {
          throw new ShellSyntaxError('end', 'line continued', this.line);
        }
      } else if (c === '#') {
        const end = this.source.indexOf('\n', this.pos);
        this.pos = end < 0 ? this.source.length : end;
      } else {
        return;
      }
    }
  }

  private scanDescriptor(): Token | undefined {
    if (this.source[this.pos] === '{' && this.options.dialect !== undefined) return undefined;
    const match = /^(?:([0-9]{1,9})|\{([A-Za-z_][A-Za-z0-9_]*(?:\[[^\]\s]*\])?)\})(?=[<>])/.exec(
      this.source.slice(this.pos, this.pos + 80),
    );
    if (match === null) return undefined;
    const start = this.pos;
    this.pos += match[0].length;
    return {
      kind: 'descriptor',
      fd: match[1] === undefined ? undefined : Number(match[1]),
      name: match[2],
      start,
    };
  }

  private expandAlias(word: Word, start: number): boolean {
    const name = plainText(word);
    if (name === undefined || this.options.alias === undefined) return false;
    const text = this.options.alias(name);
    this.expanding = this.expanding.filter((entry) => start < entry.end);
    if (text === undefined || this.expanding.some((entry) => entry.name === name)) return false;
    const growth = text.length - (this.pos - start);
    for (const entry of this.expanding) entry.end += growth;
    this.source = this.source.slice(0, start) + text + this.source.slice(this.pos);
    this.expanding.push({ name, end: start + text.length + 1 });
    if (/[ \t]$/.test(text)) this.aliasNext = start + text.length;
    this.pos = start;
    return true;
  }

  /** `name=…`, `name[…]=…`, `name+=…`, with an array literal where one follows. */
  private scanAssignment(): Assignment | undefined {
    const start = this.pos;
    const line = this.line;
    const name = /^[A-Za-z_][A-Za-z0-9_]*/.exec(this.source.slice(start, start + 300))?.[0];
    if (name === undefined) return undefined;
    let at = start + name.length;
    let indexEnd: number | undefined;
    if (this.source[at] === '[' && this.options.dialect === undefined) {
      indexEnd = this.subscriptEnd(at);
      if (indexEnd === undefined) return undefined;
      at = indexEnd + 1;
    }
    const append = this.source[at] === '+' && this.options.dialect === undefined;
    if (append) at++;
    if (this.source[at] !== '=') return undefined;

    let index: Word | undefined;
    if (indexEnd !== undefined) {
      this.pos = start + name.length;
      const subscript = this.subscript();
      index =
        typeof subscript === 'string'
          ? { parts: [{ kind: 'quoted', text: subscript }], text: subscript, line }
          : subscript;
    }
    this.pos = at + 1;
    const value =
      this.source[this.pos] === '(' && !this.lacks.has('=(')
        ? this.arrayLiteral()
        : (this.scanWord() ?? { ...EMPTY_WORD, line });
    return { name, index, append, value, text: this.translated(start) };
  }

  private arrayLiteral(): ArrayLiteral {
    const line = this.line;
    const elements: { index: Word | undefined; append: boolean; value: Word }[] = [];
    this.pos++;
    for (;;) {
      this.skipBlanks();
      const c = this.source[this.pos];
      if (c === undefined) throw this.matchError(')', line);
      if (c === '\n') {
        this.pos++;
        this.line++;
        continue;
      }
      if (c === ')') {
        this.pos++;
        return { kind: 'array', elements };
      }
      elements.push(this.arrayElement());
    }
  }

  private arrayElement(): { index: Word | undefined; append: boolean; value: Word } {
    const line = this.line;
    if (this.source[this.pos] === '[') {
      const end = this.subscriptEnd(this.pos);
      const append = end !== undefined && this.source[end + 1] === '+' && this.source[end + 2] === '=';
      if (end !== undefined && (append || this.source[end + 1] === '=')) {
        const subscript = this.subscript();
        const index =
          typeof subscript === 'string'
            ? { parts: [{ kind: 'quoted' as const, text: subscript }], text: subscript, line }
            : subscript;
        this.pos += append ? 2 : 1;
        return { index, append, value: this.scanWord() ?? { ...EMPTY_WORD, line } };
      }
    }
    const value = this.scanWord();
    if (value === undefined) throw this.unexpected(this.scanToken());
    return { index: undefined, append: false, value };
  }

  /** `expected` is what dash would have liked instead. */
  private unexpected(token: Token, expected?: string): ShellSyntaxError {
    if (token.kind === 'end') {
      const error = new ShellSyntaxError('end', 'syntax error: unexpected end of file', this.endLine());
      error.expected = expected;
      return error;
    }
    const line = token.kind === 'newline' && this.options.dialect !== 'dash' ? this.line - 1 : this.line;
    const from = this.source.lastIndexOf('\n', Math.max(0, token.start - 1));
    const to = this.source.indexOf('\n', token.start);
    const sourceLine = this.source.slice(from === token.start ? from : from + 1, to < 0 ? undefined : to);
    const text = tokenText(token);
    const error = new ShellSyntaxError(
      'token',
      `syntax error near unexpected token \`${text}'`,
      line,
      sourceLine,
    );
    error.token = text;
    error.isWord = token.kind === 'word' && !this.isReserved(text);
    error.expected = expected;
    return error;
  }

  // ── Lists ──

  /** Commands up to one of the reserved words in `until`, or to the newline if `oneLine`. */
  private list(until: ReadonlySet<string>, oneLine = false): List {
    if (++this.depth > DEPTH_MAX)
      throw new ShellSyntaxError('message', 'maximum nesting of commands exceeded', this.line);
    const items: ListItem[] = [];
    this.startCommand();
    if (!oneLine) this.skipNewlines();
    while (!this.atListEnd(until) && !(items.length > 0 && CLOSERS.has(this.reserved() ?? ''))) {
      const command = this.andOr();
      const token = this.peek();
      const separator = token.kind === 'operator' ? token.text : token.kind;
      items.push({ command, background: separator === '&' });
      if (separator === '&' || separator === ';') {
        this.startCommand();
        this.take();
        if (oneLine && (this.peek().kind === 'newline' || this.peek().kind === 'end')) break;
      } else if (separator !== 'newline' || oneLine) {
        break;
      }
      if (!oneLine) this.skipNewlines();
      else if (this.atClosingOperator()) break;
    }
    this.depth--;
    if (items.length === 0) throw this.unexpected(this.peek());
    return { items };
  }

  private atClosingOperator(): boolean {
    const token = this.peek();
    return token.kind === 'operator' && token.text === ')';
  }

  private atListEnd(until: ReadonlySet<string>): boolean {
    const token = this.peek();
    if (token.kind === 'end') {
      if (until.size === 0) return true;
      throw this.unexpected(token, Array.from(until).at(-1));
    }
    if (token.kind === 'operator')
      return token.text === ')' || token.text.startsWith(';;') || token.text === ';&';
    const reserved = this.reserved();
    return reserved !== undefined && until.has(reserved);
  }

  private startCommand(): void {
    this.commandPosition = this.assignmentsAllowed = true;
  }

  private skipNewlines(): void {
    this.startCommand();
    while (this.peek().kind === 'newline') this.take();
  }

  /** The reserved word at the position. */
  private reserved(): string | undefined {
    const token = this.peek();
    if (token.kind !== 'word' || token.assignment !== undefined) return undefined;
    const text = plainText(token.word);
    return text !== undefined && text === token.word.text && this.isReserved(text) ? text : undefined;
  }

  private isReserved(text: string): boolean {
    return RESERVED.has(text) && !this.lacks.has(text);
  }

  /** What the dialect doesn't know. */
  private get lacks(): ReadonlySet<string> {
    if (this.options.dialect === 'dash') return DASH_LACKS;
    return this.options.dialect === 'ash' ? ASH_LACKS : NOTHING;
  }

  private expect(word: string): void {
    if (this.reserved() !== word) throw this.unexpected(this.peek(), word);
    this.startCommand();
    this.take();
  }

  private andOr(): AndOr {
    const first = this.pipeline();
    const rest: { operator: '&&' | '||'; pipeline: Pipeline }[] = [];
    for (;;) {
      const token = this.peek();
      if (token.kind !== 'operator' || (token.text !== '&&' && token.text !== '||')) return { first, rest };
      this.startCommand();
      this.take();
      this.skipNewlines();
      rest.push({ operator: token.text, pipeline: this.pipeline() });
    }
  }

  private pipeline(): Pipeline {
    let negated = false;
    let timed: Pipeline['timed'] = 'no';
    this.startCommand();
    for (let word = this.reserved(); word === '!' || word === 'time'; word = this.reserved()) {
      this.startCommand();
      this.take();
      if (word === '!') {
        negated = !negated;
      } else {
        timed = 'time';
        const option = this.peek();
        if (option.kind === 'word' && option.word.text === '-p') {
          this.startCommand();
          this.take();
          timed = 'time -p';
        }
      }
    }
    if ((timed !== 'no' || negated) && this.atPipelineEnd() && this.options.dialect !== 'dash')
      return { negated, timed, commands: [], joins: [] };

    const commands = [this.command()];
    const joins: boolean[] = [];
    for (;;) {
      const token = this.peek();
      if (token.kind !== 'operator' || (token.text !== '|' && token.text !== '|&')) break;
      this.startCommand();
      this.take();
      this.skipNewlines();
      joins.push(token.text === '|&');
      commands.push(this.command());
    }
    return { negated, timed, commands, joins };
  }

  private atPipelineEnd(): boolean {
    const token = this.peek();
    return (
      token.kind === 'newline' ||
      token.kind === 'end' ||
      (token.kind === 'operator' && /^(?:;|&|&&|\|\|)$/.test(token.text))
    );
  }

  // ── Commands ──

  protected command(): Command {
    const token = this.peek();
    const line = this.line;
    if (token.kind === 'operator') {
      if (token.text === '(') return this.parenthesis(line);
      if (!REDIRECTIONS.has(token.text)) throw this.unexpected(token);
      return this.simple();
    }
    if (token.kind === 'newline' || token.kind === 'end') throw this.unexpected(token);
    const reserved = this.reserved();
    const isWord = reserved === undefined || (reserved === 'in' && this.options.dialect !== 'dash');
    if (isWord || reserved === ']]') return this.simple();
    if (CLOSERS.has(reserved)) throw this.unexpected(token);
    switch (reserved) {
      case '{':
        return this.group(line);
      case 'if':
        return this.ifCommand(line);
      case 'for':
      case 'select':
        return this.forCommand(reserved, line);
      case 'while':
      case 'until':
        return this.whileCommand(reserved, line);
      case 'case':
        return this.caseCommand(line);
      case 'function':
        return this.functionCommand(line);
      case '[[':
        return this.testCommand(line);
      case 'coproc':
        return this.coprocCommand(line);
      default:
        throw this.unexpected(token);
    }
  }

  /** `((…))` or `(…)`. */
  private parenthesis(line: number): Command {
    const start = this.peek().start;
    if (this.source[start + 1] === '(' && !this.lacks.has('((')) {
      const end = this.arithmeticEnd(start + 2);
      if (end === 'never') throw this.matchError(')', line);
      if (end !== undefined) {
        const expression = this.takeArithmetic(start + 2, end);
        this.pos = end + 2;
        return { kind: 'arithmetic', expression, redirects: this.redirects(), line };
      }
    }
    this.startCommand();
    this.take();
    const body = this.list(new Set());
    if (!this.atClosingOperator()) throw this.unexpected(this.peek(), ')');
    this.commandPosition = this.assignmentsAllowed = false;
    this.take();
    return { kind: 'subshell', body, redirects: this.redirects(), line };
  }

  private takeArithmetic(from: number, to: number): Word {
    const line = this.line;
    const text = this.source.slice(from, to);
    this.token = undefined;
    this.countLines(text);
    this.pos = to;
    return this.subText(text, 'expression', line);
  }

  private group(line: number): Command {
    this.expect('{');
    this.braces++;
    const body = this.list(new Set(['}']));
    this.braces--;
    this.expectLast('}');
    return { kind: 'group', body, redirects: this.redirects(), line };
  }

  /** A reserved word that ends a command: only redirections and separators can follow. */
  private expectLast(word: string): void {
    if (this.reserved() !== word) throw this.unexpected(this.peek(), word);
    this.commandPosition = this.assignmentsAllowed = false;
    this.take();
  }

  private ifCommand(line: number): Command {
    const clauses: { condition: List; body: List }[] = [];
    let otherwise: List | undefined;
    this.expect('if');
    for (;;) {
      const condition = this.list(new Set(['then']));
      this.expect('then');
      const body = this.list(new Set(['elif', 'else', 'fi']));
      clauses.push({ condition, body });
      if (this.reserved() !== 'elif') break;
      this.expect('elif');
    }
    if (this.reserved() === 'else') {
      this.expect('else');
      otherwise = this.list(new Set(['fi']));
    }
    this.expectLast('fi');
    return { kind: 'if', clauses, otherwise, redirects: this.redirects(), line };
  }

  private forCommand(kind: 'for' | 'select', line: number): Command {
    this.commandPosition = this.assignmentsAllowed = false;
    this.take();
    const token = this.peek();
    if (
      kind === 'for' &&
      token.kind === 'operator' &&
      token.text === '(' &&
      this.options.dialect === undefined &&
      this.source[token.start + 1] === '('
    ) {
      return this.arithmeticFor(token.start + 2, line);
    }
    if (token.kind !== 'word' && this.options.dialect !== undefined)
      throw new ShellSyntaxError('message', 'Bad for loop variable', this.line);
    if (token.kind !== 'word') throw this.unexpected(token);
    const name = token.word.text;
    if (this.options.dialect !== undefined && !isName(name))
      throw new ShellSyntaxError('message', 'Bad for loop variable', this.line);
    this.startCommand();
    this.take();
    let words: Word[] | undefined;
    this.skipNewlines();
    if (this.reserved() === 'in') {
      this.commandPosition = this.assignmentsAllowed = false;
      this.take();
      words = [];
      for (let next = this.peek(); next.kind === 'word'; next = this.peek()) {
        words.push(next.word);
        this.take();
      }
      const end = this.peek();
      if (!(end.kind === 'newline' || (end.kind === 'operator' && end.text === ';')))
        throw this.unexpected(end);
      this.startCommand();
      this.take();
    } else if (this.isOperator(';')) {
      this.startCommand();
      this.take();
    }
    const body = this.doGroup();
    return { kind, name, words, body, redirects: this.redirects(), line };
  }

  private isOperator(text: string): boolean {
    const token = this.peek();
    return token.kind === 'operator' && token.text === text;
  }

  /** `do …; done`, or the `{ …; }` that bash takes as well. */
  private doGroup(): List {
    this.skipNewlines();
    if (this.reserved() === '{') {
      this.expect('{');
      const body = this.list(new Set(['}']));
      this.expectLast('}');
      return body;
    }
    this.expect('do');
    const body = this.list(new Set(['done']));
    this.expectLast('done');
    return body;
  }

  private arithmeticFor(from: number, line: number): Command {
    const end = this.arithmeticEnd(from);
    if (end === undefined || end === 'never') throw this.matchError(')', this.line);
    const pieces = splitTopLevel(this.source.slice(from, end));
    if (pieces.length !== 3)
      throw new ShellSyntaxError(
        'message',
        pieces.length > 3 ? "syntax error: `;' unexpected" : 'syntax error: arithmetic expression required',
        this.line,
        undefined,
        `syntax error: \`((${this.source.slice(from, end)}))'`,
      );
    const [initial, condition, step] = pieces.map((piece) => this.subText(piece, 'expression', line));
    this.takeArithmetic(from, end);
    this.pos = end + 2;
    this.startCommand();
    this.skipNewlines();
    if (this.isOperator(';')) this.take();
    const body = this.doGroup();
    return {
      kind: 'arithmetic-for',
      initial: initial!,
      condition: condition!,
      step: step!,
      body,
      redirects: this.redirects(),
      line,
    };
  }

  private whileCommand(kind: 'while' | 'until', line: number): Command {
    this.expect(kind);
    const condition = this.list(new Set(['do']));
    const body = this.doGroup();
    return { kind, condition, body, redirects: this.redirects(), line };
  }

  private caseCommand(line: number): Command {
    this.commandPosition = this.assignmentsAllowed = false;
    this.take();
    const subject = this.peek();
    if (subject.kind !== 'word') throw this.unexpected(subject);
    this.take();
    while (this.peek().kind === 'newline') this.take();
    if (this.reserved() !== 'in') throw this.unexpected(this.peek());
    this.take();
    const items: CaseItem[] = [];
    for (;;) {
      this.commandPosition = this.assignmentsAllowed = false;
      while (this.peek().kind === 'newline') this.take();
      if (this.reserved() === 'esac') break;
      items.push(this.caseItem());
    }
    this.expectLast('esac');
    return { kind: 'case', word: subject.word, items, redirects: this.redirects(), line };
  }

  private caseItem(): CaseItem {
    if (this.isOperator('(')) this.take();
    const patterns: Word[] = [];
    for (;;) {
      const token = this.peek();
      const closesGroup = token.kind === 'word' && token.word.text === '}' && this.braces > 0;
      if (token.kind !== 'word' || closesGroup) throw this.unexpected(token);
      patterns.push(token.word);
      this.take();
      if (!this.isOperator('|')) break;
      this.take();
    }
    if (!this.isOperator(')')) throw this.unexpected(this.peek());
    this.startCommand();
    this.take();
    this.skipNewlines();
    const empty = this.reserved() === 'esac' || this.atCaseEnd() !== undefined;
    const body = empty ? { items: [] } : this.list(new Set(['esac', ';;']));
    const terminator = this.atCaseEnd();
    this.commandPosition = this.assignmentsAllowed = false;
    if (terminator === undefined) {
      if (this.reserved() !== 'esac') throw this.unexpected(this.peek());
      return { patterns, body, terminator: ';;' };
    }
    this.take();
    return { patterns, body, terminator };
  }

  private atCaseEnd(): ';;' | ';&' | ';;&' | undefined {
    const token = this.peek();
    if (token.kind !== 'operator') return undefined;
    return token.text === ';;' || token.text === ';&' || token.text === ';;&' ? token.text : undefined;
  }

  private functionCommand(line: number): Command {
    this.commandPosition = this.assignmentsAllowed = false;
    this.take();
    const token = this.peek();
    if (token.kind !== 'word') throw this.unexpected(token);
    this.take();
    if (this.isOperator('(')) {
      const open = this.take();
      if (!this.isOperator(')')) throw this.unexpected(open);
      this.startCommand();
      this.take();
    }
    return this.functionBody(token.word.text, line);
  }

  private functionBody(name: string, line: number): Command {
    this.skipNewlines();
    const token = this.peek();
    if (this.options.dialect === 'dash')
      return { kind: 'function', name, body: this.command(), redirects: [], line };
    if (token.kind === 'word' && !COMPOUNDS.has(this.reserved() ?? '')) throw this.unexpected(token);
    const body = this.command();
    if (body.kind === 'simple' || body.kind === 'function' || body.kind === 'coproc')
      throw this.unexpected(token);
    return { kind: 'function', name, body, redirects: [], line };
  }

  private coprocCommand(line: number): Command {
    this.startCommand();
    this.take();
    let name: string | undefined;
    const token = this.peek();
    if (token.kind === 'word' && this.reserved() === undefined && isName(token.word.text)) {
      const after = this.source.slice(this.pos).trimStart();
      if (/^(?:\{|\(|while\b|for\b|if\b|until\b|case\b)/.test(after)) {
        name = token.word.text;
        this.startCommand();
        this.take();
      }
    }
    return { kind: 'coproc', name, body: this.command(), redirects: [], line };
  }

  // ── Simple commands ──

  private simple(): Command {
    const line = this.line;
    const assignments: Assignment[] = [];
    const words: (Word | DeclarationArgument)[] = [];
    const redirects: Redirect[] = [];
    let declares = false;
    for (;;) {
      const token = this.peek();
      if (token.kind === 'descriptor' || (token.kind === 'operator' && REDIRECTIONS.has(token.text))) {
        redirects.push(this.redirect());
        continue;
      }
      if (token.kind === 'operator' && token.text === '(' && words.length === 1 && assignments.length === 0) {
        const name = words[0]!.text;
        this.commandPosition = false;
        this.take();
        if (!this.isOperator(')')) throw this.unexpected(this.peek());
        this.startCommand();
        this.take();
        return this.functionBody(name, line);
      }
      if (token.kind !== 'word') break;
      if (token.assignment !== undefined) {
        if (words.length === 0) assignments.push(token.assignment);
        else words.push({ kind: 'declaration', assignment: token.assignment, text: token.assignment.text });
      } else {
        if (words.length === 0) declares = DECLARATIONS.has(plainText(token.word) ?? '');
        else if (words.length === 1 && /^(?:command|builtin)$/.test(words[0]!.text))
          declares = DECLARATIONS.has(token.word.text);
        words.push(token.word);
      }
      this.commandPosition = words.length === 0;
      this.assignmentsAllowed = words.length === 0 || declares;
      this.take();
    }
    return { kind: 'simple', assignments, words, redirects, line };
  }

  private redirects(): Redirect[] {
    this.commandPosition = this.assignmentsAllowed = false;
    const redirects: Redirect[] = [];
    for (;;) {
      const token = this.peek();
      if (token.kind !== 'descriptor' && !(token.kind === 'operator' && REDIRECTIONS.has(token.text)))
        return redirects;
      redirects.push(this.redirect());
    }
  }

  private redirect(): Redirect {
    const saved = { command: this.commandPosition, allowed: this.assignmentsAllowed };
    this.commandPosition = this.assignmentsAllowed = false;
    let fd: number | undefined;
    let fdVariable: string | undefined;
    const head = this.peek();
    if (head.kind === 'descriptor') {
      fd = head.fd;
      fdVariable = head.name;
      this.take();
    }
    const operatorToken = this.take();
    if (operatorToken.kind !== 'operator') throw this.unexpected(operatorToken);
    const operator = operatorToken.text as Redirect['operator'];
    const line = this.line;
    const token = this.peek();
    if (token.kind !== 'word') throw this.unexpected(token);
    this.commandPosition = saved.command;
    this.assignmentsAllowed = saved.allowed;
    let hereDocument: HereDocument | undefined;
    if (operator === '<<' || operator === '<<-') {
      hereDocument = {
        delimiter: unquoted(token.word),
        quoted: token.word.parts.some((part) => part.kind === 'quoted' || part.kind === 'double'),
        stripTabs: operator === '<<-',
        body: EMPTY_WORD,
        raw: '',
      };
      this.pendingHereDocuments.push({ document: hereDocument, line });
    }
    this.take();
    return { fd, fdVariable, operator, target: token.word, hereDocument };
  }

  // ── [[ … ]] ──

  private testCommand(line: number): Command {
    this.commandPosition = this.assignmentsAllowed = false;
    this.take();
    const savedExtglob = this.extglob;
    const startLine = this.line;
    const expression = this.testOr();
    if (this.testWordText() !== ']]') {
      const token = this.peek();
      if (this.atSourceEnd(token)) throw this.testError("unexpected EOF while looking for `]]'", startLine);
      throw token.kind === 'word'
        ? this.testError('syntax error in conditional expression', startLine)
        : this.testError(
            `syntax error in conditional expression: unexpected token \`${tokenText(token)}'`,
            startLine,
          );
    }
    this.extglob = savedExtglob;
    this.take();
    return { kind: 'test', expression, redirects: this.redirects(), line };
  }

  private atSourceEnd(token: Token): boolean {
    return token.kind === 'end' || (token.kind === 'newline' && this.pos >= this.source.length);
  }

  /** bash takes what is behind a bad [[ for the end of the input, and says no more about it. */
  private testError(message: string, line = this.lineOf(this.peek())): ShellSyntaxError {
    const ended = this.atSourceEnd(this.peek());
    return new ShellSyntaxError(ended ? 'test-end' : 'test', message, line);
  }

  private lineOf(token: Token): number {
    return token.kind === 'newline' ? this.line - 1 : this.line;
  }

  private testWordText(): string | undefined {
    const token = this.peek();
    if (token.kind === 'word') return token.word.text;
    return token.kind === 'operator' ? token.text : undefined;
  }

  private skipTestNewlines(): void {
    while (this.peek().kind === 'newline') this.take();
  }

  private testOr(): TestExpression {
    let left = this.testAnd();
    while (this.isOperator('||')) {
      this.take();
      left = { kind: 'or', left, right: this.testAnd() };
    }
    return left;
  }

  private testAnd(): TestExpression {
    let left = this.testPrimary();
    while (this.isOperator('&&')) {
      this.take();
      left = { kind: 'and', left, right: this.testPrimary() };
    }
    return left;
  }

  private testPrimary(): TestExpression {
    this.skipTestNewlines();
    const token = this.peek();
    const { line } = this;
    if (this.isOperator('(')) {
      this.take();
      const operand = this.inParentheses(line);
      if (!this.isOperator(')')) {
        const next = this.peek();
        throw this.testError(
          next.kind === 'word' && next.word.text !== ']]'
            ? "expected `)'"
            : `unexpected token \`${tokenText(next)}', expected \`)'`,
          line,
        );
      }
      this.take();
      this.skipTestNewlines();
      return { kind: 'group', operand };
    }
    if (token.kind !== 'word')
      throw this.testError(`unexpected token \`${tokenText(token)}' in conditional command`);
    const text = token.word.text;
    if (text === ']]') throw this.testError('');
    if (text === '!') {
      this.take();
      return { kind: 'not', operand: this.testPrimary() };
    }
    this.take();
    if (!UNARY_TESTS.test(text)) return this.testBinary(token.word);
    const operand = this.peek();
    if (operand.kind !== 'word' || operand.word.text === ']]')
      throw this.testError(`unexpected argument \`${tokenText(operand)}' to conditional unary operator`);
    this.take();
    this.skipTestNewlines();
    return { kind: 'unary', operator: text, operand: operand.word };
  }

  /** A test in parentheses; an error in it is one of the parentheses too. */
  private inParentheses(line: number): TestExpression {
    try {
      return this.testOr();
    } catch (error) {
      if (!(error instanceof ShellSyntaxError) || !error.kind.startsWith('test')) throw error;
      let last = error;
      while (last.then !== undefined) last = last.then;
      last.then = new ShellSyntaxError(error.kind, "expected `)'", line);
      throw error;
    }
  }

  private testBinary(left: Word): TestExpression {
    const operator = this.testWordText();
    if (operator === undefined || !BINARY_TESTS.has(operator)) {
      if (operator === ']]' || operator === '&&' || operator === '||' || operator === ')')
        return { kind: 'unary', operator: '-n', operand: left };
      const token = this.peek();
      throw this.testError(
        token.kind === 'word'
          ? 'conditional binary operator expected'
          : `unexpected token \`${tokenText(token)}', conditional binary operator expected`,
      );
    }
    this.token = undefined;
    let right: Word | undefined;
    if (operator === '=~') {
      right = this.scanRegex();
    } else {
      const savedExtglob = this.extglob;
      this.extglob = operator === '==' || operator === '=' || operator === '!=' || savedExtglob;
      const token = this.peek();
      this.extglob = savedExtglob;
      if (token.kind === 'word' && token.word.text !== ']]') right = token.word;
      this.token = right === undefined ? token : undefined;
    }
    if (right === undefined)
      throw this.testError(`unexpected argument \`${tokenText(this.peek())}' to conditional binary operator`);
    this.skipTestNewlines();
    return { kind: 'binary', operator, left, right };
  }

  /** The right side of `=~`: parentheses, bars and angle brackets are part of it. */
  private scanRegex(): Word | undefined {
    while (this.source[this.pos] === ' ' || this.source[this.pos] === '\t') this.pos++;
    const start = this.pos;
    const line = this.line;
    const parts: Word['parts'][number][] = [];
    let depth = 0;
    for (;;) {
      const c = this.source[this.pos];
      if (c === undefined) {
        if (depth === 0) throw this.matchError(']]', line);
        const error = this.matchError(')', line);
        error.then = new ShellSyntaxError(
          'test-end',
          'unexpected argument to conditional binary operator',
          this.endLine(),
        );
        throw error;
      }
      if (c === '(') depth++;
      else if (c === ')') {
        if (depth === 0) break;
        depth--;
      } else if (depth === 0 && /[\s;&]/.test(c)) {
        break;
      } else if (depth === 0 && this.source.startsWith('||', this.pos)) {
        break;
      } else if (c === '[') {
        const bracket = /^\[\^?\]?(?:\[[:.=][a-z]*[:.=]\]|[^\]\s$"'`\\])*\]/.exec(
          this.source.slice(this.pos),
        );
        if (bracket !== null) {
          parts.push({ kind: 'literal', text: bracket[0] });
          this.pos += bracket[0].length;
          continue;
        }
      } else if (!/[|<>\s&;]/.test(c)) {
        const word = this.scanWord();
        if (word !== undefined) {
          parts.push(...word.parts);
          continue;
        }
      }
      if (c === '\n') this.line++;
      parts.push({ kind: 'literal', text: c });
      this.pos++;
    }
    const text = this.source.slice(start, this.pos);
    if (text === ']]') this.pos = start;
    return text === '' || text === ']]' ? undefined : { parts, text, line };
  }
}

function tokenText(token: Token): string {
  if (token.kind === 'word') return token.word.text;
  if (token.kind === 'operator') return token.text;
  if (token.kind === 'descriptor') return token.name === undefined ? String(token.fd) : `{${token.name}}`;
  return 'newline';
}

/** A here-document's delimiter with its quotes removed. */
function unquoted(word: Word): string {
  return word.parts
    .map((part) => {
      if (part.kind === 'literal' || part.kind === 'quoted') return part.text;
      if (part.kind === 'double')
        return part.parts.map((inner) => ('text' in inner ? inner.text : '')).join('');
      return 'text' in part ? part.text : '';
    })
    .join('');
}

/** Splits the header of an arithmetic `for` at its semicolons. */
function splitTopLevel(text: string): string[] {
  const pieces: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '(') depth++;
    else if (c === ')') depth--;
    else if (c === ';' && depth === 0) {
      pieces.push(text.slice(from, i));
      from = i + 1;
    }
  }
  pieces.push(text.slice(from));
  return pieces;
}

/** Parses a text that is expanded without being a command's word: a prompt, a `${v@P}`, an arithmetic argument. */
export function parseText(text: string, mode: TextMode, options: ScanOptions = {}): Word {
  return new Parser(text, options).scanText(mode);
}
