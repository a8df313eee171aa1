// Keeps metadata.managedFields: who set which fields last.
import type { Served } from '../catalogue.ts';
import type { ApiObject, StoredObject } from '../object.ts';
import type { WriteRequest } from '../verbs/request.ts';

/** Records the fields that a write changed as the writer's. */
export interface FieldTracker {
  track(
    served: Served,
    object: ApiObject,
    old: StoredObject | undefined,
    request: WriteRequest,
    nowMs: number,
  ): void;
}
