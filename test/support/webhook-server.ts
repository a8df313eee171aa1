// An admission webhook behind the Service `hook` of a test API server: TLS over connections in memory.
import { resources, type KubernetesObject } from '../../main/kubernetes/api/index.ts';
import { ErrnoError, type ByteStream } from '../../main/network/index.ts';
import { serveHttp, type AcceptedStream, type HttpResponse } from '../../main/network/http/index.ts';
import { acceptTls, issueCertificate, makeKeyPair, type Identity } from '../../main/network/tls/index.ts';
import { makeRandom } from '../../main/simulation/index.ts';
import type { TestApi } from './make-api.ts';
import { streamPair } from './stream-pair.ts';

/** AdmissionReview's request, as far as tests look at it. */
export interface Review {
  readonly uid: string;
  readonly operation: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly object: KubernetesObject & Record<string, unknown>;
  readonly oldObject: KubernetesObject & Record<string, unknown>;
  readonly [field: string]: unknown;
}

export interface WebhookServer {
  /** caBundle of its certificate. */
  readonly caBundle: string;
  /** What it was asked, in order. */
  readonly asked: { readonly path: string; readonly review: Review }[];
}

const random = makeRandom('webhook');

function selfSigned(name: string): Identity {
  const { privateKey } = makeKeyPair(random);
  const day = 24 * 3_600_000;
  const nowMs = Date.parse('2026-01-05T08:00:00Z');
  const fields = {
    commonName: name,
    dnsNames: [name],
    notBeforeMs: nowMs - day,
    notAfterMs: nowMs + day,
    serial: '01',
    isAuthority: true,
  };
  return { privateKey, certificate: issueCertificate(fields, privateKey) };
}

/** Serves: `answer` gives the review's response without uid, or a whole HTTP answer; nothing for no answer at all. */
export async function serveWebhook(
  api: TestApi,
  answer: (path: string, review: Review) => Record<string, unknown> | HttpResponse | undefined,
): Promise<WebhookServer> {
  const identity = selfSigned('hook.default.svc');
  const asked: { path: string; review: Review }[] = [];
  const queue: AcceptedStream[] = [];
  let wake: (() => void) | undefined;
  serveHttp(
    {
      async accept() {
        while (queue.length === 0) await new Promise<void>((resolve) => (wake = resolve));
        return queue.shift()!;
      },
    },
    async (request) => {
      const pieces: Uint8Array[] = [];
      for await (const piece of request.body) pieces.push(piece);
      const sent = JSON.parse(Buffer.concat(pieces).toString()) as { apiVersion: string; request: Review };
      const path = request.target.split('?')[0]!;
      asked.push({ path, review: sent.request });
      const made = answer(path, sent.request);
      if (made === undefined) return new Promise<HttpResponse>(() => undefined);
      if ('headers' in made) return made as HttpResponse;
      const response = { uid: sent.request.uid, ...made };
      return {
        status: 200,
        headers: [['Content-Type', 'application/json']],
        body: JSON.stringify({ apiVersion: sent.apiVersion, kind: 'AdmissionReview', response }),
      };
    },
  );
  const accept = async (stream: ByteStream): Promise<void> => {
    const session = await acceptTls(stream, { identity, nowMs: api.clock.now(), random });
    const remote = { address: '192.168.10.10', port: 40_000 };
    queue.push({ ...session, remote, peer: {} } as AcceptedStream);
    wake?.();
  };
  api.server.connectServices(() => ({
    connect: (_address, port) => {
      if (port !== 443) return Promise.reject(new ErrnoError('ECONNREFUSED'));
      const [ours, theirs] = streamPair();
      accept(theirs).catch(() => undefined); // The handshake's failure is the client's to tell.
      return Promise.resolve(ours);
    },
    frontProxy: identity,
    kubeletClient: identity,
  }));
  await api.client.create(resources.services, {
    metadata: { name: 'hook', namespace: 'default' },
    spec: {
      clusterIP: '10.96.7.7',
      ports: [
        { name: 'https', port: 443 },
        { name: 'dead', port: 444 },
      ],
    },
  } as KubernetesObject);
  return { caBundle: Buffer.from(identity.certificate).toString('base64'), asked };
}
