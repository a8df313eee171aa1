// What was killed, newest last, to be yanked again: readline's kill ring.

const KILLS_MAX = 60;

export class KillRing {
  private kills: string[] = [];
  private at = 0;

  /** `joins`: the last command was a kill too, and both become one. */
  add(text: string, direction: 'forward' | 'backward', joins: boolean): void {
    if (joins && this.kills.length > 0) {
      const last = this.kills.pop()!;
      this.kills.push(direction === 'forward' ? last + text : text + last);
    } else {
      this.kills.push(text);
      if (this.kills.length > KILLS_MAX) this.kills.shift();
    }
    this.at = this.kills.length - 1;
  }

  get current(): string | undefined {
    return this.kills[this.at];
  }

  /** M-y. */
  rotate(): string | undefined {
    if (this.kills.length === 0) return undefined;
    this.at = (this.at - 1 + this.kills.length) % this.kills.length;
    return this.kills[this.at];
  }
}
