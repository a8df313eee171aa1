// nginx's configuration language: directives and blocks with includes, checked as they are read (ngx_conf_file.c).
import { contextInside, ruleOf, valueProblem } from './directives.ts';

/** A simple directive, or a block with `block` set. */
export interface Directive {
  readonly name: string;
  readonly args: readonly string[];
  readonly block: readonly Directive[] | undefined;
  readonly file: string;
  /** Where its last word ended: nginx counts so. */
  readonly line: number;
  /** Where its block ended, in its file. */
  readonly endLine: number;
}

/** What `nginx -t` prints after `[emerg] `. */
export class ConfigError extends Error {}

/** What is found after all has been read: `-t` says first that the syntax is right. */
export class LateConfigError extends ConfigError {}

/** An error of a directive, with its place. */
export function errorAt(directive: Pick<Directive, 'file' | 'line'>, message: string): ConfigError {
  return new ConfigError(`${message} in ${directive.file}:${directive.line}`);
}

/** The files that a pattern names, or why one can't be read. */
export type ReadFiles = (
  pattern: string,
) => readonly { readonly path: string; readonly text: string }[] | { readonly error: string };

export interface ParsedConfig {
  readonly directives: readonly Directive[];
  /** Every file read, in order, for `nginx -T`. */
  readonly files: readonly { readonly path: string; readonly text: string }[];
}

/** Reads a configuration file with everything it includes. Throws ConfigError. */
export function parseConfig(path: string, readFiles: ReadFiles, prefix = '/etc/nginx/'): ParsedConfig {
  const found = readFiles(path);
  if ('error' in found) throw new ConfigError(found.error);
  const [file] = found;
  if (file === undefined) throw new ConfigError(`open() "${path}" failed (2: No such file or directory)`);
  const files = [file];
  const directives = new Parser(file.path, file.text, { readFiles, prefix, files }).parse('m');
  return { directives, files };
}

/** Reads the directives of `-g`. Throws ConfigError. */
export function parseGlobals(text: string): readonly Directive[] {
  return new Parser('command line', text, { readFiles: () => [], prefix: '', files: [] }, true).parse('m');
}

const DEPTH_MAX = 32;

interface Reading {
  readonly readFiles: ReadFiles;
  readonly prefix: string;
  readonly files: { readonly path: string; readonly text: string }[];
}

/** What ended the words of a directive. */
type Ending = ';' | '{' | '}' | 'end';

class Parser {
  private readonly file: string;
  private readonly text: string;
  private readonly reading: Reading;
  private readonly isParameter: boolean;
  private readonly depth: number;
  private position = 0;
  private line = 1;

  constructor(file: string, text: string, reading: Reading, isParameter = false, depth = 0) {
    this.file = file;
    this.text = text;
    this.reading = reading;
    this.isParameter = isParameter;
    this.depth = depth;
  }

  /** The directives of the whole file, standing in a context (undefined: in a block of data, where any word may stand). */
  parse(context: string | undefined): Directive[] {
    return this.parseBlock(context, false, '');
  }

  private fail(message: string): ConfigError {
    if (this.isParameter) return new ConfigError(`${message} in command line`);
    return new ConfigError(`${message} in ${this.file}:${this.line}`);
  }

  private parseBlock(context: string | undefined, isInner: boolean, blockName: string): Directive[] {
    const directives: Directive[] = [];
    const seen = new Set<string>();
    for (;;) {
      const { words, ending } = this.readWords();
      if (ending === 'end') {
        if (isInner) throw this.fail('unexpected end of file, expecting "}"');
        return directives;
      }
      if (ending === '}') {
        if (!isInner) throw this.fail('unexpected "}"');
        return directives;
      }
      const [name = '', ...args] = words;
      const { line } = this;
      if (name === 'include' && ending === ';') {
        if (args.length !== 1) throw this.fail('invalid number of arguments in "include" directive');
        directives.push(...this.include(args[0]!, context));
        continue;
      }
      if (context === undefined) {
        if (ending === '{') throw this.fail(`unexpected "{"`);
        if (blockName === 'types' && args.length === 0 && name !== 'default')
          throw this.fail(`invalid number of arguments in "${name}" directive`);
        directives.push({ name, args, block: undefined, file: this.file, line, endLine: line });
        continue;
      }
      this.check(name, args, ending, context, seen);
      const inside = contextInside(name, context);
      const block = ending === '{' ? this.parseBlock(inside, true, name) : undefined;
      directives.push({ name, args, block, file: this.file, line, endLine: this.line });
    }
  }

  /** What nginx checks before it calls a directive's handler, in its order. */
  private check(
    name: string,
    args: readonly string[],
    ending: Ending,
    context: string,
    seen: Set<string>,
  ): void {
    const rule = ruleOf(name, context);
    if (rule === undefined) throw this.fail(`unknown directive "${name}"`);
    if (rule.contexts !== '*' && !rule.contexts.includes(context))
      throw this.fail(`"${name}" directive is not allowed here`);
    if (rule.kind !== 'block' && ending !== ';')
      throw this.fail(`directive "${name}" is not terminated by ";"`);
    if (rule.kind === 'block' && ending !== '{') throw this.fail(`directive "${name}" has no opening "{"`);
    if (args.length < rule.min || args.length > rule.max)
      throw this.fail(`invalid number of arguments in "${name}" directive`);
    if (seen.has(name) && !rule.repeats) throw this.fail(`"${name}" directive is duplicate`);
    seen.add(name);
    const problem = valueProblem(name, args, rule);
    if (problem !== undefined) throw this.fail(problem);
  }

  private include(pattern: string, context: string | undefined): Directive[] {
    const path = pattern.startsWith('/') ? pattern : `${this.reading.prefix}${pattern}`;
    const files = this.reading.readFiles(path);
    if ('error' in files) throw this.fail(files.error);
    if (files.length === 0 && !/[*?[]/.test(path))
      throw this.fail(`open() "${path}" failed (2: No such file or directory)`);
    if (this.depth > DEPTH_MAX) throw this.fail('too many open files');
    return files.flatMap((file) => {
      if (!this.reading.files.some((each) => each.path === file.path)) this.reading.files.push(file);
      return new Parser(file.path, file.text, this.reading, false, this.depth + 1).parse(context);
    });
  }

  /** The words up to `;`, `{`, `}` or the end (ngx_conf_read_token). */
  private readWords(): { words: string[]; ending: Ending } {
    const { text } = this;
    const words: string[] = [];
    for (;;) {
      const char = text[this.position];
      if (char === undefined) {
        if (words.length > 0)
          throw this.fail(
            this.isParameter
              ? 'unexpected end of parameter, expecting ";"'
              : 'unexpected end of file, expecting ";" or "}"',
          );
        return { words, ending: 'end' };
      }
      this.position++;
      if (char === '\n') this.line++;
      if (/[\s]/.test(char)) continue;
      if (char === ';' || char === '{') {
        if (words.length === 0) throw this.fail(`unexpected "${char}"`);
        return { words, ending: char };
      }
      if (char === '}') {
        if (words.length > 0) throw this.fail('unexpected "}"');
        return { words, ending: '}' };
      }
      if (char === '#') {
        while (this.position < text.length && text[this.position] !== '\n') this.position++;
        continue;
      }
      words.push(char === '"' || char === "'" ? this.readQuoted(char) : this.readWord());
    }
  }

  private unfinished(): ConfigError {
    return this.fail(
      this.isParameter
        ? 'unexpected end of parameter, expecting ";"'
        : 'unexpected end of file, expecting ";" or "}"',
    );
  }

  private readQuoted(quote: string): string {
    const { text } = this;
    const start = this.position;
    for (; ; this.position++) {
      const char = text[this.position];
      if (char === undefined) throw this.unfinished();
      if (char === '\n') this.line++;
      if (char === '\\') {
        this.position++;
        if (text[this.position] === '\n') this.line++;
      } else if (char === quote) break;
    }
    const value = text.slice(start, this.position++);
    const next = text[this.position];
    if (next !== undefined && !/[\s;{)]/.test(next)) throw this.fail(`unexpected "${next}"`);
    return unescape(value);
  }

  private readWord(): string {
    const { text } = this;
    const start = this.position - 1;
    let isVariable = text[start] === '$';
    if (text[start] === '\\') this.position++;
    for (; ; this.position++) {
      const char = text[this.position];
      if (char === undefined) throw this.unfinished();
      if (char === '{' && isVariable) {
        isVariable = false;
        continue;
      }
      isVariable = false;
      if (char === '\\') this.position++;
      else if (char === '$') isVariable = true;
      else if (/[\s;{]/.test(char)) break;
    }
    return unescape(text.slice(start, this.position));
  }
}

/** Backslashes before quotes and backslashes go; \t, \r and \n become what they stand for; the rest stays. */
function unescape(text: string): string {
  return text.replaceAll(
    /\\(["'\\trn])/g,
    (_, char: string) => ({ t: '\t', r: '\r', n: '\n' })[char] ?? char,
  );
}
