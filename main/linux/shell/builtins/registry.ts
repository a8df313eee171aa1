// Builtins by name, for those who run them.
import type { Builtin } from './support.ts';

/** Filled by installBuiltins. */
export const builtins = new Map<string, Builtin>();

/** Builtins that take assignments as arguments. */
export const declarationBuiltins: ReadonlySet<string> = new Set([
  'declare',
  'typeset',
  'local',
  'export',
  'readonly',
]);
