// What wget shows while it downloads: a bar on a terminal, dots elsewhere (GNU's src/progress.c), and busybox's own bar.

const DOT_BYTES = 1024;
const DOTS_PER_LINE = 50;
const DOTS_PER_CLUSTER = 10;

/** `528M`, `62.8M`, `8.32M`: three digits, without a space before the unit. */
function shortSpeed(bytesPerSecond: number): string {
  let [value, unit] = [bytesPerSecond / 1024, 0];
  while (value >= 1024 && unit < 2) {
    value /= 1024;
    unit++;
  }
  const digits = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)}${'KMG'[unit]}`;
}

/** `24.7 KB/s`. */
export function longSpeed(bytes: number, ms: number): string {
  const rate = ms <= 0 ? bytes * 1000 : (bytes * 1000) / ms;
  const units = ['B/s', 'KB/s', 'MB/s', 'GB/s'];
  let [value, unit] = [rate, 0];
  while (value >= 1024 && unit < 3) {
    value /= 1024;
    unit++;
  }
  const digits = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** `300K`, as behind a length; empty below 1024 bytes. */
export function shortSize(bytes: number): string {
  if (bytes < 1024) return '';
  let [value, unit] = [bytes / 1024, 0];
  while (value >= 1024 && unit < 3) {
    value /= 1024;
    unit++;
  }
  return `${value < 10 ? value.toFixed(1).replace(/\.0$/, '') : String(Math.round(value))}${'KMGT'[unit]}`;
}

/** `0s`, `1.5s`, `2m 3s`. */
function elapsed(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 0.0005) return '0s';
  if (seconds < 10) return `${seconds < 1 ? seconds.toFixed(3).replace(/0+$/, '') : seconds.toFixed(1)}s`;
  if (seconds < 60) return `${Math.round(seconds)}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${Math.round(seconds % 60)}s`;
  return `${Math.floor(seconds / 3600)}h ${Math.floor((seconds % 3600) / 60)}m`;
}

/** Dots as the bytes come, fifty a line. */
export class Dots {
  private readonly total: number | undefined;
  private readonly startMs: number;
  private received = 0;
  private lineStartMs: number;
  private dots = 0;

  constructor(total: number | undefined, nowMs: number) {
    this.total = total;
    this.startMs = nowMs;
    this.lineStartMs = nowMs;
  }

  take(bytes: number, nowMs: number): string {
    let text = '';
    this.received += bytes;
    while ((this.dots + 1) * DOT_BYTES <= this.received) {
      const column = this.dots % DOTS_PER_LINE;
      if (column === 0) text += `${this.dots === 0 ? '\n' : ''}${this.label(this.dots)}`;
      if (column % DOTS_PER_CLUSTER === 0) text += ' ';
      text += '.';
      this.dots++;
      if (this.dots % DOTS_PER_LINE === 0) {
        text += this.rest(nowMs, false);
        this.lineStartMs = nowMs;
      }
    }
    return text;
  }

  end(nowMs: number): string {
    const column = this.dots % DOTS_PER_LINE;
    let text = '';
    if (column === 0) text += `${this.dots === 0 ? '\n' : ''}${this.label(this.dots)}`;
    for (let at = column; at < DOTS_PER_LINE; at++) text += at % DOTS_PER_CLUSTER === 0 ? '  ' : ' ';
    return `${text}${this.rest(nowMs, true)}\n`;
  }

  private label(dots: number): string {
    return `${String((dots * DOT_BYTES) / 1024).padStart(6)}K`;
  }

  private rest(nowMs: number, isLast: boolean): string {
    const percent =
      this.total === undefined || this.total === 0
        ? isLast && this.total === 0
          ? '100%'
          : '    '
        : `${String(Math.floor((100 * (isLast ? this.received : this.dots * DOT_BYTES)) / this.total)).padStart(3)}%`;
    const bytes = isLast ? this.received : DOTS_PER_LINE * DOT_BYTES;
    const ms = Math.max(0.001, nowMs - (isLast ? this.startMs : this.lineStartMs));
    const speed = shortSpeed((bytes * 1000) / ms).padStart(5);
    if (isLast) return `${percent} ${speed}=${elapsed(nowMs - this.startMs)}`;
    const left =
      this.total === undefined
        ? ''
        : ` ${elapsed(((this.total - this.received) * (nowMs - this.startMs)) / Math.max(1, this.received))}`;
    return `${percent} ${speed}${left}\n`;
  }
}

/** One line of GNU's bar, without its end. */
export function gnuBar(
  name: string,
  received: number,
  total: number | undefined,
  columns: number,
  state: { readonly ms: number; readonly isDone: boolean },
): string {
  const percent =
    total === undefined
      ? '    '
      : total === 0
        ? '100%'
        : `${String(Math.floor((100 * received) / total)).padStart(3)}%`;
  const width = Math.max(5, columns - 80);
  const filled =
    total === undefined || total === 0 ? (state.isDone ? width : 0) : Math.floor((received * width) / total);
  const inside =
    total === undefined
      ? `${' '.repeat(Math.min(width - 3, Math.floor(state.ms / 200) % width))}<=>`.padEnd(width)
      : filled === 0
        ? ' '.repeat(width)
        : `${'='.repeat(filled - 1)}>`.padEnd(width);
  const size = received < 1_000_000 ? String(received).replace(/\B(?=(\d{3})+$)/g, ',') : shortSize(received);
  const amount = received < 1024 ? String(received) : shortSizeFixed(received, size);
  const speed =
    state.ms < 15 || received === 0
      ? '  --.-KB/s'
      : ` ${longSpeed(received, state.ms).replace(' ', '').padStart(9)}`;
  const eta = state.isDone
    ? `    in ${elapsed(state.ms)}`.padEnd(15)
    : total === undefined || received === 0 || state.ms < 3000
      ? ' '.repeat(15)
      : `    eta ${elapsed(((total - received) * state.ms) / received)}`.padEnd(15);
  return `${name.slice(0, 39).padEnd(39)} ${percent}[${inside}] ${amount.padStart(7)}${speed}${eta}`;
}

/** `300.00K`. */
function shortSizeFixed(bytes: number, otherwise: string): string {
  let [value, unit] = [bytes / 1024, 0];
  while (value >= 1024 && unit < 3) {
    value /= 1024;
    unit++;
  }
  return Number.isFinite(value) ? `${value.toFixed(2)}${'KMGT'[unit]}` : otherwise;
}
