// Watches and logs over a WebSocket, as pages in a browser ask for them (apiserver's watch.go, apimachinery wsstream.Reader).
import { ErrnoError } from '../../../network/index.ts';
import {
  acceptWebSocket,
  headerOf,
  type HttpRequest,
  type HttpResponse,
  type WebSocket,
} from '../../../network/http/index.ts';
import { BEARER_PROTOCOL } from '../auth/authentication.ts';
import { isWebSocketUpgrade, offeredBy } from './upgrade.ts';

/** An event of a watch is a text of its own; a log comes in pieces. */
type Framing = 'events' | 'pieces';

/** Gives the answer that `make` gives, over a WebSocket if the client asks for one; `make`'s request ends with the socket. */
export async function overWebSocket(
  request: HttpRequest,
  framing: Framing,
  make: (request: HttpRequest) => HttpResponse | Promise<HttpResponse>,
): Promise<HttpResponse> {
  if (!isWebSocketUpgrade(request)) return make(request);
  const controller = new AbortController();
  const stop = (): void => controller.abort(new Error('the client went away'));
  request.signal.addEventListener('abort', stop, { once: true });
  const offered = offeredBy(headerOf(request.headers, 'sec-websocket-protocol'));
  const protocols = offered.filter((name) => !name.startsWith(BEARER_PROTOCOL)).slice(0, 1);
  const given: { body?: HttpResponse['body'] } = {};
  const accepted = acceptWebSocket(request, {
    ...(protocols.length === 0 ? {} : { protocols }),
    serve: (socket) => serve(socket, given.body, framing, stop),
  });
  if (accepted.upgrade === undefined) return accepted;
  const answer = await make({ ...request, signal: controller.signal });
  given.body = answer.body;
  return answer.status === 200 ? accepted : answer;
}

async function serve(
  socket: WebSocket,
  body: HttpResponse['body'],
  framing: Framing,
  stop: () => void,
): Promise<void> {
  const closed = untilClosed(socket).finally(stop);
  try {
    for await (const message of messagesOf(body, framing, socket.protocol)) {
      if (socket.closed !== undefined) return;
      await socket.send(message);
    }
    if (socket.closed === undefined) await socket.close(1000);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error; // The connection broke.
  } finally {
    await closed;
  }
}

/** What a client sends here says nothing. */
async function untilClosed(socket: WebSocket): Promise<void> {
  try {
    while ((await socket.receive()) !== undefined);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
  }
}

async function* messagesOf(
  body: HttpResponse['body'],
  framing: Framing,
  protocol: string | undefined,
): AsyncGenerator<Uint8Array | string> {
  const pieces =
    typeof body === 'string' ? [Buffer.from(body)] : body instanceof Uint8Array ? [body] : (body ?? []);
  let rest = '';
  for await (const piece of pieces) {
    if (framing === 'pieces') {
      yield protocol === 'base64.binary.k8s.io' ? Buffer.from(piece).toString('base64') : piece;
      continue;
    }
    const lines = (rest + Buffer.from(piece).toString('utf8')).split('\n');
    rest = lines.pop()!;
    for (const line of lines) yield `${line}\n`;
  }
}
