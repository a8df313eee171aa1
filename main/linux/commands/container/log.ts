// Reading a container's log in CRI format, for crictl. KEP-1602.
import { ErrnoError } from '../../../network/index.ts';
import type { Process } from '../../kernel/index.ts';

export interface LogOptions {
  readonly follow: boolean;
  /** Lines from the end; undefined: all. */
  readonly tail: number | undefined;
  readonly timestamps: boolean;
  /** Following ends with the container. */
  readonly isRunning: () => boolean;
}

/** How often one that is followed is looked at, in ms: its end writes nothing. */
const FOLLOW_MS = 500;

/** Prints a log (`TIME stream F text`), each stream to its own descriptor. */
export async function followLog(proc: Process, path: string | undefined, options: LogOptions): Promise<void> {
  if (path === undefined) return;
  const print = async (line: string): Promise<void> => {
    const match = /^(\S+) (stdout|stderr) ([FP]) (.*)$/s.exec(line);
    if (match === null) return;
    const [, time = '', stream, flag, text = ''] = match;
    const target = stream === 'stdout' ? proc.stdout : proc.stderr;
    await target.write(`${options.timestamps ? `${time} ` : ''}${text}${flag === 'F' ? '\n' : ''}`);
  };
  let offset = 0;
  const read = (): string[] => {
    try {
      const bytes = Buffer.from(proc.fs.readFile(path));
      if (bytes.length < offset) offset = 0; // Rotated.
      const fresh = bytes.subarray(offset);
      const end = fresh.lastIndexOf(10) + 1;
      offset += end;
      return end === 0
        ? []
        : fresh
            .subarray(0, end - 1)
            .toString('utf8')
            .split('\n');
    } catch (error) {
      if (error instanceof ErrnoError) return [];
      throw error;
    }
  };
  const first = read();
  const { tail } = options;
  const shown = tail === undefined || tail < 0 ? first : tail === 0 ? [] : first.slice(-tail);
  for (const line of shown) await print(line);
  while (options.follow) {
    const isRunning = options.isRunning();
    for (const line of read()) await print(line);
    if (!isRunning) return;
    let wake: () => void = () => undefined;
    const changed = new Promise<void>((resolve) => (wake = resolve));
    using _watch = proc.fs.watch(path, wake);
    await proc.interruptible(Promise.race([changed, proc.clock.sleep(FOLLOW_MS)]));
  }
}
