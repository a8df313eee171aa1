// The cluster as a live picture and as tables: machines with their Pods, Services with their endpoints.
// The facts are the engine's; where each stands in the picture is decided here, and kept as long as it lives.
export { TopologyPane } from './TopologyPane.tsx';
export { roleText } from './words.ts';
