// Which pod, node and container a connection is for, and what is said when its kubelet can't be reached.
import { ErrnoError, errnoMessage } from '../../../network/index.ts';
import type { Stored } from '../../api/meta.ts';
import type { Node, Pod } from '../../api/types.ts';
import { disposable } from '../../../simulation/index.ts';
import type { Exchange } from '../http/door.ts';
import type { KubeletConnector } from '../kubelet-connector.ts';
import { badRequest, failure, notFound } from '../refusals.ts';
import { dial, DialError } from './dial.ts';
import { kubeletTarget } from './proxy-target.ts';

/** The kubelets, if the pod's node exists. Throws 404 and 500. */
export function kubeletsOf({ core }: Exchange, pod: Stored<Pod>): KubeletConnector {
  const node = pod.spec?.nodeName ?? '';
  if (core.catalogue.get('nodes', '', '', node) === undefined)
    throw notFound({ group: '', plural: 'pods' }, node);
  const kubelets = core.kubelets();
  if (kubelets === undefined) throw unreachable(pod, new Error('no kubelet answers'));
  return kubelets;
}

/** What the server says when it can't reach a kubelet. */
export function unreachable(pod: Stored<Pod>, cause: unknown): Error {
  if (cause instanceof DialError) return failure(500, undefined, `error dialing backend: ${cause.message}`);
  const why =
    cause instanceof ErrnoError
      ? errnoMessage(cause)
      : cause instanceof Error
        ? cause.message
        : String(cause);
  const host = pod.status?.hostIP ?? pod.spec?.nodeName ?? '';
  return failure(
    500,
    undefined,
    `error dialing backend: dial tcp ${host}:10250: connect: ${why.toLowerCase()}`,
  );
}

/**
 * Connects to the pod's kubelet over the network, for as long as a request to it lasts; `onLost` hears of a connection that
 * breaks first. Rejects with DialError.
 * Differs: what kubelet and API server say to each other passes beside that connection.
 */
export async function reachKubelet(
  { core, request }: Exchange,
  pod: Stored<Pod>,
  onLost: () => void,
): Promise<Disposable> {
  const node = core.catalogue.get('nodes', '', '', pod.spec?.nodeName ?? '') as unknown as
    | Stored<Node>
    | undefined;
  if (node === undefined || core.serviceNetwork() === undefined) return disposable(() => undefined);
  const stream = await dial(core, { ...kubeletTarget(node), scheme: 'http' }, request.signal);
  let isOver = false;
  const lost = (): void => {
    if (!isOver) onLost();
  };
  void stream.read().then(lost, lost);
  return disposable(() => {
    isOver = true;
    stream.close();
  });
}

/** The container asked for, or the only one, or the one that an annotation names. Throws 400. */
export function containerOf(pod: Stored<Pod>, query: URLSearchParams): string {
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
