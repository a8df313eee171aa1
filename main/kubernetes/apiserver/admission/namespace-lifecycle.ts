// NamespaceLifecycle: nothing is created where there is no namespace, or where one is going away.
import { StatusError } from '../../api/status.ts';
import { forbidden, notFound } from '../refusals.ts';
import type { AdmissionPlugin } from './admission.ts';

const IMMORTAL = new Set(['default', 'kube-system', 'kube-public']);

export const namespaceLifecycle: AdmissionPlugin = {
  name: 'NamespaceLifecycle',
  mutate({ operation, served, object, context }) {
    if (operation !== 'CREATE' || !served.resource.namespaced) return;
    const namespace = object?.metadata?.namespace ?? '';
    const found = context.objects.get('namespaces', '', '', namespace);
    if (found === undefined) throw notFound({ group: '', plural: 'namespaces' }, namespace);
    const status = found['status'] as { phase?: string } | undefined;
    if (status?.phase !== 'Terminating') return;
    const error = forbidden(
      served.resource,
      object?.metadata?.name ?? '',
      `unable to create new content in namespace ${namespace} because it is being terminated`,
    );
    throw new StatusError({
      ...error.status,
      details: {
        ...error.status.details,
        causes: [
          {
            reason: 'NamespaceTerminating',
            message: `namespace ${namespace} is being terminated`,
            field: 'metadata.namespace',
          },
        ],
      },
    });
  },
  validate({ operation, served, old }) {
    if (operation !== 'DELETE' || served.resource.plural !== 'namespaces') return;
    const name = old?.metadata.name ?? '';
    if (IMMORTAL.has(name)) throw forbidden(served.resource, name, 'this namespace may not be deleted');
  },
};
