// Which resources are served, and where their objects are: built-in kinds and those that definitions add.
import { apiVersionOf, type Resource } from '../api/meta.ts';
import type { ResourceInfo } from '../api/resources.ts';
import { builtInKinds } from './kinds/registry.ts';
import type { Kind, ObjectReader } from './kinds/kind.ts';
import { isTree, type ApiObject, type StoredObject, type Tree } from './object.ts';
import type { ObjectStore, ObjectTable } from './storage/object-store.ts';
import { schemaNameOf } from './schema/structures.ts';

/** One resource in one version. */
export interface Served {
  readonly resource: ResourceInfo;
  readonly kind: Kind;
  readonly table: ObjectTable;
  /** From the stored version to this one. The identity where they are the same. */
  readonly present: (object: StoredObject) => StoredObject;
  /** From this version to the stored one. */
  readonly store: (object: ApiObject) => ApiObject;
  /** Schema of this version, for decoding and merging; absent for custom resources. */
  readonly schemaName: string | undefined;
}

const same = <T>(object: T): T => object;

/** How a second version of a built-in kind maps to the stored one. */
interface Alias {
  readonly stored: string;
  present(object: Tree): Tree;
  store(object: Tree): Tree;
}

const ALIASES: Readonly<Record<string, Alias>> = {
  'events.k8s.io/v1/events': { stored: '/v1/events', present: eventToNew, store: eventToCore },
  'autoscaling/v1/horizontalpodautoscalers': {
    stored: 'autoscaling/v2/horizontalpodautoscalers',
    present: autoscalerToV1,
    store: autoscalerToV2,
  },
};

function keyOf({ group, version, plural }: Pick<Resource, 'group' | 'version' | 'plural'>): string {
  return `${group}/${version}/${plural}`;
}

export class Catalogue implements ObjectReader {
  private readonly objects: ObjectStore;
  private readonly byKey = new Map<string, Served>();
  /** `plural.group` → the served resource that stores it. */
  private readonly storing = new Map<string, Served>();

  /** Groups that definitions have added resources to; kept when the last one goes. */
  private readonly customGroups = new Set<string>();

  /** Rises with each change of what definitions say. */
  customGeneration = 0;

  constructor(objects: ObjectStore) {
    this.objects = objects;
    for (const kind of builtInKinds) {
      if (ALIASES[keyOf(kind.resource)] === undefined) this.add(kind);
    }
    for (const kind of builtInKinds) {
      const alias = ALIASES[keyOf(kind.resource)];
      if (alias !== undefined) this.addAlias(kind, alias);
    }
  }

  /** Serves a custom resource anew: its table stays, what was served of it goes. */
  serveCustom(group: string, plural: string, kind: Kind, isServed: boolean): Served {
    const before = this.storing.get(`${plural}.${group}`);
    if (before !== undefined) {
      for (const [key, served] of this.byKey) if (served.table === before.table) this.byKey.delete(key);
    }
    const apiVersion = apiVersionOf(kind.resource);
    const served: Served = {
      ...this.add(kind, before?.table),
      // Objects may have been stored when another version was the stored one.
      present: (object) => (object.apiVersion === apiVersion ? object : { ...object, apiVersion }),
    };
    this.storing.set(`${plural}.${group}`, served);
    this.customGroups.add(group);
    this.customGeneration++;
    if (isServed) this.byKey.set(keyOf(kind.resource), served);
    else this.byKey.delete(keyOf(kind.resource));
    return served;
  }

  /** The served resource that stores a group's plural, whether or not that version is served. */
  storedBy(group: string, plural: string): Served | undefined {
    return this.storing.get(`${plural}.${group}`);
  }

  /** Serves a kind in the version it's stored in. */
  add(kind: Kind, known?: ObjectTable): Served {
    const indexed = Object.fromEntries(
      kind.indexed.map((field) => [field, field === 'metadata.name' ? nameOf : kind.fields[field]!]),
    );
    const table =
      known ??
      this.objects.open({
        prefix: kind.prefix,
        namespaced: kind.resource.namespaced,
        indexed,
      });
    const served: Served = {
      resource: kind.resource,
      kind,
      table,
      present: same,
      store: same,
      schemaName: kind.schemaName,
    };
    this.byKey.set(keyOf(kind.resource), served);
    this.storing.set(`${kind.resource.plural}.${kind.resource.group}`, served);
    return served;
  }

  private addAlias(kind: Kind, alias: Alias): void {
    const home = this.byKey.get(alias.stored);
    if (home === undefined) throw new Error(`no resource is called ${alias.stored}`);
    const apiVersion = apiVersionOf(kind.resource);
    const homeVersion = apiVersionOf(home.resource);
    const cache = new WeakMap<StoredObject, StoredObject>();
    this.byKey.set(keyOf(kind.resource), {
      resource: kind.resource,
      kind: { ...home.kind, resource: kind.resource },
      table: home.table,
      present: (object) => {
        let made = cache.get(object);
        if (made === undefined) {
          made = { ...alias.present(object), apiVersion, kind: object.kind, metadata: object.metadata };
          cache.set(object, made);
        }
        return made;
      },
      store: (object) => ({
        ...alias.store(object as Tree),
        apiVersion: homeVersion,
        kind: home.resource.kind,
        metadata: object.metadata ?? {},
      }),
      schemaName: schemaNameOf(kind.resource),
    });
  }

  /** Serves another version of a custom resource from the same table. */
  addVersion(home: Served, kind: Kind): Served {
    const apiVersion = apiVersionOf(kind.resource);
    const homeVersion = apiVersionOf(home.resource);
    const served: Served = {
      resource: kind.resource,
      kind,
      table: home.table,
      present: (object) => ({ ...object, apiVersion }),
      store: (object) => ({ ...object, apiVersion: homeVersion }),
      schemaName: undefined,
    };
    this.byKey.set(keyOf(kind.resource), served);
    return served;
  }

  /** Stops serving a group's resource in all versions. */
  remove(group: string, plural: string): void {
    const home = this.storing.get(`${plural}.${group}`);
    if (home === undefined) return;
    this.storing.delete(`${plural}.${group}`);
    for (const [key, served] of this.byKey) if (served.table === home.table) this.byKey.delete(key);
    this.objects.close(home.table);
  }

  find(resource: Pick<Resource, 'group' | 'version' | 'plural'>): Served | undefined {
    return this.byKey.get(keyOf(resource));
  }

  /** Whether a definition has added resources to a group. */
  hasCustomGroup(group: string): boolean {
    return this.customGroups.has(group);
  }

  /** All served resources, built-in ones first. */
  all(): Served[] {
    return [...this.byKey.values()];
  }

  get(plural: string, group: string, namespace: string, name: string): StoredObject | undefined {
    return this.storing.get(`${plural}.${group}`)?.table.get(namespace, name);
  }

  list(plural: string, group: string, namespace?: string): readonly StoredObject[] {
    return this.storing.get(`${plural}.${group}`)?.table.list(namespace) ?? [];
  }
}

function nameOf(object: StoredObject): string {
  return object.metadata.name;
}

function withoutType({ apiVersion: _apiVersion, kind: _kind, metadata: _metadata, ...rest }: Tree): Tree {
  return rest;
}

/** core/v1 Event → events.k8s.io/v1 (pkg/apis/events/v1 conversion). */
function eventToNew(event: Tree): Tree {
  const {
    involvedObject,
    message,
    firstTimestamp,
    lastTimestamp,
    count,
    source,
    reportingComponent,
    ...rest
  } = withoutType(event);
  return {
    ...rest,
    reportingController: reportingComponent ?? '',
    ...(involvedObject === undefined ? {} : { regarding: involvedObject }),
    ...(message === undefined ? {} : { note: message }),
    deprecatedSource: source ?? {},
    deprecatedFirstTimestamp: firstTimestamp ?? null,
    deprecatedLastTimestamp: lastTimestamp ?? null,
    ...(count === undefined ? {} : { deprecatedCount: count }),
  };
}

function eventToCore(event: Tree): Tree {
  const {
    regarding,
    note,
    deprecatedFirstTimestamp,
    deprecatedLastTimestamp,
    deprecatedCount,
    deprecatedSource,
    reportingController,
    ...rest
  } = withoutType(event);
  return {
    ...rest,
    involvedObject: regarding ?? {},
    ...(note === undefined ? {} : { message: note }),
    source: deprecatedSource ?? {},
    firstTimestamp: deprecatedFirstTimestamp ?? null,
    lastTimestamp: deprecatedLastTimestamp ?? null,
    eventTime: rest['eventTime'] ?? null,
    ...(deprecatedCount === undefined ? {} : { count: deprecatedCount }),
    reportingComponent: reportingController ?? '',
    reportingInstance: rest['reportingInstance'] ?? '',
  };
}

/** autoscaling/v2 → v1: the CPU utilisation metric becomes a field of its own. */
function autoscalerToV1(object: Tree): Tree {
  const rest = withoutType(object);
  const spec = isTree(rest['spec']) ? rest['spec'] : {};
  const status = isTree(rest['status']) ? rest['status'] : {};
  const { metrics, behavior: _behavior, ...kept } = spec;
  const { currentMetrics: _metrics, conditions: _conditions, ...keptStatus } = status;
  const percent = utilizationOf(metrics);
  return {
    ...rest,
    spec: { ...kept, ...(percent === undefined ? {} : { targetCPUUtilizationPercentage: percent }) },
    status: { currentReplicas: 0, ...keptStatus },
  };
}

function utilizationOf(metrics: unknown): unknown {
  if (!Array.isArray(metrics)) return undefined;
  for (const metric of metrics as {
    resource?: { name?: string; target?: { averageUtilization?: number } };
  }[]) {
    if (metric.resource?.name === 'cpu') return metric.resource.target?.averageUtilization;
  }
  return undefined;
}

function autoscalerToV2(object: Tree): Tree {
  const rest = withoutType(object);
  const spec = isTree(rest['spec']) ? rest['spec'] : {};
  const { targetCPUUtilizationPercentage: percent, ...kept } = spec;
  const status = isTree(rest['status']) ? rest['status'] : { desiredReplicas: 0 };
  const { currentCPUUtilizationPercentage: _current, ...keptStatus } = status;
  const metrics =
    percent === undefined
      ? {}
      : {
          metrics: [
            {
              type: 'Resource',
              resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: percent } },
            },
          ],
        };
  return { ...rest, spec: { ...kept, ...metrics }, status: { currentMetrics: null, ...keptStatus } };
}
