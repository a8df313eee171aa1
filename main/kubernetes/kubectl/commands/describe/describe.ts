// kubectl describe: objects in words, by name, prefix, selector or file.
import { isStatus } from '../../../api/index.ts';
import { CommandError, throwGathered } from '../../frame/command-error.ts';
import type { Command, Invocation } from '../../frame/command.ts';
import { parseTargets, type AnyObject } from '../../rest/builder.ts';
import { pathOf, type DiscoveredResource } from '../../rest/discovery.ts';
import { inStoredForm } from '../../rest/release.ts';
import { selectObjects, typed, type Selected } from '../../rest/selection.ts';
import { describeAutoscaler } from './autoscaler.ts';
import { describeCertificateRequest } from './certificate.ts';
import {
  describeBinding,
  describeConfigMap,
  describeNamespace,
  describeRole,
  describeSecret,
  describeServiceAccount,
} from './config.ts';
import type { Describer } from './describer.ts';
import { describeBudget, describeQuota } from './policy.ts';
import { describeGeneric } from './generic.ts';
import { describeEndpoints, describeEndpointSlice, describeIngress, describeService } from './network.ts';
import { describeNode } from './node.ts';
import { describePod } from './pod.ts';
import {
  describeCronJob,
  describeDaemonSet,
  describeDeployment,
  describeJob,
  describeReplicaSet,
  describeStatefulSet,
} from './workloads.ts';
import { DescribeWriter } from './writer.ts';

/** By kind and group. */
const DESCRIBERS: Readonly<Record<string, Describer>> = {
  'ResourceQuota.': describeQuota,
  'PodDisruptionBudget.policy': describeBudget,
  'Pod.': describePod,
  'Service.': describeService,
  'Endpoints.': describeEndpoints,
  'EndpointSlice.discovery.k8s.io': describeEndpointSlice,
  'Ingress.networking.k8s.io': describeIngress,
  'Node.': describeNode,
  'Namespace.': describeNamespace,
  'ConfigMap.': describeConfigMap,
  'Secret.': describeSecret,
  'ServiceAccount.': describeServiceAccount,
  'ReplicationController.': describeReplicaSet,
  'Deployment.apps': describeDeployment,
  'ReplicaSet.apps': describeReplicaSet,
  'DaemonSet.apps': describeDaemonSet,
  'StatefulSet.apps': describeStatefulSet,
  'Job.batch': describeJob,
  'CronJob.batch': describeCronJob,
  'HorizontalPodAutoscaler.autoscaling': describeAutoscaler,
  'CertificateSigningRequest.certificates.k8s.io': describeCertificateRequest,
  'Role.rbac.authorization.k8s.io': describeRole,
  'ClusterRole.rbac.authorization.k8s.io': describeRole,
  'RoleBinding.rbac.authorization.k8s.io': describeBinding,
  'ClusterRoleBinding.rbac.authorization.k8s.io': describeBinding,
};

export const describe: Command = { name: 'describe', run: runDescribe };

async function runDescribe(invocation: Invocation): Promise<number> {
  const { kubectl, flags, args } = invocation;
  const hasFiles = flags.list('filename').length > 0 || flags.string('kustomize') !== '';
  if (args.length === 0 && !hasFiles) {
    throw new CommandError(
      'You must specify the type of resource to describe. Use "kubectl api-resources" for a complete list of supported resources.',
    );
  }
  const isList = args.length === 1 && !args[0]!.includes('/');
  const found: Selected[] = [];
  const errors: unknown[] = [];
  try {
    found.push(
      ...(await selectObjects(invocation, {
        args,
        all: isList && flags.string('selector') === '',
        labelSelector: flags.string('selector'),
        allNamespaces: flags.bool('all-namespaces'),
        continueOnError: true,
      })),
    );
  } catch (error) {
    const byPrefix = isStatus(error, 'NotFound') && args.length === 2 ? await withPrefix(invocation) : [];
    if (byPrefix.length === 0) errors.push(error);
    found.push(...byPrefix);
  }
  let isFirst = true;
  for (const { resource, object } of found) {
    const w = new DescribeWriter();
    const stored = inStoredForm(resource, object);
    const own = DESCRIBERS[`${resource.kind}.${stored.group}`];
    const showEvents = flags.bool('show-events');
    if (own === undefined) await describeGeneric({ kubectl, w, object, showEvents });
    else await own({ kubectl, w, object: stored.object, showEvents });
    await kubectl.out(`${isFirst ? '' : '\n\n'}${w.text()}`);
    isFirst = false;
  }
  throwGathered(errors);
  if (found.length === 0) await nothingFound(invocation);
  return 0;
}

/** `describe TYPE PREFIX`. */
async function withPrefix({ kubectl, args }: Invocation): Promise<Selected[]> {
  const [target] = await parseTargets(kubectl, args);
  const { resource, name = '' } = target!;
  const namespace = resource.namespaced ? kubectl.namespace : undefined;
  const { items } = await kubectl.api.json<{ items: AnyObject[] | null }>({
    method: 'GET',
    path: pathOf(resource as DiscoveredResource, namespace),
  });
  return (items ?? [])
    .filter(({ metadata }) => metadata?.name?.startsWith(name) === true)
    .map((item) => ({
      resource,
      namespace: item.metadata?.namespace,
      name: item.metadata?.name ?? '',
      object: typed(resource, item),
      source: undefined,
    }));
}

async function nothingFound({ kubectl, flags, args }: Invocation): Promise<void> {
  const targets = args.length > 0 ? await parseTargets(kubectl, args) : [];
  const isScoped = targets.some(({ resource }) => resource.namespaced) && !flags.bool('all-namespaces');
  await kubectl.err(
    isScoped ? `No resources found in ${kubectl.namespace} namespace.\n` : 'No resources found\n',
  );
}
