// The API server: one pipeline (authenticate, authorize, admit, store, answer) behind two doors, HTTP and in process.
// What kinds mean to the rest of the cluster (controllers, kubelets) is not known here.
export type { ServiceNetwork } from './aggregation/network.ts';
export { makeApiServer, type ApiServer } from './server.ts';
export { versionProfile } from './version.ts';
