// Where this program's own files are: labs, built pages, version. Two folders above this one, from source and bundled alike.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

export const labsFolder = join(root, 'labs');

/** The renderer as it was built. */
export const rendererFolder = join(root, 'out', 'renderer');

export const packageVersion = (
  JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
).version;
