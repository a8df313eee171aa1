// What a condition found: it holds, or a sentence in both languages that says what is missing.
import type { Localized } from '../../../preload/contract.ts';

export type Verdict = { readonly holds: true } | { readonly holds: false; readonly message: Localized };

export const HOLDS: Verdict = { holds: true };

/** A failed condition. */
export function missing(zh: string, en: string): Verdict {
  return { holds: false, message: { zh, en } };
}
