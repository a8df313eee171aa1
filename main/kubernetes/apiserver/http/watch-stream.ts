// A watch as an HTTP body: one JSON line per event, until the client goes or time is up.
import type { HttpResponse } from '../../../network/http/index.ts';
import { isStatus, StatusError } from '../../api/status.ts';
import { apiVersionOf } from '../../api/meta.ts';
import type { ServerCore } from '../core.ts';
import type { StoredObject } from '../object.ts';
import { watchObjects, type WatchRequest } from '../verbs/reading.ts';
import { tableOf, type Presentation } from './presenting.ts';

/** Watches without timeoutSeconds end after this and up to as much again, in ms (apiserver's MinRequestTimeout). */
const TIMEOUT_DEFAULT_MS = 1800_000;
/** Events that may wait for a slow client; then the watch is ended, as the watch cache does. */
const BACKLOG_EVENTS_MAX = 10_000;

export interface WatchStreamOptions {
  readonly request: WatchRequest;
  readonly presentation: Omit<Presentation, 'nowMs'>;
  readonly timeoutSeconds: number | undefined;
  readonly bookmarks: boolean;
  /** Mark the end of the initial events with a bookmark. */
  readonly initialEventsEnd: boolean;
  readonly signal: AbortSignal;
  readonly warnings: readonly (readonly [string, string])[];
}

/** The answer to a watch. Throws StatusError for a bad request; an expired revision is told as an event. */
export function watchAnswer(core: ServerCore, options: WatchStreamOptions): HttpResponse {
  const stream = new EventStream(core, options);
  return {
    status: 200,
    headers: [
      ['content-type', 'application/json'],
      ['cache-control', 'no-cache, private'],
      ...options.warnings,
    ],
    body: stream.lines(),
  };
}

class EventStream {
  private readonly core: ServerCore;
  private readonly options: WatchStreamOptions;
  private readonly encoder = new TextEncoder();
  private queue: string[] = [];
  private wake: (() => void) | undefined;
  private ended = false;
  private first = true;
  private readonly resources: Disposable[] = [];

  constructor(core: ServerCore, options: WatchStreamOptions) {
    this.core = core;
    this.options = options;
    const { request, bookmarks, signal, timeoutSeconds } = options;
    try {
      const { initial, revision, watch } = watchObjects(core.objects, request, {
        onEvent: (type, object) => this.push(type, object),
        onEnd: (error) => {
          if (error instanceof StatusError) this.pushRaw('ERROR', error.status);
          this.end();
        },
        ...(bookmarks ? { onBookmark: (at: number) => this.pushBookmark(at, false) } : {}),
      });
      this.resources.push(watch);
      for (const object of initial) this.push('ADDED', object);
      if (options.initialEventsEnd) this.pushBookmark(revision, true);
    } catch (error) {
      if (!isStatus(error, 'Expired')) throw error;
      this.pushRaw('ERROR', error.status);
      this.ended = true;
      return;
    }
    const timeoutMs =
      timeoutSeconds === undefined || timeoutSeconds <= 0 ? TIMEOUT_DEFAULT_MS * 1.5 : timeoutSeconds * 1000;
    this.resources.push(core.clock.after(timeoutMs, () => this.end()));
    if (signal.aborted) this.end();
    else signal.addEventListener('abort', () => this.end(), { once: true });
  }

  private push(type: string, object: StoredObject): void {
    const { presentation, request } = this.options;
    if (presentation.wanted.as === 'Table') {
      const table = tableOf(
        request.served,
        [object],
        { resourceVersion: object.metadata.resourceVersion },
        { ...presentation, nowMs: this.core.clock.now() },
        this.first,
      );
      this.first = false;
      this.pushRaw(type, table);
    } else if (presentation.wanted.as === 'PartialObjectMetadata') {
      this.pushRaw(type, {
        kind: 'PartialObjectMetadata',
        apiVersion: `meta.k8s.io/${presentation.wanted.asVersion}`,
        metadata: (request.served.view?.(object) ?? object).metadata,
      });
    } else this.pushRaw(type, request.served.view?.(object) ?? object);
  }

  private pushBookmark(revision: number, initialEnd: boolean): void {
    const { resource } = this.options.request.served;
    this.push('BOOKMARK', {
      kind: resource.kind,
      apiVersion: apiVersionOf(resource),
      metadata: {
        resourceVersion: String(revision),
        ...(initialEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
      },
    } as unknown as StoredObject);
  }

  private pushRaw(type: string, object: unknown): void {
    if (this.ended) return;
    this.queue.push(`{"type":"${type}","object":${jsonOf(object)}}\n`);
    if (this.queue.length > BACKLOG_EVENTS_MAX) this.end();
    this.wakeUp();
  }

  private end(): void {
    this.ended = true;
    for (const resource of this.resources.splice(0)) resource[Symbol.dispose]();
    this.wakeUp();
  }

  private wakeUp(): void {
    const wake = this.wake;
    this.wake = undefined;
    wake?.();
  }

  async *lines(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        if (this.queue.length > 0) {
          const text = this.queue.join('');
          this.queue = [];
          yield this.encoder.encode(text);
        } else if (this.ended) return;
        else await new Promise<void>((resolve) => (this.wake = resolve));
      }
    } finally {
      this.end();
    }
  }
}

let lastObject: unknown;
let lastJson = '';

/** An event goes to all its watchers in a row; objects are frozen, so the text of the last one holds. */
function jsonOf(object: unknown): string {
  if (object === lastObject && Object.isFrozen(object)) return lastJson;
  lastObject = object;
  lastJson = JSON.stringify(object);
  return lastJson;
}
