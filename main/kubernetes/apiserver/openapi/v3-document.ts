// OpenAPI v3: one document per group-version.
import type { ResourceInfo } from '../../api/resources.ts';
import type { ServerCore } from '../core.ts';
import { schemaNameOf } from '../schema/structures.ts';
import { customDefinitions } from './custom-schemas.ts';
import { closureOf, definitionOf, type OpenApiStyle } from './schemas.ts';

type Json = Record<string, unknown>;

const STYLE: OpenApiStyle = { version: 3, refPrefix: '#/components/schemas/' };
const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const ALWAYS = ['APIResourceList', 'DeleteOptions', 'Patch', 'Status', 'WatchEvent'].map(
  (kind) => `${META}.${kind}`,
);

export function resourcesOf(core: ServerCore): ResourceInfo[] {
  const { builtIns } = core.catalogue;
  const known = new Set(builtIns.map(({ group, version, plural }) => `${group}/${version}/${plural}`));
  const custom = core.catalogue
    .all()
    .map(({ resource }) => resource)
    .filter(({ group, version, plural }) => !known.has(`${group}/${version}/${plural}`));
  return [...builtIns, ...custom];
}

function pathOf({ group, version }: { readonly group: string; readonly version: string }): string {
  return group === '' ? `api/${version}` : `apis/${group}/${version}`;
}

/** Paths such as `api/v1` and `apis/apps/v1`. */
export function groupVersionsOf(core: ServerCore): string[] {
  return [...new Set(resourcesOf(core).map(pathOf))].sort();
}

/** The document of one group-version. */
export function groupVersionDocument(core: ServerCore, groupVersion: string): Json {
  const all = resourcesOf(core);
  const resources = all.filter((resource) => pathOf(resource) === groupVersion);
  const groupVersions = [
    ...new Map(all.map(({ group, version }) => [`${group}/${version}`, [group, version] as const])).values(),
  ];
  const names: string[] = [...ALWAYS];
  for (const resource of resources) {
    const name = schemaNameOf(resource);
    if (name === undefined) {
      names.push(`${META}.ObjectMeta`, `${META}.ListMeta`);
      continue;
    }
    names.push(name, `${name}List`);
    for (const { groupVersion: bodyVersion, kind } of resource.subresources) {
      const [group = '', version = ''] = bodyVersion?.split('/') ?? [resource.group, resource.version];
      const body = schemaNameOf({ group, version, kind });
      if (body !== undefined) names.push(body);
    }
  }
  const custom = customDefinitions(core, resources, STYLE);
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: core.version.gitVersion.replace(/^v(\d+\.\d+).*$/, '$1') },
    paths: pathsOf(groupVersion, resources),
    components: {
      schemas: {
        ...Object.fromEntries(
          closureOf(names).map((name) => [name, definitionOf(name, STYLE, groupVersions)]),
        ),
        ...custom,
      },
    },
  };
}

interface OperationOptions {
  readonly resource: ResourceInfo;
  readonly action: string;
  readonly kind: string;
  readonly group: string;
  readonly version: string;
}

function operation({ action, kind, group, version }: OperationOptions, parameters: readonly string[]): Json {
  return {
    responses: { '200': { description: 'OK' } },
    parameters: parameters.map((name) => ({
      name,
      in: 'query',
      schema: { type: 'string', uniqueItems: true },
    })),
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { group, kind, version },
  };
}

const WRITE_PARAMETERS = ['dryRun', 'fieldManager', 'fieldValidation'];
const PATCH_PARAMETERS = [...WRITE_PARAMETERS, 'force'];
const LIST_PARAMETERS = [
  'allowWatchBookmarks',
  'continue',
  'fieldSelector',
  'labelSelector',
  'limit',
  'resourceVersion',
  'resourceVersionMatch',
  'sendInitialEvents',
  'timeoutSeconds',
  'watch',
];
const DELETE_PARAMETERS = [
  'dryRun',
  'gracePeriodSeconds',
  'ignoreStoreReadErrorWithClusterBreakingPotential',
  'orphanDependents',
  'propagationPolicy',
];

/** The paths of resources; `kubectl explain` finds kinds by the group-version-kind of their operations. */
export function pathsOf(groupVersion: string, resources: readonly ResourceInfo[]): Json {
  const paths: Json = {
    [`/${groupVersion}/`]: {
      get: { description: 'get available resources', responses: { '200': { description: 'OK' } } },
    },
  };
  for (const resource of resources) {
    const { group, version, kind, plural, namespaced, verbs } = resource;
    const base = namespaced
      ? `/${groupVersion}/namespaces/{namespace}/${plural}`
      : `/${groupVersion}/${plural}`;
    const of = (action: string): OperationOptions => ({ resource, action, kind, group, version });
    const collection: Json = {};
    if (verbs.includes('list')) collection['get'] = operation(of('list'), LIST_PARAMETERS);
    if (verbs.includes('create')) collection['post'] = operation(of('post'), WRITE_PARAMETERS);
    if (verbs.includes('deletecollection'))
      collection['delete'] = operation(of('deletecollection'), [...LIST_PARAMETERS, ...DELETE_PARAMETERS]);
    paths[base] = collection;
    if (verbs.includes('get')) {
      const item: Json = { get: operation(of('get'), []) };
      if (verbs.includes('update')) item['put'] = operation(of('put'), WRITE_PARAMETERS);
      if (verbs.includes('patch')) item['patch'] = operation(of('patch'), PATCH_PARAMETERS);
      if (verbs.includes('delete')) item['delete'] = operation(of('delete'), DELETE_PARAMETERS);
      paths[`${base}/{name}`] = item;
    }
    if (namespaced && verbs.includes('list'))
      paths[`/${groupVersion}/${plural}`] = { get: operation(of('list'), LIST_PARAMETERS) };
    for (const subresource of resource.subresources)
      paths[`${base}/{name}/${subresource.name}`] = subresourcePath(resource, subresource);
    if (verbs.includes('watch')) {
      const watched = base.replace(`/${groupVersion}/`, `/${groupVersion}/watch/`);
      paths[watched] = { get: operation(of('watchlist'), LIST_PARAMETERS) };
      paths[`${watched}/{name}`] = { get: operation(of('watch'), LIST_PARAMETERS) };
      if (namespaced)
        paths[`/${groupVersion}/watch/${plural}`] = { get: operation(of('watchlist'), LIST_PARAMETERS) };
    }
  }
  return Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function subresourcePath(resource: ResourceInfo, subresource: ResourceInfo['subresources'][number]): Json {
  const [group = '', version = ''] = subresource.groupVersion?.split('/') ?? [
    resource.group,
    resource.version,
  ];
  const of = (action: string): OperationOptions => ({
    resource,
    action,
    kind: subresource.kind,
    group,
    version,
  });
  const path: Json = {};
  for (const verb of subresource.verbs) {
    if (verb === 'get') path['get'] = operation(of('get'), []);
    if (verb === 'create') path['post'] = operation(of('post'), WRITE_PARAMETERS);
    if (verb === 'update') path['put'] = operation(of('put'), WRITE_PARAMETERS);
    if (verb === 'patch') path['patch'] = operation(of('patch'), PATCH_PARAMETERS);
    if (verb === 'delete') path['delete'] = operation(of('delete'), DELETE_PARAMETERS);
  }
  return path;
}
