// Buffered output of a command: gathers small writes, and charges the process for what it prints.
import type { OpenFile, Process } from '../../kernel/index.ts';
import { textToBytes } from '../../shell/index.ts';

const FLUSH_BYTES = 16_384;
/** Virtual CPU time a command spends per write(2), so that endless writers cost time. */
const WRITE_COST_MS = 0.003;

/** Writes in order to one file. Whoever waits for input flushes first. */
export class Output {
  readonly file: OpenFile;
  private readonly proc: Process;
  private pending: (string | Uint8Array)[] = [];
  private size = 0;

  constructor(proc: Process, file: OpenFile) {
    this.proc = proc;
    this.file = file;
  }

  /** Takes text or bytes; returns a promise only when the buffer had to be written out. */
  put(data: string | Uint8Array): Promise<void> | undefined {
    if (data.length === 0) return undefined;
    this.pending.push(data);
    this.size += data.length;
    return this.size >= FLUSH_BYTES ? this.flush() : undefined;
  }

  line(text: string): Promise<void> | undefined {
    return this.put(`${text}\n`);
  }

  async flush(): Promise<void> {
    if (this.size === 0) return;
    const data = join(this.pending);
    this.pending = [];
    this.size = 0;
    await this.proc.cpu(WRITE_COST_MS);
    await this.file.write(data);
  }
}

function join(parts: readonly (string | Uint8Array)[]): Uint8Array {
  if (parts.every((part) => typeof part === 'string')) return textToBytes(parts.join(''));
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? textToBytes(part) : part)));
}
