// ServiceAccount: pods run as an account that exists, and get its token mounted (plugin/pkg/admission/serviceaccount).
import { NAME_ALPHABET } from '../../../simulation/index.ts';
import type { Container, Pod, ServiceAccount, Volume } from '../../api/types.ts';
import type { ApiObject } from '../object.ts';
import type { ObjectReader } from '../kinds/kind.ts';
import { failure, forbidden } from '../refusals.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts';

const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const VOLUME_PREFIX = 'kube-api-access-';
/** A pod's token lives this long and is renewed before; 7 s more than the hour that clients ask for themselves. */
const TOKEN_SECONDS = 3607;

/** First release whose pods get tokens made for them (BoundServiceAccountTokenVolume); others mount a Secret. */
const BOUND_TOKENS_SINCE = 21;
const TOKEN_TYPE = 'kubernetes.io/service-account-token';

/** The plugin as a release (a minor version) has it. */
export function serviceAccount(minor: number): AdmissionPlugin {
  return {
    name: 'ServiceAccount',
    mutate: (request) => admitPod(request, minor < BOUND_TOKENS_SINCE),
  };
}

function admitPod({ operation, served, object, context }: AdmissionRequest, fromSecret: boolean): void {
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
    if (fromSecret) mountSecret(pod, tokenSecretOf(account, context.objects));
    else mountToken(pod, () => context.random.string(5, NAME_ALPHABET));
  }
}

/** The account's Secret with a token. Throws 500 while it has none. */
function tokenSecretOf({ metadata, secrets }: ServiceAccount, objects: ObjectReader): string {
  for (const { name = '' } of secrets ?? []) {
    const secret = objects.get('secrets', '', metadata?.namespace ?? '', name);
    if (secret?.['type'] === TOKEN_TYPE) return name;
  }
  throw failure(
    500,
    'ServerTimeout',
    `No API token found for service account ${JSON.stringify(metadata?.name)}, retry after the token is automatically created and added to the service account`,
    { kind: 'serviceaccounts', retryAfterSeconds: 1 },
  );
}

function mountSecret(pod: Pod, secretName: string): void {
  const spec = pod.spec!;
  const present = (spec.volumes ?? []).find(({ secret }) => secret?.secretName === secretName);
  const name = present?.name ?? secretName;
  if (mountIn(spec, name) && present === undefined)
    (spec.volumes ??= []).push({ name, secret: { secretName, defaultMode: 0o644 } });
}

function mountToken(pod: Pod, suffix: () => string): void {
  const spec = pod.spec!;
  const present = (spec.volumes ?? []).find(({ name }) => name.startsWith(VOLUME_PREFIX));
  const name = present?.name ?? VOLUME_PREFIX + suffix();
  if (mountIn(spec, name) && present === undefined) (spec.volumes ??= []).push(tokenVolume(name));
}

/** Mounts the volume in every container that has nothing in its place; says whether there was one. */
function mountIn(spec: NonNullable<Pod['spec']>, name: string): boolean {
  let mounted = false;
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])] as Container[]) {
    if ((container.volumeMounts ?? []).some(({ mountPath }) => mountPath === MOUNT_PATH)) continue;
    (container.volumeMounts ??= []).push({ name, readOnly: true, mountPath: MOUNT_PATH });
    mounted = true;
  }
  return mounted;
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
