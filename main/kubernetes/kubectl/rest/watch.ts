// Watches: events as they come on one long answer, a JSON document a line.
import type { ApiRequest, HttpApi } from '../../client/http-client.ts';

export interface StreamedEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: T;
}

/** The events of a watch until the server or the caller ends it. Throws as the request. */
export async function* watchEvents<T>(api: HttpApi, request: ApiRequest): AsyncGenerator<StreamedEvent<T>> {
  const decoder = new TextDecoder();
  let pending = '';
  for await (const piece of api.stream({ ...request, query: { ...request.query, watch: 'true' } })) {
    pending += decoder.decode(piece, { stream: true });
    for (let end = pending.indexOf('\n'); end !== -1; end = pending.indexOf('\n')) {
      const line = pending.slice(0, end);
      pending = pending.slice(end + 1);
      if (line !== '') yield JSON.parse(line) as StreamedEvent<T>;
    }
  }
}
