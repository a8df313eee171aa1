// The API server's refusals: StatusErrors with the real codes, reasons, details and texts.
import { StatusError, type Status, type StatusCause } from '../api/status.ts';
import type { Resource } from '../api/meta.ts';

type Named = Pick<Resource, 'group' | 'plural'>;

/** `pods` or `deployments.apps`, as messages name a resource. */
export function qualified({ group, plural }: Named): string {
  return group === '' ? plural : `${plural}.${group}`;
}

function details(resource: Named, name: string): Status['details'] {
  return {
    ...(name === '' ? {} : { name }),
    ...(resource.group === '' ? {} : { group: resource.group }),
    kind: resource.plural,
  };
}

export function failure(
  code: number,
  reason: string | undefined,
  message: string,
  extra?: Status['details'],
): StatusError {
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    ...(reason === undefined ? {} : { reason }),
    ...(extra === undefined ? {} : { details: extra }),
    code,
  });
}

export function notFound(resource: Named, name: string): StatusError {
  return failure(404, 'NotFound', `${qualified(resource)} "${name}" not found`, details(resource, name));
}

/** No such path, version, resource or subresource. */
export function noSuchResource(): StatusError {
  return failure(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function alreadyExists(resource: Named, name: string): StatusError {
  return failure(
    409,
    'AlreadyExists',
    `${qualified(resource)} "${name}" already exists`,
    details(resource, name),
  );
}

export function conflict(resource: Named, name: string, why: string): StatusError {
  return failure(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`,
    details(resource, name),
  );
}

/** What the server says to an update that lost the race. */
export const OPTIMISTIC_LOCK_MESSAGE =
  'the object has been modified; please apply your changes to the latest version and try again';

export function badRequest(message: string): StatusError {
  return failure(400, 'BadRequest', message);
}

export function forbidden(resource: Named, name: string, why: string): StatusError {
  const who = qualified(resource);
  const message = name === '' ? `${who} is forbidden: ${why}` : `${who} "${name}" is forbidden: ${why}`;
  return failure(403, 'Forbidden', message, details(resource, name));
}

export function unauthorized(): StatusError {
  return failure(401, 'Unauthorized', 'Unauthorized');
}

export function methodNotAllowed(): StatusError {
  return failure(
    405,
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
    {},
  );
}

/** A watch or list from a revision that compaction took. */
export function expired(message: string): StatusError {
  return failure(410, 'Expired', message);
}

export function internalError(message: string): StatusError {
  return failure(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] });
}

/** Errors that upstream doesn't wrap: code 500 and no reason. */
export function unknownError(message: string): StatusError {
  return failure(500, undefined, message);
}

export function tooManyRequests(message: string, retryAfterSeconds: number): StatusError {
  return failure(429, 'TooManyRequests', message, retryAfterSeconds > 0 ? { retryAfterSeconds } : {});
}

// ── Field errors ──

/** One entry of an Invalid status, as apimachinery's field.Error. */
export interface FieldError {
  readonly type:
    | 'Required'
    | 'Invalid'
    | 'NotSupported'
    | 'Duplicate'
    | 'Forbidden'
    | 'NotFound'
    | 'TooLong'
    | 'TooMany'
    | 'Internal'
    | 'TypeInvalid';
  readonly field: string;
  /** The text after the field's name. */
  readonly body: string;
}

const REASONS: Record<FieldError['type'], string> = {
  Required: 'FieldValueRequired',
  Invalid: 'FieldValueInvalid',
  NotSupported: 'FieldValueNotSupported',
  Duplicate: 'FieldValueDuplicate',
  Forbidden: 'FieldValueForbidden',
  NotFound: 'FieldValueNotFound',
  TooLong: 'FieldValueTooLong',
  TooMany: 'FieldValueTooMany',
  Internal: 'InternalError',
  TypeInvalid: 'FieldValueTypeInvalid',
};

/** A value as Go's error texts show it (field.Error.ErrorBody): texts quoted, everything else as JSON. */
function shown(value: unknown): string {
  if (value === undefined || value === null) return 'null';
  if (typeof value === 'string') return goQuote(value);
  return typeof value === 'object' ? goJson(value) : String(value as number | boolean);
}

/** What encoding/json escapes beyond JSON's own rules. */
const HTML_ESCAPES: Readonly<Record<string, string>> = { '<': '\\u003c', '>': '\\u003e', '&': '\\u0026' };

function goJson(value: object): string {
  return JSON.stringify(value).replace(/[<>&]/g, (character) => HTML_ESCAPES[character]!);
}

/** Escapes of strconv.Quote that JSON spells otherwise. */
const CONTROL_ESCAPES: Readonly<Record<string, string>> = {
  '\\u0007': '\\a',
  '\\u000b': '\\v',
  '\u007f': '\\x7f',
};

/** A Go string literal (strconv.Quote). */
function goQuote(text: string): string {
  return JSON.stringify(text).replace(
    /\\\\|\\u00[01][0-9a-f]|\u007f/g,
    (match) => CONTROL_ESCAPES[match] ?? match.replace(/^\\u00/, '\\x'),
  );
}

export const required = (field: string, why = ''): FieldError => ({
  type: 'Required',
  field,
  body: why === '' ? 'Required value' : `Required value: ${why}`,
});
export const invalidValue = (field: string, value: unknown, why: string): FieldError => ({
  type: 'Invalid',
  field,
  body: why === '' ? `Invalid value: ${shown(value)}` : `Invalid value: ${shown(value)}: ${why}`,
});
export const unsupported = (field: string, value: unknown, supported: readonly string[]): FieldError => ({
  type: 'NotSupported',
  field,
  body:
    supported.length === 0
      ? `Unsupported value: ${shown(value)}`
      : `Unsupported value: ${shown(value)}: supported values: ${supported.map((item) => goQuote(item)).join(', ')}`,
});
export const duplicate = (field: string, value: unknown): FieldError => ({
  type: 'Duplicate',
  field,
  body: `Duplicate value: ${shown(value)}`,
});
export const forbiddenField = (field: string, why: string): FieldError => ({
  type: 'Forbidden',
  field,
  body: `Forbidden: ${why}`,
});
export const notFoundValue = (field: string, value: unknown): FieldError => ({
  type: 'NotFound',
  field,
  body: `Not found: ${shown(value)}`,
});
export const tooLong = (field: string, bytesMax: number): FieldError => ({
  type: 'TooLong',
  field,
  body: `Too long: may not be more than ${bytesMax} bytes`,
});

export const tooMany = (field: string, actual: number, most: number): FieldError => ({
  type: 'TooMany',
  field,
  body: `Too many: ${actual}: must have at most ${most} item${most === 1 ? '' : 's'}`,
});

/** 422 Invalid: all that is wrong with an object. */
export function invalid(
  group: string,
  kind: string,
  name: string,
  errors: readonly FieldError[],
): StatusError {
  const texts = [...new Set(errors.map(({ field, body }) => `${field}: ${body}`))];
  const summary = texts.length === 1 ? texts[0]! : `[${texts.join(', ')}]`;
  const who = group === '' ? kind : `${kind}.${group}`;
  const causes: StatusCause[] = errors.map(({ type, field, body }) => ({
    reason: REASONS[type],
    message: body,
    field,
  }));
  return failure(422, 'Invalid', `${who} "${name}" is invalid: ${summary}`, {
    ...(name === '' ? {} : { name }),
    ...(group === '' ? {} : { group }),
    ...(kind === '' ? {} : { kind }),
    causes,
  });
}
