// The client side of the API: requests, informers with listers, work queues, event recorders.
// What a component needs to be a controller lives here; what any one controller does, and the server, do not.
export type { ApiClient, WatchListener } from './client.ts';
export { makeEventRecorder, type EventRecorder, type ObjectReference } from './event-recorder.ts';
export { CONTROLLER_INDEX, type Lister } from './indexer.ts';
export { Informer, type InformerHandler } from './informer.ts';
export { makeInformerFactory, type InformerFactory } from './informer-factory.ts';
export { reviewAccess, reviewToken, type ReviewedUser } from './delegated-access.ts';
export { runWhileLeading } from './leader-election.ts';
export { goTlsMessage } from './tls-error.ts';
export { TokenBucket } from './rate-limiter.ts';
export { runWorkers, WorkQueue } from './work-queue.ts';
export { remoteClient } from './remote-client.ts';
