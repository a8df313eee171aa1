// Which pod, node and container a connection is for, and what is said when its kubelet can't be reached.
import { ErrnoError, errnoMessage } from '../../../network/index.ts';
import type { Stored } from '../../api/meta.ts';
import type { Pod } from '../../api/types.ts';
import type { Exchange } from '../http/door.ts';
import type { KubeletConnector } from '../kubelet-connector.ts';
import { badRequest, internalError, notFound } from '../refusals.ts';

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
  const why =
    cause instanceof ErrnoError
      ? errnoMessage(cause)
      : cause instanceof Error
        ? cause.message
        : String(cause);
  const host = pod.status?.hostIP ?? pod.spec?.nodeName ?? '';
  return internalError(`error dialing backend: dial tcp ${host}:10250: connect: ${why.toLowerCase()}`);
}

/** Passes the kubelet's refusals on, and says so when it couldn't be reached. */
export async function reached<T>(pod: Stored<Pod>, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ErrnoError) throw unreachable(pod, error);
    throw error;
  }
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
