// The service accounts that controllers act as (kube-controller-manager --use-service-account-credentials, as kubeadm sets it).
import { isStatus, resources, type ObjectKey } from '../api/index.ts';
import type { ApiClient } from '../client/index.ts';

const NAMESPACE = 'kube-system';

/** One for each controller and token signer of kube-controller-manager. */
const NAMES = [
  'attachdetach-controller',
  'bootstrap-signer',
  'certificate-controller',
  'clusterrole-aggregation-controller',
  'cronjob-controller',
  'daemon-set-controller',
  'deployment-controller',
  'device-taint-eviction-controller',
  'disruption-controller',
  'endpoint-controller',
  'endpointslice-controller',
  'endpointslicemirroring-controller',
  'ephemeral-volume-controller',
  'expand-controller',
  'generic-garbage-collector',
  'horizontal-pod-autoscaler',
  'job-controller',
  'legacy-service-account-token-cleaner',
  'namespace-controller',
  'node-controller',
  'persistent-volume-binder',
  'pod-garbage-collector',
  'pv-protection-controller',
  'pvc-protection-controller',
  'replicaset-controller',
  'replication-controller',
  'resource-claim-controller',
  'resourcequota-controller',
  'root-ca-cert-publisher',
  'service-account-controller',
  'service-cidrs-controller',
  'statefulset-controller',
  'token-cleaner',
  'ttl-after-finished-controller',
  'ttl-controller',
  'validatingadmissionpolicy-status-controller',
  'volumeattributesclass-protection-controller',
];

/**
 * Makes the accounts that are missing. Differs: the controllers don't act by them, but by the manager's own client,
 * so that taking an account away stops none.
 */
export async function ensureControllerAccounts(
  client: ApiClient,
  onError: (source: string, key: ObjectKey, error: unknown) => void,
): Promise<void> {
  for (const name of NAMES) {
    try {
      await client.create(
        resources.serviceaccounts,
        { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: NAMESPACE } },
        { namespace: NAMESPACE },
      );
    } catch (error) {
      if (!isStatus(error, 'AlreadyExists')) onError('controller-accounts', `${NAMESPACE}/${name}`, error);
    }
  }
}
