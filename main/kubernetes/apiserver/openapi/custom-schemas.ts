// Definitions of custom resources' kinds.
import type { ResourceInfo } from '../../api/resources.ts';
import type { ServerCore } from '../core.ts';
import type { OpenApiStyle } from './schemas.ts';

/** The definitions that custom resources among these add. */
export function customDefinitions(
  _core: ServerCore,
  _resources: readonly ResourceInfo[],
  _style: OpenApiStyle,
): Record<string, unknown> {
  return {};
}
