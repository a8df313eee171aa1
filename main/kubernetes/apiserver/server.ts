// Puts an API server together: storage, kinds, admission, authorization, and its two doors.
import { every, type Clock, type Random } from '../../simulation/index.ts';
import type { HttpHandler } from '../../network/http/index.ts';
import type { Store } from '../../storage/index.ts';
import { minorOf } from '../api/api-versions.ts';
import { resources } from '../api/resources.ts';
import type { ApiClient } from '../client/client.ts';
import { registerCustomGroups } from './aggregation/autoregister.ts';
import { ApiServiceAvailability } from './aggregation/availability.ts';
import type { ServiceNetwork } from './aggregation/network.ts';
import { Admission } from './admission/admission.ts';
import { rbacEscalation } from './admission/escalation.ts';
import { defaultPlugins } from './admission/plugins.ts';
import { FieldManager } from './apply/field-manager.ts';
import { makeAuthenticator } from './auth/authentication.ts';
import { forbiddenAccess } from './auth/forbidden.ts';
import { NodeAuthorizer } from './auth/node-authorizer.ts';
import { RbacAuthorizer } from './auth/rbac.ts';
import { readBootstrapToken } from './auth/bootstrap-tokens.ts';
import { Tokens, type SecretTokenHolder } from './auth/tokens.ts';
import { API_SERVER, type UserInfo } from './auth/user.ts';
import { bootstrap } from './bootstrap.ts';
import { Catalogue } from './catalogue.ts';
import type { ServerCore } from './core.ts';
import { expireEvents } from './event-expiry.ts';
import { makeHttpDoor } from './http/door.ts';
import { CustomResources } from './custom/definitions.ts';
import { firstAddress, parseRange } from './kinds/address-allocator.ts';
import { IpAddresses } from './kinds/ip-addresses.ts';
import { ServiceAllocations } from './kinds/service-allocations.ts';
import type { KubeletConnector } from './kubelet-connector.ts';
import { makeInProcessClient } from './in-process-client.ts';
import { ObjectStore } from './storage/object-store.ts';
import { Api } from './verbs/api.ts';
import { Writer } from './verbs/writing.ts';
import { CURRENT_VERSION, type VersionProfile } from './version.ts';

/** How often watches that want them get bookmarks, in ms. */
const BOOKMARK_PERIOD_MS = 60_000;

/** kubeadm's default. */
const SERVICE_RANGE = '10.96.0.0/12';

export interface ApiServerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly version?: VersionProfile;
  /** The control plane's address on the cluster's network; 192.168.10.10:6443 if absent. */
  readonly advertised?: { readonly address: string; readonly port: number };
  /** The range of cluster IPs in CIDR notation; 10.96.0.0/12 if absent. */
  readonly serviceRange?: string;
}

export interface ApiServer extends Disposable {
  /** Who may be made by name: `kubernetes-admin`, `system:kube-scheduler`, `system:node:worker1` … */
  client(user: UserInfo, component?: string): ApiClient;
  /** The client of a member of system:masters, as the server's own loops have it. */
  adminClient(component?: string): ApiClient;
  /** Takes in what was written behind the server's back, such as a restored snapshot. */
  resync(): void;
  /** Says how extension servers (APIService with a Service) are reached; the answer is undefined while they can't be. */
  connectServices(network: () => ServiceNetwork | undefined): void;
  /** A token of the kind that Secrets hold: without an end, good while the Secret is there. */
  signSecretToken(holder: SecretTokenHolder): string;
  /** Says how kubelets are reached, for logs, exec, attach and port-forward. */
  connectKubelets(connector: KubeletConnector): void;
  /** The API over HTTP, for any transport. */
  readonly handler: HttpHandler;
}

/** Makes an API server over a workspace's store. What a new cluster has from the start is made if missing. */
export function makeApiServer(options: ApiServerOptions): ApiServer {
  const { store, clock, random, version = CURRENT_VERSION } = options;
  const objects = new ObjectStore(store, clock);
  const catalogue = new Catalogue(objects, minorOf(version.gitVersion));
  const nodes = new NodeAuthorizer(catalogue);
  nodes.follow(catalogue.find(resources.pods)!.table);
  const authorizer = new RbacAuthorizer(catalogue, nodes);
  const range = parseRange(options.serviceRange ?? SERVICE_RANGE);
  const services = new ServiceAllocations(range);
  services.follow(catalogue.find(resources.services)!.table);
  const admission = new Admission([
    rbacEscalation(authorizer),
    ...defaultPlugins(
      catalogue.minor,
      (quota, used) => writer.chargeQuota(quota, used),
      (attributes) => authorizer.authorize(attributes),
    ),
  ]);
  const writer: Writer = new Writer({
    objects,
    catalogue,
    services,
    clock,
    random: random.fork('apiserver'),
    admission,
    tracker: new FieldManager(),
  });
  const customResources = new CustomResources({ objects, catalogue, writer });
  void customResources;
  void new IpAddresses({ objects, catalogue, writer });
  const tokens = new Tokens(store, catalogue, random, () => clock.now());
  let kubelets: KubeletConnector | undefined;
  let serviceNetwork: () => ServiceNetwork | undefined = () => undefined;
  const core: ServerCore = {
    clock,
    random,
    objects,
    catalogue,
    api: new Api(writer),
    authorizer,
    version,
    authorize(attributes) {
      const { allowed, reason } = authorizer.authorize(attributes);
      if (!allowed) throw forbiddenAccess(attributes, reason);
    },
    createToken: (request, name, tokenRequest) => tokens.create(request, name, tokenRequest),
    readToken: (token, audiences) => tokens.read(token, audiences),
    kubelets: () => kubelets,
    handler: () => handler,
    serviceNetwork: () => serviceNetwork(),
    webhookTables: [
      catalogue.find(resources.mutatingwebhookconfigurations)!.table,
      catalogue.find(resources.validatingwebhookconfigurations)!.table,
    ],
    webhookIds: random.fork('webhooks'),
    get aggregation() {
      return aggregation;
    },
  };
  const { address = '192.168.10.10', port = 6443 } = options.advertised ?? {};
  const aggregation = new ApiServiceAvailability(core);
  registerCustomGroups(core);
  bootstrap(core, {
    address,
    port,
    serviceAddress: firstAddress(range),
    serviceRange: range.text,
  });
  objects.beginWatches();
  const expiry = expireEvents(core);
  const bookmarks = every(clock, BOOKMARK_PERIOD_MS, () => objects.bookmark());
  const authenticator = makeAuthenticator(
    core,
    (token) => tokens.read(token) ?? readBootstrapToken(catalogue, token, clock.now()),
  );
  const handler = makeHttpDoor(core, authenticator);
  return {
    handler,
    connectServices(network) {
      serviceNetwork = network;
    },
    connectKubelets(connector) {
      kubelets = connector;
    },
    client: (user, component = user.name) => makeInProcessClient(core, user, component),
    adminClient: (component = 'kube-apiserver') => makeInProcessClient(core, API_SERVER, component),
    signSecretToken: (holder) => tokens.signForSecret(holder),
    resync: () => objects.resync(),
    [Symbol.dispose]() {
      bookmarks[Symbol.dispose]();
      expiry[Symbol.dispose]();
      aggregation[Symbol.dispose]();
    },
  };
}
