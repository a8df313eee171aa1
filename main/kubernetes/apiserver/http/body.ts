// Request bodies: read within a limit, and parsed from JSON, YAML or protobuf.
import { parseDocument, type YAMLError } from 'yaml';
import { headerOf, type HttpRequest } from '../../../network/http/index.ts';
import { badRequest, failure } from '../refusals.ts';
import { decodeProtobuf } from '../protobuf/envelope.ts';
import { JsonError, readJson } from './json-reader.ts';

/** Largest body that the server reads, in bytes (apiserver's MaxRequestBodyBytes). */
const BODY_BYTES_MAX = 3 * 1024 * 1024;

/** What aliases of a YAML document may multiply its nodes to. */
const ALIASES_MAX = 100;

/** Nesting at which YAML is refused. Differs: go-yaml goes down to 10,000, for which our stack is too small. */
const YAML_DEPTH_MAX = 1000;

export type BodyFormat = 'json' | 'yaml' | 'protobuf';

export interface ParsedBody {
  readonly format: BodyFormat;
  readonly value: unknown;
  readonly duplicates: readonly string[];
  /** Other complaints of strict decoding, in the format's words. */
  readonly complaints: readonly string[];
  /** The text as it came, for error messages. */
  readonly bytes: Uint8Array;
}

/** The whole body. Throws 413. */
export async function readBody(request: HttpRequest): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const piece of request.body) {
    sizeBytes += piece.byteLength;
    if (sizeBytes > BODY_BYTES_MAX) {
      throw failure(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${BODY_BYTES_MAX}`, {});
    }
    pieces.push(piece);
  }
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}

/** The media type of the body without parameters; JSON when nothing is said. */
export function mediaTypeOf(request: HttpRequest): string {
  const type = headerOf(request.headers, 'content-type') ?? '';
  return (type.split(';')[0] ?? '').trim().toLowerCase();
}

/** The format of an object in a body. Throws 415. */
export function objectFormat(mediaType: string): BodyFormat {
  switch (mediaType) {
    case '':
    case 'application/json':
      return 'json';
    case 'application/yaml':
      return 'yaml';
    case 'application/vnd.kubernetes.protobuf':
      return 'protobuf';
    default:
      throw failure(
        415,
        'UnsupportedMediaType',
        'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
      );
  }
}

/** Parses a body. Throws JsonError or 400. */
export function parseBody(bytes: Uint8Array, format: BodyFormat): ParsedBody {
  if (format === 'protobuf') {
    return { format, value: decodeProtobuf(bytes), duplicates: [], complaints: [], bytes };
  }
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  if (format === 'json') {
    const { value, duplicates } = readJson(text);
    return { format, value, duplicates, complaints: [], bytes };
  }
  return { format, bytes, ...parseYaml(text) };
}

/** Parses YAML as sigs.k8s.io/yaml does: YAML 1.1 scalars, one document, sorted as JSON. */
function parseYaml(text: string): {
  value: unknown;
  duplicates: readonly string[];
  complaints: readonly string[];
} {
  const document = parseDocument(text, { version: '1.1', uniqueKeys: false, merge: true });
  const [error] = document.errors;
  if (error !== undefined) throw badYaml(error, text);
  let value: unknown;
  try {
    value = sortKeys(document.toJS({ maxAliasCount: ALIASES_MAX }));
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    throw new JsonError('yaml: document contains excessive aliasing');
  }
  return { value, duplicates: [], complaints: duplicateKeys(text) };
}

/** Whether a text stops where a value of a flow collection should begin. */
function endsOpen(text: string): boolean {
  return /[[{,]\s*$/.test(text);
}

function badYaml(error: YAMLError, text: string): JsonError {
  // go-yaml's parser counts lines from zero, and says nothing of the first (yaml.go, parser.fail).
  const line = Math.max(1, (error.linePos?.[0].line ?? 1) - 1);
  const why =
    error.code === 'BAD_INDENT' && endsOpen(text)
      ? 'did not find expected node content'
      : error.code === 'BAD_INDENT' || error.message.includes('Flow sequence')
        ? "did not find expected ',' or ']'"
        : (error.message.split('\n')[0] ?? '').replace(/ at line.*$/, '');
  return new JsonError(`yaml: line ${line}: ${why}`);
}

function sortKeys(value: unknown, depth = 0): unknown {
  // Also where an anchor holds itself.
  if (depth > YAML_DEPTH_MAX) throw new JsonError('yaml: exceeded max depth of 10000');
  if (Array.isArray(value)) return value.map((member) => sortKeys(member, depth + 1));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sortKeys(member, depth + 1)]),
  );
}

/** go-yaml's complaints about keys that come twice. */
function duplicateKeys(text: string): string[] {
  const document = parseDocument(text, { version: '1.1', uniqueKeys: true, merge: true });
  return document.errors
    .filter(({ code }) => code === 'DUPLICATE_KEY')
    .map((error) => {
      const line = error.linePos?.[0].line ?? 1;
      const key = /^\s*(?:- )?["']?([^"':]+)["']?\s*:/.exec(text.split('\n')[line - 1] ?? '')?.[1] ?? '';
      return `line ${line}: key ${JSON.stringify(key)} already set in map`;
    });
}

/** 400 for a body that isn't an object of the expected kind. */
export function unrecognized(kind: string, bytes: Uint8Array, why: string): Error {
  return badRequest(
    `the object provided is unrecognized (must be of type ${kind}): ${why} (${excerpt(bytes)})`,
  );
}

/** How upstream shows the beginning of a body: text if it is printable, else hexadecimal. */
function excerpt(bytes: Uint8Array): string {
  if (bytes.byteLength === 0) return '<empty>';
  const head = bytes.subarray(0, 30);
  const more = bytes.byteLength > 30 ? ' ...' : '';
  const isText = bytes[0] === 0x7b;
  return `${isText ? Buffer.from(head).toString('utf8') : Buffer.from(head).toString('hex')}${more}`;
}
