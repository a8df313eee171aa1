// pods/exec and pods/attach: over WebSocket channels or SPDY, to a command that the kubelet runs.
import { acceptWebSocket, type HttpResponse } from '../../../network/http/index.ts';
import { ErrnoError } from '../../../network/index.ts';
import type { Stored } from '../../api/meta.ts';
import { StatusError } from '../../api/status.ts';
import type { Pod } from '../../api/types.ts';
import { textAnswer } from '../http/answer.ts';
import type { Exchange } from '../http/door.ts';
import { isTrue } from '../http/request-info.ts';
import type { ExecSession } from '../kubelet-connector.ts';
import { badRequest } from '../refusals.ts';
import { EXEC_CHANNELS, serveExecChannels } from '../stream/exec-channels.ts';
import { EXEC_PROTOCOLS, serveExecSpdy } from '../stream/exec-spdy.ts';
import type { CommandStreams } from '../stream/remote-command.ts';
import { DialError } from './dial.ts';
import { containerOf, kubeletsOf, reachKubelet, unreachable } from './pod-target.ts';
import { acceptSpdy, isSpdyUpgrade, isWebSocketUpgrade } from './upgrade.ts';

/** Throws 400 for a request that asks for no upgrade, no stream, or a container that the pod hasn't. */
export async function commandAnswer(exchange: Exchange, pod: Stored<Pod>): Promise<HttpResponse> {
  const { info, request, query } = exchange;
  const container = containerOf(pod, query);
  if ((pod.spec?.nodeName ?? '') === '')
    throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
  const isSpdy = isSpdyUpgrade(request);
  const kubelets = kubeletsOf(exchange, pod);
  if (!isSpdy && !isWebSocketUpgrade(request)) throw badRequest('Upgrade request required');
  const streams = streamsOf(query);
  if (!streams.stdin && !streams.stdout && !streams.stderr)
    return textAnswer(400, 'you must specify at least 1 of stdin, stdout, stderr\n');

  const controller = new AbortController();
  let session: ExecSession | undefined;
  let carrier: Disposable | undefined;
  const release = (): void => carrier?.[Symbol.dispose]();
  const response = isSpdy
    ? acceptSpdy(request, EXEC_PROTOCOLS, (pipe, protocol) =>
        serveExecSpdy(pipe, protocol, streams, session!, controller).finally(release),
      )
    : acceptWebSocket(request, {
        protocols: EXEC_CHANNELS,
        serve: (socket) => serveExecChannels(socket, session!, streams, controller).finally(release),
      });
  if (response.upgrade === undefined) return response;
  const stop = (): void => {
    controller.abort(new Error('the client went away'));
    release();
  };
  request.signal.addEventListener('abort', stop, { once: true });
  const options = { ...streams, signal: controller.signal };
  try {
    carrier = await reachKubelet(exchange, pod, stop);
    session = await (info.subresource === 'attach'
      ? kubelets.attach(pod, container, options)
      : kubelets.exec(pod, container, { ...options, command: query.getAll('command') }));
  } catch (error) {
    release();
    // The kubelet refuses in plain words, which the server passes on as they are.
    if (error instanceof StatusError) return textAnswer(500, `${error.status.message}\n`);
    throw error instanceof ErrnoError || error instanceof DialError ? unreachable(pod, error) : error;
  }
  return response;
}

function streamsOf(query: URLSearchParams): CommandStreams {
  const tty = isTrue(query, 'tty');
  return {
    stdin: isTrue(query, 'stdin'),
    stdout: isTrue(query, 'stdout'),
    stderr: isTrue(query, 'stderr') && !tty,
    tty,
  };
}
