// Asks a test's API server through its HTTP handler, as a cluster administrator or as whom a certificate names.
import type { TestApi } from './make-api.ts';

export interface Answer {
  readonly status: number;
  /** The parsed document. */
  readonly body: { readonly [field: string]: unknown; readonly message?: string; readonly reason?: string };
  /** Texts of the Warning headers. */
  readonly warnings: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
}

export interface AskOptions {
  readonly as?: string;
  readonly groups?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends one request with a JSON body and reads its whole answer. */
export async function ask(
  api: TestApi,
  method: string,
  target: string,
  body?: unknown,
  { as = 'kubernetes-admin', groups = ['kubeadm:cluster-admins'], headers = {} }: AskOptions = {},
): Promise<Answer> {
  const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const response = await api.server.handler({
    method,
    target,
    headers: Object.entries({
      'user-agent': 'test',
      ...(bytes === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    }),
    body: pieces(bytes),
    peer: {
      address: '127.0.0.1',
      port: 40_000,
      certificate: { commonName: as, organizations: [...groups] },
    },
    signal: new AbortController().signal,
  });
  const chunks: Buffer[] = [];
  const answer = response.body;
  if (typeof answer === 'string' || answer instanceof Uint8Array) chunks.push(Buffer.from(answer as string));
  else if (answer !== undefined) for await (const piece of answer) chunks.push(Buffer.from(piece));
  const text = Buffer.concat(chunks).toString();
  return {
    status: response.status,
    body: (text === '' ? {} : JSON.parse(text)) as Answer['body'],
    warnings: response.headers.flatMap(([name, value]) =>
      name === 'warning' ? [JSON.parse(value.slice('299 - '.length)) as string] : [],
    ),
    headers: Object.fromEntries(response.headers),
  };
}

async function* pieces(bytes: Buffer | undefined): AsyncGenerator<Uint8Array> {
  if (bytes !== undefined) yield bytes;
}
