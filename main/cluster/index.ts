// Boots machines and control plane from a profile, and resumes them from a workspace. Knows no lab and no screen.
export { Cluster } from './cluster.ts';
export { MachineProcess } from './machine-process.ts';
export type { CommandResult, World } from './world.ts';
export {
  listProfiles,
  NO_LATENCY,
  requireProfile,
  withNodes,
  type Latencies,
  type Profile,
} from './profile.ts';
