// The parts of one API server, as its doors use them.
import type { HttpHandler } from '../../network/http/index.ts';
import type { Clock, Random } from '../../simulation/index.ts';
import type { ApiServiceAvailability } from './aggregation/availability.ts';
import type { ServiceNetwork } from './aggregation/network.ts';
import type { KubeletConnector } from './kubelet-connector.ts';
import type { UserInfo } from './auth/user.ts';
import type { Attributes, Authorizer } from './auth/authorizer.ts';
import type { Catalogue } from './catalogue.ts';
import type { ApiObject, StoredObject } from './object.ts';
import type { ObjectStore, ObjectTable } from './storage/object-store.ts';
import type { Api } from './verbs/api.ts';
import type { WriteRequest } from './verbs/request.ts';
import type { VersionProfile } from './version.ts';

export interface ServerCore {
  readonly clock: Clock;
  readonly random: Random;
  readonly objects: ObjectStore;
  readonly catalogue: Catalogue;
  readonly api: Api;
  readonly authorizer: Authorizer;
  readonly version: VersionProfile;
  /** Throws 403 Forbidden in upstream's words. */
  authorize(attributes: Attributes): void;
  /** The user of a bearer token meant for these audiences (the server itself if absent). */
  readToken(token: string, audiences?: readonly string[]): UserInfo | undefined;
  /** The HTTP door, for callers in process that want what only it serves: reviews and aggregated APIs. */
  handler(): HttpHandler;
  /** The network by which extension servers are reached; undefined while there is none. */
  serviceNetwork(): ServiceNetwork | undefined;
  /** The extension servers' APIs, as far as they have told them. */
  readonly aggregation: ApiServiceAvailability;
  /** Where webhooks are configured; while there is nothing, writes needn't look further. */
  readonly webhookTables: readonly ObjectTable[];
  /** Draws the uids of AdmissionReviews. */
  readonly webhookIds: Random;
  /** The kubelets, once there are any. */
  kubelets(): KubeletConnector | undefined;
  /** Makes a token for a service account (POST …/token). */
  createToken(request: WriteRequest, name: string, tokenRequest: ApiObject): StoredObject;
}
