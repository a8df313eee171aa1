// Bodies as pieces of bytes, whichever form they have.
import type { Body } from '../../network/http/index.ts';

/** The pieces of a body. */
export async function* bytesOf(body: Body): AsyncIterable<Uint8Array> {
  if (typeof body === 'string') yield Buffer.from(body);
  else if (body instanceof Uint8Array) yield body;
  else yield* body;
}
