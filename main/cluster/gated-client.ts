// The API as a component in this process reaches it: there while the API server runs, refused while it doesn't.
import { ErrnoError } from '../network/index.ts';
import type { ApiClient, WatchListener } from '../kubernetes/client/index.ts';

/** Opens and closes with the kube-apiserver process. */
export class ApiGate {
  private opened = false;
  private readonly watches = new Set<() => void>();

  get isOpen(): boolean {
    return this.opened;
  }

  open(): void {
    this.opened = true;
  }

  /** Requests fail from now on, and every watch ends. */
  close(): void {
    this.opened = false;
    for (const end of this.watches) end();
    this.watches.clear();
  }

  /** The client behind the gate. */
  guard(client: ApiClient): ApiClient {
    const through = <T>(request: () => Promise<T>): Promise<T> =>
      this.opened ? request() : Promise.reject(new ErrnoError('ECONNREFUSED'));
    return {
      get: (resource, name, scope) => through(() => client.get(resource, name, scope)),
      list: (resource, options) => through(() => client.list(resource, options)),
      create: (resource, object, options) => through(() => client.create(resource, object, options)),
      update: (resource, object, options) => through(() => client.update(resource, object, options)),
      patch: (resource, name, type, patch, options) =>
        through(() => client.patch(resource, name, type, patch, options)),
      delete: (resource, name, options) => through(() => client.delete(resource, name, options)),
      deleteCollection: (resource, options) => through(() => client.deleteCollection(resource, options)),
      watch: (resource, options, listener) => this.watch(client, resource, options, listener),
    };
  }

  private watch<T extends object>(
    client: ApiClient,
    resource: Parameters<ApiClient['watch']>[0],
    options: Parameters<ApiClient['watch']>[1],
    listener: WatchListener<T>,
  ): Disposable {
    const stack = new DisposableStack();
    const end = (error: unknown): void => {
      this.watches.delete(cut);
      stack.dispose();
      listener.onEnd(error);
    };
    const cut = (): void => end(new ErrnoError('ECONNRESET'));
    if (!this.opened) {
      // As a dial that fails: the listener hears of it before anything else, but not while it is still being made.
      void Promise.reject(new ErrnoError('ECONNREFUSED')).catch(end);
      return stack;
    }
    this.watches.add(cut);
    stack.defer(() => this.watches.delete(cut));
    stack.use(
      client.watch<T>(resource, options, {
        onEvent: (event) => listener.onEvent(event),
        onEnd: (error) => end(error),
      }),
    );
    return stack;
  }
}
