// Vi's registers: what was deleted and yanked.

/** Text in a register: characters, whole lines, or a block of columns. */
export interface Held {
  readonly lines: readonly string[];
  readonly kind: 'characters' | 'lines' | 'block';
}

export class Registers {
  private readonly held = new Map<string, Held>();

  get(name: string | undefined): Held | undefined {
    return this.held.get((name ?? '"').toLowerCase());
  }

  /** Keeps text under a name (an upper-case one appends), and as the last. */
  set(name: string, text: Held): void {
    const key = name.toLowerCase();
    if (key === '_') return;
    const before = this.held.get(key);
    const isAppended = key !== name && before !== undefined;
    const kept: Held = !isAppended
      ? text
      : before.kind === 'lines' || text.kind === 'lines'
        ? { lines: [...before.lines, ...text.lines], kind: 'lines' }
        : {
            lines: [
              ...before.lines.slice(0, -1),
              before.lines.at(-1)! + (text.lines[0] ?? ''),
              ...text.lines.slice(1),
            ],
            kind: 'characters',
          };
    this.held.set(key, kept);
    this.held.set('"', kept);
  }

  /** What was yanked goes to 0, what was deleted to 1 and on, or in parts of a line to `-`. */
  keep(name: string | undefined, text: Held, isYank: boolean): void {
    if (name !== undefined) {
      this.set(name, text);
      return;
    }
    if (isYank) this.set('0', text);
    else if (text.kind === 'lines' || text.lines.length > 1) {
      for (let n = 9; n > 1; n--) {
        const older = this.held.get(String(n - 1));
        if (older !== undefined) this.held.set(String(n), older);
      }
      this.set('1', text);
    } else this.set('-', text);
  }

  /** All that hold something, in the order of `:registers`. */
  list(): [string, Held][] {
    const order = '"0123456789-abcdefghijklmnopqrstuvwxyz+*/:.';
    return [...this.held].sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
  }
}
