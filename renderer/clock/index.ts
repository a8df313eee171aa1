// The clock bar: what time it is in the cluster, how fast it passes, and skipping ahead.
export { ClockBar } from './ClockBar.tsx';
