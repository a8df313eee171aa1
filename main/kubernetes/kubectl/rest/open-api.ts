// The server's OpenAPI v3 documents: how the lists of a kind merge, and what its fields mean.
import type { HttpApi } from '../../client/http-client.ts';
import type { Resource } from '../../api/index.ts';

/** A JSON schema as the server publishes it. */
export interface Schema {
  readonly description?: string;
  readonly type?: string;
  readonly format?: string;
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly 'x-kubernetes-patch-strategy'?: string;
  readonly 'x-kubernetes-patch-merge-key'?: string;
  readonly 'x-kubernetes-group-version-kind'?: readonly {
    readonly group: string;
    readonly version: string;
    readonly kind: string;
  }[];
}

/** The schemas of one group and version. */
export class SchemaSet {
  private readonly schemas: Readonly<Record<string, Schema>>;

  constructor(schemas: Readonly<Record<string, Schema>>) {
    this.schemas = schemas;
  }

  /** The schema of a kind, or undefined. */
  forKind({ group, version, kind }: Pick<Resource, 'group' | 'version' | 'kind'>): Schema | undefined {
    return Object.values(this.schemas).find((schema) =>
      schema['x-kubernetes-group-version-kind']?.some(
        (gvk) => gvk.group === group && gvk.version === version && gvk.kind === kind,
      ),
    );
  }

  /** Follows references, keeping what stands beside them. */
  resolve(schema: Schema | undefined): Schema | undefined {
    if (schema === undefined) return undefined;
    const target = this.resolve(this.referred(schema));
    if (target === undefined) return schema;
    const { $ref: _, allOf: __, ...beside } = schema;
    return { ...target, ...beside };
  }

  /** The schema that this one refers to, without what stands beside the reference. */
  referred({ $ref, allOf }: Schema): Schema | undefined {
    const reference = $ref ?? (allOf?.length === 1 ? allOf[0]!.$ref : undefined);
    if (reference === undefined) return undefined;
    return this.schemas[reference.slice(reference.lastIndexOf('/') + 1)];
  }
}

/** The documents of a server, each fetched once. */
export class OpenApi {
  private readonly api: HttpApi;
  private readonly sets = new Map<string, Promise<SchemaSet>>();
  private index: Promise<Readonly<Record<string, { serverRelativeURL: string }>>> | undefined;

  constructor(api: HttpApi) {
    this.api = api;
  }

  /** The schemas of a group and version; empty if the server publishes none. */
  schemas(group: string, version: string): Promise<SchemaSet> {
    const path = group === '' ? `api/${version}` : `apis/${group}/${version}`;
    let set = this.sets.get(path);
    if (set === undefined) {
      set = this.fetch(path);
      this.sets.set(path, set);
    }
    return set;
  }

  private async fetch(path: string): Promise<SchemaSet> {
    this.index ??= this.api
      .json<{ paths: Record<string, { serverRelativeURL: string }> }>({ method: 'GET', path: '/openapi/v3' })
      .then(({ paths }) => paths);
    const entry = (await this.index)[path];
    if (entry === undefined) return new SchemaSet({});
    const document = await this.api.json<{ components?: { schemas?: Record<string, Schema> } }>({
      method: 'GET',
      path: entry.serverRelativeURL,
    });
    return new SchemaSet(document.components?.schemas ?? {});
  }
}
