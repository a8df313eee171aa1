// Keeps metadata.managedFields: who set which fields last.
import type { ManagedFieldsEntry } from '../../api/meta.ts';
import type { Served } from '../catalogue.ts';
import type { ApiObject, StoredObject } from '../object.ts';
import type { WriteRequest } from '../verbs/request.ts';

export interface FieldTracker {
  /** Records the fields that a write changed as the writer's. */
  track(
    served: Served,
    object: ApiObject,
    old: StoredObject | undefined,
    request: WriteRequest,
    nowMs: number,
  ): void;
  /** Merges an applied configuration into the live object. Throws 409 for conflicts unless forced. */
  apply(
    served: Served,
    live: StoredObject | undefined,
    applied: ApiObject,
    request: WriteRequest,
    force: boolean,
    nowMs: number,
  ): { object: ApiObject; managers: ManagedFieldsEntry[] };
}
