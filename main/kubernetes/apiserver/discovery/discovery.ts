// Discovery: which groups, versions and resources there are, in the legacy and the aggregated form.
import { createHash } from 'node:crypto';
import { headerOf, type HttpResponse } from '../../../network/http/index.ts';
import { storedVersionOf } from '../../api/api-versions.ts';
import { resources, type ResourceInfo, type Subresource } from '../../api/resources.ts';
import type { Endpoints } from '../../api/types.ts';
import { proxyAnswer } from '../aggregation/proxy.ts';
import { findRemote, isAvailable } from '../aggregation/registration.ts';
import { wantsAggregatedDiscovery } from '../http/negotiation.ts';
import { documentAnswer } from '../http/answer.ts';
import type { Exchange } from '../http/door.ts';
import type { ServerCore } from '../core.ts';

/** Groups in the order of their priority (kube-aggregator's); others follow by name. */
const GROUP_ORDER = [
  'apiregistration.k8s.io',
  'extensions',
  'apps',
  'events.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'networking.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'storage.k8s.io',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'scheduling.k8s.io',
  'coordination.k8s.io',
  'node.k8s.io',
  'discovery.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'resource.k8s.io',
];

/** Versions of groups that aren't preferred by what their names say (kube-aggregator's versionPriority). */
const VERSION_ORDER: Readonly<Record<string, readonly string[]>> = {
  autoscaling: ['v2', 'v1', 'v2beta1', 'v2beta2'],
};

/** First release that tells all groups in one document unasked (KEP-3352). */
const AGGREGATED_SINCE = 27;

interface Group {
  readonly name: string;
  /** Preferred version first. */
  readonly versions: GroupVersion[];
}

interface GroupVersion {
  readonly version: string;
  readonly resources: ResourceInfo[];
  /** An extension server's that can't be asked now. */
  readonly isStale?: boolean;
}

function groupsOf(core: ServerCore): Group[] {
  const groups = new Map<string, Map<string, ResourceInfo[]>>();
  const seen = new Set<string>();
  const add = (resource: ResourceInfo): void => {
    const { group, version, plural } = resource;
    if (seen.has(`${group}/${version}/${plural}`)) return;
    seen.add(`${group}/${version}/${plural}`);
    let versions = groups.get(group);
    if (versions === undefined) groups.set(group, (versions = new Map()));
    const resources = versions.get(version) ?? [];
    resources.push(resource);
    versions.set(version, resources);
  };
  for (const resource of core.catalogue.builtIns) add(resource);
  for (const { resource } of core.catalogue.all()) add(resource);
  const stale = addRemote(core, add, groups);
  const rank = (name: string): number => {
    const index = GROUP_ORDER.indexOf(name);
    return name === '' ? -1 : index < 0 ? GROUP_ORDER.length : index;
  };
  return [...groups]
    .map(([name, versions]) => ({
      name,
      versions: [...versions]
        .map(([version, resources]) => ({
          version,
          resources: resources.sort((a, b) => (a.plural < b.plural ? -1 : 1)),
          ...(stale.has(`${name}/${version}`) ? { isStale: true } : {}),
        }))
        .sort((a, b) => compareVersions(name, a.version, b.version)),
    }))
    .sort((a, b) => rank(a.name) - rank(b.name) || (a.name < b.name ? -1 : 1));
}

/** Adds what extension servers serve; answers the versions that are stale. */
function addRemote(
  core: ServerCore,
  add: (resource: ResourceInfo) => void,
  groups: Map<string, Map<string, ResourceInfo[]>>,
): Set<string> {
  const stale = new Set<string>();
  for (const api of core.aggregation.remotes()) {
    const { group = '', version = '' } = api.spec;
    if (groups.get(group)?.has(version) === true) continue;
    const known = core.aggregation.resourcesOf(api.metadata.name);
    if (known === undefined || !isAvailable(api)) stale.add(`${group}/${version}`);
    const versions = groups.get(group) ?? new Map<string, ResourceInfo[]>();
    groups.set(group, versions.set(version, versions.get(version) ?? []));
    for (const resource of known ?? []) {
      if (resource.name.includes('/')) continue;
      add({
        group,
        version,
        plural: resource.name,
        kind: resource.kind,
        namespaced: resource.namespaced,
        singular: resource.singularName ?? '',
        shortNames: resource.shortNames ?? [],
        categories: resource.categories ?? [],
        verbs: resource.verbs,
        subresources: [],
        listKind: `${resource.kind}List`,
      });
    }
  }
  return stale;
}

/** Kubernetes' order of versions: v10, v2, v1, v11beta2, v10beta3, v3beta1, v12alpha1, foo. */
function compareVersions(group: string, a: string, b: string): number {
  const order = VERSION_ORDER[group] ?? [];
  if (order.includes(a) && order.includes(b)) return order.indexOf(a) - order.indexOf(b);
  const parse = (version: string): readonly [number, number, number] => {
    const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
    if (match === null) return [-1, 0, 0];
    return [
      match[2] === undefined ? 2 : match[2] === 'beta' ? 1 : 0,
      Number(match[1]),
      Number(match[3] ?? 0),
    ];
  };
  const [left, right] = [parse(a), parse(b)];
  for (let index = 0; index < 3; index++) {
    const difference = right[index]! - left[index]!;
    if (difference !== 0) return difference;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Answers discovery paths; undefined for other ones and for groups that aren't there. */
export function discoveryAnswer(
  exchange: Exchange,
  path: string,
): HttpResponse | Promise<HttpResponse> | undefined {
  const { core, request, wanted } = exchange;
  if (path !== '/api' && path !== '/apis' && !path.startsWith('/api/') && !path.startsWith('/apis/'))
    return undefined;
  const groups = groupsOf(core);
  const isRoot = path === '/api' || path === '/apis';
  const aggregates = core.catalogue.minor >= AGGREGATED_SINCE;
  if (isRoot && aggregates && wantsAggregatedDiscovery(headerOf(request.headers, 'accept'))) {
    return aggregatedAnswer(
      groups.filter(({ name }) => (name === '') === (path === '/api')),
      headerOf(request.headers, 'if-none-match'),
    );
  }
  const [, , group = '', version = '', more] = path.split('/');
  const remote =
    version === '' || more !== undefined ? undefined : findRemote(core.catalogue, group, version);
  if (remote !== undefined) return proxyAnswer(exchange, remote);
  const document = legacyDocument(core, groups, path);
  return document === undefined ? undefined : documentAnswer(200, document, wanted);
}

function aggregatedAnswer(groups: readonly Group[], known: string | undefined): HttpResponse {
  const document = {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: groups.map(({ name, versions }) => ({
      metadata: name === '' ? {} : { name },
      versions: versions.map(({ version, resources, isStale }) => ({
        version,
        resources: resources.map((resource) => aggregatedResource(resource)),
        freshness: isStale === true ? 'Stale' : 'Current',
      })),
    })),
  };
  const body = `${JSON.stringify(document)}\n`;
  const etag = `"${createHash('sha512').update(body).digest('hex').toUpperCase()}"`;
  const headers = [
    ['content-type', 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'],
    ['cache-control', 'public'],
    ['etag', etag],
    ['vary', 'Accept'],
  ] as const;
  return known === etag ? { status: 304, headers } : { status: 200, headers, body };
}

function aggregatedResource(resource: ResourceInfo): unknown {
  return {
    resource: resource.plural,
    responseKind: { group: '', version: '', kind: resource.kind },
    scope: resource.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: resource.singular,
    verbs: resource.verbs,
    ...(resource.shortNames.length === 0 ? {} : { shortNames: resource.shortNames }),
    ...(resource.categories.length === 0 ? {} : { categories: resource.categories }),
    ...(resource.subresources.length === 0
      ? {}
      : { subresources: resource.subresources.map(aggregatedSubresource) }),
  };
}

function aggregatedSubresource({ name, kind, groupVersion, verbs }: Subresource): unknown {
  const [group = '', version = ''] = groupVersion?.split('/') ?? [];
  return { subresource: name, responseKind: { group, version, kind }, verbs };
}

/** Where the server is reached, as the endpoints of its Service say. */
function serverAddress(core: ServerCore): string {
  const endpoints = core.catalogue.find(resources.endpoints)?.table.get('default', 'kubernetes');
  const subset = (endpoints as Endpoints | undefined)?.subsets?.[0];
  return `${subset?.addresses?.[0]?.ip ?? ''}:${subset?.ports?.[0]?.port ?? ''}`;
}

function legacyDocument(core: ServerCore, groups: readonly Group[], path: string): unknown {
  if (path === '/api') {
    return {
      kind: 'APIVersions',
      versions: ['v1'],
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: serverAddress(core) }],
    };
  }
  const named = groups.filter(({ name }) => name !== '');
  if (path === '/apis')
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: named.map((group) => groupEntry(group)) };
  const parts = path.split('/').slice(1);
  if (parts[0] === 'api') {
    const core = groups.find(({ name }) => name === '');
    return parts.length === 2 && parts[1] === 'v1'
      ? resourceList('v1', core!.versions[0]!.resources)
      : undefined;
  }
  const group = named.find(({ name }) => name === parts[1]);
  if (group === undefined) return undefined;
  if (parts.length === 2) return { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(group) };
  const found = group.versions.find(({ version }) => version === parts[2]);
  return parts.length === 3 && found !== undefined
    ? resourceList(`${group.name}/${found.version}`, found.resources)
    : undefined;
}

function groupEntry({ name, versions }: Group): {
  name: string;
  versions: unknown[];
  preferredVersion: unknown;
} {
  const entries = versions.map(({ version }) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: entries, preferredVersion: entries[0] };
}

function resourceList(groupVersion: string, resources: readonly ResourceInfo[]): unknown {
  return {
    kind: 'APIResourceList',
    // The core group's list was frozen before it had an apiVersion.
    ...(groupVersion === 'v1' ? {} : { apiVersion: 'v1' }),
    groupVersion,
    resources: resources.flatMap((resource) => [
      resourceEntry(resource),
      ...resource.subresources.map((subresource) => subresourceEntry(resource, subresource)),
    ]),
  };
}

function resourceEntry(resource: ResourceInfo): unknown {
  const { kind, plural, singular, namespaced, verbs, shortNames, categories } = resource;
  const isStored = verbs.includes('watch');
  const stored = storedVersionOf(resource) ?? resource;
  const hash = createHash('sha256')
    // Upstream hashes the name that definitions were once stored under.
    .update(`${stored.group}/${kind === 'CustomResourceDefinition' ? 'v1beta1' : stored.version}/${kind}`)
    .digest()
    .subarray(0, 8)
    .toString('base64');
  return {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
    ...(isStored ? { storageVersionHash: hash } : {}),
  };
}

function subresourceEntry(resource: ResourceInfo, { name, kind, groupVersion, verbs }: Subresource): unknown {
  const [group, version] = groupVersion?.split('/') ?? [];
  return {
    name: `${resource.plural}/${name}`,
    singularName: '',
    namespaced: resource.namespaced,
    ...(group === undefined ? {} : { group, version }),
    kind,
    verbs,
  };
}
