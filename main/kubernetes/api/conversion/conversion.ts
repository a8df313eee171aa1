// Which conversion each version has that isn't the stored one. Versions that differ in nothing have none of their own.
import type { Resource } from '../meta.ts';
import { autoscalerV1, autoscalerV2beta1 } from './autoscaler.ts';
import { customResourceDefinition } from './custom-resource-definition.ts';
import { disruptionBudget } from './disruption.ts';
import { endpointSlice } from './endpoint-slice.ts';
import { event } from './event.ts';
import { ingress } from './ingress.ts';
import { isTree, listAt, treeAt, type Conversion, type Tree } from './tree.ts';
import {
  deploymentV1beta1,
  extensionsDaemonSet,
  extensionsDeployment,
  extensionsReplicaSet,
  statefulSetV1beta1,
} from './workloads.ts';

const same = (object: Tree): Tree => object;
const identity: Conversion = { toStored: same, fromStored: same };

/** Defaults of the versions whose fields are those of the stored one. */
function withDefaults(defaults: (object: Tree) => void): Conversion {
  return { ...identity, defaults };
}

/** certificates.k8s.io/v1beta1 finds the signer by what is asked for (pkg/apis/certificates/v1beta1/defaults.go). */
const signingRequest = withDefaults((object) => {
  const { spec } = object;
  if (isTree(spec)) spec['signerName'] ??= 'kubernetes.io/legacy-unknown';
});

const webhooks = withDefaults((object) => {
  for (const webhook of listAt(object, 'webhooks')) {
    webhook['failurePolicy'] ??= 'Ignore';
    webhook['matchPolicy'] ??= 'Exact';
    webhook['sideEffects'] ??= 'Unknown';
    webhook['timeoutSeconds'] ??= 30;
    webhook['admissionReviewVersions'] ??= ['v1beta1'];
    const service = treeAt(treeAt(webhook, 'clientConfig'), 'service');
    if (service['name'] !== undefined) service['port'] ??= 443;
  }
});

const CONVERSIONS: Readonly<Record<string, Conversion>> = {
  'admissionregistration.k8s.io/v1beta1 MutatingWebhookConfiguration': webhooks,
  'admissionregistration.k8s.io/v1beta1 ValidatingWebhookConfiguration': webhooks,
  'apiextensions.k8s.io/v1beta1 CustomResourceDefinition': customResourceDefinition,
  'apps/v1beta1 Deployment': deploymentV1beta1,
  'apps/v1beta1 StatefulSet': statefulSetV1beta1,
  'autoscaling/v1 HorizontalPodAutoscaler': autoscalerV1,
  'autoscaling/v2beta1 HorizontalPodAutoscaler': autoscalerV2beta1,
  'certificates.k8s.io/v1beta1 CertificateSigningRequest': signingRequest,
  'discovery.k8s.io/v1beta1 EndpointSlice': endpointSlice,
  'events.k8s.io/v1 Event': event,
  'events.k8s.io/v1beta1 Event': event,
  'extensions/v1beta1 DaemonSet': extensionsDaemonSet,
  'extensions/v1beta1 Deployment': extensionsDeployment,
  'extensions/v1beta1 Ingress': ingress,
  'extensions/v1beta1 ReplicaSet': extensionsReplicaSet,
  'networking.k8s.io/v1beta1 Ingress': ingress,
  'policy/v1beta1 PodDisruptionBudget': disruptionBudget,
};

/** How a version of a kind maps to the stored one. */
export function conversionOf({
  group,
  version,
  kind,
}: Pick<Resource, 'group' | 'version' | 'kind'>): Conversion {
  return CONVERSIONS[`${group}/${version} ${kind}`] ?? identity;
}
