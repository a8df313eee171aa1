// Subresources that aren't objects: logs, exec, attach, port-forward, proxies. They are passed on to the pod's kubelet.
import { acceptWebSocket, headerOf, type HttpResponse } from '../../../network/http/index.ts';
import { ErrnoError, errnoMessage } from '../../../network/index.ts';
import type { Stored } from '../../api/meta.ts';
import type { Pod } from '../../api/types.ts';
import type { Served } from '../catalogue.ts';
import type { ExecSession, KubeletConnector, LogOptions } from '../kubelet-connector.ts';
import {
  badRequest,
  failure,
  forbiddenField,
  internalError,
  invalid,
  invalidValue,
  notFound,
  type FieldError,
} from '../refusals.ts';
import { serveExecChannels } from './exec-channels.ts';
import type { Exchange } from './door.ts';
import { PORT_FORWARD_PROTOCOL, servePortForward, type Connect } from '../stream/port-forward.ts';
import { integerOf } from './options.ts';
import { isTrue } from './request-info.ts';

const CONNECT = new Set(['log', 'exec', 'attach', 'portforward', 'proxy']);
const EXEC_PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];

/** Whether a subresource is served by connecting to something. */
export function isConnectSubresource(_served: Served, subresource: string): boolean {
  return CONNECT.has(subresource);
}

export async function connectAnswer(exchange: Exchange, served: Served): Promise<HttpResponse> {
  const { info } = exchange;
  const object = served.table.get(info.namespace, info.name.split(':')[0]!);
  if (object === undefined || (served.resource.plural !== 'pods' && info.name.includes(':') && !object)) {
    throw notFound(served.resource, info.name.split(':')[0]!);
  }
  if (served.resource.plural !== 'pods' || info.subresource === 'proxy') {
    throw failure(503, 'ServiceUnavailable', `drydock: ${served.resource.plural}/proxy isn't simulated`, {});
  }
  const pod = object as unknown as Stored<Pod>;
  if (info.subresource === 'log') return logAnswer(exchange, pod);
  if ((pod.spec?.nodeName ?? '') === '')
    throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
  return streamAnswer(exchange, pod);
}

function kubeletsOf({ core }: Exchange, pod: Stored<Pod>): KubeletConnector {
  const node = pod.spec?.nodeName ?? '';
  if (core.catalogue.get('nodes', '', '', node) === undefined)
    throw notFound({ group: '', plural: 'pods' }, node);
  const kubelets = core.kubelets();
  if (kubelets === undefined) throw unreachable(pod, new Error('no kubelet answers'));
  return kubelets;
}

/** What the server says when it can't reach a kubelet. */
function unreachable(pod: Stored<Pod>, cause: unknown): Error {
  const why =
    cause instanceof ErrnoError
      ? errnoMessage(cause)
      : cause instanceof Error
        ? cause.message
        : String(cause);
  const host = pod.status?.hostIP ?? pod.spec?.nodeName ?? '';
  return internalError(`error dialing backend: dial tcp ${host}:10250: connect: ${why.toLowerCase()}`);
}

async function reached<T>(pod: Stored<Pod>, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ErrnoError) throw unreachable(pod, error);
    throw error;
  }
}

/** The container asked for, or the only one, or the one that an annotation names. Throws 400. */
function containerOf(pod: Stored<Pod>, query: URLSearchParams): string {
  const { spec, metadata } = pod;
  const all = [
    ...(spec?.initContainers ?? []),
    ...(spec?.containers ?? []),
    ...(spec?.ephemeralContainers ?? []),
  ].map(({ name }) => name);
  const asked = query.get('container') ?? '';
  if (asked !== '') {
    if (!all.includes(asked)) throw badRequest(`container ${asked} is not valid for pod ${metadata.name}`);
    return asked;
  }
  const annotated = metadata.annotations?.['kubectl.kubernetes.io/default-container'];
  if (annotated !== undefined && all.includes(annotated)) return annotated;
  if (all.length === 1) return all[0]!;
  throw badRequest(
    `a container name must be specified for pod ${metadata.name}, choose one of: [${all.join(' ')}]`,
  );
}

async function logAnswer(exchange: Exchange, pod: Stored<Pod>): Promise<HttpResponse> {
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

async function streamAnswer(exchange: Exchange, pod: Stored<Pod>): Promise<HttpResponse> {
  const { info, request, query } = exchange;
  if (info.subresource === 'portforward') return portForwardAnswer(exchange, pod);
  const container = containerOf(pod, query);
  if (!/websocket/i.test(headerOf(request.headers, 'upgrade') ?? '')) {
    throw badRequest('Upgrade request required');
  }
  const kubelets = kubeletsOf(exchange, pod);
  const streams = {
    stdin: isTrue(query, 'stdin'),
    stdout: isTrue(query, 'stdout'),
    stderr: isTrue(query, 'stderr') && !isTrue(query, 'tty'),
    tty: isTrue(query, 'tty'),
  };
  if (!streams.stdin && !streams.stdout && !streams.stderr) {
    throw badRequest('you must specify at least 1 of stdin, stdout, stderr');
  }
  const controller = new AbortController();
  const start = (): Promise<ExecSession> =>
    reached(
      pod,
      info.subresource === 'attach'
        ? kubelets.attach(pod, container, { ...streams, signal: controller.signal })
        : kubelets.exec(pod, container, {
            ...streams,
            command: query.getAll('command'),
            signal: controller.signal,
          }),
    );
  const session = await start();
  return acceptWebSocket(request, {
    protocols: EXEC_PROTOCOLS,
    serve: (socket) => serveExecChannels(socket, session, streams, controller),
  });
}

/** Port-forward over SPDY, inside of a WebSocket (KEP-4006) or on the connection itself. */
function portForwardAnswer(exchange: Exchange, pod: Stored<Pod>): HttpResponse {
  const { request } = exchange;
  const kubelets = kubeletsOf(exchange, pod);
  const connect: Connect = (port, signal) => kubelets.portForward(pod, port, signal);
  const upgrade = headerOf(request.headers, 'upgrade') ?? '';
  if (/websocket/i.test(upgrade)) {
    return acceptWebSocket(request, {
      protocols: [`SPDY/3.1+${PORT_FORWARD_PROTOCOL}`],
      serve: (socket) =>
        servePortForward(
          {
            receive: async () => (await socket.receive())?.bytes,
            send: async (bytes) => {
              if (socket.closed === undefined) await socket.send(bytes);
            },
          },
          connect,
        ),
    });
  }
  if (!/^spdy\/3\.1$/i.test(upgrade)) throw badRequest('Upgrade request required');
  return {
    status: 101,
    headers: [
      ['connection', 'Upgrade'],
      ['upgrade', 'SPDY/3.1'],
      ['x-stream-protocol-version', PORT_FORWARD_PROTOCOL],
    ],
    upgrade: (stream) =>
      servePortForward({ receive: () => stream.read(), send: (bytes) => stream.write(bytes) }, connect),
  };
}
