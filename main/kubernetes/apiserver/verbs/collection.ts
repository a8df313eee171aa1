// deletecollection: every selected object, each like a single deletion.
import type { List } from '../../api/meta.ts';
import { isStatus } from '../../api/status.ts';
import type { ServerCore } from '../core.ts';
import type { StoredObject } from '../object.ts';
import { admitted } from './admitted.ts';
import { listObjects } from './reading.ts';
import type { DeleteRequestOptions, ListRequest, WriteRequest } from './request.ts';

/** Deletes what a list selects; returns the list as it was. */
export async function deleteCollection(
  core: ServerCore,
  write: WriteRequest,
  list: ListRequest,
  options: DeleteRequestOptions,
): Promise<List<StoredObject>> {
  const selected = listObjects(core.objects, list);
  for (const { metadata } of selected.items) {
    try {
      const single = { ...write, namespace: metadata.namespace ?? '' };
      await admitted(core, single, (tried) => core.api.writer.delete(tried, metadata.name, options));
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error; // Somebody else deleted it.
    }
  }
  return selected;
}
