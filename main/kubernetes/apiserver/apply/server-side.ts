// Server-side apply.
import type { StoredObject } from '../object.ts';
import { unknownError } from '../refusals.ts';
import type { PatchRequest } from '../verbs/api.ts';
import type { Writer } from '../verbs/writing.ts';

/** Applies a configuration as its field manager. */
export function applyServerSide(
  _writer: Writer,
  _request: PatchRequest,
): { object: StoredObject; created: boolean } {
  throw unknownError("drydock: server-side apply isn't simulated");
}
