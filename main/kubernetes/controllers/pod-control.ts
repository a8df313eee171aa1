// Creates and deletes the pods of a controller, with the events that tell of it.
import {
  isStatus,
  resources,
  StatusError,
  type KubernetesObject,
  type ObjectMeta,
  type Pod,
  type PodTemplateSpec,
  type Stored,
} from '../api/index.ts';
import type { ApiClient, EventRecorder } from '../client/index.ts';
import { controllerReference } from './owner.ts';

/** A pod as a template makes it: the owner's child, named after the owner. */
export function podFromTemplate(
  template: PodTemplateSpec,
  owner: Stored<KubernetesObject>,
  overlay: Partial<ObjectMeta> = {},
): Pod {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${owner.metadata.name}-`,
      namespace: owner.metadata.namespace,
      ...(labels === undefined ? {} : { labels: { ...labels } }),
      ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
      ...(finalizers === undefined ? {} : { finalizers: [...finalizers] }),
      ownerReferences: [controllerReference(owner)],
      ...overlay,
    },
    spec: template.spec,
  };
}

/** The events of pod-control: what the real controllers' RealPodControl says and records. */
export interface PodControl {
  create(pod: Pod, owner: Stored<KubernetesObject>): Promise<Stored<Pod>>;
  /** A pod that is gone already counts as deleted. */
  delete(pod: Stored<Pod>, owner: Stored<KubernetesObject>): Promise<void>;
}

export function makePodControl(client: ApiClient, recorder: EventRecorder): PodControl {
  return {
    async create(pod, owner) {
      try {
        const created = await client.create(resources.pods, pod, { namespace: owner.metadata.namespace });
        recorder.event(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${created.metadata.name}`);
        return created;
      } catch (error) {
        // A namespace on its way out refuses everything; that is no news.
        if (!isNamespaceTerminating(error))
          recorder.event(owner, 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`);
        throw error;
      }
    },
    async delete(pod, owner) {
      const { name, namespace, uid } = pod.metadata;
      try {
        await client.delete(resources.pods, name, { namespace, uid });
        recorder.event(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`);
      } catch (error) {
        if (isStatus(error, 'NotFound') || isStatus(error, 'Conflict')) return;
        recorder.event(owner, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`);
        throw error;
      }
    },
  };
}

/** True for the refusal to create something in a namespace that is being deleted. */
export function isNamespaceTerminating(error: unknown): boolean {
  return (
    error instanceof StatusError &&
    error.reason === 'Forbidden' &&
    error.status.details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating') === true
  );
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
