// A container's log in CRI format: `2024-03-01T00:00:00.000000000Z stdout F line`. kubelet's container log path, KEP-1602.
import { ErrnoError } from '../../network/index.ts';
import type { Clock } from '../../simulation/index.ts';
import type { FileSystemView } from '../kernel/index.ts';

/** Longer lines are written in parts, tagged P. */
const LINE_BYTES_MAX = 16_384;
/**
 * A log that grows beyond this is put aside as PATH.old and begun anew.
 * Differs: there the kubelet rotates (containerLogMaxSize); here the writer does, so that no loop fills the disk.
 */
const LOG_BYTES_MAX = 10 * 1024 ** 2;
const NEWLINE = 10;

/** Splits one stream into log lines; the last unfinished one waits for more. */
export class LogWriter {
  private readonly files: FileSystemView;
  private readonly path: string;
  private readonly clock: Clock;
  private sizeBytes: number;
  private readonly rest = new Map<'stdout' | 'stderr', Uint8Array>();

  constructor(files: FileSystemView, path: string, clock: Clock) {
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
    this.rest.set(stream, text.slice());
    if (lines.length > 0) this.append(Buffer.concat(lines));
  }

  /** The stream has ended: what was left without a newline is written as it is. */
  end(stream: 'stdout' | 'stderr'): void {
    const rest = this.rest.get(stream);
    this.rest.delete(stream);
    if (rest !== undefined && rest.length > 0) this.append(this.line(stream, 'P', rest));
  }

  private line(stream: string, tag: 'P' | 'F', content: Uint8Array): Uint8Array {
    return Buffer.concat([
      Buffer.from(`${nanoTime(this.clock.now())} ${stream} ${tag} `),
      content,
      Buffer.from('\n'),
    ]);
  }

  private append(lines: Uint8Array): void {
    try {
      if (this.sizeBytes + lines.length > LOG_BYTES_MAX && this.files.exists(this.path)) {
        this.files.rename(this.path, `${this.path}.old`);
        this.sizeBytes = 0;
      }
      this.sizeBytes += lines.length;
      this.files.writeFile(this.path, lines, { append: true, mode: 0o640 });
    } catch (error) {
      // A full disk or a removed folder loses log lines; the container goes on, as with containerd.
      if (!(error instanceof ErrnoError)) throw error;
    }
  }
}

/** RFC 3339 with nine digits of fraction. */
function nanoTime(instantMs: number): string {
  const nanos = Math.round((instantMs - Math.floor(instantMs)) * 1e6);
  return new Date(Math.floor(instantMs))
    .toISOString()
    .replace('Z', `${String(Math.min(nanos, 999_999)).padStart(6, '0')}Z`);
}
