// Keeps metadata.managedFields.
import type { Served } from '../catalogue.ts';
import type { ApiObject, StoredObject } from '../object.ts';
import type { WriteRequest } from '../verbs/request.ts';
import type { FieldTracker } from './field-tracker.ts';

export class FieldManager implements FieldTracker {
  track(
    _served: Served,
    _object: ApiObject,
    _old: StoredObject | undefined,
    _request: WriteRequest,
    _nowMs: number,
  ): void {
    // Filled in by the server-side apply work.
  }
}
