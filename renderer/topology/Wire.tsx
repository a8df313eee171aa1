// The line from a Service to one of its endpoints.
import { BaseEdge, type Edge, type EdgeProps } from '@xyflow/react';

import { wirePath } from './wire-path.ts';

export type WireEdge = Edge<{ lane: number; into: 'left' | 'top' }, 'wire'>;

export function Wire({ sourceX, sourceY, targetX, targetY, data }: EdgeProps<WireEdge>) {
  const { lane = 0, into = 'left' } = data ?? {};
  return <BaseEdge path={wirePath({ x: sourceX, y: sourceY }, { x: targetX, y: targetY }, lane, into)} />;
}
