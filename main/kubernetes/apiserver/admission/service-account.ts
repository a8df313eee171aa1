// ServiceAccount: pods run as an account that exists, and get its token mounted (plugin/pkg/admission/serviceaccount).
import { NAME_ALPHABET } from '../../../simulation/index.ts';
import type { Container, Pod, ServiceAccount, Volume } from '../../api/types.ts';
import type { ApiObject } from '../object.ts';
import { forbidden } from '../refusals.ts';
import type { AdmissionPlugin } from './admission.ts';

const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const VOLUME_PREFIX = 'kube-api-access-';
/** A pod's token lives this long and is renewed before; 7 s more than the hour that clients ask for themselves. */
const TOKEN_SECONDS = 3607;

export const serviceAccount: AdmissionPlugin = {
  name: 'ServiceAccount',
  mutate({ operation, served, object, context }) {
    if (operation !== 'CREATE' || served.resource.plural !== 'pods' || served.resource.group !== '') return;
    const pod = object as Pod & ApiObject;
    const { spec } = pod;
    if (spec === undefined) return;
    if (pod.metadata?.annotations?.['kubernetes.io/config.mirror'] !== undefined) return; // Mirror pods have no account.
    spec.serviceAccountName ??= 'default';
    spec.serviceAccount = spec.serviceAccountName;
    const { namespace = '', name = '' } = pod.metadata ?? {};
    const account = context.objects.get('serviceaccounts', '', namespace, spec.serviceAccountName) as
      | ServiceAccount
      | undefined;
    if (account === undefined) {
      // A namespace's default account is made by a controller a moment after the namespace; bootstrap pods may be first.
      throw forbidden(
        served.resource,
        name,
        `error looking up service account ${namespace}/${spec.serviceAccountName}: serviceaccount ${JSON.stringify(spec.serviceAccountName)} not found`,
      );
    }
    if ((spec.imagePullSecrets?.length ?? 0) === 0 && account.imagePullSecrets !== undefined) {
      spec.imagePullSecrets = account.imagePullSecrets.map((secret) => ({ ...secret }));
    }
    if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) {
      mountToken(pod, () => context.random.string(5, NAME_ALPHABET));
    }
  },
};

function mountToken(pod: Pod, suffix: () => string): void {
  const spec = pod.spec!;
  const present = (spec.volumes ?? []).find(({ name }) => name.startsWith(VOLUME_PREFIX));
  const name = present?.name ?? VOLUME_PREFIX + suffix();
  let mounted = false;
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])] as Container[]) {
    if ((container.volumeMounts ?? []).some(({ mountPath }) => mountPath === MOUNT_PATH)) continue;
    (container.volumeMounts ??= []).push({ name, readOnly: true, mountPath: MOUNT_PATH });
    mounted = true;
  }
  if (mounted && present === undefined) (spec.volumes ??= []).push(tokenVolume(name));
}

function tokenVolume(name: string): Volume {
  return {
    name,
    projected: {
      sources: [
        { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
          },
        },
      ],
      defaultMode: 0o644,
    },
  };
}
