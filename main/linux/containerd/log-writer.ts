// A container's log in CRI format: `2024-03-01T00:00:00.000000000Z stdout F line`. kubelet's container log path, KEP-1602.
import { gzipSync } from 'node:zlib';
import { ErrnoError } from '../../network/index.ts';
import type { Clock } from '../../simulation/index.ts';
import type { FileSystemView } from '../kernel/index.ts';
import type { LogRotation } from './containerd.ts';

/** Longer lines are written in parts, tagged P. */
const LINE_BYTES_MAX = 16_384;
/**
 * The kubelet's defaults for containerLogMaxSize and containerLogMaxFiles.
 * Differs: there the kubelet looks every ten seconds and rotates; here the writer does at once, so that no loop fills the disk.
 */
const ROTATION_DEFAULT: LogRotation = { sizeBytes: 10 * 1024 ** 2, files: 5 };
const NEWLINE = 10;

/** Splits one stream into log lines; the last unfinished one waits for more. */
export class LogWriter {
  private readonly files: FileSystemView;
  private readonly path: string;
  private readonly clock: Clock;
  private readonly rotation: LogRotation;
  private readonly format: 'cri' | 'json';
  private sizeBytes: number;
  private readonly rest = new Map<'stdout' | 'stderr', Uint8Array>();

  constructor(
    files: FileSystemView,
    path: string,
    clock: Clock,
    rotation = ROTATION_DEFAULT,
    format: 'cri' | 'json' = 'cri',
  ) {
    this.format = format;
    this.rotation = rotation;
    this.files = files;
    this.path = path;
    this.clock = clock;
    this.sizeBytes = files.exists(path) ? files.stat(path).sizeBytes : 0;
  }

  write(stream: 'stdout' | 'stderr', data: Uint8Array): void {
    const before = this.rest.get(stream);
    let text = before === undefined || before.length === 0 ? data : Buffer.concat([before, data]);
    const lines: Uint8Array[] = [];
    for (;;) {
      const newline = text.indexOf(NEWLINE);
      const full = newline < 0 ? text.length >= LINE_BYTES_MAX : newline > LINE_BYTES_MAX;
      if (full) {
        lines.push(this.line(stream, 'P', text.subarray(0, LINE_BYTES_MAX)));
        text = text.subarray(LINE_BYTES_MAX);
      } else if (newline >= 0) {
        lines.push(this.line(stream, 'F', text.subarray(0, newline)));
        text = text.subarray(newline + 1);
      } else {
        break;
      }
    }
    // A copy: a Buffer's slice would hold on to all of what it was cut from.
    if (text.length === 0) this.rest.delete(stream);
    else this.rest.set(stream, Uint8Array.from(text));
    if (lines.length > 0) this.append(Buffer.concat(lines));
  }

  /** The stream has ended: what was left without a newline is written as it is. */
  end(stream: 'stdout' | 'stderr'): void {
    const rest = this.rest.get(stream);
    this.rest.delete(stream);
    if (rest !== undefined && rest.length > 0) this.append(this.line(stream, 'P', rest));
  }

  private line(stream: string, tag: 'P' | 'F', content: Uint8Array): Uint8Array {
    if (this.format === 'json') {
      const log = `${Buffer.from(content).toString('utf8')}${tag === 'F' ? '\n' : ''}`;
      return Buffer.from(`${JSON.stringify({ log, stream, time: nanoTime(this.clock.now()) })}\n`);
    }
    return Buffer.concat([
      Buffer.from(`${nanoTime(this.clock.now())} ${stream} ${tag} `),
      content,
      Buffer.from('\n'),
    ]);
  }

  /** Puts the log aside under the time of day; of what was put aside before, all but the newest is compressed. */
  private rotate(): void {
    const { files, path, clock } = this;
    const slash = path.lastIndexOf('/');
    const folder = path.slice(0, slash);
    const before = files
      .readdir(folder)
      .map(({ name }) => name)
      .filter((name) => name.startsWith(`${path.slice(slash + 1)}.`))
      .toSorted();
    const kept = Math.max(0, this.rotation.files - 2);
    for (const name of before.splice(0, before.length - kept)) files.unlink(`${folder}/${name}`);
    for (const name of before) {
      if (name.endsWith('.gz')) continue;
      files.writeFile(`${folder}/${name}.gz`, gzipSync(files.readFile(`${folder}/${name}`)), { mode: 0o640 });
      files.unlink(`${folder}/${name}`);
    }
    let name = `${path}.${dayAndTime(clock.now())}`;
    while (files.exists(name) || files.exists(`${name}.gz`)) name += '0'; // Twice in one second.
    files.rename(path, name);
    this.sizeBytes = 0;
  }

  private append(lines: Uint8Array): void {
    try {
      if (this.sizeBytes + lines.length > this.rotation.sizeBytes && this.files.exists(this.path))
        this.rotate();
      this.sizeBytes += lines.length;
      this.files.writeFile(this.path, lines, { append: true, mode: 0o640 });
    } catch (error) {
      // A full disk or a removed folder loses log lines; the container goes on, as with containerd.
      if (!(error instanceof ErrnoError)) throw error;
    }
  }
}

/** `20261120-213500`. */
function dayAndTime(instantMs: number): string {
  return new Date(instantMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
}

/** RFC 3339 with nine digits of fraction. */
function nanoTime(instantMs: number): string {
  const nanos = Math.round((instantMs - Math.floor(instantMs)) * 1e6);
  return new Date(Math.floor(instantMs))
    .toISOString()
    .replace('Z', `${String(Math.min(nanos, 999_999)).padStart(6, '0')}Z`);
}
