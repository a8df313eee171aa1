// The live picture of the cluster, as the engine draws it.
import type { Topology } from '../../preload/contract.ts';
import type { Engine, Slice } from '../state/slice.ts';

export interface TopologySlice {
  readonly topology: Topology;
  readonly loadTopology: () => Promise<void>;
}

export const topologySlice =
  ({ ask, bridge }: Engine): Slice<TopologySlice> =>
  (set) => {
    bridge.on('cluster.topology', (topology) => set({ topology }));
    return {
      topology: { machines: [], pods: [], services: [] },
      loadTopology: async () => {
        const topology = await ask('cluster.topology', {});
        if (topology !== undefined) set({ topology });
      },
    };
  };
