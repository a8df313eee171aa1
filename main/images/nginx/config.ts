// nginx's configuration language: directives and blocks, with includes.

/** A simple directive, or a block with `block` set. */
export interface Directive {
  readonly name: string;
  readonly args: readonly string[];
  readonly block: readonly Directive[] | undefined;
  readonly file: string;
  readonly line: number;
}

/** What `nginx -t` prints after `[emerg] PID#PID: `. */
export class ConfigError extends Error {}

interface Token {
  readonly text: string;
  readonly isQuoted: boolean;
  readonly line: number;
}

/** Reads a configuration file with everything it includes. Throws ConfigError. */
export function parseConfig(
  path: string,
  readFiles: (pattern: string) => readonly { readonly path: string; readonly text: string }[],
): Directive[] {
  const [file] = readFiles(path);
  if (file === undefined) throw new ConfigError(`open() "${path}" failed (2: No such file or directory)`);
  return new Parser(file.path, file.text, readFiles).parse();
}

/** What \n, \t and \r stand for, in quotes or not. */
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

class Parser {
  private readonly file: string;
  private readonly tokens: readonly Token[];
  private readonly readFiles: Parameters<typeof parseConfig>[1];
  private position = 0;

  constructor(file: string, text: string, readFiles: Parameters<typeof parseConfig>[1]) {
    this.file = file;
    this.readFiles = readFiles;
    this.tokens = tokenize(text, file);
  }

  parse(): Directive[] {
    const directives = this.parseBlock(false);
    return directives;
  }

  private parseBlock(isInner: boolean): Directive[] {
    const directives: Directive[] = [];
    for (;;) {
      const words: Token[] = [];
      let token = this.tokens[this.position++];
      while (token !== undefined && (token.isQuoted || !['{', '}', ';'].includes(token.text))) {
        words.push(token);
        token = this.tokens[this.position++];
      }
      if (token === undefined) {
        if (words.length > 0 || isInner) {
          const line = this.tokens.at(-1)?.line ?? 1;
          throw new ConfigError(
            `unexpected end of file, expecting "${isInner && words.length === 0 ? '}' : ';'}"${isInner && words.length > 0 ? ' or "}"' : ''} in ${this.file}:${line}`,
          );
        }
        return directives;
      }
      if (token.text === '}') {
        if (!isInner || words.length > 0)
          throw new ConfigError(`unexpected "}" in ${this.file}:${token.line}`);
        return directives;
      }
      const [first, ...rest] = words;
      if (first === undefined)
        throw new ConfigError(`unexpected "${token.text}" in ${this.file}:${token.line}`);
      const args = rest.map(({ text }) => text);
      const block = token.text === '{' ? this.parseBlock(true) : undefined;
      if (first.text === 'include' && block === undefined)
        directives.push(...this.include(args[0] ?? '', first.line));
      else directives.push({ name: first.text, args, block, file: this.file, line: first.line });
    }
  }

  private include(pattern: string, line: number): Directive[] {
    const path = pattern.startsWith('/') ? pattern : `/etc/nginx/${pattern}`;
    const files = this.readFiles(path);
    if (files.length === 0 && !/[*?[]/.test(path)) {
      throw new ConfigError(`open() "${path}" failed (2: No such file or directory) in ${this.file}:${line}`);
    }
    return files.flatMap((file) => new Parser(file.path, file.text, this.readFiles).parse());
  }
}

function tokenize(text: string, file: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  let i = 0;
  while (i < text.length) {
    const char = text[i]!;
    if (char === '\n') line++;
    if (/\s/.test(char)) i++;
    else if (char === '#') while (i < text.length && text[i] !== '\n') i++;
    else if (char === ';' || char === '{' || char === '}') {
      tokens.push({ text: char, isQuoted: false, line });
      i++;
    } else if (char === '"' || char === "'") {
      const start = line;
      let value = '';
      for (i++; i < text.length && text[i] !== char; i++) {
        const escape = text[i] === '\\' ? ESCAPES[text[i + 1] ?? ''] : undefined;
        if (escape !== undefined || (text[i] === '\\' && (text[i + 1] === char || text[i + 1] === '\\'))) i++;
        if (text[i] === '\n') line++;
        value += escape ?? text[i];
      }
      if (i >= text.length)
        throw new ConfigError(`unexpected end of file, expecting ";" or "}" in ${file}:${start}`);
      i++;
      tokens.push({ text: value, isQuoted: true, line: start });
    } else {
      let value = '';
      while (i < text.length && !/[\s;]/.test(text[i]!)) {
        // `${name}` is part of a word; any other brace ends it.
        if (text[i] === '{' && !value.endsWith('$')) break;
        if (text[i] === '}' && !/\$\{\w*$/.test(value)) break;
        if (text[i] === '\\' && i + 1 < text.length && !/[\w.]/.test(text[i + 1]!)) value += text[i++];
        value += text[i++];
      }
      tokens.push({ text: value, isQuoted: false, line });
    }
  }
  return tokens;
}
