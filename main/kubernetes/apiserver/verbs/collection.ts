// deletecollection: every selected object, each like a single deletion.
import type { List } from '../../api/meta.ts';
import { isStatus } from '../../api/status.ts';
import type { ServerCore } from '../core.ts';
import type { StoredObject } from '../object.ts';
import { listObjects } from './reading.ts';
import type { DeleteRequestOptions, ListRequest, WriteRequest } from './request.ts';

/** Deletes what a list selects; returns the list as it was. */
export function deleteCollection(
  core: ServerCore,
  write: WriteRequest,
  list: ListRequest,
  options: DeleteRequestOptions,
): List<StoredObject> {
  const selected = listObjects(core.objects, list);
  for (const { metadata } of selected.items) {
    try {
      core.api.writer.delete({ ...write, namespace: metadata.namespace ?? '' }, metadata.name, options);
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error; // Somebody else deleted it.
    }
  }
  return selected;
}
