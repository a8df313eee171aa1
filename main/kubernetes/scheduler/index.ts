// The scheduler: gives every pod a node, by filters, scores and, if need be, preemption.
// The rules of taints and node affinity are here too, for others that must judge a node as the scheduler does.
export { matchesNodeAffinity } from './node-affinity.ts';
export { readSchedulerProfiles } from './configuration.ts';
export { makeScheduler } from './scheduler.ts';
export { tolerates, untoleratedTaint } from './taints.ts';
