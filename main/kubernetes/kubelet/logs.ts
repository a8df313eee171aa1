// Reads container logs in CRI's format: selects by time and tail, strips or keeps time stamps, follows.
import type { Clock } from '../../simulation/index.ts';
import type { FileSystemView } from '../../linux/kernel/index.ts';
import type { LogOptions } from '../apiserver/kubelet-connector.ts';

interface LogWorld {
  readonly fs: FileSystemView;
  readonly clock: Clock;
  /** False once nothing more will be written. */
  readonly isRunning: () => boolean;
}

/** How often a follower looks whether the container still runs. */
const FOLLOW_CHECK_MS = 1000;

/** The log as `kubectl logs` prints it, piece by piece. A line of the file is `TIME STREAM F|P TEXT`. */
export async function* readLog(
  world: LogWorld,
  path: string,
  options: LogOptions,
): AsyncGenerator<Uint8Array> {
  const { fs, clock } = world;
  const sinceMs =
    options.sinceTime !== undefined
      ? Date.parse(options.sinceTime)
      : options.sinceSeconds !== undefined
        ? clock.now() - options.sinceSeconds * 1000
        : -Infinity;
  let leftBytes = options.limitBytes ?? Infinity;
  let offset = 0;
  let isContinued = false;

  const format = (line: string): string => {
    const [time = '', , tag = 'F'] = line.split(' ', 3);
    const start = time.length + 1 + line.slice(time.length + 1).indexOf(' ') + 1;
    const text = line.slice(start + tag.length + 1);
    const shown = `${options.timestamps === true && !isContinued ? `${time} ` : ''}${text}${tag.startsWith('P') ? '' : '\n'}`;
    isContinued = tag.startsWith('P');
    return shown;
  };
  const take = (): string[] => {
    if (!fs.exists(path)) return [];
    const whole = fs.readFile(path);
    if (whole.length < offset) offset = 0; // Put aside meanwhile, and begun anew.
    const bytes = whole.subarray(offset);
    const end = bytes.lastIndexOf(10) + 1;
    offset += end;
    return Buffer.from(bytes.subarray(0, end)).toString().split('\n').slice(0, -1);
  };
  const cut = (text: string): Uint8Array => {
    const bytes = Buffer.from(text);
    const piece = bytes.length > leftBytes ? bytes.subarray(0, leftBytes) : bytes;
    leftBytes -= piece.length;
    return piece;
  };

  let lines = take();
  if (sinceMs !== -Infinity)
    lines = lines.filter((line) => Date.parse(line.slice(0, line.indexOf(' '))) >= sinceMs);
  if (options.tailLines !== undefined)
    lines = options.tailLines === 0 ? [] : tailOf(lines, options.tailLines);
  const first = lines.map(format).join('');
  if (first !== '') yield cut(first);
  while (options.follow === true && leftBytes > 0 && !options.signal.aborted) {
    const running = world.isRunning();
    const more = take();
    if (more.length > 0) {
      yield cut(more.map(format).join(''));
      continue;
    }
    if (!running) return;
    await nextChange(world, path, options.signal);
  }
}

/** The last `count` whole lines: pieces marked P belong to the line they begin. */
function tailOf(lines: readonly string[], count: number): string[] {
  let whole = 0;
  let index = lines.length;
  while (index > 0) {
    const isEnd = lines[index - 1]!.split(' ', 3)[2] !== 'P';
    if (isEnd && whole === count) break;
    if (isEnd) whole++;
    index--;
  }
  return lines.slice(index);
}

function nextChange({ fs, clock }: LogWorld, path: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      watching[Symbol.dispose]();
      timer[Symbol.dispose]();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const watching = fs.watch(path, done);
    const timer = clock.after(FOLLOW_CHECK_MS, done);
    signal.addEventListener('abort', done, { once: true });
  });
}
