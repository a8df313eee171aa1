// Runs the `drydock` command as a person does: a process of its own, told apart by its output and exit status.
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';

const COMMAND = path.join(import.meta.dirname, '../../bin/drydock.mjs');

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

export interface Finished {
  /** Exit status, or the signal that ended it. */
  readonly status: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
}

/** A `drydock` process. */
export class Drydock {
  readonly child: Child;
  readonly finished: Promise<Finished>;
  stdout = '';
  stderr = '';

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.child = spawn(process.execPath, [COMMAND, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.finished = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code, signal) =>
        resolve({ status: code ?? signal!, stdout: this.stdout, stderr: this.stderr }),
      );
    });
  }

  /** Waits until its output so far matches. Rejects if it ends before. */
  async prints(pattern: RegExp): Promise<RegExpExecArray> {
    const found = new Promise<RegExpExecArray>((resolve) => {
      const look = (): void => {
        const match = pattern.exec(this.stdout);
        if (match !== null) resolve(match);
      };
      this.child.stdout.on('data', look);
      look();
    });
    const ended = this.finished.then(({ status, stderr }) => {
      throw new Error(`drydock ended with ${status}: ${stderr}`);
    });
    return Promise.race([found, ended]);
  }

  end(signal: NodeJS.Signals): Promise<Finished> {
    this.child.kill(signal);
    return this.finished;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.end('SIGKILL');
  }
}

/** Runs one command line to its end. */
export async function drydock(args: readonly string[], input = ''): Promise<Finished> {
  await using command = new Drydock(args);
  command.child.stdin.end(input);
  return await command.finished;
}

/** What `drydock up` says when it is ready. */
export interface Ready {
  readonly ready: true;
  readonly kubeconfig: string;
  readonly api: string;
  readonly proxy: string;
  readonly dns: string;
}

export class RunningUp extends Drydock {
  readonly data: string;
  constructor(data: string, args: readonly string[] = []) {
    super(['up', '--data', data, '--latency', 'none', ...args]);
    this.data = data;
  }

  async ready(): Promise<Ready> {
    const [line] = await this.prints(/^.*\n/);
    return JSON.parse(line) as Ready;
  }

  exec(machine: string, ...argv: string[]): Promise<Finished> {
    return drydock(['exec', '--data', this.data, machine, '--', ...argv]);
  }
}

export interface TemporaryFolder extends Disposable {
  readonly path: string;
}

export function makeTemporaryFolder(): TemporaryFolder {
  const folder = mkdtempSync(path.join(tmpdir(), 'drydock-test-'));
  return { path: folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}
