// Brace expansion: `{a,b}` and `{1..5..2}`, done on words before anything else is expanded.
import type { ParameterPart, Part, Word } from './syntax/ast.ts';

/** Words one brace expansion may give before it's left as it is. */
const WORDS_MAX = 100_000;

/** One character of an unquoted literal, or a part that braces see as a whole. */
type Unit = string | Part;

/** The words that a word stands for; itself alone when it has no brace expression. */
export function expandBraces(word: Word): Word[] {
  if (!word.parts.some((part) => part.kind === 'literal' && part.text.includes('{'))) return [word];
  const units = word.parts.flatMap((part): Unit[] => (part.kind === 'literal' ? [...part.text] : [part]));
  const results = expand(units);
  if (results.length === 1 && results[0] === units) return [word];
  return results.map((result) => ({ parts: joinUnits(result), text: word.text, line: word.line }));
}

function joinUnits(units: readonly Unit[]): Part[] {
  const parts: Part[] = [];
  let text = '';
  for (const unit of units) {
    if (typeof unit === 'string') {
      const last = text === '' ? parts.at(-1) : undefined;
      if (last !== undefined && /[A-Za-z0-9_]/.test(unit) && isPlainName(last))
        parts[parts.length - 1] = { ...last, name: last.name + unit, text: last.text + unit };
      else text += unit;
      continue;
    }
    if (text !== '') parts.push({ kind: 'literal', text });
    text = '';
    parts.push(unit);
  }
  if (text !== '') parts.push({ kind: 'literal', text });
  return parts;
}

/** `$name`: what braces put behind it becomes part of the name. */
function isPlainName(part: Part): part is ParameterPart {
  return part.kind === 'parameter' && /^\$[A-Za-z_]/.test(part.text);
}

function expand(units: Unit[]): Unit[][] {
  for (let open = units.indexOf('{'); open >= 0; open = units.indexOf('{', open + 1)) {
    const close = closing(units, open);
    if (close === undefined) continue;
    const choices = alternatives(units.slice(open + 1, close)) ?? sequence(units.slice(open + 1, close));
    if (choices === undefined) {
      // `{a}` stays, but braces inside and behind it count.
      continue;
    }
    const prefix = units.slice(0, open);
    const suffixes = expand(units.slice(close + 1));
    const results: Unit[][] = [];
    for (const choice of choices) {
      for (const suffix of suffixes) {
        if (results.length >= WORDS_MAX) return [units];
        results.push([...prefix, ...choice, ...suffix]);
      }
    }
    return results;
  }
  return [units];
}

function closing(units: readonly Unit[], open: number): number | undefined {
  let depth = 0;
  for (let i = open; i < units.length; i++) {
    if (units[i] === '{') depth++;
    else if (units[i] === '}' && --depth === 0) return i;
  }
  return undefined;
}

/** The comma-separated choices, each expanded in turn; undefined without a comma. */
function alternatives(units: Unit[]): Unit[][] | undefined {
  const pieces: Unit[][] = [[]];
  let depth = 0;
  for (const unit of units) {
    if (unit === '{') depth++;
    else if (unit === '}') depth--;
    if (unit === ',' && depth === 0) pieces.push([]);
    else pieces.at(-1)!.push(unit);
  }
  return pieces.length < 2 ? undefined : pieces.flatMap((piece) => expand(piece));
}

function sequence(units: readonly Unit[]): Unit[][] | undefined {
  const letters = units.filter((unit) => typeof unit === 'string');
  if (letters.length < units.length) return undefined;
  const text = letters.join('');
  const numbers = /^([-+]?[0-9]+)\.\.([-+]?[0-9]+)(?:\.\.([-+]?[0-9]+))?$/.exec(text);
  if (numbers !== null) return numberSequence(numbers[1]!, numbers[2]!, Number(numbers[3] ?? 0));
  const range = /^([A-Za-z])\.\.([A-Za-z])(?:\.\.(-?[0-9]+))?$/.exec(text);
  if (range === null) return undefined;
  const codes = steps(range[1]!.charCodeAt(0), range[2]!.charCodeAt(0), Number(range[3] ?? 0));
  // A backslash among the characters quotes nothing, and goes.
  return codes?.map((code) => (code === 92 ? [{ kind: 'quoted', text: '' }] : [String.fromCharCode(code)]));
}

function numberSequence(from: string, to: string, step: number): Unit[][] | undefined {
  const padded = /^-?0[0-9]/.test(from) || /^-?0[0-9]/.test(to);
  const width = padded ? Math.max(from.length, to.length) : 0;
  return steps(Number(from), Number(to), step)?.map((value) => {
    const digits = String(Math.abs(value)).padStart(width - (value < 0 ? 1 : 0), '0');
    return [...(value < 0 ? `-${digits}` : digits)];
  });
}

function steps(from: number, to: number, step: number): number[] | undefined {
  const size = Math.max(1, Math.abs(step));
  if (Math.abs(to - from) / size > WORDS_MAX) return undefined;
  const values: number[] = [];
  if (from <= to) for (let value = from; value <= to; value += size) values.push(value);
  else for (let value = from; value >= to; value -= size) values.push(value);
  return values;
}
