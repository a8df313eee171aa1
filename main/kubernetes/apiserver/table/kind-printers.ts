// Printers of the built-in kinds, by plural (pkg/printers/internalversion).
import type { Printer } from '../kinds/kind.ts';

export const printers: Readonly<Record<string, Printer>> = {};
