// Calls one admission webhook: an AdmissionReview over HTTPS, its answer checked (apiserver pkg/admission/plugin/webhook).
import { askBackend, BackendError, type Backend } from '../aggregation/network.ts';
import { resolveServicePort } from '../aggregation/registration.ts';
import type { ServerCore } from '../core.ts';
import { isTree, textAt, type Tree } from '../object.ts';
import type { WebhookCall } from './webhook-calls.ts';
import type { Webhook, WebhookAnswer } from './webhook-types.ts';

const GROUP = 'admission.k8s.io';
const VERSIONS = ['v1', 'v1beta1'];
const DEFAULT_TIMEOUT_SECONDS = 10;
/** Of the quoted text of an answer that isn't one. */
const QUOTED_MAX = 2048;

/** What is wrong with an answer. */
class BadAnswer extends Error {}

/** Asks a webhook; a call that comes to nothing is told in the answer. Rejects only for faults of ours. */
export async function callWebhook(core: ServerCore, call: WebhookCall, uid: string): Promise<WebhookAnswer> {
  const { webhook } = call;
  const version = VERSIONS.find(
    (known) => webhook.admissionReviewVersions?.includes(known) ?? known === 'v1',
  );
  if (version === undefined)
    return {
      failure: `webhook does not accept known AdmissionReview versions (v1, v1beta1)`,
    };
  const seconds = webhook.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS;
  const abort = new AbortController();
  using _timer = core.clock.after(seconds * 1000, () =>
    abort.abort(new BackendError('context deadline exceeded')),
  );
  try {
    const body = JSON.stringify({
      kind: 'AdmissionReview',
      apiVersion: `${GROUP}/${version}`,
      request: { uid, ...call.request },
    });
    const { response, stream } = await askBackend(core, backendOf(core, webhook), {
      method: 'POST',
      target: `${pathOf(webhook)}?timeout=${seconds}s`,
      headers: [
        ['Accept', 'application/json, */*'],
        ['Content-Type', 'application/json'],
        ['Content-Length', String(Buffer.byteLength(body))],
        ['User-Agent', 'kube-apiserver-admission'],
      ],
      body: (async function* () {
        yield Buffer.from(body);
      })(),
      signal: abort.signal,
    });
    let text: string;
    try {
      text = await wholeText(response.body);
    } finally {
      stream.close();
    }
    abort.signal.throwIfAborted();
    if (response.status < 200 || response.status > 299)
      throw new BadAnswer(statusText(response.status, text));
    return verdict(call, version, uid, text);
  } catch (error) {
    if (error instanceof BackendError)
      return {
        failure: `failed to call webhook: Post ${JSON.stringify(urlOf(webhook, seconds))}: ${error.message}`,
      };
    if (error instanceof BadAnswer) return { failure: error.message };
    throw error;
  }
}

async function wholeText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces).toString('utf8');
}

/** client-go's words for an answer that isn't a success (rest/request.go, newUnstructuredResponseError). */
function statusText(status: number, text: string): string {
  const why =
    status === 404
      ? 'the server could not find the requested resource'
      : status >= 500
        ? `an error on the server (${JSON.stringify(text.trim().slice(0, QUOTED_MAX))}) has prevented the request from succeeding`
        : status === 403
          ? text.trim() === ''
            ? 'forbidden'
            : text.trim().slice(0, QUOTED_MAX)
          : 'the server rejected our request for an unknown reason';
  return `failed to call webhook: ${why}`;
}

/** Reads the review that came back. Throws BadAnswer. */
function verdict({ isMutating }: WebhookCall, version: string, uid: string, text: string): WebhookAnswer {
  const invalid = (why: string): BadAnswer => new BadAnswer(`received invalid webhook response: ${why}`);
  let review: unknown;
  try {
    review = JSON.parse(text);
  } catch {
    throw new BadAnswer(
      `failed to call webhook: couldn't get version/kind; json parse error: ${jsonFault(text)}`,
    );
  }
  const { apiVersion, kind, response } = isTree(review) ? review : ({} as Tree);
  const wanted = `${GROUP}/${version}, Kind=AdmissionReview`;
  if (apiVersion !== `${GROUP}/${version}` || kind !== 'AdmissionReview')
    throw invalid(
      `expected webhook response of ${wanted}, got ${textAt(review, 'apiVersion') || '/'}, Kind=${textAt(review, 'kind')}`,
    );
  if (!isTree(response)) throw new BadAnswer('failed to get response: webhook response was absent');
  if (version === 'v1' && response['uid'] !== uid)
    throw invalid(
      `expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response['uid'] ?? '')}`,
    );
  const { patch, patchType, status, warnings } = response;
  const hasPatch = typeof patch === 'string' && patch !== '';
  if (version === 'v1') {
    if (!isMutating && hasPatch) throw invalid('validating webhook may not return response.patch');
    if (!isMutating && patchType !== undefined && patchType !== null)
      throw invalid('validating webhook may not return response.patchType');
    if (hasPatch && (patchType === undefined || patchType === null))
      throw invalid('webhook returned response.patch but not response.patchType');
    if (!hasPatch && patchType !== undefined && patchType !== null)
      throw invalid('webhook returned response.patchType but not response.patch');
    if (hasPatch && patchType !== 'JSONPatch')
      throw invalid(`invalid response.patchType: ${JSON.stringify(patchType)}`);
  }
  return {
    allowed: response['allowed'] === true,
    ...(isTree(status) ? { status } : {}),
    ...(isMutating && hasPatch ? { patch: parsedPatch(patch) } : {}),
    warnings: Array.isArray(warnings) ? warnings.map(String) : [],
  };
}

function parsedPatch(patch: string): unknown {
  const text = Buffer.from(patch, 'base64').toString('utf8');
  try {
    return JSON.parse(text);
  } catch {
    throw new BadAnswer(`error decoding patch: ${jsonFault(text)}`);
  }
}

/** encoding/json's words for the commonest faults. */
function jsonFault(text: string): string {
  const first = text.trimStart()[0];
  return first === undefined
    ? 'unexpected end of JSON input'
    : '{["-0123456789tfn'.includes(first)
      ? 'unexpected end of JSON input'
      : `invalid character '${first}' looking for beginning of value`;
}

function pathOf({ clientConfig: { service, url = '' } }: Webhook): string {
  return service === undefined ? new URL(url).pathname : (service.path ?? '/');
}

/** As errors show it. */
function urlOf({ clientConfig: { service, url = '' } }: Webhook, seconds: number): string {
  const base =
    service === undefined
      ? url
      : `https://${service.name}.${service.namespace}.svc:${service.port ?? 443}${service.path ?? ''}`;
  return `${base}?timeout=${seconds}s`;
}

/** Where the webhook is. Differs: a URL's host is an address; names of Services are what the cluster's webhooks have. */
function backendOf(core: ServerCore, { clientConfig: { service, url = '', caBundle } }: Webhook): Backend {
  const shared = { authorities: Buffer.from(caBundle ?? '', 'base64').toString('utf8'), insecure: false };
  if (service !== undefined)
    return {
      ...shared,
      serverName: `${service.name}.${service.namespace}.svc`,
      resolve: () => resolveServicePort(core.catalogue, service, service.port ?? 443),
    };
  const { hostname, port } = new URL(url);
  return {
    ...shared,
    serverName: hostname,
    resolve() {
      if (!/^\d+(\.\d+){3}$/.test(hostname))
        throw new Error(
          "drydock: webhooks at a URL with a name aren't simulated; give an address, or a service",
        );
      return { host: hostname, port: port === '' ? 443 : Number(port) };
    },
  };
}
