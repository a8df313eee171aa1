// Which resources a server has: aggregated discovery, and the names people call them by (RESTMapper).
import type { HttpApi } from '../../client/http-client.ts';
import { StatusError, type KubernetesObject, type Resource } from '../../api/index.ts';
import { CommandError } from '../frame/command-error.ts';

/** A resource as discovery tells it. */
export interface DiscoveredResource extends Resource {
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  readonly subresources: readonly string[];
}

interface AggregatedDiscovery {
  items: {
    metadata?: { name?: string };
    versions: {
      version: string;
      resources?: {
        resource: string;
        responseKind: { group: string; version: string; kind: string };
        scope: 'Namespaced' | 'Cluster';
        singularResource: string;
        shortNames?: string[];
        categories?: string[];
        verbs: string[];
        subresources?: { subresource: string }[];
      }[];
    }[];
  }[];
}

const ACCEPT =
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json';

/** What servers before aggregated discovery answer at the roots. */
interface Roots {
  readonly kind?: string;
  /** APIVersions, of the core group. */
  readonly versions?: readonly string[];
  /** APIGroupList. */
  readonly groups?: readonly {
    readonly name: string;
    readonly versions: readonly { readonly version: string }[];
  }[];
}

interface ResourceList {
  readonly resources?: readonly {
    readonly name: string;
    readonly singularName?: string;
    readonly namespaced: boolean;
    readonly kind: string;
    readonly verbs: readonly string[];
    readonly shortNames?: readonly string[];
    readonly categories?: readonly string[];
  }[];
}

/** All resources of a server, core group first, then groups and versions in the server's order of preference. */
export async function discover(api: HttpApi): Promise<DiscoveredResource[]> {
  const found: DiscoveredResource[] = [];
  for (const path of ['/api', '/apis']) {
    const answer = await api.json<AggregatedDiscovery & Roots>({
      method: 'GET',
      path,
      query: { timeout: '32s' },
      accept: ACCEPT,
    });
    if (answer.kind === 'APIGroupDiscoveryList') found.push(...aggregated(answer));
    else found.push(...(await oneByOne(api, answer)));
  }
  return found;
}

function aggregated({ items }: AggregatedDiscovery): DiscoveredResource[] {
  return items.flatMap(({ metadata, versions }) =>
    versions.flatMap(({ version, resources = [] }) =>
      resources.map((entry) => ({
        group: metadata?.name ?? '',
        version,
        plural: entry.resource,
        kind: entry.responseKind.kind,
        namespaced: entry.scope === 'Namespaced',
        singular: entry.singularResource,
        shortNames: entry.shortNames ?? [],
        categories: entry.categories ?? [],
        verbs: entry.verbs,
        subresources: (entry.subresources ?? []).map(({ subresource }) => subresource),
      })),
    ),
  );
}

/** A request for every group-version. */
async function oneByOne(api: HttpApi, roots: Roots): Promise<DiscoveredResource[]> {
  const core = (roots.versions ?? []).map((version) => ({ group: '', version }));
  const named = (roots.groups ?? []).flatMap(({ name, versions }) =>
    versions.map(({ version }) => ({ group: name, version })),
  );
  const found: DiscoveredResource[] = [];
  for (const { group, version } of [...core, ...named]) {
    const resources = await resourcesOf(api, group, version);
    for (const { name, singularName, namespaced, kind, verbs, shortNames, categories } of resources) {
      if (name.includes('/')) continue;
      found.push({
        group,
        version,
        plural: name,
        kind,
        namespaced,
        singular: (singularName ?? '') === '' ? kind.toLowerCase() : singularName!,
        shortNames: shortNames ?? [],
        categories: categories ?? [],
        verbs,
        subresources: resources
          .filter((other) => other.name.startsWith(`${name}/`))
          .map((other) => other.name.slice(name.length + 1)),
      });
    }
  }
  return found;
}

/** What one group-version has; nothing of a group that can't be told now, such as an extension server's that is away. */
async function resourcesOf(
  api: HttpApi,
  group: string,
  version: string,
): Promise<NonNullable<ResourceList['resources']>> {
  try {
    const { resources = [] } = await api.json<ResourceList>({
      method: 'GET',
      path: group === '' ? `/api/${version}` : `/apis/${group}/${version}`,
      query: { timeout: '32s' },
    });
    return resources;
  } catch (error) {
    if (!(error instanceof StatusError) || group === '') throw error;
    return [];
  }
}

/** Finds resources by what people type, and by kind. */
export class ResourceMapper {
  readonly resources: readonly DiscoveredResource[];

  constructor(resources: readonly DiscoveredResource[]) {
    this.resources = resources;
  }

  /** `pods`, `po`, `deployment.apps`, `deployments.v1.apps`, `Service`. Throws CommandError in kubectl's words. */
  require(name: string): DiscoveredResource {
    const found = this.find(name);
    if (found === undefined)
      throw new CommandError(`the server doesn't have a resource type ${JSON.stringify(name.split('.')[0])}`);
    return found;
  }

  find(name: string): DiscoveredResource | undefined {
    const wanted = name.toLowerCase();
    const [word = '', ...qualifiers] = wanted.split('.');
    const matches = (resource: DiscoveredResource): boolean =>
      resource.plural === word ||
      resource.singular === word ||
      resource.kind.toLowerCase() === word ||
      resource.shortNames.includes(word);
    const inGroup = (group: string, version?: string) => (resource: DiscoveredResource) =>
      matches(resource) &&
      resource.group === group &&
      (version === undefined || resource.version === version);
    if (qualifiers.length === 0) return this.resources.find(matches);
    const versioned =
      qualifiers.length === 1
        ? undefined
        : this.resources.find(inGroup(qualifiers.slice(1).join('.'), qualifiers[0]));
    return (
      versioned ??
      this.resources.find(inGroup(qualifiers.join('.'))) ??
      this.resources.find((resource) => matches(resource) && resource.group.startsWith(qualifiers.join('.')))
    );
  }

  /** The resources of a category such as `all`. */
  inCategory(category: string): DiscoveredResource[] {
    const seen = new Set<string>();
    return this.resources.filter((resource) => {
      const key = `${resource.plural}.${resource.group}`;
      if (!resource.categories.includes(category) || seen.has(key)) return false;
      seen.add(key);
      return true;
    });
  }

  /** The resource of an object read from a file. Throws CommandError in kubectl's words. */
  forObject({ apiVersion = '', kind = '', metadata }: KubernetesObject, source: string): DiscoveredResource {
    const found = this.findKind(apiVersion, kind);
    if (found !== undefined) return found;
    throw new CommandError(
      `resource mapping not found for name: "${metadata?.name ?? ''}" namespace: "${metadata?.namespace ?? ''}" from "${source}": no matches for kind "${kind}" in version "${apiVersion}"\nensure CRDs are installed first`,
    );
  }

  findKind(apiVersion: string, kind: string): DiscoveredResource | undefined {
    const [group, version] = apiVersion.includes('/')
      ? (apiVersion.split('/') as [string, string])
      : ['', apiVersion];
    return this.resources.find(
      (each) => each.kind === kind && each.group === group && each.version === version,
    );
  }
}

/** The path of a collection, or of one object in it. */
export function pathOf(
  resource: Resource,
  namespace: string | undefined,
  name?: string,
  subresource?: string,
): string {
  const root =
    resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const scope =
    resource.namespaced && namespace !== undefined && namespace !== ''
      ? `/namespaces/${encodeURIComponent(namespace)}`
      : '';
  const object = name === undefined ? '' : `/${encodeURIComponent(name)}`;
  return `${root}${scope}/${resource.plural}${object}${subresource === undefined ? '' : `/${subresource}`}`;
}
