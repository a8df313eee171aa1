// Recorded screens of vim: the same keys typed at a terminal without a pane's editor show the same.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { sitDown, type Person } from '../../main/linux/shell/terminal.ts';
import { noRecordings } from '../../support/no-recordings.ts';
import { allPrograms } from '../shell/harness.ts';
import { makeBareMachine } from '../../support/make-machine.ts';

const GOLDEN = fileURLToPath(new URL('../../../../shared/golden/vim/', import.meta.url));
const NAMED: Readonly<Record<string, string>> = {
  Enter: '\r',
  Escape: '\u001b',
  'C-c': '\u0003',
  'C-r': '\u0012',
};
/** Recordings that differ, with the reason. */
const KNOWN: Readonly<Record<string, string>> = {
  '19-no-name.txt': 'the text that vim greets with is its own',
  '21-directory.txt': "netrw, vim's browser of directories, isn't simulated",
};
const SERVICE =
  'apiVersion: v1\nkind: Service\nmetadata:\n  name: web1\nspec:\n  type: NodePort\n  ports:\n  - port: 80\n';

interface Step {
  readonly keys?: string;
  readonly screen?: readonly string[];
}

function stepsOf(text: string): { argument: string; steps: Step[]; exitCode: number } {
  const [head = '', ...lines] = text.trimEnd().split('\n');
  const steps: Step[] = [];
  let screen: string[] | undefined;
  let exitCode = 0;
  for (const line of lines) {
    const keys = /^--- keys: (.*)$/.exec(line)?.[1];
    const end = /^\[exit (\d+)\]$/.exec(line)?.[1];
    if (keys !== undefined || end !== undefined || line.startsWith('--- screen')) {
      screen = undefined;
      if (keys !== undefined) steps.push({ keys: NAMED[keys] ?? keys });
      if (end !== undefined) exitCode = Number(end);
      if (line.startsWith('--- screen')) steps.push({ screen: (screen = []) });
    } else screen?.push(line);
  }
  return { argument: head.replace('$ vim', '').trim(), steps, exitCode };
}

/** Paths were cut out of the recordings, in vim's messages with the columns that they had. */
function masked(lines: readonly string[]): string[] {
  return lines.map((line) =>
    line
      .replaceAll('/tmp/gwvim/', '')
      .replace(/^(".*?"(?: \[New\])?(?: \d+L, \d+B)?(?: written)?) +(\d+,\S+ +\w+%?)$/, '$1 $2')
      .replace(/\d+ seconds? ago +/, 'N ago ')
      .trimEnd(),
  );
}

const names = existsSync(GOLDEN) ? readdirSync(GOLDEN).filter((name) => /^\d.*\.txt$/.test(name)) : [];
let person: Person | undefined;

async function seat(): Promise<Person> {
  const files = {
    '/tmp/gwvim/svc.yaml': { type: 'file', content: SERVICE },
    '/tmp/gwvim/n60': { type: 'file', content: Array.from({ length: 60 }, (_, i) => `${i + 1}\n`).join('') },
    '/tmp/gwvim/ro.txt': { type: 'file', content: 'ro\n', mode: 0o444 },
    '/root/other.yaml': { type: 'file', content: '' },
  } as const;
  const machine = makeBareMachine({
    programs: await allPrograms(),
    files: { '/root/.bashrc': "PS1='$ '\n", ...files },
  });
  return sitDown({ machine, columns: 80, rows: 25 });
}

/** The screens after a recording's keys, and the recorded ones. */
async function replayed(name: string): Promise<{ shown: string[]; wanted: string[] }> {
  person ??= await seat();
  const { argument, steps, exitCode } = stepsOf(readFileSync(GOLDEN + name, 'utf8'));
  const path =
    argument === '' || argument.startsWith('/')
      ? argument
      : argument === 'gwvim'
        ? '/tmp/gwvim'
        : `/tmp/gwvim/${argument}`;
  await person.type(`clear; vim ${name.startsWith('20-') ? '/no/such/f' : path}; echo status $?\r`);
  const shown: string[] = [];
  const wanted: string[] = [];
  for (const { keys, screen } of steps) {
    if (keys !== undefined) await person.type(keys, 300);
    else {
      shown.push('--- screen', ...masked(person.screen()));
      wanted.push('--- screen', ...masked(screen!));
    }
  }
  shown.push(person.screen().find((line) => line.startsWith('status')) ?? person.screen().join('\n'));
  wanted.push(`status ${exitCode}`);
  return { shown, wanted };
}

// One after the other at the same machine: vim remembers where the cursor was in a file.
test.each(names)('%s shows what vim showed, or is known to differ', async (name) => {
  const { shown, wanted } = await replayed(name);
  const differing = shown.filter((line, index) => line !== wanted[index]);
  expect({ isKnown: differing.length > 0, differing }).toEqual({
    isKnown: name in KNOWN,
    differing: name in KNOWN ? differing : [],
  });
});

if (names.length === 0) noRecordings('screens of vim');
