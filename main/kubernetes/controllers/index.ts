// The controllers of kube-controller-manager: independent loops that bring the cluster nearer its spec.
// Each reads shared informers and writes through the API client; none knows another.
export { makeControllerManager } from './manager.ts';
