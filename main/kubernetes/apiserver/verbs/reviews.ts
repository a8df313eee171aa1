// Reviews: questions about users and their rights, answered and never stored.
import type { HttpResponse } from '../../../network/http/index.ts';
import type { Exchange } from '../http/door.ts';

/** Answers a review; undefined if the request isn't one. */
export async function reviewAnswer(_exchange: Exchange): Promise<HttpResponse | undefined> {
  return undefined;
}
