// The API server: one pipeline (authenticate, authorize, admit, store, answer) behind two doors, HTTP and in process.
// What kinds mean to the rest of the cluster (controllers, kubelets) is not known here.
export type {
  AttachOptions,
  ExecOptions,
  ExecResult,
  ExecSession,
  KubeletConnector,
  LogOptions,
} from './kubelet-connector.ts';
export { serviceAccountUser, type UserInfo } from './auth/user.ts';
export { makeApiServer, type ApiServer, type ApiServerOptions } from './server.ts';
export { CURRENT_VERSION, type VersionProfile } from './version.ts';
