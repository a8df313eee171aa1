// Two ends of a connection in memory, for tests of protocols over byte streams.
import { ErrnoError, type ByteStream } from '../../main/network/index.ts';

/** What one end writes, the other reads; `close` at one end breaks the other's writes. */
export function streamPair(): [ByteStream, ByteStream] {
  const there = new Way();
  const back = new Way();
  return [endOf(there, back), endOf(back, there)];
}

/** One direction. */
class Way {
  readonly pieces: Uint8Array[] = [];
  isEnded = false;
  isBroken = false;
  private wake: (() => void)[] = [];

  async read(): Promise<Uint8Array | undefined> {
    while (this.pieces.length === 0 && !this.isEnded)
      await new Promise<void>((resolve) => this.wake.push(resolve));
    return this.pieces.shift();
  }

  notify(): void {
    for (const wake of this.wake.splice(0)) wake();
  }
}

function endOf(out: Way, into: Way): ByteStream {
  return {
    read: () => into.read(),
    async write(bytes) {
      if (out.isBroken || out.isEnded) throw new ErrnoError('EPIPE');
      out.pieces.push(bytes.slice());
      out.notify();
    },
    end() {
      out.isEnded = true;
      out.notify();
    },
    close() {
      out.isEnded = true;
      into.isBroken = true;
      into.isEnded = true;
      into.pieces.length = 0;
      out.notify();
      into.notify();
    },
  };
}
