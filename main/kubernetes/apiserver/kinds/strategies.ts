// The strategies of the built-in kinds, by plural.
import type { Kind } from './kind.ts';

export const strategies: Readonly<Record<string, Partial<Kind>>> = {};
