// Two byte streams made into one: what comes from each goes to the other.
import { ErrnoError, type ByteStream } from '../../../network/index.ts';

/** Settles when both directions have ended, or one side has broken off; both are closed then. */
export async function joinStreams(one: ByteStream, other: ByteStream): Promise<void> {
  try {
    await Promise.all([pump(one, other), pump(other, one)]);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
  } finally {
    one.close();
    other.close();
  }
}

async function pump(from: ByteStream, to: ByteStream): Promise<void> {
  for (let bytes = await from.read(); bytes !== undefined; bytes = await from.read()) await to.write(bytes);
  to.end();
}
