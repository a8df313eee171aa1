// The form in which an exchange's client wants its answer.
import { headerOf, type HttpRequest } from '../../../network/http/index.ts';
import type { Exchange } from './door.ts';
import { negotiate } from './negotiation.ts';
import { includeObjectOf, type Presentation } from './presenting.ts';
import { isTrue } from './request-info.ts';

/** Whether JSON is to be indented: as asked, else for who looks like a person. */
export function prettyOf({ target, headers }: HttpRequest): boolean {
  const query = new URLSearchParams(target.split('?')[1] ?? '');
  if (query.has('pretty')) return isTrue(query, 'pretty') && query.get('pretty') !== '';
  const agent = headerOf(headers, 'user-agent') ?? '';
  return /^(curl|Wget|Mozilla\/5\.0)/.test(agent);
}

/** The form that a client wants its answer in. Throws 406. */
export function presentationOf({ core, request, query }: Exchange, streams = false): Presentation {
  const wanted = negotiate(headerOf(request.headers, 'accept'), prettyOf(request), streams);
  return { wanted, includeObject: includeObjectOf(query, wanted), nowMs: core.clock.now() };
}
