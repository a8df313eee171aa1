// Runs the script that made the recordings against another cluster, in a folder of its own, sleeping less.
import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export const RECORDED = path.resolve(import.meta.dirname, '../../../../shared/golden/cluster');
const SCRIPT = 'capture.mjs';

/** Which kubectl of the host plays which part. */
export interface Kubectls {
  readonly '1.32': string;
  readonly '1.27'?: string;
  readonly '1.30'?: string;
  readonly '1.33'?: string;
}

export interface RecorderOptions {
  readonly kubectls: Kubectls;
  readonly kubeconfig: string;
  /** How much faster than the wall the cluster runs; the script's own sleeps shrink by it. */
  readonly speed: number;
}

/** A folder in which the script writes `AREA/NN-name.txt`. */
export class Recorder implements Disposable {
  readonly folder: string;
  /** What the script said, such as which state it never saw. */
  said = '';
  private readonly options: RecorderOptions;

  constructor(options: RecorderOptions) {
    this.options = options;
    this.folder = mkdtempSync(path.join(tmpdir(), 'drydock-recorder-'));
    copyFiles(path.join(RECORDED, 'manifests'), path.join(this.folder, 'manifests'));
    writeFileSync(path.join(this.folder, SCRIPT), hastened(options.speed));
  }

  /** Runs areas one after the other. */
  run(areas: readonly string[]): Promise<void> {
    const { kubectls, kubeconfig } = this.options;
    const env = {
      PATH: `${path.dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
      HOME: this.folder,
      KUBECONFIG: kubeconfig,
      KUBECTL: kubectls['1.32'],
      ...(kubectls['1.27'] === undefined ? {} : { KUBECTL127: kubectls['1.27'] }),
      ...(kubectls['1.30'] === undefined ? {} : { KUBECTL130: kubectls['1.30'] }),
      ...(kubectls['1.33'] === undefined ? {} : { KUBECTL133: kubectls['1.33'] }),
    };
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [SCRIPT, ...areas], { cwd: this.folder, env });
      const hear = (text: string): void => void (this.said += text);
      child.stdout.setEncoding('utf8').on('data', hear);
      child.stderr.setEncoding('utf8').on('data', hear);
      child.once('error', reject);
      child.once('close', (code) =>
        code === 0 ? resolve() : reject(new Error(`${areas.join(' ')} ended with ${code}: ${this.said}`)),
      );
    });
  }

  /** Keeps what was written for a person to look at. */
  keep(folder: string): void {
    cpSync(this.folder, folder, { recursive: true, verbatimSymlinks: true });
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/**
 * A transcript in a recorder's folder; undefined if it did not get that far. Where the script records only what is
 * worth it, the number may be another.
 */
export function writtenTranscript(folder: string, area: string, file: string): string | undefined {
  const written = path.join(folder, area);
  if (!existsSync(written)) return undefined;
  const name = existsSync(path.join(written, file))
    ? file
    : readdirSync(written).find((other) => other.replace(/^\d+/, '') === file.replace(/^\d+/, ''));
  return name === undefined ? undefined : readFileSync(path.join(written, name), 'utf8');
}

/** The recorded transcripts' file names of an area, in their order. */
export function recordedFiles(area: string): string[] {
  return readdirSync(path.join(RECORDED, area))
    .filter((file) => file.endsWith('.txt'))
    .toSorted();
}

export function recordedTranscript(area: string, file: string): string {
  return readFileSync(path.join(RECORDED, area, file), 'utf8');
}

/** Copies a folder's files, writable even where the originals aren't. */
function copyFiles(from: string, to: string): void {
  mkdirSync(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)];
    if (entry.isDirectory()) copyFiles(source, target);
    else writeFileSync(target, readFileSync(source));
  }
}

/** The script with shorter sleeps. Throws if it has none, for then it isn't the script known here. */
function hastened(speed: number): string {
  const script = readFileSync(path.join(RECORDED, SCRIPT), 'utf8');
  const changed = script
    .replace("spawnSync('sleep', ['0.5'])", "spawnSync('sleep', ['0.15'])")
    .replace("spawnSync('sleep', [String(s)])", `spawnSync('sleep', [String(s / ${speed})])`)
    .replace(
      'seconds = 60) {\n  for (const end',
      `seconds = 60) {\n  seconds = Math.max(5, (2 * seconds) / ${speed});\n  for (const end`,
    );
  if (changed.length < script.length + 20) throw new Error(`${SCRIPT} is not as it was`);
  return changed;
}
