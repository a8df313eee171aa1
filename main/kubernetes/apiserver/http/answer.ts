// Answers: objects, lists, tables and statuses as bytes with the right headers.
import { stringify } from 'yaml';
import type { HttpResponse } from '../../../network/http/index.ts';
import { StatusError, type Status } from '../../api/status.ts';
import type { Wanted } from './negotiation.ts';

const NO_CACHE = ['cache-control', 'no-cache, private'] as const;

/** A document in the wanted format. */
export function documentAnswer(
  status: number,
  document: unknown,
  wanted: Pick<Wanted, 'format' | 'pretty'>,
  headers: readonly (readonly [string, string])[] = [],
): HttpResponse {
  const type = wanted.format === 'yaml' ? 'application/yaml' : 'application/json';
  const body = serializeDocument(document, wanted);
  return { status, headers: [['content-type', type], NO_CACHE, ...headers], body };
}

export function serializeDocument(
  document: unknown,
  { format, pretty }: Pick<Wanted, 'format' | 'pretty'>,
): string {
  if (format === 'yaml')
    return stringify(document, { sortMapEntries: true, lineWidth: 0, aliasDuplicateObjects: false });
  // Go's indented writer ends without a newline; the compact one with.
  return pretty ? JSON.stringify(document, null, 2) : `${JSON.stringify(document)}\n`;
}

export function textAnswer(
  status: number,
  text: string,
  headers: readonly (readonly [string, string])[] = [],
): HttpResponse {
  return {
    status,
    headers: [
      ['content-type', 'text/plain; charset=utf-8'],
      NO_CACHE,
      ['x-content-type-options', 'nosniff'],
      ...headers,
    ],
    body: text,
  };
}

/** The refusal as a Status document; whatever isn't a StatusError is a fault of the server's own. */
export function refusalAnswer(
  error: unknown,
  wanted: Pick<Wanted, 'format' | 'pretty'>,
  warnings: readonly (readonly [string, string])[],
): HttpResponse {
  const status = statusOf(error);
  const retry = status.details?.retryAfterSeconds;
  return documentAnswer(status.code, status, wanted, [
    ...warnings,
    ...(retry === undefined ? [] : [['retry-after', String(retry)] as const]),
  ]);
}

/** The Status of an error. Throws the error if it isn't a refusal. */
function statusOf(error: unknown): Status {
  if (error instanceof StatusError) return error.status;
  throw error;
}
