// Which resources are served, and where their objects are: built-in kinds and those that definitions add.
import { builtInResourcesIn, isServedIn, olderVersionsIn, type OlderVersion } from '../api/api-versions.ts';
import { conversionOf } from '../api/conversion/conversion.ts';
import { apiVersionOf, type Resource } from '../api/meta.ts';
import type { ResourceInfo } from '../api/resources.ts';
import { builtInKinds } from './kinds/registry.ts';
import type { Kind, ObjectReader } from './kinds/kind.ts';
import type { ApiObject, StoredObject } from './object.ts';
import type { ObjectStore, ObjectTable } from './storage/object-store.ts';
import { printerOf } from './table/printers.ts';
import { schemaNameOf } from './schema/structures.ts';
import { convertingKind } from './versions/converting-kind.ts';
import { knownFields } from './versions/known-fields.ts';
import { releasePrinter } from './versions/release-printer.ts';
import { viewOf } from './versions/release-view.ts';

/** One resource in one version. */
export interface Served {
  readonly resource: ResourceInfo;
  readonly kind: Kind;
  readonly table: ObjectTable;
  /** From the stored version to this one. The identity where they are the same. */
  readonly present: (object: StoredObject) => StoredObject;
  /** From this version to the stored one. */
  readonly store: (object: ApiObject) => ApiObject;
  /** What this release shows clients of an object in this version; undefined where it is all. */
  readonly view?: ((object: StoredObject) => StoredObject) | undefined;
  /** Schema of this version, for decoding and merging; absent for custom resources. */
  readonly schemaName: string | undefined;
}

const same = <T>(object: T): T => object;

/** Rows of the table of resources that are the same objects as another row's. */
const ALWAYS_CONVERTED = new Set(['events.k8s.io/v1/events', 'autoscaling/v1/horizontalpodautoscalers']);

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

  /** Every built-in resource that this release serves, stored or not. */
  readonly builtIns: readonly ResourceInfo[];
  /** Minor version of the release. */
  readonly minor: number;
  /** Keys of stored versions that clients don't see yet. */
  private readonly hidden = new Set<string>();

  constructor(objects: ObjectStore, minor: number) {
    this.objects = objects;
    this.minor = minor;
    this.builtIns = builtInResourcesIn(minor);
    const known = new Map(this.builtIns.map((resource) => [keyOf(resource), resource]));
    const older = olderVersionsIn(minor);
    const isOlder = new Set(older.map(({ resource }) => keyOf(resource)));
    for (const kind of builtInKinds) {
      const key = keyOf(kind.resource);
      if (ALWAYS_CONVERTED.has(key) || isOlder.has(key)) continue;
      const printer = releasePrinter(minor, kind.resource.plural);
      this.add({
        ...kind,
        resource: known.get(key) ?? kind.resource,
        ...(printer === undefined ? {} : { printer }),
      });
      if (!isServedIn(minor, kind.resource)) this.hidden.add(key);
    }
    for (const version of older) this.addOlder(version);
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
        isCold: kind.resource.plural === 'events' && kind.custom === undefined,
        indexed,
      });
    const served: Served = {
      resource: kind.resource,
      kind,
      table,
      present: same,
      store: same,
      view: kind.custom === undefined ? viewOf(this.minor, kind.resource) : undefined,
      schemaName: kind.schemaName,
    };
    this.byKey.set(keyOf(kind.resource), served);
    this.storing.set(`${kind.resource.plural}.${kind.resource.group}`, served);
    return served;
  }

  /** Serves a version whose objects are stored in another one. */
  private addOlder({ resource, stored }: OlderVersion): void {
    const home = this.byKey.get(keyOf(stored));
    if (home === undefined) throw new Error(`no resource is called ${keyOf(stored)}`);
    const [apiVersion, homeVersion] = [apiVersionOf(resource), apiVersionOf(stored)];
    const conversion = conversionOf(resource);
    const schemaName = schemaNameOf(resource);
    const known = (object: ApiObject): ApiObject =>
      schemaName === undefined ? object : knownFields(schemaName, object);
    const presented = new WeakMap<ApiObject, StoredObject>();
    const origins = new WeakMap<ApiObject, ApiObject>();
    const fromStored = (object: ApiObject): ApiObject =>
      object.apiVersion === apiVersion
        ? object
        : known({ ...conversion.fromStored(object), apiVersion, kind: resource.kind });
    const toStored = (object: ApiObject): ApiObject =>
      object.apiVersion === homeVersion
        ? object
        : (origins.get(object) ?? {
            ...conversion.toStored(object),
            apiVersion: homeVersion,
            kind: stored.kind,
          });
    const kind = convertingKind({ home: home.kind, resource, schemaName, conversion, toStored, fromStored });
    this.byKey.set(keyOf(resource), {
      resource,
      kind: withPrinterOf(kind, home.kind, toStored),
      table: home.table,
      present: (object) => {
        let made = presented.get(object);
        if (made === undefined) {
          made = fromStored(object) as StoredObject;
          presented.set(object, made);
          if (made !== object && Object.isFrozen(object)) origins.set(made, object);
        }
        return made;
      },
      store: toStored,
      view: viewOf(this.minor, resource),
      schemaName,
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

  /** By the version it's stored in, which need not be one that clients see, or any that is served. */
  find(resource: Pick<Resource, 'group' | 'version' | 'plural'>): Served | undefined {
    return this.byKey.get(keyOf(resource));
  }

  /** What clients find there. */
  findServed(resource: Pick<Resource, 'group' | 'version' | 'plural'>): Served | undefined {
    return this.hidden.has(keyOf(resource)) ? undefined : this.find(resource);
  }

  /** Whether a definition has added resources to a group. */
  hasCustomGroup(group: string): boolean {
    return this.customGroups.has(group);
  }

  /** All served resources, built-in ones first. */
  all(): Served[] {
    return [...this.byKey].flatMap(([key, served]) => (this.hidden.has(key) ? [] : [served]));
  }

  get(plural: string, group: string, namespace: string, name: string): StoredObject | undefined {
    return this.storing.get(`${plural}.${group}`)?.table.get(namespace, name);
  }

  findKind(apiVersion: string, kind: string): Resource | undefined {
    return this.all().find(({ resource }) => resource.kind === kind && apiVersionOf(resource) === apiVersion)
      ?.resource;
  }

  list(plural: string, group: string, namespace?: string): readonly StoredObject[] {
    return this.storing.get(`${plural}.${group}`)?.table.list(namespace) ?? [];
  }
}

function nameOf(object: StoredObject): string {
  return object.metadata.name;
}

/** Printers read the stored form. */
function withPrinterOf(kind: Kind, home: Kind, toStored: (object: ApiObject) => ApiObject): Kind {
  const printer = printerOf(home, undefined);
  return {
    ...kind,
    printer: {
      columns: printer.columns,
      row: (object, nowMs) => printer.row(toStored(object) as StoredObject, nowMs),
    },
  };
}
