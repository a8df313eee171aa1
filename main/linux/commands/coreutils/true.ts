// true(1) and false(1)
import type { Program } from '../../kernel/index.ts';

/** true(1) */
export const trueCommand: Program = async () => 0;
/** false(1) */
export const falseCommand: Program = async () => 1;
