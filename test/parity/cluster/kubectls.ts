// Finds the host's kubectl 1.32 and, beside it, the other versions that were recorded.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { findRealKubectl } from '../kubectl/harness.ts';
import type { Kubectls } from './recorder.ts';

/** Undefined where there is no kubectl 1.32. */
export function findKubectls(): Kubectls | undefined {
  const main = findRealKubectl();
  if (main === undefined) return undefined;
  const beside = (version: string): string | undefined => {
    const file = path.join(path.dirname(main), `kubectl.${version}`);
    return existsSync(file) ? file : undefined;
  };
  return { '1.32': main, '1.27': beside('1.27'), '1.30': beside('1.30'), '1.33': beside('1.33') };
}
