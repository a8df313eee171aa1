// The house's own lint rules, loaded by oxlint (.oxlintrc.json).
import { determinism } from './determinism.ts';
import { firstLine } from './first-line.ts';
import { imports } from './imports.ts';

export default {
  meta: { name: 'drydock' },
  rules: { imports, determinism, 'first-line': firstLine },
};
