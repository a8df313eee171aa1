// pods/log: options as the API checks them, text as the kubelet gives it.
import { ErrnoError, errnoMessage } from '../../../network/index.ts';
import type { HttpResponse } from '../../../network/http/index.ts';
import type { Stored } from '../../api/meta.ts';
import type { Pod } from '../../api/types.ts';
import type { Exchange } from '../http/door.ts';
import { integerOf } from '../http/options.ts';
import { isTrue } from '../http/request-info.ts';
import type { LogOptions } from '../kubelet-connector.ts';
import { failure, forbiddenField, invalid, invalidValue, type FieldError } from '../refusals.ts';
import { DialError } from './dial.ts';
import { containerOf, kubeletsOf, reachKubelet } from './pod-target.ts';
import { KUBELET_PORT } from './proxy-target.ts';

/** Throws 422 for options out of range, 400 for a container that the pod hasn't. */
export async function logAnswer(exchange: Exchange, pod: Stored<Pod>): Promise<HttpResponse> {
  const { query, request } = exchange;
  const options = logOptionsOf(query, pod.metadata.name, request.signal);
  const container = containerOf(pod, query);
  // An unscheduled pod has no log, and that is no error.
  if ((pod.spec?.nodeName ?? '') === '') return { status: 204, headers: [] };
  const kubelets = kubeletsOf(exchange, pod);
  const controller = new AbortController();
  let carrier: Disposable | undefined;
  const stop = (): void => {
    controller.abort(new Error('the client or the kubelet went away'));
    carrier?.[Symbol.dispose]();
  };
  request.signal.addEventListener('abort', stop, { once: true });
  let text: AsyncIterable<Uint8Array>;
  try {
    carrier = await reachKubelet(exchange, pod, stop);
    text = await kubelets.logs(pod, container, { ...options, signal: controller.signal });
  } catch (error) {
    carrier?.[Symbol.dispose]();
    throw error instanceof DialError || error instanceof ErrnoError
      ? unanswered(pod, container, query, error)
      : error;
  }
  const body = endingWith(text, carrier);
  return {
    status: 200,
    headers: [
      ['content-type', 'text/plain'],
      ['cache-control', 'no-cache, private'],
    ],
    body,
  };
}

/** What Go's client says of a request that got no answer. */
function unanswered(
  pod: Stored<Pod>,
  container: string,
  query: URLSearchParams,
  cause: DialError | ErrnoError,
): Error {
  const host = `${pod.status?.hostIP ?? pod.spec?.nodeName ?? ''}:${KUBELET_PORT}`;
  const { namespace, name } = pod.metadata;
  const passed = new URLSearchParams([...query].filter(([key]) => key !== 'container'));
  passed.sort();
  const search = passed.size === 0 ? '' : `?${passed.toString()}`;
  const why =
    cause instanceof DialError
      ? cause.message
      : `dial tcp ${host}: connect: ${errnoMessage(cause).toLowerCase()}`;
  const url = `https://${host}/containerLogs/${namespace}/${name}/${container}${search}`;
  return failure(500, undefined, `Get "${url}": ${why}`);
}

async function* endingWith(text: AsyncIterable<Uint8Array>, carrier: Disposable): AsyncGenerator<Uint8Array> {
  using _carrier = carrier;
  yield* text;
}

function logOptionsOf(query: URLSearchParams, name: string, signal: AbortSignal): LogOptions {
  const errors: FieldError[] = [];
  const sinceSeconds = integerOf(query, 'sinceSeconds');
  const sinceTime = query.get('sinceTime') ?? undefined;
  const tailLines = integerOf(query, 'tailLines');
  const limitBytes = integerOf(query, 'limitBytes');
  if (tailLines !== undefined && tailLines < 0)
    errors.push(invalidValue('tailLines', tailLines, 'must be greater than or equal to 0'));
  if (limitBytes !== undefined && limitBytes < 1)
    errors.push(invalidValue('limitBytes', limitBytes, 'must be greater than 0'));
  if (sinceSeconds !== undefined && sinceTime !== undefined) {
    errors.push({ ...forbiddenField('[]', 'at most one of `sinceTime` or `sinceSeconds` may be specified') });
  } else if (sinceSeconds !== undefined && sinceSeconds < 1)
    errors.push(invalidValue('sinceSeconds', sinceSeconds, 'must be greater than 0'));
  if (errors.length > 0) throw invalid('', 'PodLogOptions', name, errors);
  return {
    follow: isTrue(query, 'follow'),
    previous: isTrue(query, 'previous'),
    timestamps: isTrue(query, 'timestamps'),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
    ...(sinceSeconds === undefined ? {} : { sinceSeconds }),
    ...(sinceTime === undefined ? {} : { sinceTime }),
    signal,
  };
}
