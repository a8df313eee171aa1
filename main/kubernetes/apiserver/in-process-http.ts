// Requests in process for what only the HTTP door serves: reviews, and the APIs of extension servers.
import { apiVersionOf, type Resource } from '../api/meta.ts';
import { StatusError, type Status } from '../api/status.ts';
import type { UserInfo } from './auth/user.ts';
import type { ServerCore } from './core.ts';
import { failure } from './refusals.ts';

interface DoorRequest {
  readonly user: UserInfo;
  readonly method: 'GET' | 'POST';
  readonly resource: Resource;
  readonly namespace?: string;
  readonly name?: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
}

/** The answer's document. Throws StatusError for a refusal. */
export async function askDoor<T>(core: ServerCore, request: DoorRequest): Promise<T> {
  const { user, method, resource, namespace, name, query = {}, body } = request;
  const root = resource.group === '' ? '/api/v1' : `/apis/${apiVersionOf(resource)}`;
  const scope = namespace === undefined || namespace === '' ? '' : `/namespaces/${namespace}`;
  const path = `${root}${scope}/${resource.plural}${name === undefined ? '' : `/${name}`}`;
  const pairs = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
  const search = new URLSearchParams(pairs).toString();
  const response = await core.handler()({
    method,
    target: search === '' ? path : `${path}?${search}`,
    headers: [
      ['accept', 'application/json'],
      ['content-type', 'application/json'],
    ],
    body: once(body === undefined ? '' : JSON.stringify(body)),
    // In process everybody is who they say.
    peer: {
      address: '127.0.0.1',
      port: 0,
      certificate: { commonName: user.name, organizations: user.groups },
    },
    signal: new AbortController().signal,
  });
  const text = await textOf(response.body);
  if (response.status < 400) return JSON.parse(text) as T;
  throw refusal(response.status, text, request);
}

function refusal(code: number, text: string, { method, resource, name = '' }: DoorRequest): StatusError {
  try {
    const status = JSON.parse(text) as Status;
    // A path that isn't there says nothing of what was asked for: the client adds it, as client-go does.
    if (status.kind === 'Status' && code !== 404) return new StatusError(status);
    if (status.kind === 'Status' && (status.details?.kind ?? '') !== '') return new StatusError(status);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  const verb = method === 'GET' ? 'get' : 'post';
  const what = `${verb} ${resource.plural}${resource.group === '' ? '' : `.${resource.group}`}${name === '' ? '' : ` ${name}`}`;
  const words: Readonly<Record<number, readonly [reason: string, message: string]>> = {
    404: ['NotFound', 'the server could not find the requested resource'],
    503: ['ServiceUnavailable', 'the server is currently unable to handle the request'],
  };
  const [reason, message] = words[code] ?? [
    'Unknown',
    `an error on the server (${JSON.stringify(text.trim())}) has prevented the request from succeeding`,
  ];
  return failure(code, reason, `${message} (${what})`, { group: resource.group, kind: resource.plural });
}

async function* once(text: string): AsyncGenerator<Uint8Array> {
  if (text !== '') yield Buffer.from(text);
}

async function textOf(body: string | Uint8Array | AsyncIterable<Uint8Array> | undefined): Promise<string> {
  if (body === undefined) return '';
  if (typeof body === 'string') return body;
  if (body instanceof Uint8Array) return Buffer.from(body).toString('utf8');
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces).toString('utf8');
}
