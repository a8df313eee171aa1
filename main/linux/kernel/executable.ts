// What makes a file executable: ELF-like content that carries a built-in program's name, or a #! line.
import type { BuiltIn, Vnode } from './vnode.ts';

const ELF_MAGIC = '\x7fELF\x02\x01\x01\x00';
const MARK = 'drydock:';
const HEADER_BYTES = 64;
const INTERPRETER_LINE_BYTES = 256;

/** The bytes of a built-in program's file: an ELF header, then its name, then zeros up to a lifelike size. */
export function elfContent(name: string): Uint8Array {
  const content = Buffer.alloc(elfSizeBytes(name));
  content.write(ELF_MAGIC, 'latin1');
  content.write(`${MARK}${name}\0`, HEADER_BYTES, 'utf8');
  return content;
}

export function elfSizeBytes(name: string): number {
  let hash = 7;
  for (let i = 0; i < name.length; i++) hash = (hash * 31 + name.charCodeAt(i)) % 65_521;
  return 16_384 + (hash % 15_000) * 8;
}

/** The built-in program in a file; `find` looks up one whose file was copied. */
export function builtInOf(file: Vnode, find: (name: string) => BuiltIn | undefined): BuiltIn | undefined {
  if (file.builtIn !== undefined) return file.builtIn;
  const head = Buffer.from(file.read(0, HEADER_BYTES + INTERPRETER_LINE_BYTES));
  if (head.toString('latin1', 0, ELF_MAGIC.length) !== ELF_MAGIC) return undefined;
  const text = head.toString('utf8', HEADER_BYTES);
  if (!text.startsWith(MARK)) return undefined;
  const name = text.slice(MARK.length, text.indexOf('\0'));
  return file.tree.builtIn?.(name) ?? find(name);
}

/** The interpreter of a `#!` line, with at most one argument: execve(2). */
export function scriptInterpreter(
  file: Vnode,
): { interpreter: string; argument: string | undefined } | undefined {
  const head = Buffer.from(file.read(0, INTERPRETER_LINE_BYTES)).toString('utf8');
  if (!head.startsWith('#!')) return undefined;
  // Only blanks and tabs separate: a carriage return belongs to the name, which then isn't found.
  const line = (head.split('\n', 1)[0] ?? '').slice(2).replace(/^[ \t]+|[ \t]+$/g, '');
  if (line === '') return undefined;
  const match = /^([^ \t]+)(?:[ \t]+(.*))?$/.exec(line);
  return match === null ? undefined : { interpreter: match[1]!, argument: match[2] };
}
