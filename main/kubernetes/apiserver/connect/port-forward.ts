// pods/portforward: SPDY inside of a WebSocket (KEP-4006), SPDY on the connection itself, or WebSocket channels.
import { acceptWebSocket, headerOf, type HttpResponse } from '../../../network/http/index.ts';
import type { Stored } from '../../api/meta.ts';
import type { Pod } from '../../api/types.ts';
import type { Exchange } from '../http/door.ts';
import { badRequest } from '../refusals.ts';
import { PORT_FORWARD_CHANNELS, portsOf, servePortForwardChannels } from '../stream/port-forward-channels.ts';
import { PORT_FORWARD_PROTOCOL, servePortForward, type Connect } from '../stream/port-forward.ts';
import { kubeletsOf } from './pod-target.ts';
import { acceptSpdy, isSpdyUpgrade, isWebSocketUpgrade, offeredBy, pipeOf } from './upgrade.ts';

const TUNNEL = `SPDY/3.1+${PORT_FORWARD_PROTOCOL}`;

/** Throws 400 for a request that asks for no upgrade. */
export function portForwardAnswer(exchange: Exchange, pod: Stored<Pod>): HttpResponse {
  const { request, query } = exchange;
  if (!isWebSocketUpgrade(request) && !isSpdyUpgrade(request)) throw badRequest('Upgrade request required');
  const kubelets = kubeletsOf(exchange, pod);
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
