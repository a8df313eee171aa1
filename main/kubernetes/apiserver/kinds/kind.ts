// What the server knows of one kind beyond its schema: defaults, validation, what updates may touch, how it's printed.
import type { WebhookCalls } from '../admission/webhook-calls.ts';
import type { ScalePaths } from '../custom/definition.ts';
import type { JsonSchema } from '../custom/schema.ts';
import type { Structure } from '../schema/structures.ts';
import type { Resource } from '../../api/meta.ts';
import type { ResourceInfo } from '../../api/resources.ts';
import type { Random } from '../../../simulation/index.ts';
import type { ApiObject, StoredObject } from '../object.ts';
import type { FieldError } from '../refusals.ts';
import type { FieldReader } from '../storage/object-store.ts';
import type { UserInfo } from '../auth/user.ts';
import type { ServiceAllocations } from './service-allocations.ts';

/** Reads other objects; what strategies and admission may look at. */
export interface ObjectReader {
  get(plural: string, group: string, namespace: string, name: string): StoredObject | undefined;
  list(plural: string, group: string, namespace?: string): readonly StoredObject[];
  /** The resource of a kind that is served, such as that of `v1`, `ConfigMap`. */
  findKind(apiVersion: string, kind: string): Resource | undefined;
}

/** The circumstances of one write. */
export interface WriteContext {
  readonly user: UserInfo;
  readonly fieldManager: string;
  readonly dryRun: boolean;
  /** Virtual time in ms. */
  readonly nowMs: number;
  readonly random: Random;
  readonly objects: ObjectReader;
  /** The cluster IPs and node ports in use. */
  readonly services: ServiceAllocations;
  /** The subresource written, or the empty string. */
  readonly subresource: string;
  /** The answers of webhooks; absent for the server's own writes, which none is asked about. */
  readonly webhookCalls?: WebhookCalls | undefined;
  /** Adds a Warning header to the answer. */
  warn(text: string): void;
}

/** A column of a printed table, in metav1.TableColumnDefinition's terms. */
export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean' | 'date' | 'number';
  readonly format: string;
  readonly description: string;
  /** 1 for what only `-o wide` shows. */
  readonly priority: number;
}

export type Cell = string | number | boolean | null;

export interface Printer {
  readonly columns: readonly Column[];
  row(object: StoredObject, nowMs: number): Cell[];
  /** How the rows of a list are sorted, where it isn't by name. */
  readonly order?: (a: StoredObject, b: StoredObject) => number;
}

/** What the server knows of a version of a custom resource. */
export interface CustomFacts {
  readonly schema: JsonSchema | undefined;
  /** The same schema as server-side apply walks it. */
  readonly structure: Structure;
  readonly scale: ScalePaths | undefined;
  /** The warning that each request gets. */
  readonly deprecation: string | undefined;
}

/** What a write to one subresource, in the form of the whole object, may change. */
export interface SubresourceRules {
  /** Puts back all that isn't the subresource's. */
  prepare(object: ApiObject, old: StoredObject): void;
  validate(object: ApiObject, old: StoredObject): FieldError[];
}

/** One kind, or one version of it. All hooks may modify the new object (a private copy) but never the old one. */
export interface Kind {
  readonly resource: ResourceInfo;
  /** etcd's key prefix with a trailing slash. */
  readonly prefix: string;
  /** Name of its schema; absent for custom resources. */
  readonly schemaName: string | undefined;
  /** What the definition of a custom resource says of this version. */
  readonly custom?: CustomFacts;
  /** What is wrong with a name, in upstream's words. `prefix` for generateName. */
  nameProblems(name: string, prefix: boolean): string[];
  /** Whether metadata.generation counts changes of spec. */
  readonly counted: boolean;
  /** Whether `/status` is a subresource of its own. */
  readonly hasStatus: boolean;
  /** Field selectors besides metadata.name and metadata.namespace. */
  readonly fields: Readonly<Record<string, FieldReader>>;
  /** Fields by which watches are indexed. */
  readonly indexed: readonly string[];
  /** PUT to a name that doesn't exist creates it. */
  readonly createsOnUpdate: boolean;
  /** PUT without resourceVersion is accepted. */
  readonly unconditionalUpdate: boolean;
  /** A finished deletion answers with the object, not a Status. */
  readonly returnsDeleted: boolean;
  /** What happens to dependents when the request doesn't say. */
  readonly defaultPropagation: 'Orphan' | 'Background';
  defaults?(object: ApiObject): void;
  prepareCreate?(object: ApiObject, context: WriteContext): void;
  prepareUpdate?(object: ApiObject, old: StoredObject, context: WriteContext): void;
  /** Marks an object that is being deleted; called before its finalizers are looked at. */
  prepareDelete?(object: ApiObject): void;
  prepareStatus?(object: ApiObject, old: StoredObject): void;
  validate?(object: ApiObject, context: WriteContext): FieldError[];
  validateUpdate?(object: ApiObject, old: StoredObject, context: WriteContext): FieldError[];
  validateStatus?(object: ApiObject, old: StoredObject): FieldError[];
  /** Subresources other than status that hold the whole object, by name. */
  readonly subresources?: Readonly<Record<string, SubresourceRules>>;
  warnings?(object: ApiObject, old: StoredObject | undefined): string[];
  /** Takes what must be unique in the cluster (addresses, ports); throws StatusError when it can't. */
  allocate?(object: ApiObject, old: StoredObject | undefined, context: WriteContext): void;
  readonly printer?: Printer;
}
