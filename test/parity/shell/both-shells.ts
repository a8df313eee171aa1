// Runs generated scripts in the host's shell and in the virtual one, and tells where they differ.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { LayerFile, Program } from '../../../main/linux/kernel/index.ts';
import { makeBareMachine, run } from '../../support/make-machine.ts';
import { SETUP, type GeneratedScript } from './generate-script.ts';
import { filesOf } from './harness.ts';

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

/** How many host shells run at a time. */
const DRIVERS = 2;
/** Statuses of scripts that the host had to stop: timeout, CPU time, file size, stack. */
const STOPPED = new Set([124, 137, 139, 152, 153]);
const ENVIRONMENT: readonly (readonly [string, string])[] = [
  ['PATH', '/usr/bin:/bin'],
  ['HOME', '/home/drydock'],
  ['LC_ALL', 'C.UTF-8'],
];

const execute = promisify(execFile);

/** The shell's arguments for a way of giving it a script. */
function argumentsOf({ source, way }: GeneratedScript): string[] {
  if (way === 'command') return ['-c', source.replace(/\n+$/, '')];
  return way === 'file' ? ['script.sh'] : [];
}

/** Goes through the directories given to it and runs each one's script. */
const DRIVER = `ulimit -t 2 -f 4096 -c 0
shell=$1; shift
for d; do
  cd "$d/work" || exit 1
  case $(< ../way) in
    command) set -- "$shell" -c "$(< script.sh)"; rm script.sh; in=/dev/null ;;
    file) set -- "$shell" script.sh; in=/dev/null ;;
    stdin) set -- "$shell"; mv script.sh ../in; in=../in ;;
  esac
  env -i ${ENVIRONMENT.map(([name, value]) => `${name}=${value}`).join(' ')} timeout 4 "$@" <$in >../out 2>../err
  echo $? >../status
done 2>/dev/null`;

/** Scripts in directories of their own, and what the host's shell made of them. */
export class HostRuns {
  readonly directory: string;
  private readonly shell: string;

  constructor(shell: string) {
    this.shell = shell;
    this.directory = mkdtempSync(join(tmpdir(), 'drydock-shell-'));
  }

  /** The working directory of one script, on the host and in the machine alike. */
  workOf(index: number): string {
    return join(this.directory, String(index), 'work');
  }

  /** Outcomes in the order of the scripts; undefined for one that had to be stopped. */
  async run(scripts: readonly GeneratedScript[]): Promise<(Outcome | undefined)[]> {
    for (const [i, { source, way }] of scripts.entries()) {
      mkdirSync(this.workOf(i), { recursive: true });
      writeFileSync(join(this.workOf(i), 'script.sh'), source);
      writeFileSync(join(this.workOf(i), '../way'), way);
    }
    const directories = scripts.map((_, i) => join(this.directory, String(i)));
    const setup = `for d; do cd "$d/work"; ${SETUP.replaceAll('\n', ';')} done`;
    await execute('/bin/bash', ['-c', setup, 'setup', ...directories]);
    const share = Math.ceil(scripts.length / DRIVERS);
    await Promise.all(
      Array.from({ length: DRIVERS }, (_, k) =>
        execute('/bin/bash', [
          '-c',
          DRIVER,
          'driver',
          this.shell,
          ...directories.slice(k * share, (k + 1) * share),
        ]),
      ),
    );
    return scripts.map((_, i) => this.outcome(i));
  }

  private outcome(index: number): Outcome | undefined {
    const read = (name: string): string => readFileSync(join(this.workOf(index), '..', name), 'utf8');
    const status = Number(read('status'));
    return STOPPED.has(status) ? undefined : { stdout: read('out'), stderr: read('err'), status };
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** The layer files of a working directory after SETUP, below any path. */
let setupFiles: ReadonlyMap<string, LayerFile> | undefined;

/** What the virtual shell makes of a script. */
export async function virtually(
  script: GeneratedScript,
  shell: string,
  programs: ReadonlyMap<string, Program>,
  work: string,
): Promise<Outcome> {
  setupFiles ??= filesOf(SETUP);
  const files = new Map<string, LayerFile>();
  for (const [path, file] of setupFiles) files.set(path.replace('/root/t', work), file);
  if (script.way === 'file') files.set(`${work}/script.sh`, { type: 'file', content: script.source });
  const machine = makeBareMachine({ programs, files });
  const { stdout, stderr, status } = await run(machine, [shell, ...argumentsOf(script)], {
    cwd: work,
    stdin: script.way === 'stdin' ? script.source : '',
    env: new Map(ENVIRONMENT),
    withinMs: 30_000,
  });
  if (machine.faults.length > 0) throw machine.faults[0];
  return { stdout, stderr, status };
}
