// The syntax tree of a bash script: commands, words and the parts of words.

/** One word as written; `text` is its source (quotes included), `line` where it starts. */
export interface Word {
  readonly parts: readonly Part[];
  readonly text: string;
  readonly line: number;
}

export type Part =
  /** Unquoted characters. */
  | { readonly kind: 'literal'; readonly text: string }
  /** Characters behind a backslash, in '…' or $'…', with the quoting removed. */
  | { readonly kind: 'quoted'; readonly text: string }
  | { readonly kind: 'double'; readonly parts: readonly Part[] }
  | ParameterPart
  | CommandPart
  | { readonly kind: 'arithmetic'; readonly expression: Word }
  | { readonly kind: 'process'; readonly direction: '<' | '>'; readonly list: List };

/** `$(…)`, or back-quotes whose text is parsed only when it runs. */
export interface CommandPart {
  readonly kind: 'command';
  readonly list: List | undefined;
  readonly source: string;
  /** Line of the source's first character. */
  readonly line: number;
}

/** `$name` and every form of `${…}`. */
export interface ParameterPart {
  readonly kind: 'parameter';
  readonly name: string;
  /** `[…]`: `@` and `*` stand for all elements. */
  readonly index: Word | '@' | '*' | undefined;
  /** `${!name…}`. */
  readonly indirect: boolean;
  /** `${#name}`. */
  readonly length: boolean;
  readonly operation: ParameterOperation | undefined;
  /** The source, or for what can be a bad substitution all of the string it stands in, which bash repeats. */
  text: string;
}

export type ParameterOperation =
  | {
      readonly kind: 'default';
      readonly operator: '-' | '=' | '?' | '+';
      readonly colon: boolean;
      readonly word: Word;
    }
  | { readonly kind: 'trim'; readonly operator: '#' | '##' | '%' | '%%'; readonly pattern: Word }
  | {
      readonly kind: 'replace';
      readonly where: 'first' | 'all' | 'prefix' | 'suffix';
      readonly pattern: Word;
      readonly replacement: Word | undefined;
    }
  | { readonly kind: 'slice'; readonly offset: Word; readonly length: Word | undefined }
  | {
      readonly kind: 'case';
      readonly operator: '^' | '^^' | ',' | ',,' | '~' | '~~';
      readonly pattern: Word | undefined;
    }
  | { readonly kind: 'transform'; readonly operator: string }
  /** `${!prefix*}`, `${!prefix@}`. */
  | { readonly kind: 'names'; readonly star: boolean }
  /** Wrong; the message if it isn't the usual one. */
  | { readonly kind: 'bad'; readonly message?: string };

export interface Assignment {
  readonly name: string;
  readonly index: Word | undefined;
  readonly append: boolean;
  readonly value: Word | ArrayLiteral;
  readonly text: string;
}

/** `(a [k]=v …)` behind an assignment. */
export interface ArrayLiteral {
  readonly kind: 'array';
  readonly elements: readonly {
    readonly index: Word | undefined;
    readonly append: boolean;
    readonly value: Word;
  }[];
}

export interface Redirect {
  readonly fd: number | undefined;
  /** `{name}>…`. */
  readonly fdVariable: string | undefined;
  readonly operator: '<' | '>' | '>>' | '<>' | '>|' | '<&' | '>&' | '&>' | '&>>' | '<<' | '<<-' | '<<<';
  readonly target: Word;
  readonly hereDocument: HereDocument | undefined;
}

export interface HereDocument {
  readonly delimiter: string;
  readonly quoted: boolean;
  readonly stripTabs: boolean;
  /** Set once the lines behind the command have been read. */
  body: Word;
  raw: string;
}

export interface List {
  readonly items: readonly ListItem[];
}

export interface ListItem {
  readonly command: AndOr;
  readonly background: boolean;
}

export interface AndOr {
  readonly first: Pipeline;
  readonly rest: readonly { readonly operator: '&&' | '||'; readonly pipeline: Pipeline }[];
}

export interface Pipeline {
  readonly negated: boolean;
  readonly timed: 'no' | 'time' | 'time -p';
  readonly commands: readonly Command[];
  /** For each `|`, whether it was `|&`. */
  readonly joins: readonly boolean[];
}

interface Compound {
  readonly redirects: readonly Redirect[];
  readonly line: number;
}

export interface SimpleCommand {
  readonly kind: 'simple';
  readonly assignments: readonly Assignment[];
  /** Words, and assignments as arguments of declare and its kin. */
  readonly words: readonly (Word | DeclarationArgument)[];
  readonly redirects: readonly Redirect[];
  readonly line: number;
}

export interface DeclarationArgument {
  readonly kind: 'declaration';
  readonly assignment: Assignment;
  readonly text: string;
}

interface FunctionDefinition extends Compound {
  readonly kind: 'function';
  readonly name: string;
  readonly body: Command;
}

export type Command =
  | SimpleCommand
  | FunctionDefinition
  | (Compound & { readonly kind: 'subshell' | 'group'; readonly body: List })
  | (Compound & {
      readonly kind: 'if';
      readonly clauses: readonly { readonly condition: List; readonly body: List }[];
      readonly otherwise: List | undefined;
    })
  | (Compound & {
      readonly kind: 'for' | 'select';
      readonly name: string;
      readonly words: readonly Word[] | undefined;
      readonly body: List;
    })
  | (Compound & {
      readonly kind: 'arithmetic-for';
      readonly initial: Word;
      readonly condition: Word;
      readonly step: Word;
      readonly body: List;
    })
  | (Compound & { readonly kind: 'while' | 'until'; readonly condition: List; readonly body: List })
  | (Compound & { readonly kind: 'case'; readonly word: Word; readonly items: readonly CaseItem[] })
  | (Compound & { readonly kind: 'arithmetic'; readonly expression: Word })
  | (Compound & { readonly kind: 'test'; readonly expression: TestExpression })
  | (Compound & { readonly kind: 'coproc'; readonly name: string | undefined; readonly body: Command });

export interface CaseItem {
  readonly patterns: readonly Word[];
  readonly body: List;
  readonly terminator: ';;' | ';&' | ';;&';
}

export type TestExpression =
  | { readonly kind: 'unary'; readonly operator: string; readonly operand: Word }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: Word; readonly right: Word }
  | { readonly kind: 'and' | 'or'; readonly left: TestExpression; readonly right: TestExpression }
  | { readonly kind: 'not'; readonly operand: TestExpression }
  | { readonly kind: 'group'; readonly operand: TestExpression };

/** A word without any quoting or expansion is its text; else undefined. */
export function plainText(word: Word): string | undefined {
  if (word.parts.length === 0) return '';
  const only = word.parts[0]!;
  return word.parts.length === 1 && only.kind === 'literal' ? only.text : undefined;
}
