// Flags that several commands share.
import type { Flag } from './flags.ts';

export const outputFlags: readonly Flag[] = [
  { name: 'output', short: 'o', kind: 'string' },
  { name: 'template', kind: 'string' },
  { name: 'allow-missing-template-keys', kind: 'bool', default: 'true' },
  { name: 'show-managed-fields', kind: 'bool', default: 'false' },
];

export const fileFlags: readonly Flag[] = [
  { name: 'filename', short: 'f', kind: 'stringSlice', default: '[]' },
  { name: 'kustomize', short: 'k', kind: 'string' },
  { name: 'recursive', short: 'R', kind: 'bool', default: 'false' },
];

export const selectorFlag: Flag = { name: 'selector', short: 'l', kind: 'string' };
export const fieldSelectorFlag: Flag = { name: 'field-selector', kind: 'string' };
export const allNamespacesFlag: Flag = { name: 'all-namespaces', short: 'A', kind: 'bool', default: 'false' };

export const dryRunFlag: Flag = { name: 'dry-run', kind: 'string', default: 'none', bare: 'unchanged' };

export function fieldManagerFlag(manager: string): Flag {
  return { name: 'field-manager', kind: 'string', default: manager };
}
