// Warnings about what is accepted but unwise (pkg/api/pod/warnings.go and others).
import type { Kind } from '../kinds/kind.ts';

/** The function that finds a kind's warnings. */
export function warningsOf(_plural: string): Kind['warnings'] {
  return undefined;
}
