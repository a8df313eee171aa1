// Subresources that aren't objects: logs, exec, attach, port-forward, proxies.
import type { HttpResponse } from '../../../network/http/index.ts';
import type { Served } from '../catalogue.ts';
import { unknownError } from '../refusals.ts';
import type { Exchange } from './door.ts';

const CONNECT = new Set(['log', 'exec', 'attach', 'portforward', 'proxy']);

/** Whether a subresource is served by connecting to something. */
export function isConnectSubresource(_served: Served, subresource: string): boolean {
  return CONNECT.has(subresource);
}

export function connectAnswer({ info }: Exchange, _served: Served): HttpResponse {
  throw unknownError(`drydock: ${info.resource}/${info.subresource} isn't simulated`);
}
