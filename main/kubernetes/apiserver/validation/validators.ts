// Validation of the built-in kinds, by plural.
import type { Kind } from '../kinds/kind.ts';

export const validators: Readonly<
  Record<string, Pick<Kind, 'validate' | 'validateUpdate' | 'validateStatus'>>
> = {};
