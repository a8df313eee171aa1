// Runs small scripts of tools on the host and on a virtual machine, in folders with the same files, and compares them.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { BUSYBOX_APPLETS, machinePrograms, PACKAGES } from '../../../main/linux/commands/index.ts';
import type { LayerFile, Program } from '../../../main/linux/kernel/index.ts';
import { bash, dash } from '../../../main/linux/shell/index.ts';
import { makeBareMachine, run, TEST_START_MS, type BareMachine } from '../../support/make-machine.ts';
import { FIXTURE } from './fixture.ts';

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

/** Where cases run in the virtual machine; on the host it is a temporary folder, whose name `onHost` replaces by this one in what comes out. */
const FOLDER = '/tmp/cases';

/** Whose tools a case means: GNU's, or busybox's applets by their bare names. */
export type Manner = 'gnu' | 'busybox';

const ENVIRONMENT = { HOME: '/root', LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', TZ: 'UTC', TERM: 'xterm' };
const GNU_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Each script in a fresh copy of the fixture; all of them under one driver process. */
const DRIVER = `
for f in s/*.sh; do
  n=\${f##*/}; n=\${n%.sh}
  chmod -R u+rwx w 2>/dev/null; rm -rf w; cp -a fixture w
  (cd w && exec timeout -k 1 20 bash -c "$(<../s/$n.sh)") >o/$n.out 2>o/$n.err </dev/null
  echo $? >o/$n.status
done`;

/** What the host's tools make of each script. Bytes are read as latin1, so that none is lost. */
export function onHost(scripts: readonly string[], manner: Manner = 'gnu'): Outcome[] {
  const directory = mkdtempSync(join(tmpdir(), 'drydock-tools-'));
  try {
    for (const name of ['s', 'o', 'bin']) mkdirSync(join(directory, name));
    if (manner === 'busybox')
      for (const name of execFileSync('busybox', ['--list'], { encoding: 'utf8' }).trimEnd().split('\n'))
        if (name !== 'bash' && name !== 'timeout') symlinkSync('/bin/busybox', join(directory, 'bin', name));
    if (manner === 'gnu' && existsSync('/usr/bin/gawk'))
      symlinkSync('/usr/bin/gawk', join(directory, 'bin', 'awk'));
    makeFixture(join(directory, 'fixture'));
    scripts.forEach((script, i) => writeFileSync(join(directory, 's', `${name(i)}.sh`), script));
    execFileSync('/bin/bash', ['-c', DRIVER], {
      cwd: directory,
      env: { ...ENVIRONMENT, PATH: `${join(directory, 'bin')}:${GNU_PATH}` },
      stdio: 'ignore',
    });
    const read = (file: string): string =>
      readFileSync(join(directory, 'o', file), 'latin1').replaceAll(`${directory}/w`, FOLDER);
    return scripts.map((_, i) => ({
      stdout: read(`${name(i)}.out`),
      stderr: read(`${name(i)}.err`),
      status: Number(read(`${name(i)}.status`)),
    }));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function name(index: number): string {
  return String(index).padStart(6, '0');
}

function makeFixture(path: string): void {
  mkdirSync(path);
  for (const [file, entry] of Object.entries(FIXTURE)) {
    const full = join(path, file);
    if (entry.type === 'directory') mkdirSync(full, { mode: entry.mode });
    else if (entry.type === 'symlink') symlinkSync(entry.target, full);
    else writeFileSync(full, entry.content, { mode: entry.mode });
  }
  spawnSync(
    'sh',
    [
      '-c',
      `chmod -R u=rwX,go=rX . && find . -exec touch -h -d @${TEST_START_MS / 1000} {} + && chmod +x run.sh`,
    ],
    {
      cwd: path,
    },
  );
}

const gnuPrograms = new Map<string, Program>([
  ['/usr/bin/bash', bash],
  ['/usr/bin/sh', dash],
]);
for (const [path, { program }] of machinePrograms(PACKAGES.map((one) => one.name)))
  gnuPrograms.set(path, program);

const busyboxPrograms = new Map<string, Program>([['/usr/bin/bash', bash]]);
for (const [applet, program] of BUSYBOX_APPLETS)
  if (applet !== 'sh') busyboxPrograms.set(`/usr/bin/${applet}`, program);
busyboxPrograms.set('/usr/bin/sh', dash);

/** The fixture as a layer's files. */
function fixtureFiles(): Map<string, LayerFile> {
  const files = new Map<string, LayerFile>([[FOLDER, { type: 'directory', mode: 0o755 }]]);
  for (const [file, entry] of Object.entries(FIXTURE)) files.set(`${FOLDER}/${file}`, entry);
  return files;
}

/** A machine with every tool and the fixture. */
function makeToolsMachine(manner: Manner = 'gnu'): BareMachine {
  return makeBareMachine({
    programs: manner === 'gnu' ? gnuPrograms : busyboxPrograms,
    files: fixtureFiles(),
  });
}

/** What the virtual tools make of one script. */
export async function virtually(script: string, manner: Manner = 'gnu'): Promise<Outcome> {
  const machine = makeToolsMachine(manner);
  const { stdout, stderr, status } = await run(
    machine,
    ['bash', '-c', `{ ${script}\n} </dev/null >/tmp/.out 2>/tmp/.err`],
    {
      cwd: FOLDER,
      withinMs: 25_000,
      env: new Map(Object.entries({ ...ENVIRONMENT, PATH: GNU_PATH })),
    },
  );
  if (machine.faults.length > 0) throw machine.faults[0];
  const outcome: { stdout: string; stderr: string } = { stdout, stderr };
  await run(machine, (proc) => {
    outcome.stdout = Buffer.from(proc.fs.readFile('/tmp/.out')).toString('latin1') + stdout;
    outcome.stderr = Buffer.from(proc.fs.readFile('/tmp/.err')).toString('latin1') + stderr;
    return Promise.resolve(0);
  });
  return { ...outcome, status };
}
