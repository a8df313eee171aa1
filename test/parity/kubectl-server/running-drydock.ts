// A Drydock with its doors open, and the scenarios that run against it with the real kubectl.
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { resources } from '../../../main/kubernetes/api/index.ts';
import { openDrydock } from '../../support/open-drydock.ts';
import { firstMismatch, matches } from './output.ts';
import type { Scenario, Step } from './scenario.ts';

/** Wall time after which a command is ended, and `~` gives up. */
const WITHIN_MS = 30_000;
const RETRY_MS = 150;
const FILES = path.join(import.meta.dirname, 'files');

interface Result {
  readonly status: number;
  readonly output: string;
}

export interface RunningDrydock extends AsyncDisposable {
  /** Plays a scenario in a namespace of its own; rejects with all that went otherwise than expected. */
  play(scenario: Scenario): Promise<void>;
  /** What was thrown inside where nothing may be. */
  readonly faults: readonly unknown[];
}

export interface RunningDrydockOptions {
  /** The real kubectl's path. */
  readonly kubectl: string;
  /** Virtual seconds in one of the wall's. */
  readonly speed: number;
  /** `current` if none is named. */
  readonly profile?: string;
}

export async function startDrydock({
  kubectl,
  speed,
  profile = 'current',
}: RunningDrydockOptions): Promise<RunningDrydock> {
  await using stack = new AsyncDisposableStack();
  const drydock = stack.use(await openDrydock({ speed, profile }));
  const { session, folder, faults, kubeconfig } = drydock;
  mkdirSync(path.join(folder, 'bin'));
  symlinkSync(kubectl, path.join(folder, 'bin', 'kubectl'));
  let count = 0;

  const { admin, world } = session.clusters.cluster!;
  const { simulation } = session;
  const asInput = <Payload, Result>(kind: string, work: (payload: Payload) => Promise<Result>) => {
    stack.use(simulation.onInput<Payload>(kind, work));
    return (payload: Payload): Promise<Result> => simulation.input<Result>(kind, payload);
  };
  const makeNamespace = asInput('test.makeNamespace', async (name: string) => {
    await admin.create(resources.namespaces, { metadata: { name } });
    while ((await admin.list(resources.serviceaccounts, { namespace: name })).items.length === 0) {
      await simulation.sleep(1);
    }
  });
  const removeNamespace = asInput('test.removeNamespace', (name: string) =>
    admin.delete(resources.namespaces, name),
  );
  const runOnMachine = asInput('test.runOnMachine', (at: { machine: string; script: string }) =>
    world.runOnMachine(at.machine, at.script),
  );

  const take = async (step: Step, story: Story): Promise<void> => {
    if (step.kind === 'advance') {
      await session.call('clock.skip', { seconds: step.seconds });
    } else if (step.kind === 'machine') {
      const { stdout, stderr, exitCode } = await runOnMachine({
        machine: step.machine,
        script: step.command,
      });
      story.check(step, { output: stdout + stderr, status: exitCode });
    } else {
      const giveUpAt = Date.now() + (story.hasFailed ? 0 : WITHIN_MS);
      let result = await story.bash(step.command);
      while (step.kind === 'until' && !story.isAsExpected(step, result) && Date.now() < giveUpAt) {
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        result = await story.bash(step.command);
      }
      story.check(step, result);
    }
  };

  const owned = stack.move();
  return {
    faults,
    async play(scenario) {
      const namespace = `${scenario.file.replace('.txt', '')}-${++count}`;
      const cwd = path.join(folder, namespace);
      cpSync(FILES, cwd, { recursive: true });
      const config = path.join(cwd, '.kubeconfig');
      writeFileSync(
        config,
        kubeconfig.replace(/^( +)user: kubernetes-admin$/m, `$&\n$1namespace: ${namespace}`),
      );
      await makeNamespace(namespace);
      using story = new Story(scenario, namespace, {
        cwd,
        env: {
          ...process.env,
          PATH: `${path.join(folder, 'bin')}:${process.env['PATH']}`,
          HOME: folder,
          KUBECONFIG: config,
          NS: namespace,
          TZ: 'UTC',
          LC_ALL: 'C.UTF-8',
        },
      });
      for (const step of scenario.steps) await take(step, story);
      story.end();
      await removeNamespace(namespace);
    },
    async [Symbol.asyncDispose]() {
      await owned.disposeAsync();
    },
  };
}

/** A scenario being played: its shell, and what to say when it goes otherwise. */
class Story implements Disposable {
  private readonly scenario: Scenario;
  private readonly namespace: string;
  private readonly place: { readonly cwd: string; readonly env: NodeJS.ProcessEnv };
  private readonly groups = new Set<number>();
  private readonly failures: string[] = [];

  constructor(scenario: Scenario, namespace: string, place: Story['place']) {
    this.scenario = scenario;
    this.namespace = namespace;
    this.place = place;
  }

  /** Runs a script to its end. A job that it leaves in the background has to write elsewhere, and ends with the story. */
  bash(script: string): Promise<Result> {
    return new Promise((resolve, reject) => {
      const child = spawn('bash', ['-c', `exec 2>&1\n${script}`], {
        ...this.place,
        detached: true, // A process group of its own, by which everything that is left can be ended.
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const group = child.pid;
      if (group !== undefined) this.groups.add(group);
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
      const timer = setTimeout(() => {
        output += `\n(ended after ${WITHIN_MS / 1000} s)\n`;
        endGroup(group!);
      }, WITHIN_MS);
      child.once('error', reject);
      child.once('close', (status) => {
        clearTimeout(timer);
        resolve({ status: status ?? -1, output });
      });
    });
  }

  isAsExpected(step: Exclude<Step, { kind: 'advance' }>, { status, output }: Result): boolean {
    return status === step.status && matches(step.output, linesOf(output), this.namespace);
  }

  check(step: Exclude<Step, { kind: 'advance' }>, result: Result): void {
    if (this.isAsExpected(step, result)) return;
    const { file } = this.scenario;
    const wrong = firstMismatch(step.output, linesOf(result.output), this.namespace);
    const at = wrong < step.output.length ? `, from "${step.output[wrong]}" on` : '';
    const expected = [...step.output, ...(step.status === 0 ? [] : [`[${step.status}]`])].join('\n');
    const actual = result.output.trimEnd() + (result.status === 0 ? '' : `\n[${result.status}]`);
    this.failures.push(
      `${file}:${step.line}: ${step.command}\n--- expected${at}\n${expected}\n--- printed\n${actual}\n---`,
    );
  }

  get hasFailed(): boolean {
    return this.failures.length > 0;
  }

  /** Throws what went otherwise than expected, all of it: the first may explain the others. */
  end(): void {
    if (!this.hasFailed) return;
    const error = new Error(this.failures.join('\n'));
    error.stack = error.message; // Where in the player it was found tells nothing.
    throw error;
  }

  [Symbol.dispose](): void {
    for (const group of this.groups) endGroup(group);
  }
}

function linesOf(output: string): string[] {
  const text = output.replace(/\n+$/, '');
  return text === '' ? [] : text.split('\n');
}

function endGroup(group: number): void {
  try {
    process.kill(-group, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
