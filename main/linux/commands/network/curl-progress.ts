// curl's progress meter on stderr.
import type { OpenFile, Process } from '../../kernel/index.ts';

const HEADER =
  '  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n                                 Dload  Upload   Total   Spent    Left  Speed\n';

/** A number in five columns, as curl squeezes it. */
function five(value: number): string {
  if (value < 100_000) return String(Math.floor(value)).padStart(5);
  if (value < 10_000 * 1024) return `${String(Math.floor(value / 1024)).padStart(4)}k`;
  if (value < 100 * 1_048_576) return `${(value / 1_048_576).toFixed(1).padStart(4)}M`;
  if (value < 10_000 * 1_048_576) return `${String(Math.floor(value / 1_048_576)).padStart(4)}M`;
  return `${(value / 1_073_741_824).toFixed(1).padStart(4)}G`;
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds <= 0) return '--:--:--';
  return `${String(Math.floor(seconds / 3600)).padStart(2)}:${String(Math.floor(seconds / 60) % 60).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
}

/** Shows nothing until it is started. */
export class CurlProgress {
  private readonly proc: Process;
  private readonly err: OpenFile;
  private started = false;
  private total: number | undefined;
  private startMs: number;

  constructor(proc: Process, err: OpenFile) {
    this.proc = proc;
    this.err = err;
    this.startMs = proc.clock.now();
  }

  /** The header and a first line; `total` is the expected size in bytes. */
  async start(total: number | undefined): Promise<void> {
    this.total = total;
    if (this.started) return;
    this.started = true;
    await this.err.write(`${HEADER}${this.line(0, undefined)}`);
  }

  async end(received: number): Promise<void> {
    if (!this.started) return;
    this.started = false;
    await this.err.write(`${this.line(received, this.total ?? received)}\n`);
  }

  private line(received: number, total: number | undefined): string {
    const spent = this.proc.clock.now() - this.startMs;
    const percent = total === undefined || total === 0 ? 0 : Math.floor((100 * received) / total);
    const speed = received === 0 ? 0 : Math.floor((received * 1000) / Math.max(1, spent));
    const size = total ?? 0;
    return `\r${String(received === 0 && total === undefined ? 0 : percent).padStart(3)} ${five(size)}  ${String(percent).padStart(3)} ${five(received)}    0     0  ${five(speed)}      0 ${clock(0)} ${clock(spent)} ${clock(0)} ${five(speed)}`;
  }
}
