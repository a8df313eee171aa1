// A thread that asks the API server over HTTPS as fast as it answers: the client's cost isn't the server's.
// Tells a result after each verb, and nothing when it begins to measure.
import { Agent, request } from 'node:https';
import { performance } from 'node:perf_hooks';
import { parentPort, workerData } from 'node:worker_threads';

export interface LoadOptions {
  readonly url: string;
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
  readonly connections: number;
  /** Requests of each verb. */
  readonly count: number;
}

export interface LoadResult {
  readonly verb: string;
  readonly ms: number;
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly type?: string;
  readonly body?: unknown;
}

const WARM_UP = 1000;
const COLLECTION = '/api/v1/namespaces/default/configmaps';
const options = workerData as LoadOptions;
const agent = new Agent({
  keepAlive: true,
  maxSockets: options.connections,
  cert: options.certificate,
  key: options.key,
  rejectUnauthorized: false,
});

// The first requests pay for compiling the server's code.
await run(WARM_UP, (index) => ({
  method: 'POST',
  path: COLLECTION,
  type: 'application/json',
  body: { metadata: { name: `warm-up-${index}` } },
}));
parentPort!.postMessage(undefined);
await measure('create', (index) => ({
  method: 'POST',
  path: COLLECTION,
  type: 'application/json',
  body: { metadata: { name: `bench-${index}` }, data: { value: 'new' } },
}));
await measure('get', (index) => ({ method: 'GET', path: `${COLLECTION}/bench-${index}` }));
await measure('merge patch', (index) => ({
  method: 'PATCH',
  path: `${COLLECTION}/bench-${index}`,
  type: 'application/merge-patch+json',
  body: { data: { value: 'patched' } },
}));
agent.destroy();

async function measure(verb: string, callOf: (index: number) => Call): Promise<void> {
  const start = performance.now();
  await run(options.count, callOf);
  const result: LoadResult = { verb, ms: performance.now() - start };
  parentPort!.postMessage(result);
}

async function run(count: number, callOf: (index: number) => Call): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await send(callOf(next++));
  };
  await Promise.all(Array.from({ length: options.connections }, lane));
}

function send({ method, path, type, body }: Call): Promise<void> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers =
      text === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(text) };
    const sent = request(new URL(path, options.url), { method, agent, headers }, (response) => {
      const { statusCode = 0 } = response;
      response.resume();
      response.once('end', () =>
        statusCode < 300 ? resolve() : reject(new Error(`${method} ${path} was answered with ${statusCode}`)),
      );
    });
    sent.once('error', reject);
    sent.end(text);
  });
}
