// Warnings about what is accepted but unwise (pkg/api/*/warnings.go, pkg/registry/*/strategy.go WarningsOnCreate).
import type {
  Deployment,
  Ingress,
  PersistentVolume,
  Pod,
  PodTemplateSpec,
  Secret,
  Service,
} from '../../api/types.ts';
import type { Kind } from '../kinds/kind.ts';
import { hostLabelProblems } from '../kinds/names.ts';
import { equalTrees, type ApiObject, type StoredObject } from '../object.ts';
import { podWarnings } from './pod-warnings.ts';

function serviceWarnings({ spec }: Service): string[] {
  const warnings: string[] = [];
  const isHeadless = spec?.clusterIP === 'None';
  if (isHeadless && (spec.loadBalancerIP ?? '') !== '')
    warnings.push('spec.loadBalancerIP is ignored for headless services');
  if (isHeadless && spec.sessionAffinity === 'ClientIP')
    warnings.push('spec.SessionAffinity is ignored for headless services');
  if ((spec?.externalIPs ?? []).length > 0) {
    warnings.push(
      spec?.type === 'ExternalName'
        ? 'spec.externalIPs is ignored when spec.type is "ExternalName"'
        : 'spec.externalIPs is deprecated and may no longer be implemented in some clusters',
    );
  }
  if (spec?.trafficDistribution === 'PreferClose')
    warnings.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"');
  return warnings;
}

/** The types of the PEM blocks in a text. */
function pemTypes(encoded: string | undefined): string[] {
  const text = Buffer.from(encoded ?? '', 'base64').toString('utf8');
  return [...text.matchAll(/-----BEGIN ([^-\n]+)-----[\s\S]*?-----END \1-----/g)].map(
    ([, type = '']) => type,
  );
}

/** What crypto/tls says of a pair that it can't load. Differs: whether the two belong together isn't looked at. */
function secretWarnings({ type, data }: Secret): string[] {
  if (type !== 'kubernetes.io/tls') return [];
  const certificate = pemTypes(data?.['tls.crt']);
  if (certificate.length === 0) return ['tls: failed to find any PEM data in certificate input'];
  if (!certificate.includes('CERTIFICATE'))
    return [
      certificate.length === 1 && certificate[0]!.endsWith('PRIVATE KEY')
        ? 'tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched'
        : `tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: [${certificate.join(' ')}]`,
    ];
  const key = pemTypes(data?.['tls.key']);
  if (key.length === 0) return ['tls: failed to find any PEM data in key input'];
  if (key.some((each) => each === 'PRIVATE KEY' || each.endsWith(' PRIVATE KEY'))) return [];
  return [
    key.length === 1 && key[0] === 'CERTIFICATE'
      ? 'tls: found a certificate rather than a key in the PEM for the private key'
      : `tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: [${key.join(' ')}]`,
  ];
}

function ingressWarnings({ metadata }: Ingress): string[] {
  return metadata?.annotations?.['kubernetes.io/ingress.class'] === undefined
    ? []
    : [
        'annotation "kubernetes.io/ingress.class" is deprecated, please use \'spec.ingressClassName\' instead',
      ];
}

/** Kinds of volume that are on their way out, or out. */
const OLD_VOLUMES: Readonly<Record<string, string>> = {
  cephfs: 'deprecated in v1.28, non-functional in v1.31+',
  photonPersistentDisk: 'deprecated in v1.11, non-functional in v1.16+',
  scaleIO: 'deprecated in v1.16, non-functional in v1.22+',
  storageos: 'deprecated in v1.22, non-functional in v1.25+',
  glusterfs: 'deprecated in v1.25, non-functional in v1.26+',
  rbd: 'deprecated in v1.28, non-functional in v1.31+',
};

function volumeWarnings({ spec }: PersistentVolume): string[] {
  const warnings = Object.entries(OLD_VOLUMES)
    .filter(([kind]) => (spec as Record<string, unknown> | undefined)?.[kind] !== undefined)
    .map(([kind, why]) => `spec.${kind}: ${why}`);
  if (spec?.persistentVolumeReclaimPolicy === 'Recycle')
    warnings.push(
      'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
    );
  return warnings;
}

/** Names that become host names had better be labels. */
function nameWarnings(object: ApiObject, use: string): string[] {
  const problems = hostLabelProblems(object.metadata?.name ?? '');
  return problems.length === 0
    ? []
    : [
        `metadata.name: this is used in ${use}, which can result in surprising behavior; a DNS label is recommended: [${problems.join(' ')}]`,
      ];
}

function templateWarnings(object: ApiObject): string[] {
  const template = (object as Deployment).spec?.template as PodTemplateSpec | undefined;
  return podWarnings(template?.spec, template?.metadata, 'spec.template');
}

/** Kinds that are kept and shown here, but that nothing acts on, with what doesn't happen. */
const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  mutatingadmissionpolicies: 'changing objects by a MutatingAdmissionPolicy',
  mutatingadmissionpolicybindings: 'changing objects by a MutatingAdmissionPolicy',
  resourceclaims: 'allocating devices to a ResourceClaim',
  resourceclaimtemplates: 'making ResourceClaims from a template',
  deviceclasses: 'allocating devices by a DeviceClass',
  resourceslices: 'offering devices by a ResourceSlice',
};

type Warn = (object: ApiObject, old: StoredObject | undefined) => string[];

const whole: Readonly<Record<string, { readonly part: string; readonly warn: Warn }>> = {
  pods: {
    part: 'spec',
    warn: (object, old) => [
      ...(old === undefined ? nameWarnings(object, "the Pod's hostname") : []),
      ...podWarnings((object as Pod).spec, object.metadata, ''),
    ],
  },
  podtemplates: {
    part: 'template',
    warn: (object) => {
      const template = object['template'] as PodTemplateSpec | undefined;
      return podWarnings(template?.spec, template?.metadata, 'template');
    },
  },
  services: { part: 'spec', warn: (object) => serviceWarnings(object as Service) },
  secrets: { part: 'data', warn: (object) => secretWarnings(object as Secret) },
  ingresses: {
    part: 'metadata',
    warn: (object, old) => (old === undefined ? ingressWarnings(object as Ingress) : []),
  },
  persistentvolumes: { part: 'spec', warn: (object) => volumeWarnings(object as PersistentVolume) },
  ...Object.fromEntries(
    Object.entries(WITHOUT_EFFECT).map(([plural, what]) => [
      plural,
      { part: 'spec', warn: () => [`drydock: ${what} isn't simulated`] },
    ]),
  ),
  ...Object.fromEntries(
    ['deployments', 'replicasets', 'daemonsets', 'statefulsets', 'jobs', 'replicationcontrollers'].map(
      (plural) => [
        plural,
        {
          part: 'spec',
          warn: (object: ApiObject, old: StoredObject | undefined) => [
            ...(old === undefined && plural !== 'daemonsets' && plural !== 'replicationcontrollers'
              ? nameWarnings(object, 'Pod names and hostnames')
              : []),
            ...templateWarnings(object),
          ],
        },
      ],
    ),
  ),
};

/** The function that finds a kind's warnings; an update that leaves the part in question alone gets none. */
export function warningsOf(plural: string): Kind['warnings'] {
  const known = whole[plural];
  if (known === undefined) return undefined;
  const { part, warn } = known;
  return (object, old) => (old !== undefined && equalTrees(object[part], old[part]) ? [] : warn(object, old));
}
