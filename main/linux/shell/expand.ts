// Word expansion: braces, tildes, parameters, substitutions, arithmetic, splitting, pathnames, quote removal.
import { evaluateArithmetic } from './arithmetic.ts';
import { expandBraces } from './brace.ts';
import { ExpansionError } from './control.ts';
import { expandPathname } from './glob.ts';
import { isPattern, quotePattern } from './pattern.ts';
import type { Shell } from './shell.ts';
import type { Part, Word } from './syntax/ast.ts';

/** A stretch of an expanded word. `split` marks results of unquoted expansions. */
interface Piece {
  readonly text: string;
  readonly quoted: boolean;
  readonly split: boolean;
}

/** Between pieces: `break` ends a field (between the elements of "$@"), `soft` only one that isn't empty. */
export type Fragment = Piece | 'break' | 'soft';

export interface ExpandContext {
  /** Inside double quotes. */
  readonly quoted: boolean;
  /** No splitting follows: `$@` joins with blanks, `$*` with IFS. */
  readonly joined: boolean;
  /** In a here-document that has a `$@` somewhere. */
  readonly document?: boolean;
}

const UNQUOTED: ExpandContext = { quoted: false, joined: false };
const JOINED: ExpandContext = { quoted: false, joined: true };

/** The fields that a command's words give. */
export async function expandWords(shell: Shell, words: readonly Word[]): Promise<string[]> {
  const fields: string[] = [];
  for (const word of words) {
    const only = word.parts[0];
    if (word.parts.length === 1 && only!.kind === 'literal' && !/[{~*?[\\(]/.test(only!.text)) {
      fields.push(only!.text);
      continue;
    }
    const braced = shell.options.has('braceexpand') ? expandBraces(word) : [word];
    for (const each of braced) for (const field of await expandToFields(shell, each)) fields.push(field); // May be very many.
  }
  return fields;
}

/** All expansions but braces. */
export async function expandToFields(shell: Shell, word: Word): Promise<string[]> {
  const fragments = await expandParts(shell, withTilde(shell, word.parts, false), UNQUOTED);
  const fields = splitFields(fragments, shell.vars.get('IFS'));
  const results: string[] = [];
  for (const field of fields) {
    const text = field.map((piece) => piece.text).join('');
    const pattern = shell.options.has('noglob') ? undefined : patternOf(shell, field);
    if (pattern === undefined) results.push(text);
    else for (const path of pathnames(shell, pattern, text)) results.push(path);
  }
  return results;
}

function patternOf(shell: Shell, field: readonly Piece[]): string | undefined {
  if (!field.some((piece) => !piece.quoted && /[*?[(\\]/.test(piece.text))) return undefined;
  const pattern = field.map((piece) => (piece.quoted ? quotePattern(piece.text) : piece.text)).join('');
  return isPattern(pattern, shell.shopts.has('extglob')) ? pattern : undefined;
}

function pathnames(shell: Shell, pattern: string, text: string): string[] {
  const matches = expandPathname(shell, pattern);
  if (matches.length > 0) return matches;
  if (shell.shopts.has('failglob')) throw new ExpansionError(`no match: ${text}`);
  return shell.shopts.has('nullglob') ? [] : [text];
}

/** One text without splitting or pathnames: assignments, here-strings, case words, redirections' inner text. */
export async function expandToText(shell: Shell, word: Word, assignment = false): Promise<string> {
  const only = word.parts[0];
  if (only === undefined) return '';
  if (
    word.parts.length === 1 &&
    (only.kind === 'quoted' || (only.kind === 'literal' && !only.text.includes('~')))
  )
    return only.text;
  const fragments = await expandParts(shell, withTilde(shell, word.parts, assignment), JOINED);
  return joinFragments(fragments);
}

/** The body of a here-document. */
export async function expandDocument(shell: Shell, body: Word): Promise<string> {
  const document = /\$@|\$\{@|\[@\]/.test(body.text);
  return joinFragments(await expandParts(shell, body.parts, { ...JOINED, document }));
}

/** A pattern: what was quoted is escaped by backslashes. */
export async function expandToPattern(shell: Shell, word: Word): Promise<string> {
  const fragments = await expandParts(shell, withTilde(shell, word.parts, false), JOINED);
  return fragments
    .map((piece) => (typeof piece === 'string' ? ' ' : piece.quoted ? quotePattern(piece.text) : piece.text))
    .join('');
}

/** A regular expression for `=~`: what was quoted matches itself. */
export async function expandToRegex(shell: Shell, word: Word): Promise<string> {
  const fragments = await expandParts(shell, withTilde(shell, word.parts, false), JOINED);
  return fragments
    .map((piece) =>
      typeof piece === 'string'
        ? ' '
        : piece.quoted
          ? piece.text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
          : piece.text,
    )
    .join('');
}

/** The value of an arithmetic word. */
async function expandArithmetic(shell: Shell, word: Word): Promise<bigint> {
  return evaluateArithmetic(await expandToText(shell, word), shell.arithmetic);
}

export function joinFragments(fragments: readonly Fragment[]): string {
  return fragments.map((piece) => (typeof piece === 'string' ? ' ' : piece.text)).join('');
}

/** Expands parts in order. */
export async function expandParts(
  shell: Shell,
  parts: readonly Part[],
  context: ExpandContext,
): Promise<Fragment[]> {
  const out: Fragment[] = [];
  for (const part of parts) {
    switch (part.kind) {
      case 'literal':
        out.push({ text: part.text, quoted: context.quoted, split: false });
        break;
      case 'quoted':
        out.push({ text: part.text, quoted: true, split: false });
        break;
      case 'double':
        await expandDouble(shell, part.parts, context, out);
        break;
      case 'parameter':
        for (const piece of await shell.engine.expandParameter(shell, part, context)) out.push(piece);
        break;
      case 'command':
        out.push(result(await shell.substitute(part), context));
        break;
      case 'arithmetic':
        out.push(result(String(await expandArithmetic(shell, part.expression)), context));
        break;
      case 'process':
        out.push({ text: shell.substituteProcess(part.direction, part.list), quoted: true, split: false });
        break;
    }
  }
  return out;
}

/** A piece from an expansion's result. */
export function result(text: string, context: ExpandContext): Piece {
  return { text, quoted: context.quoted, split: !context.quoted && !context.joined };
}

async function expandDouble(
  shell: Shell,
  parts: readonly Part[],
  context: ExpandContext,
  out: Fragment[],
): Promise<void> {
  const inner = await expandParts(shell, parts, { quoted: true, joined: context.joined });
  // "$@" without parameters gives no field at all; any other pair of quotes gives at least an empty one.
  if (inner.length === 0 && parts.length > 0) return;
  if (inner.length < parts.length && inner.every((each) => typeof each !== 'string' && each.text === ''))
    return;
  if (inner.length === 0) out.push({ text: '', quoted: true, split: false });
  for (const fragment of inner) out.push(fragment);
}

// ── Tilde ──

/** Replaces a leading tilde prefix (and, in assignments, those behind colons) by what it stands for. */
function withTilde(shell: Shell, parts: readonly Part[], assignment: boolean): readonly Part[] {
  if (assignment)
    return parts.some((part) => part.kind === 'literal' && part.text.includes('~'))
      ? tildeAssignment(shell, parts)
      : parts;
  const first = parts[0];
  if (first?.kind !== 'literal') return parts;
  if (!first.text.startsWith('~')) {
    // bash also expands in arguments that look like assignments, such as `dd of=~/x`.
    const head = first.text.includes('~') ? /^[A-Za-z_][A-Za-z0-9_]*\+?=/.exec(first.text)?.[0] : undefined;
    if (head === undefined) return parts;
    const rest: Part[] = [{ kind: 'literal', text: first.text.slice(head.length) }, ...parts.slice(1)];
    return [{ kind: 'literal', text: head }, ...tildeAssignment(shell, rest)];
  }
  const expanded = tildePrefix(shell, first.text, parts.length === 1, false);
  return expanded === undefined ? parts : [...expanded, ...parts.slice(1)];
}

function tildeAssignment(shell: Shell, parts: readonly Part[]): readonly Part[] {
  return parts.flatMap((part, i): Part[] => {
    if (part.kind !== 'literal') return [part];
    const pieces = part.text.split(/(?<=:)/);
    return pieces.flatMap((piece, j): Part[] => {
      const atStart = j > 0 || i === 0;
      const last = j === pieces.length - 1 && i === parts.length - 1;
      const expanded =
        atStart && piece.startsWith('~')
          ? tildePrefix(shell, piece, last || piece.endsWith(':'), true)
          : undefined;
      return expanded ?? [{ kind: 'literal', text: piece }];
    });
  });
}

function tildePrefix(shell: Shell, text: string, complete: boolean, assignment: boolean): Part[] | undefined {
  const match = (assignment ? /^~([^/:]*)(.*)$/s : /^~([^/]*)(.*)$/s).exec(text)!;
  if (match[2] === '' && !complete) return undefined;
  const directory = shell.homeOf(match[1]!);
  if (directory === undefined) return undefined;
  const rest: Part[] = match[2] === '' ? [] : [{ kind: 'literal', text: match[2]! }];
  return [{ kind: 'quoted', text: directory }, ...rest];
}

// ── Splitting ──

/** Splits what came from unquoted expansions at IFS; a field keeps its pieces for the pathname stage. */
export function splitFields(fragments: readonly Fragment[], ifs: string | undefined): Piece[][] {
  const separators = ifs ?? ' \t\n';
  const fields: Piece[][] = [];
  let field: Piece[] | undefined;
  let last: 'none' | 'blank' | 'delimiter' = 'none';
  const flush = (): void => {
    if (field !== undefined) fields.push(field);
    field = undefined;
  };
  for (const fragment of fragments) {
    if (typeof fragment === 'string') {
      if (fragment === 'break' && field === undefined) field = [];
      flush();
      last = 'none';
      continue;
    }
    if (!fragment.split || separators === '') {
      if (fragment.text === '' && !fragment.quoted) continue;
      (field ??= []).push(fragment);
      last = 'none';
      continue;
    }
    let text = '';
    const take = (): void => {
      if (text !== '') (field ??= []).push({ text, quoted: false, split: false });
      text = '';
    };
    for (const c of fragment.text) {
      if (!separators.includes(c)) {
        text += c;
        last = 'none';
        continue;
      }
      take();
      if (c === ' ' || c === '\t' || c === '\n') {
        if (field !== undefined) last = 'blank';
        flush();
      } else if (last === 'blank' && field === undefined) {
        last = 'delimiter';
      } else {
        field ??= [];
        flush();
        last = 'delimiter';
      }
    }
    take();
  }
  flush();
  return fields;
}
