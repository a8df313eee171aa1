// The bridge over a WebSocket, for a screen that a browser shows.
//
// The protocol, version 1, between this file and main/browser:
//
// - The host is on 127.0.0.1. The address it prints carries a one-time token, `http://127.0.0.1:PORT/?token=…`; the host
//   answers that with a redirect to `/SECRET/`, where it serves the built screen, and a session cookie for that path
//   (HttpOnly, SameSite=Strict, its name holding the port, as cookies don't tell ports apart: the path keeps it from other
//   servers of this machine). The screen never sees the token, and finds everything relative to its own address.
// - The socket is at `bridge` beside the page. The host checks Host, Origin, path and cookie. A page it doesn't know is
//   accepted and closed at once with code 4401 (a refused upgrade couldn't be told from a host that is away).
// - Every message is one JSON text:
//     screen to host   { "id": 7, "name": "lab.check", "request": { "step": 0 } }
//     host to screen   { "id": 7, "reply": { "ok": true, "value": … } }      exactly one for each id, in any order
//     host to screen   { "event": "terminal.output", "payload": … }          whenever it happens
//   `id` is a positive integer, unique within one socket. What was sent before a reply happened before it: a
//   `terminal.attach` reply holds all output up to it, and the events after it hold all output since.
// - A message that isn't one of these makes the host close with code 1008.
// - The screen reconnects by itself, waiting 0.25 s, then twice as long each time up to 5 s, then asks `app.state`
//   again. Calls pending when a socket breaks are answered here with the reason `disconnected`; they are not repeated.
import type { CallName, EventName, Events, Reply, ReplyOf, RequestOf } from '../preload/contract.ts';
import type { Connection, ScreenBridge } from './bridge.ts';

/** What the screen sends. */
export interface SocketRequest {
  readonly id: number;
  readonly name: CallName;
  readonly request: unknown;
}

/** What the host sends. */
export type SocketMessage =
  | { readonly id: number; readonly reply: Reply<unknown> }
  | { readonly event: EventName; readonly payload: unknown };

/** The host doesn't know this page: its cookie is from an earlier run, or missing. */
const CLOSE_UNAUTHORIZED = 4401;

const BACKOFF_MIN_MS = 250;
const BACKOFF_MAX_MS = 5_000;

type Listener = (payload: never) => void;

export class SocketBridge implements ScreenBridge {
  private readonly address: string;
  private readonly listeners = new Map<EventName, Set<Listener>>();
  private readonly connectionListeners = new Set<(connection: Connection) => void>();
  private readonly pending = new Map<number, (reply: Reply<never>) => void>();
  private socket: WebSocket | undefined;
  private state: Connection = { status: 'connecting' };
  private timer: ReturnType<typeof setTimeout> | undefined;
  private backoffMs = BACKOFF_MIN_MS;
  private lastId = 0;
  /** Requests made while the first connection is on its way. */
  private waiting: string[] = [];

  constructor(address: string) {
    this.address = address;
    this.connect();
  }

  get connection(): Connection {
    return this.state;
  }

  call<Name extends CallName>(name: Name, request: RequestOf<Name>): Promise<Reply<ReplyOf<Name>>> {
    const id = ++this.lastId;
    const text = JSON.stringify({ id, name, request } satisfies SocketRequest);
    return new Promise((resolve) => {
      if (this.state.status === 'connected') this.socket?.send(text);
      else if (this.state.status === 'connecting') this.waiting.push(text);
      else return resolve(DISCONNECTED);
      this.pending.set(id, resolve);
    });
  }

  on<Name extends EventName>(name: Name, listener: (event: Events[Name]) => void): () => void {
    const listeners = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, listeners);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  onConnection(listener: (connection: Connection) => void): () => void {
    this.connectionListeners.add(listener);
    return () => void this.connectionListeners.delete(listener);
  }

  retry(): void {
    if (this.state.status === 'lost' && this.timer !== undefined) this.connect();
  }

  private connect(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const socket = new WebSocket(this.address);
    this.socket = socket;
    socket.addEventListener('open', () => this.opened(socket));
    socket.addEventListener('message', ({ data }) => this.receive(String(data)));
    socket.addEventListener('close', ({ code }) => this.closed(code));
  }

  private opened(socket: WebSocket): void {
    this.backoffMs = BACKOFF_MIN_MS;
    for (const text of this.waiting.splice(0)) socket.send(text);
    this.become({ status: 'connected' });
  }

  private receive(text: string): void {
    const message = JSON.parse(text) as SocketMessage;
    if ('event' in message) {
      for (const listener of this.listeners.get(message.event) ?? []) listener(message.payload as never);
      return;
    }
    const resolve = this.pending.get(message.id);
    this.pending.delete(message.id);
    resolve?.(message.reply as Reply<never>);
  }

  private closed(code: number): void {
    this.waiting = [];
    for (const resolve of this.pending.values()) resolve(DISCONNECTED);
    this.pending.clear();
    if (code === CLOSE_UNAUTHORIZED) return this.become({ status: 'refused' });
    this.timer = setTimeout(() => this.connect(), this.backoffMs);
    this.become({ status: 'lost', retryAtMs: Date.now() + this.backoffMs });
    this.backoffMs = Math.min(this.backoffMs * 2, BACKOFF_MAX_MS);
  }

  private become(connection: Connection): void {
    this.state = connection;
    for (const listener of this.connectionListeners) listener(connection);
  }
}

const DISCONNECTED: Reply<never> = {
  ok: false,
  error: { reason: 'disconnected', message: 'The connection to Drydock is lost.' },
};
