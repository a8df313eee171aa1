// What Kubernetes' long-running programs have in common: how they log and how they wait for their end.
export { klogLine } from './klog.ts';
export { untilStopped } from './until-stopped.ts';
