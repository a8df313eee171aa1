// The recent output of a terminal, for a screen that connects later.

/** Characters kept of each terminal's output. */
const SCROLLBACK_LENGTH_MAX = 256 * 1024;

export class Scrollback {
  private pieces: string[] = [];
  private length = 0;

  add(text: string): void {
    this.pieces.push(text);
    this.length += text.length;
    while (this.length > SCROLLBACK_LENGTH_MAX && this.pieces.length > 1)
      this.length -= this.pieces.shift()!.length;
  }

  toString(): string {
    this.pieces = [this.pieces.join('')];
    return this.pieces[0]!;
  }
}
