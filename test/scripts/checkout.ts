// A small checkout in a temporary folder: the real scripts, with a lockfile and tools of the test's own.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');
const REAL_SCRIPTS = ['setup.mjs', 'start.mjs', 'electron.mjs', 'check.mjs', 'test.mjs'];
const EMPTY_LOCK = { name: 'checkout', lockfileVersion: 3, packages: { '': { name: 'checkout' } } };

export interface Run {
  status: number | null;
  stdout: string;
  stderr: string;
}

export class Checkout implements Disposable {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'drydock-checkout-'));

  constructor() {
    for (const name of REAL_SCRIPTS) {
      cpSync(path.join(ROOT, 'scripts', name), path.join(this.folder, 'scripts', name), { recursive: true });
    }
    this.write('package.json', JSON.stringify({ name: 'checkout', private: true, type: 'module' }));
    this.write('package-lock.json', JSON.stringify(EMPTY_LOCK));
    this.write('scripts/generate-schemas.ts', '// Nothing to generate.\n');
    this.write('main/kubernetes/api/generated/.keep', '');
  }

  /** Makes node_modules look as npm leaves it, with a build tool that appends to out/builds. */
  pretendInstalled(builder = "fs.appendFileSync('out/builds', 'built\\n');"): void {
    this.write('node_modules/.package-lock.json', JSON.stringify({ packages: {} }));
    this.write('node_modules/.bin/.keep', '');
    this.write('out/.keep', '');
    this.write('node_modules/electron-vite/package.json', '{"type":"module"}');
    this.write('node_modules/electron-vite/bin/electron-vite.js', `import fs from 'node:fs';\n${builder}\n`);
  }

  run(script: string, args: string[] = [], environment: NodeJS.ProcessEnv = {}): Promise<Run> {
    const child = spawn(process.execPath, [path.join(this.folder, script), ...args], {
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, npm_execpath: undefined, ...environment },
    });
    const run: Run = { status: null, stdout: '', stderr: '' };
    child.stdout.on('data', (data: Buffer) => (run.stdout += data.toString()));
    child.stderr.on('data', (data: Buffer) => (run.stderr += data.toString()));
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status) => resolve({ ...run, status }));
    });
  }

  write(name: string, text: string): void {
    const file = path.join(this.folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  /** A file's text, or undefined where there is none. */
  read(name: string): string | undefined {
    const file = path.join(this.folder, name);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
