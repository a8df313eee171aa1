// Custom resources come and go with their definitions: names are accepted, versions served, instances cleaned up
// (apiextensions-apiserver pkg/controller: status, establish, finalizer).
import { rfc3339 } from '../../../simulation/index.ts';
import { resources } from '../../api/resources.ts';
import type { Catalogue, Served } from '../catalogue.ts';
import { cloneTree, equalTrees, metaOf, type ApiObject, type StoredObject } from '../object.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { ownWrite } from '../verbs/request.ts';
import type { Writer } from '../verbs/writing.ts';
import { customKind } from './custom-kind.ts';
import {
  CLEANUP_FINALIZER,
  conditionOf,
  type Condition,
  type Definition,
  type DefinitionStatus,
  type Names,
} from './definition.ts';

export interface DefinitionParts {
  readonly objects: ObjectStore;
  readonly catalogue: Catalogue;
  readonly writer: Writer;
}

/** Keeps the catalogue in step with the definitions. */
export class CustomResources {
  private readonly parts: DefinitionParts;
  private readonly served: Served;
  /** By definition name: the spec and names that are being served. */
  private readonly serving = new Map<string, unknown>();
  private readonly queued = new Set<string>();
  private isRegistrationQueued = false;

  constructor(parts: DefinitionParts) {
    this.parts = parts;
    this.served = parts.catalogue.find(resources.customresourcedefinitions)!;
    this.served.table.observe((before, after) => {
      const object = after ?? before!;
      if (after === undefined) this.stop(before as Definition);
      else if (isEstablished(after as Definition)) this.serve(after as Definition);
      this.queue(object.metadata.name);
      // Names that this one gave up may be free for others of its group.
      if (after === undefined) this.queueGroup((object as Definition).spec.group);
    });
  }

  private queueGroup(group: string): void {
    for (const other of this.served.table.list())
      if ((other as Definition).spec.group === group) this.queue(other.metadata.name);
  }

  private queue(name: string): void {
    if (this.queued.has(name)) return;
    this.queued.add(name);
    this.parts.objects.afterEvents(() => {
      this.queued.delete(name);
      this.sync(name);
    });
  }

  private sync(name: string): void {
    const definition = this.served.table.get('', name) as Definition | undefined;
    if (definition === undefined) return;
    if (definition.metadata.deletionTimestamp !== undefined) return this.cleanUp(definition);
    const status = this.statusOf(definition);
    if (equalTrees(status, definition.status)) return;
    this.parts.writer.update(ownWrite(this.served, '', 'status'), name, (current) => ({
      ...(cloneTree(current) as ApiObject),
      status,
    }));
  }

  private statusOf(definition: Definition): DefinitionStatus {
    const { names } = definition.spec;
    const { accepted, conflict } = this.acceptedNames(definition);
    const nowText = rfc3339(this.parts.writer.nowMs);
    const conditions = [...(definition.status?.conditions ?? [])];
    const put = (condition: Condition): void => {
      const index = conditions.findIndex(({ type }) => type === condition.type);
      const before = conditions[index];
      const same = before?.status === condition.status;
      const made = { ...condition, lastTransitionTime: same ? before.lastTransitionTime : nowText };
      if (index < 0) conditions.push(made as Condition);
      else conditions[index] = made as Condition;
    };
    put(
      conflict === undefined
        ? {
            type: 'NamesAccepted',
            status: 'True',
            reason: 'NoConflicts',
            message: 'no conflicts found',
          }
        : { type: 'NamesAccepted', status: 'False', ...conflict },
    );
    const established = conditions.find(({ type }) => type === 'Established');
    if (established?.status !== 'True') {
      put(
        conflict === undefined
          ? {
              type: 'Established',
              status: 'True',
              reason: 'InitialNamesAccepted',
              message: 'the initial names have been accepted',
            }
          : {
              type: 'Established',
              status: 'False',
              reason: 'NotAccepted',
              message: 'not all names are accepted',
            },
      );
    }
    return {
      ...definition.status,
      conditions,
      acceptedNames: conflict === undefined ? cloneTree(names) : accepted,
    };
  }

  /** The names that nobody else in the group has. */
  private acceptedNames(definition: Definition): {
    accepted: Partial<Names>;
    conflict?: { reason: string; message: string };
  } {
    const { group, names } = definition.spec;
    const words = new Set<string>();
    const kinds = new Set<string>();
    for (const other of this.served.table.list() as readonly Definition[]) {
      if (other.spec.group !== group || other.metadata.name === definition.metadata.name) continue;
      const taken = other.status?.acceptedNames ?? {};
      for (const word of [taken.plural, taken.singular, ...(taken.shortNames ?? [])]) words.add(word ?? '');
      for (const kind of [taken.kind, taken.listKind]) kinds.add(kind ?? '');
    }
    const accepted: Partial<Names> = { ...(definition.status?.acceptedNames ?? { plural: '', kind: '' }) };
    let conflict: { reason: string; message: string } | undefined;
    const take = (reason: string, list: Set<string>, value: string | undefined, give: () => void): void => {
      if (value !== undefined && value !== '' && list.has(value))
        conflict = { reason, message: `${JSON.stringify(value)} is already in use` };
      else give();
    };
    take('PluralConflict', words, names.plural, () => (accepted.plural = names.plural));
    take('SingularConflict', words, names.singular, () => {
      if (names.singular !== undefined) accepted.singular = names.singular;
    });
    const short = names.shortNames?.find((name) => words.has(name));
    take('ShortNamesConflict', words, short, () => {
      if (names.shortNames !== undefined) accepted.shortNames = [...names.shortNames];
    });
    take('KindConflict', kinds, names.kind, () => (accepted.kind = names.kind));
    take('ListKindConflict', kinds, names.listKind, () => {
      if (names.listKind !== undefined) accepted.listKind = names.listKind;
    });
    return { accepted, ...(conflict === undefined ? {} : { conflict }) };
  }

  private serve(definition: Definition): void {
    const { group, names } = definition.spec;
    const state = { spec: definition.spec, names: definition.status?.acceptedNames };
    if (equalTrees(this.serving.get(definition.metadata.name), state)) return;
    this.serving.set(definition.metadata.name, state);
    const storage = definition.spec.versions.find((version) => version.storage)!;
    const home = this.parts.catalogue.serveCustom(
      group,
      names.plural,
      customKind(definition, storage),
      storage.served,
    );
    for (const version of definition.spec.versions) {
      if (version.served && !version.storage)
        this.parts.catalogue.addVersion(home, customKind(definition, version));
    }
    this.queueRegistration();
    home.table.observe((_before, after) => {
      if (after === undefined && this.isTerminating(definition.metadata.name))
        this.queue(definition.metadata.name);
    }, 'definition');
  }

  private isTerminating(name: string): boolean {
    return this.served.table.get('', name)?.metadata.deletionTimestamp !== undefined;
  }

  private stop(definition: Definition): void {
    if (!this.serving.delete(definition.metadata.name)) return;
    this.parts.catalogue.remove(definition.spec.group, definition.spec.names.plural);
    this.queueRegistration();
  }

  private queueRegistration(): void {
    if (this.isRegistrationQueued) return;
    this.isRegistrationQueued = true;
    this.parts.objects.afterEvents(() => {
      this.isRegistrationQueued = false;
      this.registerGroups();
    });
  }

  /** An APIService for each version that definitions serve (kube-apiserver's autoregistration), and none for others. */
  private registerGroups(): void {
    const served = this.parts.catalogue.find(resources.apiservices);
    if (served === undefined) return;
    const request = { ...ownWrite(this.served), served };
    const wanted = new Set<string>();
    for (const name of this.serving.keys()) {
      const { group, versions } = (this.served.table.get('', name) as Definition | undefined)?.spec ?? {};
      for (const version of versions ?? []) {
        if (!version.served) continue;
        const apiService = registrationOf(group!, version.name, rfc3339(this.parts.writer.nowMs));
        wanted.add(apiService.metadata.name);
        if (served.table.get('', apiService.metadata.name) === undefined)
          this.parts.writer.create(request, apiService);
      }
    }
    for (const { metadata } of [...served.table.list()]) {
      if (metadata.labels?.[AUTOMANAGED] === 'true' && !wanted.has(metadata.name))
        this.parts.writer.delete(request, metadata.name, {});
    }
  }

  /** Deletes the instances of a definition that is going away, and lets it go when none are left. */
  private cleanUp(definition: Definition): void {
    const { name } = definition.metadata;
    if (definition.metadata.finalizers?.includes(CLEANUP_FINALIZER) !== true) return;
    const home = this.parts.catalogue.storedBy(definition.spec.group, definition.spec.names.plural);
    for (const instance of [...(home?.table.list() ?? [])]) this.deleteInstance(home!, instance);
    if ((home?.table.size ?? 0) > 0) return;
    this.parts.writer.update(ownWrite(this.served), name, (current) => {
      const copy = cloneTree(current) as ApiObject;
      const meta = metaOf(copy);
      meta.finalizers = (meta.finalizers ?? []).filter((finalizer) => finalizer !== CLEANUP_FINALIZER);
      return copy;
    });
  }

  private deleteInstance(home: Served, { metadata }: StoredObject): void {
    if (metadata.deletionTimestamp !== undefined) return;
    const request = { ...ownWrite(this.served), served: home, namespace: metadata.namespace ?? '' };
    this.parts.writer.delete(request, metadata.name, {});
  }
}

/** Which APIServices the server keeps by itself. */
const AUTOMANAGED = 'kube-aggregator.kubernetes.io/automanaged';

function registrationOf(
  group: string,
  version: string,
  now: string,
): ApiObject & { metadata: { name: string } } {
  const message = 'Local APIServices are always available';
  return {
    kind: 'APIService',
    apiVersion: 'apiregistration.k8s.io/v1',
    metadata: { name: `${version}.${group}`, labels: { [AUTOMANAGED]: 'true' } },
    spec: { group, version, groupPriorityMinimum: 1000, versionPriority: 100 },
    status: {
      conditions: [{ type: 'Available', status: 'True', lastTransitionTime: now, reason: 'Local', message }],
    },
  } as unknown as ApiObject & { metadata: { name: string } };
}

function isEstablished(definition: Definition): boolean {
  return conditionOf(definition, 'Established')?.status === 'True';
}
