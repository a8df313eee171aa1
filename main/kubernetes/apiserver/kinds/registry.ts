// Every kind that the server serves, with what its strategy adds to the defaults.
import { builtInResources, resources, type ResourceInfo } from '../../api/resources.ts';
import { schemaNameOf } from '../schema/structures.ts';
import type { Kind } from './kind.ts';
import { labelProblems, pathSegmentProblems, subdomainProblems } from './names.ts';
import { strategyOf } from './strategies.ts';

/** etcd prefixes that aren't `/registry/<plural>/`. */
const PREFIXES: Readonly<Record<string, string>> = {
  endpoints: '/registry/services/endpoints/',
  ingresses: '/registry/ingress/',
  nodes: '/registry/minions/',
  replicationcontrollers: '/registry/controllers/',
  services: '/registry/services/specs/',
  apiservices: '/registry/apiregistration.k8s.io/apiservices/',
  customresourcedefinitions: '/registry/apiextensions.k8s.io/customresourcedefinitions/',
};

const LABEL_NAMED = new Set(['namespaces', 'services']);
const PATH_NAMED = new Set([
  'roles',
  'clusterroles',
  'rolebindings',
  'clusterrolebindings',
  'certificatesigningrequests',
  'apiservices',
]);

/** Kinds whose generation counts changes of spec. */
const COUNTED = new Set([
  'pods',
  'replicationcontrollers',
  'podtemplates',
  'daemonsets',
  'deployments',
  'replicasets',
  'statefulsets',
  'jobs',
  'cronjobs',
  'ingresses',
  'ingressclasses',
  'networkpolicies',
  'poddisruptionbudgets',
  'endpointslices',
  'priorityclasses',
  'customresourcedefinitions',
  'mutatingwebhookconfigurations',
  'validatingwebhookconfigurations',
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
  'flowschemas',
  'prioritylevelconfigurations',
]);
/** Kinds that a PUT creates. */
const CREATED_ON_UPDATE = new Set([
  'leases',
  'events',
  'endpoints',
  'limitranges',
  'roles',
  'clusterroles',
  'rolebindings',
  'clusterrolebindings',
]);
const RETURNS_DELETED = new Set([
  'pods',
  'services',
  'persistentvolumeclaims',
  'persistentvolumes',
  'podtemplates',
  'resourcequotas',
  'serviceaccounts',
  'csidrivers',
  'csinodes',
  'storageclasses',
  'volumeattachments',
]);
const CONDITIONAL_UPDATE = new Set([
  'apiservices',
  'customresourcedefinitions',
  'ipaddresses',
  'servicecidrs',
  'leases',
  'poddisruptionbudgets',
  'priorityclasses',
  'runtimeclasses',
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
  'flowschemas',
  'prioritylevelconfigurations',
  'mutatingwebhookconfigurations',
  'validatingwebhookconfigurations',
]);
const ORPHANS_BY_DEFAULT = new Set(['replicationcontrollers', 'jobs']);

function kindOf(resource: ResourceInfo): Kind {
  const { plural } = resource;
  const strategy = strategyOf(plural);
  const prefix = PREFIXES[plural] ?? `/registry/${plural}/`;
  return {
    resource,
    prefix,
    schemaName: schemaNameOf(resource),
    nameProblems: LABEL_NAMED.has(plural)
      ? labelProblems
      : PATH_NAMED.has(plural)
        ? pathSegmentProblems
        : subdomainProblems,
    counted: COUNTED.has(plural),
    hasStatus: resource.subresources.some(({ name }) => name === 'status'),
    fields: {},
    indexed: ['metadata.name'],
    createsOnUpdate: CREATED_ON_UPDATE.has(plural),
    unconditionalUpdate: !CONDITIONAL_UPDATE.has(plural),
    returnsDeleted: RETURNS_DELETED.has(plural),
    defaultPropagation: ORPHANS_BY_DEFAULT.has(plural) ? 'Orphan' : 'Background',
    ...strategy,
  };
}

/** The kind whose objects are made when they are asked for. */
export const componentStatusKind = kindOf(resources.componentstatuses);

/** Built-in kinds whose objects are stored; reviews and bindings aren't. */
export const builtInKinds: readonly Kind[] = builtInResources
  .filter((resource) => resource.verbs.includes('list') && resource.plural !== 'componentstatuses')
  .map(kindOf);
