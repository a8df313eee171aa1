// Subresources that aren't objects: logs, exec, attach, port-forward, proxies. Each has a file of its own here.
import type { HttpResponse } from '../../../network/http/index.ts';
import type { Stored } from '../../api/meta.ts';
import type { Pod } from '../../api/types.ts';
import type { Served } from '../catalogue.ts';
import type { Exchange } from '../http/door.ts';
import { badRequest, notFound } from '../refusals.ts';
import { commandAnswer } from './command.ts';
import { logAnswer } from './log.ts';
import { portForwardAnswer } from './port-forward.ts';
import { proxyAnswer } from './proxy.ts';
import { overWebSocket } from './websocket-body.ts';

const CONNECT = new Set(['log', 'exec', 'attach', 'portforward', 'proxy']);

/** Whether a subresource is served by connecting to something. */
export function isConnectSubresource(_served: Served, subresource: string): boolean {
  return CONNECT.has(subresource);
}

export async function connectAnswer(exchange: Exchange, served: Served): Promise<HttpResponse> {
  const { info } = exchange;
  if (info.subresource === 'proxy') return proxyAnswer(exchange, served);
  const pod = served.table.get(info.namespace, info.name) as unknown as Stored<Pod> | undefined;
  if (pod === undefined) throw notFound(served.resource, info.name);
  if (info.subresource === 'log')
    return overWebSocket(exchange.request, 'pieces', (request) => logAnswer({ ...exchange, request }, pod));
  if (info.subresource !== 'portforward') return commandAnswer(exchange, pod);
  if ((pod.spec?.nodeName ?? '') === '')
    throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
  return portForwardAnswer(exchange, pod);
}
