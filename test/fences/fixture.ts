// A small house of its own in a temporary folder, on which the real fences are run.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** A temporary copy of the house's settings with the given files (path from the root to text). */
export class Fixture implements Disposable {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'drydock-fences-'));

  constructor(files: Readonly<Record<string, string>>) {
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(this.folder, 'node_modules'), 'junction');
    for (const name of ['base', 'main', 'preload', 'renderer', 'test']) this.copy(`tsconfig.${name}.json`);
    this.copy('tsconfig.json');
    const settings = JSON.parse(readFileSync(path.join(ROOT, '.oxlintrc.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    settings['jsPlugins'] = [path.join(ROOT, 'scripts/fences/plugin.ts')];
    this.write('.oxlintrc.json', JSON.stringify(settings));
    for (const [name, text] of Object.entries(files)) this.write(name, text);
  }

  /** What oxlint says, per file: `rule: message`. */
  lint(): Map<string, string[]> {
    const { stdout, stderr } = this.run('oxlint/bin/oxlint', ['--deny-warnings', '--format', 'json']);
    if (!stdout.startsWith('{')) throw new Error(`oxlint failed: ${stdout}${stderr}`);
    const { diagnostics } = JSON.parse(stdout) as {
      diagnostics: { filename: string; message: string; code?: string; help?: string }[];
    };
    const faults = new Map<string, string[]>();
    for (const { filename, message, code = '?' } of diagnostics) {
      const file = filename.replaceAll('\\', '/');
      faults.set(file, [...(faults.get(file) ?? []), `${code}: ${message}`]);
    }
    return faults;
  }

  /** What tsc says under one tsconfig, per file. */
  types(config: 'main' | 'preload' | 'renderer'): Map<string, string[]> {
    const { stdout } = this.run('typescript/bin/tsc', ['-p', `tsconfig.${config}.json`, '--pretty', 'false']);
    const faults = new Map<string, string[]>();
    for (const line of stdout.split('\n')) {
      const match = /^(.+?)\(\d+,\d+\): error (TS\d+: .*)$/.exec(line);
      if (match === null) {
        if (line.startsWith('error')) throw new Error(line);
        continue;
      }
      faults.set(match[1]!, [...(faults.get(match[1]!) ?? []), match[2]!]);
    }
    return faults;
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private run(script: string, args: string[]): { stdout: string; stderr: string } {
    return spawnSync(process.execPath, [path.join(ROOT, 'node_modules', script), ...args], {
      cwd: this.folder,
      encoding: 'utf8',
      maxBuffer: 64 * 2 ** 20,
    });
  }

  private copy(name: string): void {
    this.write(name, readFileSync(path.join(ROOT, name), 'utf8'));
  }

  private write(name: string, text: string): void {
    const file = path.join(this.folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}
