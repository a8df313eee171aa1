// Recorded runs of script files by the real bash and dash, on a terminal: the same lines and the same status.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { sitDown } from '../../main/linux/shell/terminal.ts';
import { makeBareMachine } from '../../support/make-machine.ts';
import { allPrograms } from './harness.ts';
import { noRecordings } from '../../support/no-recordings.ts';

const GOLDEN = fileURLToPath(new URL('../../../../shared/golden/bash-script/', import.meta.url));
/** Those of busybox's applets belong to the images. */
const OWN = /^(?:0[1-9]|1[0-8])-.*\.txt$/;

/** What the recording had in its directory. */
const SCRIPTS: Readonly<Record<string, string>> = {
  'bad.sh':
    '#!/bin/bash\necho start\nfoobar\ncd nodir\nif true; then\n  echo $((1/0))\nfi\nls nofile >x y z\necho "end"\nfor i in a b; do\n  echo $i\ndone)\n',
  'badinterp.sh': '#!/bin/nosuch\necho hi\n',
  'nos.sh': 'echo noshebang $0 $1\n',
  'crlf.sh': '#!/bin/bash\r\necho crlf\r\n',
  'strict.sh': '#!/bin/bash\nset -euo pipefail\nfalse | true\necho no\n',
  'eof.sh': '#!/bin/bash\nif [ 1 -eq 1 ]; then\n echo a\n',
  'dash.sh': '#!/bin/sh\narr=(1 2)\n',
};

/** Tab stops every eight columns, as a terminal has them. */
function expandTabs(line: string): string {
  return line.split('\t').reduce((text, piece) => text + ' '.repeat(8 - (text.length % 8)) + piece);
}

test.each(existsSync(GOLDEN) ? readdirSync(GOLDEN).filter((name) => OWN.test(name)) : [])(
  'the run %s ends as recorded',
  async (name) => {
    const lines = readFileSync(`${GOLDEN}${name}`, 'utf8').split('\n');
    const end = lines.findIndex((line) => /^\[exit \d+\]$/.test(line));
    const command = lines[0]!.slice(2);
    const scripts = Object.entries(SCRIPTS).map(
      ([file, content]) => [`/root/w/${file}`, { type: 'file', content, mode: 0o755 }] as const,
    );
    const machine = makeBareMachine({
      programs: await allPrograms(),
      files: new Map([
        ...scripts,
        ['/root/w/s.sh', { type: 'file', content: 'echo no\n', mode: 0o644 }],
        ['/root/w/d', { type: 'directory' }],
      ]),
    });
    const person = await sitDown({
      machine,
      columns: 160,
      rows: 60,
      argv: ['bash', '-c', `cd /root/w\n${command}`],
    });
    await person.wait(500);
    const shown = person.screen().map((line) => line.replace(/^bash: line 2: /, 'bash: line 1: '));
    expect(shown).toEqual(
      lines
        .slice(1, end)
        .map((line) => expandTabs(line).trimEnd().replace('x86_64-pc-linux-gnu', 'x86_64-redhat-linux-gnu')),
    );
    expect(person.status()).toBe(Number(/\d+/.exec(lines[end]!)![0]));
  },
);

if (!existsSync(GOLDEN)) noRecordings('runs end as recorded');
