// What POST makes: an object, or what a subresource of one does.
import type { Binding } from '../../api/types.ts';
import type { ServerCore } from '../core.ts';
import type { ApiObject } from '../object.ts';
import type { WriteRequest } from './request.ts';

/** Creates by a request's subresource; `name` is the URL's. Undefined for a subresource that nothing is posted to. */
export function createOf(
  core: ServerCore,
  write: WriteRequest,
  name: string,
  object: ApiObject,
): object | undefined {
  switch (write.subresource) {
    case '':
      return core.api.writer.create(write, object);
    case 'binding':
      return core.api.bind(write, name, object as unknown as Binding);
    case 'eviction':
      return core.api.evict(write, name, object);
    case 'token':
      return core.createToken(write, name, object);
    default:
      return undefined;
  }
}
