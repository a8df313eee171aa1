// pods/portforward: SPDY inside of a WebSocket (KEP-4006), SPDY on the connection itself, or WebSocket channels.
import { acceptWebSocket, headerOf, type HttpResponse } from '../../../network/http/index.ts';
import type { Stored } from '../../api/meta.ts';
import type { Pod } from '../../api/types.ts';
import type { Exchange } from '../http/door.ts';
import type { KubeletConnector } from '../kubelet-connector.ts';
import { badRequest } from '../refusals.ts';
import { PORT_FORWARD_CHANNELS, portsOf, servePortForwardChannels } from '../stream/port-forward-channels.ts';
import { PORT_FORWARD_PROTOCOL, servePortForward, type Connect } from '../stream/port-forward.ts';
import { DialError } from './dial.ts';
import { kubeletsOf, reachKubelet, unreachable } from './pod-target.ts';
import { acceptSpdy, isSpdyUpgrade, isWebSocketUpgrade, offeredBy, pipeOf } from './upgrade.ts';

const TUNNEL = `SPDY/3.1+${PORT_FORWARD_PROTOCOL}`;

/** Throws 400 for a request that asks for no upgrade. */
export async function portForwardAnswer(exchange: Exchange, pod: Stored<Pod>): Promise<HttpResponse> {
  const { request } = exchange;
  if (!isWebSocketUpgrade(request) && !isSpdyUpgrade(request)) throw badRequest('Upgrade request required');
  const kubelets = kubeletsOf(exchange, pod);
  const response = accept(exchange, pod, kubelets);
  const { upgrade } = response;
  if (upgrade === undefined) return response;
  let end: (() => void) | undefined;
  const lost = new Promise<void>((resolve) => (end = resolve));
  const carrier = await reachKubelet(exchange, pod, () => end?.()).catch((error: unknown) => {
    throw error instanceof DialError ? unreachable(pod, error) : error;
  });
  request.signal.addEventListener('abort', () => carrier[Symbol.dispose](), { once: true });
  return {
    ...response,
    async upgrade(stream) {
      using _carrier = carrier;
      void lost.then(() => stream.close());
      await upgrade(stream);
    },
  };
}

function accept(exchange: Exchange, pod: Stored<Pod>, kubelets: KubeletConnector): HttpResponse {
  const { request, query } = exchange;
  const connect: Connect = (port, signal) => kubelets.portForward(pod, port, signal);
  if (isSpdyUpgrade(request)) {
    return acceptSpdy(request, [PORT_FORWARD_PROTOCOL], (pipe) => servePortForward(pipe, connect));
  }
  if (offeredBy(headerOf(request.headers, 'sec-websocket-protocol')).includes(TUNNEL)) {
    return acceptWebSocket(request, {
      protocols: [TUNNEL],
      serve: (socket) => servePortForward(pipeOf(socket), connect),
    });
  }
  const ports = portsOf(query);
  if (typeof ports === 'string') throw badRequest(ports);
  return acceptWebSocket(request, {
    protocols: PORT_FORWARD_CHANNELS,
    serve: (socket) => servePortForwardChannels(socket, ports, connect),
  });
}
