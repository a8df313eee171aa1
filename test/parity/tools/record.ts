// Records what the host's real tools make of the cases: `node test/parity/tools/record.ts NAME [FILE-OF-SCRIPTS]` adds to cases/NAME.jsonl and records it anew.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { onHost, type Manner } from './judge.ts';

const [name = '', file] = process.argv.slice(2);
const manner: Manner = name.startsWith('busybox') ? 'busybox' : 'gnu';
const path = join(import.meta.dirname, 'cases', `${name}.jsonl`);
const known = existsSync(path)
  ? readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { script: string }).script)
  : [];
const added = file === undefined ? [] : readFileSync(file, 'utf8').split('\n');
const scripts = [...new Set([...known, ...added.filter((line) => line !== '' && !line.startsWith('#'))])];
const outcomes = onHost(scripts, manner);
writeFileSync(path, scripts.map((script, i) => `${JSON.stringify({ script, ...outcomes[i] })}\n`).join(''));
process.stdout.write(`${scripts.length} cases recorded in ${path}\n`);
