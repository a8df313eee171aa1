// The contract over one page's WebSocket: `{id, name, request}` is answered by `{id, reply}`; events come as `{event, payload}`.
import { WebSocket, type RawData } from 'ws';
import { eventNames, isCallName, type Session } from '../session/index.ts';

/** Closes the socket of a page that breaks the protocol (RFC 6455, 7.4.1). */
const CLOSE_POLICY_VIOLATION = 1008;
/** Closes the socket of a page that doesn't read; it may come again (IANA: Try Again Later). */
const CLOSE_TRY_AGAIN = 1013;
/** Bytes that may wait for a page to read them. */
const UNREAD_BYTES_MAX = 64 * 1024 * 1024;
/** Calls that one page may have running. */
const CALLS_MAX = 1_000;

interface Message {
  readonly id: number;
  readonly name: unknown;
  readonly request: unknown;
}

/** Serves a page until it goes away. What it sends is checked here for shape, and by the session for sense. */
export function serveBridge(session: Session, socket: WebSocket): void {
  const running = new Set<number>();
  const send = (message: unknown): void => {
    if (socket.readyState !== WebSocket.OPEN) return;
    if (socket.bufferedAmount > UNREAD_BYTES_MAX) return socket.close(CLOSE_TRY_AGAIN, 'too slow');
    socket.send(JSON.stringify(message));
  };
  const listening = eventNames.map((event) => session.on(event, (payload) => send({ event, payload })));
  const refuse = (id: number, reason: string, message: string): void =>
    send({ id, reply: { ok: false, error: { reason, message } } });
  socket.on('close', () => listening.forEach((each) => each[Symbol.dispose]()));
  socket.on('error', () => socket.terminate());
  socket.on('message', (data: RawData, isBinary: boolean) => {
    const message = isBinary ? undefined : parse((data as Buffer).toString());
    if (message === undefined || running.has(message.id))
      return socket.close(CLOSE_POLICY_VIOLATION, 'bad message');
    const { id, name, request } = message;
    if (!isCallName(name)) return refuse(id, 'unknown-call', 'There is no such call.');
    if (running.size >= CALLS_MAX)
      return refuse(id, 'busy', 'Too many calls are running; wait for their answers.');
    running.add(id);
    void session.call(name, request).then((reply) => {
      running.delete(id);
      send({ id, reply });
    });
  });
}

function parse(text: string): Message | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const { id, name, request } = value as Partial<Message>;
    return typeof id === 'number' && Number.isSafeInteger(id) && id > 0 ? { id, name, request } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
