// Mirrors Endpoints that a person wrote, for a Service without selector, into EndpointSlices.
import {
  isStatus,
  resources,
  type Endpoint,
  type Endpoints,
  type EndpointSlice,
  type ObjectKey,
  type Service,
  type Stored,
} from '../api/index.ts';
import { makeController, type Controller, type ControllerContext } from './controller.ts';
import {
  indexSlices,
  reconcile,
  SERVICE_NAME,
  SLICE_MANAGED_BY,
  SLICE_SERVICE_INDEX,
  type PortGroup,
} from './endpoint-slice.ts';
import { TRIGGER_TIME } from './trigger-time.ts';

const MANAGER = 'endpointslicemirroring-controller.k8s.io';
const SKIP = 'endpointslice.kubernetes.io/skip-mirror';
const LEADER = 'control-plane.alpha.kubernetes.io/leader';
/** Endpoints mirrored per subset (--mirroring-max-endpoints-per-subset). */
const ENDPOINTS_PER_SUBSET_MAX = 1000;
/** Syncs at once (--mirroring-concurrent-service-endpoint-syncs). */
const WORKERS = 5;

/** Makes the EndpointSlice mirroring controller. */
export function makeEndpointSliceMirroringController(context: ControllerContext): Controller {
  return makeController(context, {
    name: 'endpointslice-mirroring-controller',
    component: 'endpoint-slice-mirroring-controller',
    workers: WORKERS,
    setUp(run) {
      const endpoints = run.informer<Endpoints>(resources.endpoints);
      const services = run.informer<Service>(resources.services);
      const slices = run.informer<EndpointSlice>(resources.endpointslices);
      indexSlices(slices);
      run.enqueueOn(endpoints);
      run.on(services, {
        add: run.enqueue,
        update: (service, old) => {
          if ((service.spec?.selector === undefined) !== (old.spec?.selector === undefined))
            run.enqueue(service);
        },
        delete: run.enqueue,
      });

      return async function sync(key: ObjectKey): Promise<void> {
        const source = endpoints.lister.get(key);
        const service = services.lister.get(key);
        const existing = slices.indexer
          .byIndex(SLICE_SERVICE_INDEX, key)
          .filter((slice) => slice.metadata.labels?.[SLICE_MANAGED_BY] === MANAGER);
        if (source === undefined || service === undefined || !isMirrored(source, service)) {
          for (const { metadata } of existing) {
            try {
              await run.client.delete(resources.endpointslices, metadata.name, {
                namespace: metadata.namespace,
              });
            } catch (error) {
              if (!isStatus(error, 'NotFound')) throw error;
            }
          }
          return;
        }
        const annotations = { ...source.metadata.annotations };
        const triggered = annotations[TRIGGER_TIME];
        delete annotations[TRIGGER_TIME];
        for (const addressType of ['IPv4', 'IPv6']) {
          const wanted = groupsOf(source, addressType);
          const present = existing.filter((slice) => slice.addressType === addressType);
          if (wanted.length === 0 && present.length === 0) continue;
          await reconcile(run, {
            owner: source as Stored<Service>, // Only its name, kind and uid are read.
            addressType,
            labels: {
              ...source.metadata.labels,
              [SLICE_MANAGED_BY]: MANAGER,
              [SERVICE_NAME]: source.metadata.name,
            },
            annotations,
            triggered,
            wanted,
            existing: present,
            perSliceMax: ENDPOINTS_PER_SUBSET_MAX,
          });
        }
      };
    },
  });
}

function isMirrored(endpoints: Stored<Endpoints>, service: Stored<Service>): boolean {
  if (endpoints.metadata.labels?.[SKIP] === 'true') return false;
  if (endpoints.metadata.annotations?.[LEADER] !== undefined) return false;
  return Object.keys(service.spec?.selector ?? {}).length === 0;
}

function groupsOf(endpoints: Stored<Endpoints>, addressType: string): PortGroup[] {
  const groups: PortGroup[] = [];
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of endpoints.subsets ?? []) {
    const all = [
      ...addresses.map((address) => ({ address, ready: true })),
      ...notReadyAddresses.map((address) => ({ address, ready: false })),
    ];
    const mirrored: Endpoint[] = all
      .filter(({ address }) => address.ip.includes(':') === (addressType === 'IPv6'))
      .slice(0, ENDPOINTS_PER_SUBSET_MAX)
      .map(({ address: { ip, hostname, nodeName, targetRef }, ready }) => ({
        addresses: [ip],
        conditions: { ready },
        ...(hostname === undefined ? {} : { hostname }),
        ...(nodeName === undefined ? {} : { nodeName }),
        ...(targetRef === undefined ? {} : { targetRef }),
      }));
    if (mirrored.length === 0) continue;
    const slicePorts = ports.map(({ name = '', port, protocol = 'TCP', appProtocol }) => ({
      name,
      port,
      protocol,
      ...(appProtocol === undefined ? {} : { appProtocol }),
    }));
    groups.push({ ports: slicePorts, endpoints: mirrored });
  }
  return groups;
}
