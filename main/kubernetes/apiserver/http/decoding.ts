// A body as an object of the kind that the URL asks for: types checked, unknown fields judged.
import { apiVersionOf } from '../../api/meta.ts';
import type { Served } from '../catalogue.ts';
import { isTree, type ApiObject, type Tree } from '../object.ts';
import { badRequest, invalid, invalidValue } from '../refusals.ts';
import { DecodeNotes, decodeAs } from '../schema/decode.ts';
import { LEGACY_SCHEME, schemaNameOf } from '../schema/structures.ts';
import type { FieldValidation } from '../verbs/request.ts';
import { shape } from '../verbs/shaping.ts';
import { parseBody, unrecognized, type BodyFormat } from './body.ts';
import { JsonError } from './json-reader.ts';

export interface DecodeRequest {
  readonly served: Served;
  readonly subresource: string;
  readonly bytes: Uint8Array;
  readonly format: BodyFormat;
  readonly validation: FieldValidation;
  warn(text: string): void;
}

/** Bodies of subresources that aren't the parent's kind. */
const BODY_SCHEMAS: Readonly<
  Record<string, { readonly kind: string; readonly apiVersion: string; readonly schema: string }>
> = {
  binding: { kind: 'Binding', apiVersion: 'v1', schema: 'io.k8s.api.core.v1.Binding' },
  eviction: { kind: 'Eviction', apiVersion: 'policy/v1', schema: 'io.k8s.api.policy.v1.Eviction' },
  scale: { kind: 'Scale', apiVersion: 'autoscaling/v1', schema: 'io.k8s.api.autoscaling.v1.Scale' },
  token: {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    schema: 'io.k8s.api.authentication.v1.TokenRequest',
  },
};

/** What Go makes of a JSON null. */
const EMPTY_OBJECT = Buffer.from('{}');

/** Decodes a body. Throws 400 in upstream's words. */
export function decodeObject(request: DecodeRequest): ApiObject {
  const { served, subresource, bytes, format } = request;
  const body = BODY_SCHEMAS[subresource];
  const kind = body?.kind ?? served.resource.kind;
  const apiVersion = body?.apiVersion ?? apiVersionOf(served.resource);
  const { value, duplicates, complaints } = parse(bytes, format, kind);
  if (value === null && format === 'json') return decodeObject({ ...request, bytes: EMPTY_OBJECT });
  if (!isTree(value)) throw notAnObject(value, bytes, kind);

  const given = typeFrom(value, kind, apiVersion);
  const version = given.apiVersion.split('/').at(-1)!;
  const refuse = (why: string): Error =>
    badRequest(`${given.kind} in version "${version}" cannot be handled as a ${kind}: ${why}`);
  if (served.schemaName === undefined && body === undefined && given.kind !== kind) {
    const { name = '' } = (isTree(value['metadata']) ? value['metadata'] : {}) as { name?: string };
    throw invalid(served.resource.group, given.kind, name, [
      invalidValue('kind', given.kind, `must be ${kind}`),
    ]);
  }
  const isCustom = served.schemaName === undefined;
  if (subresource === 'scale' && given.kind !== kind && isBuiltIn(given)) {
    throw refuse(`converting (v1.${given.kind}) to (autoscaling.Scale): unknown conversion`);
  }
  if (!isCustom && body === undefined && given.kind !== kind && isBuiltIn(given))
    throw refuse(conversionProblem(given, value, served));
  if (!isCustom && !isRegistered(given, apiVersion, kind, subresource)) {
    throw refuse(
      `no kind ${JSON.stringify(given.kind)} is registered for version ${JSON.stringify(given.apiVersion)} in scheme ${JSON.stringify(LEGACY_SCHEME)}`,
    );
  }
  const decoded = body === undefined ? shape(served, value) : decodePlain(body, value);
  if (decoded.error !== undefined) throw refuse(decoded.error);

  const strict = [
    ...(complaints.length > 0 ? [`yaml: unmarshal errors:\n  ${complaints.join('\n  ')}`] : []),
    ...duplicates.map((path) => `duplicate field ${JSON.stringify(path)}`),
    ...unknownFields(given, apiVersion, value, decoded.unknown).map(
      (path) => `unknown field ${JSON.stringify(path)}`,
    ),
  ];
  if (strict.length > 0 && request.validation === 'Strict')
    throw refuse(`strict decoding error: ${strict.join(', ')}`);
  if (request.validation === 'Warn') {
    for (const text of [...complaints, ...strict.slice(complaints.length > 0 ? 1 : 0)]) request.warn(text);
  }
  if (
    given.apiVersion !== apiVersion &&
    !(subresource === 'eviction' && given.apiVersion === 'policy/v1beta1')
  ) {
    throw badRequest(
      `the API version in the data (${given.apiVersion}) does not match the expected API version (${apiVersion})`,
    );
  }
  return decoded.object;
}

interface OldIngress {
  readonly spec?: {
    readonly defaultBackend?: unknown;
    readonly rules?: readonly {
      readonly http?: { readonly paths?: readonly { readonly backend?: { readonly service?: unknown } }[] };
    }[];
  };
}

/** Fields that a kind doesn't have. An Ingress of v1beta1 has its backends flat, and no default but `backend`. */
function unknownFields(
  given: { readonly apiVersion: string; readonly kind: string },
  apiVersion: string,
  value: Tree,
  unknown: readonly string[],
): readonly string[] {
  if (given.kind !== 'Ingress' || given.apiVersion === apiVersion) return unknown;
  const { defaultBackend, rules } = (value as OldIngress).spec ?? {};
  const services = (rules ?? []).flatMap((each, rule) =>
    (each?.http?.paths ?? []).flatMap((entry, path) =>
      entry?.backend?.service === undefined
        ? []
        : [`spec.rules[${rule}].http.paths[${path}].backend.service`],
    ),
  );
  return [
    ...(defaultBackend === undefined ? [] : ['spec.defaultBackend']),
    ...services,
    ...unknown.filter((field) => !/(^spec\.backend|\.service(Name|Port))$/.test(field)),
  ];
}

/** A body of another kind is read as what it says it is, and then isn't what was asked for. */
function conversionProblem(
  given: { readonly apiVersion: string; readonly kind: string },
  value: Tree,
  { resource }: Served,
): string {
  const [version = '', group = ''] = given.apiVersion.split('/').reverse();
  const notes = new DecodeNotes();
  decodeAs(schemaNameOf({ group, version, kind: given.kind })!, value, notes);
  const room = resource.group === '' ? 'core' : resource.group.split('.')[0]!;
  return (
    notes.error ?? `converting (${version}.${given.kind}) to (${room}.${resource.kind}): unknown conversion`
  );
}

/** Whether the server knows this kind at all. */
function isBuiltIn({ apiVersion, kind }: { readonly apiVersion: string; readonly kind: string }): boolean {
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  return schemaNameOf({ group, version, kind }) !== undefined;
}

function parse(bytes: Uint8Array, format: BodyFormat, kind: string): ReturnType<typeof parseBody> {
  try {
    return parseBody(bytes, format);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    const why =
      format === 'json' ? `couldn't get version/kind; json parse error: ${error.message}` : error.message;
    throw unrecognized(kind, bytes, why);
  }
}

function notAnObject(value: unknown, bytes: Uint8Array, kind: string): Error {
  const found =
    value === null
      ? 'null'
      : Array.isArray(value)
        ? 'array'
        : typeof value === 'boolean'
          ? 'bool'
          : typeof value;
  return unrecognized(
    kind,
    bytes,
    `couldn't get version/kind; json parse error: json: cannot unmarshal ${found} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
  );
}

/** Type in the data; what is missing is taken from the URL. */
function typeFrom(value: Tree, kind: string, apiVersion: string): { kind: string; apiVersion: string } {
  const text = (member: unknown, fallback: string): string =>
    typeof member === 'string' && member !== '' ? member : fallback;
  return { kind: text(value['kind'], kind), apiVersion: text(value['apiVersion'], apiVersion) };
}

/** Group-versions in which upstream's scheme knows other versions of a kind. */
const OLD_VERSIONS: Readonly<Record<string, readonly string[]>> = {
  CustomResourceDefinition: ['apiextensions.k8s.io/v1beta1'],
  Deployment: ['apps/v1beta1', 'apps/v1beta2', 'extensions/v1beta1'],
  DaemonSet: ['apps/v1beta2', 'extensions/v1beta1'],
  ReplicaSet: ['apps/v1beta2', 'extensions/v1beta1'],
  StatefulSet: ['apps/v1beta1', 'apps/v1beta2'],
  Ingress: ['extensions/v1beta1', 'networking.k8s.io/v1beta1'],
  NetworkPolicy: ['extensions/v1beta1'],
  CronJob: ['batch/v1beta1'],
  PodDisruptionBudget: ['policy/v1beta1'],
  Eviction: ['policy/v1beta1'],
};

function isRegistered(
  given: { kind: string; apiVersion: string },
  apiVersion: string,
  kind: string,
  _subresource: string,
): boolean {
  if (given.apiVersion === apiVersion) return true;
  return given.kind === kind && OLD_VERSIONS[kind]?.includes(given.apiVersion) === true;
}

function decodePlain(
  body: { readonly kind: string; readonly apiVersion: string; readonly schema: string },
  value: Tree,
): { object: ApiObject; error: string | undefined; unknown: readonly string[] } {
  const notes = new DecodeNotes();
  const decoded = decodeAs(body.schema, value, notes);
  return {
    object: { ...decoded, kind: body.kind, apiVersion: body.apiVersion },
    error: notes.error,
    unknown: notes.unknown,
  };
}
