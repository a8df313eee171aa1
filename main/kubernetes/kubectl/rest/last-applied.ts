// The annotation in which apply remembers what it applied last.
import { toCompactJson } from '../output/json.ts';
import type { AnyObject } from './builder.ts';

export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** With what is applied written into itself (GetModifiedConfiguration). */
export function withLastApplied(object: AnyObject): AnyObject {
  const { [LAST_APPLIED]: _, ...others } = object.metadata?.annotations ?? {};
  const bare = { ...object, metadata: { ...object.metadata, annotations: others } };
  return {
    ...bare,
    metadata: { ...bare.metadata, annotations: { ...others, [LAST_APPLIED]: `${toCompactJson(bare)}\n` } },
  };
}

/** The object with its annotation brought up to date, if it has one and nothing else says so. */
export function withLastAppliedKept(object: AnyObject, keep: boolean): AnyObject {
  return keep || object.metadata?.annotations?.[LAST_APPLIED] !== undefined
    ? withLastApplied(object)
    : object;
}
