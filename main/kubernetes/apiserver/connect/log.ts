// pods/log: options as the API checks them, text as the kubelet gives it.
import type { HttpResponse } from '../../../network/http/index.ts';
import type { Stored } from '../../api/meta.ts';
import type { Pod } from '../../api/types.ts';
import type { Exchange } from '../http/door.ts';
import { integerOf } from '../http/options.ts';
import { isTrue } from '../http/request-info.ts';
import type { LogOptions } from '../kubelet-connector.ts';
import { forbiddenField, invalid, invalidValue, type FieldError } from '../refusals.ts';
import { containerOf, kubeletsOf, reached } from './pod-target.ts';

/** Throws 422 for options out of range, 400 for a container that the pod hasn't. */
export async function logAnswer(exchange: Exchange, pod: Stored<Pod>): Promise<HttpResponse> {
  const { query, request } = exchange;
  const options = logOptionsOf(query, pod.metadata.name, request.signal);
  const container = containerOf(pod, query);
  // An unscheduled pod has no log, and that is no error.
  if ((pod.spec?.nodeName ?? '') === '') return { status: 204, headers: [] };
  const kubelets = kubeletsOf(exchange, pod);
  const body = await reached(pod, kubelets.logs(pod, container, options));
  return {
    status: 200,
    headers: [
      ['content-type', 'text/plain'],
      ['cache-control', 'no-cache, private'],
    ],
    body,
  };
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
