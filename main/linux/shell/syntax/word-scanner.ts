// Reads words from shell source: quoting, expansions and their nesting.
import type { Command, HereDocument, List, ParameterOperation, ParameterPart, Part, Word } from './ast.ts';
import { decodeEscapes } from './ansi-c.ts';
import { ShellSyntaxError } from './syntax-error.ts';

export interface ScanOptions {
  /** The lesser shell whose syntax counts; absent: bash. */
  readonly dialect?: 'dash' | 'ash' | undefined;
  /** First line's number; 1 if absent. */
  readonly line?: number;
  readonly extglob?: boolean;
  /** Text of an alias, for words in command position. */
  readonly alias?: (name: string) => string | undefined;
  /** Told when a here-document is ended by the input's end; absent: that counts as incomplete. */
  readonly onUnterminatedHereDocument?: (line: number, startLine: number, delimiter: string) => void;
}

/** How deep expansions may nest before bash, too, would run out of stack. */
const NESTING_MAX = 500;

const META = new Set([' ', '\t', '\n', '|', '&', ';', '(', ')', '<', '>']);
const NAME_START = /[A-Za-z_]/;

/** How quotes count in text that is expanded without being a word of a command. */
export type TextMode =
  /** Here-documents and prompts: `"` and `'` are themselves. */
  | 'here-document'
  /** Subscripts: quotes vanish. */
  | 'arithmetic'
  /** Arithmetic: double quotes vanish, single ones are characters. */
  | 'expression'
  /** As in an unquoted word, blanks included. */
  | 'word';

/** A position in source, and everything that can be read without knowing the grammar of commands. */
export abstract class WordScanner {
  protected source: string;
  protected pos = 0;
  protected line: number;
  protected readonly options: ScanOptions;
  protected extglob: boolean;
  protected pendingHereDocuments: { document: HereDocument; line: number }[] = [];
  private nesting = 0;
  private fixedLine: number | undefined;
  /** Where $'…' stood: bash keeps it as the '…' it stands for, which shows in `type` and job texts. */
  private readonly translations: { from: number; to: number; text: string }[] = [];
  /** Set once the newline that the source lacks at its end has been supplied. */
  protected ended = false;

  constructor(source: string, options: ScanOptions = {}) {
    this.source = source;
    this.options = options;
    this.line = options.line ?? 1;
    this.extglob = options.extglob ?? false;
  }

  /** Parses commands up to the `)` that ends a substitution, and consumes it. */
  protected abstract substitution(): List;

  protected abstract command(): Command;

  protected matchError(closing: string, line: number): ShellSyntaxError {
    const at = this.options.dialect === 'dash' ? this.endLine() : line; // dash tells where it ended.
    return new ShellSyntaxError('match', `unexpected EOF while looking for matching \`${closing}'`, at);
  }

  /** The number bash gives to a missing end: the line after the last. */
  protected endLine(): number {
    let line = this.line;
    for (let i = this.pos; i < this.source.length; i++) if (this.source[i] === '\n') line++;
    return this.ended || this.source.endsWith('\n') || this.options.dialect === 'dash' ? line : line + 1;
  }

  protected isWordEnd(): boolean {
    const c = this.source[this.pos];
    return c === undefined || META.has(c);
  }

  /** Reads a word up to a metacharacter; undefined where there is none. */
  protected scanWord(): Word | undefined {
    const start = this.pos;
    const line = this.line;
    const parts: Part[] = [];
    let literal = '';
    const flush = (): void => {
      if (literal !== '') parts.push({ kind: 'literal', text: literal });
      literal = '';
    };
    for (;;) {
      const c = this.source[this.pos];
      if (c === undefined) break;
      if (
        (c === '<' || c === '>') &&
        this.source[this.pos + 1] === '(' &&
        this.options.dialect === undefined
      ) {
        flush();
        parts.push(this.processSubstitution(c));
        continue;
      }
      if (
        c === '(' &&
        this.extglob &&
        literal !== '' &&
        '?*+@!'.includes(literal.at(-1)!) &&
        this.pos > start
      ) {
        literal += this.scanExtglob(parts, literal);
        const last = literal;
        literal = last.slice(last.lastIndexOf('\0') + 1);
        continue;
      }
      if (META.has(c)) break;
      if (c === '\\') {
        if (this.source[this.pos + 1] === '\n') {
          this.pos += 2;
          this.line++;
          continue;
        }
        flush();
        const next = this.source[this.pos + 1];
        parts.push({ kind: 'quoted', text: next ?? '\\' });
        this.pos += next === undefined ? 1 : 2;
        continue;
      }
      const special = this.scanSpecial(c, false);
      if (special === undefined) {
        literal += c;
        this.pos++;
      } else {
        flush();
        parts.push(special);
      }
    }
    flush();
    if (this.pos === start) return undefined;
    blame(parts, this.source.slice(start, this.pos));
    return { parts, text: this.translated(start), line };
  }

  /** The source from `start` to here. */
  protected translated(start: number): string {
    let text = '';
    let at = start;
    for (const translation of this.translations) {
      if (translation.from < at || translation.to > this.pos) continue;
      text += `${this.source.slice(at, translation.from)}'${translation.text.replaceAll("'", "'\\''")}'`;
      at = translation.to;
    }
    return text + this.source.slice(at, this.pos);
  }

  /** Reads `(…)` of an extended glob into parts; returns the trailing literal (after a NUL when parts were added). */
  private scanExtglob(parts: Part[], literal: string): string {
    const line = this.line;
    let text = '(';
    this.pos++;
    let depth = 1;
    let flushed = false;
    const emit = (part: Part): void => {
      const head = flushed ? text : literal + text;
      if (head !== '') parts.push({ kind: 'literal', text: head });
      text = '';
      flushed = true;
      parts.push(part);
    };
    while (depth > 0) {
      const c = this.source[this.pos];
      if (c === undefined) throw this.matchError(')', line);
      if (c === '\\') {
        emit({ kind: 'quoted', text: this.source[this.pos + 1] ?? '\\' });
        this.pos += 2;
        continue;
      }
      const special = this.scanSpecial(c, false);
      if (special !== undefined) {
        emit(special);
        continue;
      }
      if (c === '(') depth++;
      if (c === ')') depth--;
      if (c === '\n') this.line++;
      text += c;
      this.pos++;
    }
    return flushed ? `\0${text}` : text;
  }

  /** A quote or expansion at the position, or undefined when the character is an ordinary one. */
  private scanSpecial(c: string, inDouble: boolean): Part | undefined {
    if (c === "'" && !inDouble) return this.singleQuoted();
    if (c === '"' && !inDouble) return this.doubleQuoted();
    if (c === '`') return this.backquoted(inDouble);
    if (c === '$') return this.dollar(inDouble);
    return undefined;
  }

  private singleQuoted(): Part {
    const end = this.source.indexOf("'", this.pos + 1);
    if (end < 0) throw this.matchError("'", this.line);
    const text = this.source.slice(this.pos + 1, end);
    this.countLines(text);
    this.pos = end + 1;
    return { kind: 'quoted', text };
  }

  private doubleQuoted(): Part {
    const line = this.line;
    this.pos++;
    const start = this.pos;
    const parts: Part[] = [];
    let literal = '';
    for (;;) {
      const c = this.source[this.pos];
      if (c === undefined) throw this.matchError('"', line);
      if (c === '"') break;
      if (c === '\\') {
        const next = this.source[this.pos + 1];
        this.pos += 2;
        if (next === '\n') this.line++;
        else if (next !== undefined && '$`"\\'.includes(next)) literal += next;
        else literal += `\\${next ?? ''}`;
        continue;
      }
      const special = this.scanSpecial(c, true);
      if (special !== undefined) {
        if (literal !== '') parts.push({ kind: 'quoted', text: literal });
        literal = '';
        parts.push(special);
        continue;
      }
      if (c === '\n') this.line++;
      literal += c;
      this.pos++;
    }
    blame(parts, this.source.slice(start, this.pos));
    this.pos++;
    if (literal !== '') parts.push({ kind: 'quoted', text: literal });
    return { kind: 'double', parts };
  }

  private backquoted(inDouble: boolean): Part {
    const line = this.line;
    let source = '';
    this.pos++;
    for (;;) {
      const c = this.source[this.pos];
      if (c === undefined) throw this.matchError('`', line);
      if (c === '`') break;
      if (c === '\\') {
        const next = this.source[this.pos + 1] ?? '';
        const unescaped = next === '$' || next === '`' || next === '\\' || (inDouble && next === '"');
        source += unescaped ? next : `\\${next}`;
        if (next === '\n') this.line++;
        this.pos += 2;
        continue;
      }
      if (c === '\n') this.line++;
      source += c;
      this.pos++;
    }
    this.pos++;
    return { kind: 'command', list: undefined, source, line: this.fixedLine ?? line };
  }

  /** `$…`; undefined when the dollar stands for itself. */
  private dollar(inDouble: boolean): Part | undefined {
    const next = this.source[this.pos + 1];
    if (next === undefined) return undefined;
    if (next === '(') return this.dollarParenthesis();
    if (next === '{') return this.nested(() => this.bracedParameter(inDouble));
    if (next === '[' && this.options.dialect === undefined) return this.dollarBracket();
    if (next === "'" && !inDouble && this.options.dialect !== 'dash') return this.ansiCQuoted();
    if (next === '"' && !inDouble && this.options.dialect !== 'dash') {
      this.pos++;
      return this.doubleQuoted();
    }
    const name = NAME_START.test(next)
      ? /^[A-Za-z0-9_]+/.exec(this.source.slice(this.pos + 1, this.pos + 300))![0]
      : next;
    if (!NAME_START.test(next) && !/[0-9@*#?$!-]/.test(next)) return undefined;
    this.pos += 1 + name.length;
    return simpleParameter(name);
  }

  private nested<T>(scan: () => T): T {
    if (++this.nesting > NESTING_MAX)
      throw new ShellSyntaxError('message', 'expansion nested too deeply', this.line);
    try {
      return scan();
    } finally {
      this.nesting--;
    }
  }

  private dollarParenthesis(): Part {
    if (this.source[this.pos + 2] === '(') {
      const end = this.arithmeticEnd(this.pos + 3);
      if (end === 'never') throw this.matchError(')', this.line);
      if (end !== undefined) {
        const line = this.line;
        const text = this.source.slice(this.pos + 3, end);
        this.countLines(text);
        this.pos = end + 2;
        return { kind: 'arithmetic', expression: this.subText(text, 'expression', line) };
      }
    }
    const { line } = this;
    const start = this.pos + 2;
    this.pos = start;
    this.line = this.fixedLine ?? line;
    const list = this.nested(() => this.substitution());
    if (this.fixedLine !== undefined) this.line = line;
    return { kind: 'command', list, source: this.source.slice(start, this.pos - 1), line };
  }

  /** Where `))` closes an arithmetic expansion that starts at `from`; undefined if it's a command after all. */
  protected arithmeticEnd(from: number): number | 'never' | undefined {
    let depth = 0;
    let isClosed = false;
    for (let i = from; i < this.source.length; i++) {
      const c = this.source[i];
      if (c === '\\') i++;
      else if (c === "'" || c === '"') {
        const close = this.source.indexOf(c, i + 1);
        if (close < 0) return undefined;
        i = close;
      } else if (c === '(') depth++;
      else if (c === ')') {
        if (depth === 0 && this.source[i + 1] === ')') return isClosed ? undefined : i;
        if (depth === 0) {
          if (isClosed) return undefined;
          isClosed = true; // The outer parenthesis must be closed, too.
        } else depth--;
      }
    }
    return 'never';
  }

  private dollarBracket(): Part {
    const line = this.line;
    let depth = 1;
    let end = this.pos + 2;
    for (; end < this.source.length; end++) {
      if (this.source[end] === '[') depth++;
      if (this.source[end] === ']' && --depth === 0) break;
    }
    if (depth > 0) throw this.matchError(']', line);
    const text = this.source.slice(this.pos + 2, end);
    this.countLines(text);
    this.pos = end + 1;
    return { kind: 'arithmetic', expression: this.subText(text, 'expression', line) };
  }

  private ansiCQuoted(): Part {
    const start = this.pos + 2;
    let end = start;
    while (this.source[end] !== "'") {
      if (end >= this.source.length) throw this.matchError("'", this.line);
      end += this.source[end] === '\\' ? 2 : 1;
    }
    const raw = this.source.slice(start, end);
    this.countLines(raw);
    this.pos = end + 1;
    const text = decodeEscapes(raw, 'ansi-c').value;
    this.translations.push({ from: start - 2, to: this.pos, text });
    return { kind: 'quoted', text };
  }

  private processSubstitution(direction: '<' | '>'): Part {
    this.pos += 2;
    return { kind: 'process', direction, list: this.nested(() => this.substitution()) };
  }

  // ── ${…} ──

  private bracedParameter(inDouble: boolean): Part {
    const start = this.pos;
    const line = this.line;
    this.pos += 2;
    const bad = (): ParameterPart => {
      this.skipToBrace(line);
      const text = this.source.slice(start, this.pos);
      return {
        kind: 'parameter',
        name: '',
        index: undefined,
        indirect: false,
        length: false,
        operation: { kind: 'bad' },
        text,
      };
    };

    let length = false;
    let indirect = false;
    if (
      this.source[this.pos] === '#' &&
      /^#(?:[A-Za-z_0-9]|[@*?$!-]\}|#\})/.test(this.source.slice(this.pos, this.pos + 3))
    ) {
      length = true;
      this.pos++;
    } else if (this.source[this.pos] === '!' && /[A-Za-z_0-9@*#?$]/.test(this.source[this.pos + 1] ?? '')) {
      indirect = true;
      this.pos++;
    }
    const name = this.parameterName();
    if (name === undefined) return bad();
    let index: Word | '@' | '*' | undefined;
    if (this.source[this.pos] === '[' && NAME_START.test(name)) {
      const end = this.subscriptEnd(this.pos);
      if (end === undefined || end === this.pos + 1 || this.bracesEndBefore(end)) return bad();
      index = this.subscript();
    }

    let operation: ParameterOperation | undefined;
    if (this.source[this.pos] !== '}') {
      if (length) return bad();
      operation = this.parameterOperation(inDouble, indirect && index === undefined);
      if (operation === undefined || (operation.kind === 'case' && /^[?$!#-]$/.test(name))) return bad();
    }
    if (this.source[this.pos] === undefined) throw this.matchError('}', line);
    if (this.source[this.pos] !== '}') return bad();
    const isPosix =
      operation === undefined ||
      operation.kind === 'default' ||
      operation.kind === 'trim' ||
      (this.options.dialect === 'ash' && (operation.kind === 'slice' || operation.kind === 'replace'));
    if (this.options.dialect !== undefined && (!isPosix || indirect || index !== undefined)) return bad();
    this.pos++;
    return {
      kind: 'parameter',
      name,
      index,
      indirect,
      length,
      operation,
      text: this.source.slice(start, this.pos),
    };
  }

  /** Whether a `}` closes the present parameter before a position. */
  private bracesEndBefore(end: number): boolean {
    if (!this.source.slice(this.pos, end).includes('}')) return false;
    let depth = 1;
    for (let i = this.pos; i < end; i++) {
      const c = this.source[i];
      if (c === '\\') i++;
      else if (c === '$' && this.source[i + 1] === '{') depth++;
      else if (c === '}' && --depth === 0) return true;
    }
    return false;
  }

  private parameterName(): string | undefined {
    const name = /^(?:[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-])/.exec(
      this.source.slice(this.pos, this.pos + 300),
    )?.[0];
    if (name === undefined) return undefined;
    this.pos += name.length;
    return name;
  }

  /** `[…]` at the position. */
  protected subscript(): Word | '@' | '*' {
    const line = this.line;
    const end = this.subscriptEnd(this.pos);
    if (end === undefined) throw this.matchError(']', line);
    const text = this.source.slice(this.pos + 1, end);
    this.pos = end + 1;
    this.countLines(text);
    if (text === '@' || text === '*') return text;
    return this.subText(text, 'arithmetic', line);
  }

  protected subscriptEnd(open: number): number | undefined {
    let depth = 0;
    for (let i = open; i < this.source.length; i++) {
      const c = this.source[i];
      if (c === '\\') i++;
      else if (c === '$' && this.source[i + 1] === "'") {
        for (i += 2; i < this.source.length && this.source[i] !== "'"; i++) if (this.source[i] === '\\') i++;
      } else if (c === "'" || c === '"') {
        const close = this.source.indexOf(c, i + 1);
        if (close < 0) return undefined;
        i = close;
      } else if (c === '$' && (this.source[i + 1] === '{' || this.source[i + 1] === '(')) {
        const closing = this.closeOf(i + 1);
        if (closing === undefined) return undefined;
        i = closing;
      } else if (c === '[') depth++;
      else if (c === ']' && --depth === 0) return i;
    }
    return undefined;
  }

  /** The bracket that closes the one at `open`, quotes respected. */
  private closeOf(open: number): number | undefined {
    const [opening, closing] = this.source[open] === '{' ? ['{', '}'] : ['(', ')'];
    let depth = 0;
    for (let i = open; i < this.source.length; i++) {
      const c = this.source[i];
      if (c === '\\') i++;
      else if (c === "'" || c === '"') {
        const close = this.source.indexOf(c, i + 1);
        if (close < 0) return undefined;
        i = close;
      } else if (c === opening) depth++;
      else if (c === closing && --depth === 0) return i;
    }
    return undefined;
  }

  private parameterOperation(inDouble: boolean, indirect: boolean): ParameterOperation | undefined {
    const rest = this.source.slice(this.pos, this.pos + 3);
    const take = (length: number): void => void (this.pos += length);
    if (indirect && /^[@*]\}/.test(rest)) {
      take(1);
      return { kind: 'names', star: rest[0] === '*' };
    }
    const byDefault = /^(:?)([-=?+])/.exec(rest);
    if (byDefault !== null) {
      take(byDefault[0].length);
      const operator = byDefault[2] as '-' | '=' | '?' | '+';
      return {
        kind: 'default',
        operator,
        colon: byDefault[1] === ':',
        word: this.operand(inDouble, false, ''),
      };
    }
    if (rest[0] === ':') {
      if (rest[1] === '}') return undefined;
      take(1);
      const offset = this.sliceOperand();
      const length = this.source[this.pos] === ':' ? (take(1), this.sliceOperand()) : undefined;
      return { kind: 'slice', offset, length };
    }
    const trim = /^(?:##?|%%?)/.exec(rest)?.[0];
    if (trim !== undefined) {
      take(trim.length);
      return { kind: 'trim', operator: trim as '#', pattern: this.operand(inDouble, true, '') };
    }
    if (rest[0] === '/') return this.replaceOperation(inDouble);
    const changeCase = /^(?:\^\^?|,,?|~~?)/.exec(rest)?.[0];
    if (changeCase !== undefined) {
      take(changeCase.length);
      const pattern = this.source[this.pos] === '}' ? undefined : this.operand(inDouble, true, '');
      return { kind: 'case', operator: changeCase as '^', pattern };
    }
    if (/^@[A-Za-z]/.test(rest)) {
      take(2);
      return { kind: 'transform', operator: rest[1]! };
    }
    return undefined;
  }

  private replaceOperation(inDouble: boolean): ParameterOperation {
    this.pos++;
    const c = this.source[this.pos];
    let where: 'first' | 'all' | 'prefix' | 'suffix' = 'first';
    if (c === '/') where = 'all';
    else if (c === '#') where = 'prefix';
    else if (c === '%') where = 'suffix';
    if (where !== 'first') this.pos++;
    const pattern = this.operand(inDouble, true, '/', where === 'all');
    let replacement: Word | undefined;
    if (this.source[this.pos] === '/') {
      this.pos++;
      replacement = this.operand(inDouble, true, '');
    }
    return { kind: 'replace', where, pattern, replacement };
  }

  /** The word behind an operator, up to `}` or the character `until`; with `takesFirst` that may begin it. */
  private operand(inDouble: boolean, isPattern: boolean, until: string, takesFirst = false): Word {
    const start = this.pos;
    /** Line of the single quote that is open. */
    let single: number | undefined;
    const line = this.line;
    const parts: Part[] = [];
    let literal = '';
    const flush = (): void => {
      if (literal !== '')
        parts.push(
          inDouble && !isPattern ? { kind: 'quoted', text: literal } : { kind: 'literal', text: literal },
        );
      literal = '';
    };
    for (;;) {
      const c = this.source[this.pos];
      if (c === undefined)
        throw single === undefined ? this.matchError('}', line) : this.matchError("'", single);
      if (single === undefined && (c === '}' || (c === until && (!takesFirst || this.pos > start)))) break;
      if (c === '\\') {
        const next = this.source[this.pos + 1];
        this.pos += 2;
        if (next === '\n') {
          this.line++;
        } else if (inDouble && !isPattern && !'$`"\\}'.includes(next ?? ' ')) {
          literal += `\\${next ?? ''}`;
        } else {
          flush();
          parts.push({ kind: 'quoted', text: next ?? '\\' });
        }
        continue;
      }
      if ((c === '<' || c === '>') && this.source[this.pos + 1] === '(' && !inDouble) {
        flush();
        parts.push(this.processSubstitution(c));
        continue;
      }
      if (inDouble && !isPattern && this.options.dialect === undefined) {
        // In double quotes a single quote is itself, but bash still looks for the other one.
        if (c === "'") {
          single = single === undefined ? this.line : undefined;
          literal += c;
          this.pos++;
          continue;
        }
        if (c === '$' && this.source[this.pos + 1] === "'") {
          flush();
          parts.push(this.ansiCQuoted());
          continue;
        }
      }
      const special = c === '"' ? this.doubleQuoted() : this.scanSpecial(c, inDouble && !isPattern);
      if (special !== undefined) {
        flush();
        parts.push(special);
        continue;
      }
      if (c === '\n') this.line++;
      literal += c;
      this.pos++;
    }
    flush();
    blame(parts, this.source.slice(start, this.pos));
    return { parts, text: this.source.slice(start, this.pos), line };
  }

  /** An arithmetic operand of `${v:offset:length}`: up to `:` or `}`, but past `?:` and brackets. */
  private sliceOperand(): Word {
    const line = this.line;
    const start = this.pos;
    let depth = 0;
    let ternaries = 0;
    for (;;) {
      const c = this.source[this.pos];
      if (c === undefined) throw this.matchError('}', line);
      if (c === '$' && (this.source[this.pos + 1] === '{' || this.source[this.pos + 1] === '(')) {
        this.dollar(false);
        continue;
      }
      if (c === '}' && depth === 0) break;
      if (c === '(' || c === '[') depth++;
      if (c === ')' || c === ']') depth--;
      if (c === '?') ternaries++;
      if (c === ':' && depth === 0 && ternaries-- <= 0) break;
      if (c === '\n') this.line++;
      this.pos++;
    }
    return this.subText(this.source.slice(start, this.pos), 'arithmetic', line);
  }

  private skipToBrace(line: number): void {
    let depth = 1;
    for (; this.pos < this.source.length; this.pos++) {
      const c = this.source[this.pos];
      if (c === '\\') this.pos++;
      else if (c === '\n') this.line++;
      else if (c === '$' && this.source[this.pos + 1] === '{') depth++;
      else if (c === '}' && --depth === 0) {
        this.pos++;
        return;
      }
    }
    throw this.matchError('}', line);
  }

  // ── Text that isn't a word ──

  /** Parses a stretch of the source by the rules of `mode`. */
  protected subText(text: string, mode: TextMode, line: number): Word {
    if (!/[\\$`"']/.test(text)) return { parts: text === '' ? [] : [literalPart(text, mode)], text, line };
    const scanner = this.derive(text, line);
    // In a here-document every substitution counts from the line of the command.
    if (mode === 'here-document' && this.options.dialect === undefined) scanner.fixedLine = line;
    try {
      return scanner.scanText(mode);
    } catch (error) {
      if (error instanceof ShellSyntaxError && error.sourceLine !== undefined)
        error.sourceLine = this.sourceLineAt(error.line);
      throw error;
    }
  }

  /** The text of a line, counted as this scanner counts. */
  private sourceLineAt(line: number): string {
    let from = this.source.lastIndexOf('\n', this.pos - 1) + 1;
    for (let at = this.line; at > line && from > 0; at--) from = this.source.lastIndexOf('\n', from - 2) + 1;
    const to = this.source.indexOf('\n', from);
    return this.source.slice(from, to < 0 ? undefined : to);
  }

  protected abstract derive(text: string, line: number): WordScanner;

  /** Reads everything there is as one word by the rules of `mode`. */
  scanText(mode: TextMode): Word {
    const line = this.line;
    const parts: Part[] = [];
    let literal = '';
    const flush = (): void => {
      if (literal !== '') parts.push(literalPart(literal, mode));
      literal = '';
    };
    while (this.pos < this.source.length) {
      const c = this.source[this.pos]!;
      if (c === '\\') {
        const next = this.source[this.pos + 1];
        if (
          mode === 'word' ||
          ((mode === 'arithmetic' || mode === 'expression') &&
            next !== undefined &&
            '$`"\\\'[]'.includes(next))
        ) {
          flush();
          parts.push({ kind: 'quoted', text: next ?? '\\' });
          this.pos += 2;
        } else if (next === '\n') {
          this.line++;
          this.pos += 2;
        } else if (next !== undefined && '$`\\'.includes(next)) {
          literal += next;
          this.pos += 2;
        } else {
          literal += c;
          this.pos++;
        }
        continue;
      }
      const special =
        c === '"' && mode !== 'here-document'
          ? this.doubleQuoted()
          : c === "'" && mode !== 'here-document' && mode !== 'expression'
            ? this.singleQuoted()
            : this.scanSpecial(c, mode === 'here-document' || mode === 'expression');
      if (special !== undefined) {
        flush();
        parts.push(special);
        continue;
      }
      if (c === '\n') this.line++;
      literal += c;
      this.pos++;
    }
    flush();
    blame(parts, this.source);
    return { parts, text: this.source, line };
  }

  /** Reads the bodies that belong to the line just ended; the position is behind its newline. */
  protected readHereDocuments(): void {
    for (const { document, line } of this.pendingHereDocuments.splice(0))
      this.readHereDocument(document, line);
  }

  private readHereDocument(document: HereDocument, startLine: number): void {
    const bodyLine = this.options.dialect === undefined ? startLine : this.line;
    let raw = '';
    for (;;) {
      if (this.pos >= this.source.length) {
        const tell = this.options.onUnterminatedHereDocument;
        if (tell === undefined) throw new ShellSyntaxError('end', 'here-document not finished', this.line);
        tell(this.source.endsWith('\n') ? this.line - 1 : this.line, startLine, document.delimiter);
        break;
      }
      const end = this.source.indexOf('\n', this.pos);
      let text = this.source.slice(this.pos, end < 0 ? undefined : end);
      this.pos = end < 0 ? this.source.length : end + 1;
      if (end >= 0) this.line++;
      if (document.stripTabs) text = text.replace(/^\t+/, '');
      if (text === document.delimiter) break;
      raw += end < 0 && this.options.dialect === 'dash' ? text : `${text}\n`;
    }
    document.raw = raw;
    document.body = document.quoted
      ? { parts: raw === '' ? [] : [{ kind: 'quoted', text: raw }], text: raw, line: startLine }
      : this.documentBody(raw, bodyLine);
  }

  /** What is wrong in a body shows when it is expanded. */
  private documentBody(raw: string, line: number): Word {
    try {
      return this.subText(raw, 'here-document', line);
    } catch (error) {
      if (!(error instanceof ShellSyntaxError)) throw error;
      const message = /`(.)'$/.exec(error.message)?.[1];
      const part: ParameterPart = {
        ...simpleParameter(''),
        operation: {
          kind: 'bad',
          message:
            message === undefined
              ? error.message
              : `bad substitution: no closing ${message === '`' ? '"`"' : "`}'"} in ${raw}`,
        },
      };
      return { parts: [part], text: raw, line };
    }
  }

  protected countLines(text: string): void {
    for (let i = 0; i < text.length; i++) if (text[i] === '\n') this.line++;
  }
}

/** Gives what may be a bad substitution the string that its message repeats. */
function blame(parts: readonly Part[], text: string): void {
  for (const part of parts)
    if (part.kind === 'parameter' && (part.operation?.kind === 'bad' || part.operation?.kind === 'transform'))
      part.text = text;
}

function literalPart(text: string, mode: TextMode): Part {
  return mode === 'word' ? { kind: 'literal', text } : { kind: 'quoted', text };
}

function simpleParameter(name: string): ParameterPart {
  return {
    kind: 'parameter',
    name,
    index: undefined,
    indirect: false,
    length: false,
    operation: undefined,
    text: `$${name}`,
  };
}

/** Whether a text is a shell name. */
export function isName(text: string): boolean {
  return NAME_START.test(text[0] ?? '') && /^[A-Za-z0-9_]+$/.test(text);
}
