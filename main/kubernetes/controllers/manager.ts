// The controller manager: all controllers over one set of shared informers, what kube-controller-manager runs.
import type { Identity } from '../../network/tls/index.ts';
import { disposable, type Clock, type Random } from '../../simulation/index.ts';
import type { ObjectKey } from '../api/index.ts';
import { makeInformerFactory, runWhileLeading, type ApiClient } from '../client/index.ts';
import { makeAdmissionPolicyStatusController } from './admission-policy-status.ts';
import { makeHorizontalPodAutoscalerController } from './autoscaling/horizontal-pod-autoscaler.ts';
import { makeCertificateApprover } from './certificates/approver.ts';
import { makeCertificateCleaner } from './certificates/cleaner.ts';
import { makeCertificateSigner } from './certificates/signer.ts';
import { makeBootstrapSigner, makeTokenCleaner } from './bootstrap-tokens.ts';
import { makeClusterRoleAggregationController } from './cluster-role-aggregation.ts';
import type { Controller, ControllerContext } from './controller.ts';
import { ensureControllerAccounts } from './controller-accounts.ts';
import { makeDaemonSetController } from './daemon-set/daemon-set.ts';
import { makeDeploymentController } from './deployment/deployment.ts';
import { makeDisruptionController } from './disruption.ts';
import { makeEndpointSliceMirroringController } from './endpoint-slice-mirroring.ts';
import { makeEndpointSliceController } from './endpoint-slice.ts';
import { makeEndpointsController } from './endpoints.ts';
import { makeGarbageCollector } from './garbage-collector.ts';
import { makeCronJobController } from './job/cron-job.ts';
import { makeJobController } from './job/job.ts';
import { makeTtlAfterFinishedController } from './job/ttl-after-finished.ts';
import { makeNamespaceController } from './namespace.ts';
import { makeNodeIpamController } from './node-ipam.ts';
import { makeNodeLifecycleController } from './node-lifecycle.ts';
import { makePodGarbageCollector } from './pod-gc.ts';
import { makeReplicaSetController, makeReplicationController } from './replica-set.ts';
import { makeResourceQuotaController } from './resource-quota.ts';
import {
  makeServiceAccountTokensController,
  type ServiceAccountTokensOptions,
} from './service-account-tokens.ts';
import { makeRootCaPublisher, makeServiceAccountController } from './service-account.ts';
import { makeStatefulSetController } from './stateful-set/stateful-set.ts';
import { makeTaintEvictionController } from './taint-eviction.ts';
import { makeTtlController } from './ttl.ts';
import { makeEphemeralVolumeController } from './volume/ephemeral-volume.ts';
import { makeExpandController } from './volume/expand.ts';
import { makePersistentVolumeController } from './volume/persistent-volume.ts';
import { makeClaimProtectionController, makeVolumeProtectionController } from './volume/protection.ts';

export interface ControllerManagerOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly random: Random;
  /** Kubernetes' minor version: some wordings changed with it. */
  readonly minorVersion?: number;
  /** The pods' network, such as `10.244.0.0/16`; absent: nodes get no part of it (--allocate-node-cidrs=false). */
  readonly clusterCidr?: string;
  /** The cluster's root certificate in PEM; absent: it isn't published. */
  readonly rootCa?: string;
  /** How tokens in Secrets are made; absent: they aren't. */
  readonly secretTokens?: Pick<ServiceAccountTokensOptions, 'sign' | 'forEveryAccount'>;
  /** The cluster's authority with its key (--cluster-signing-cert-file); absent: no certificates are signed. */
  readonly signingAuthority?: Identity;
  /** As `--controllers`: `*` for all, a name to add, `-name` to leave out. Default: all. */
  readonly controllers?: readonly string[];
  /** The host's name: the manager then takes part in leader election (--leader-elect) and runs only while it leads. */
  readonly leaderElectOn?: string;
  /** Told of what a sync threw (the key is retried by itself), and of failed lists and watches. */
  readonly onError?: (source: string, key: ObjectKey, error: unknown) => void;
}

/** kube-controller-manager as a loop: start it, and dispose what `start` gave to stop it. It can be started again. */
export interface ControllerManager {
  /** The names of the controllers it runs. */
  readonly controllers: readonly string[];
  start(): Disposable;
}

/** Makes the controller manager. */
export function makeControllerManager(options: ControllerManagerOptions): ControllerManager {
  const names = chosen(makeAll(contextOf(options), options), options.controllers).map(({ name }) => name);
  return {
    controllers: names,
    start() {
      const { client, clock, random, leaderElectOn: electOn } = options;
      return runWhileLeading({ client, clock, random, name: 'kube-controller-manager', electOn, lead: run });
    },
  };

  function run(): Disposable {
    // A fresh context per run: informers of a stopped manager must not be read again.
    const context = contextOf(options);
    const running = chosen(makeAll(context, options), options.controllers).map((controller) =>
      controller.start(),
    );
    const informing = context.informers.start();
    void ensureControllerAccounts(options.client, context.onError);
    return disposable(() => {
      for (const run of running) run[Symbol.dispose]();
      informing[Symbol.dispose]();
    });
  }
}

function contextOf({
  client,
  clock,
  random,
  minorVersion: minor = 36,
  onError = () => undefined,
}: ControllerManagerOptions): ControllerContext {
  const informers = makeInformerFactory(client, clock, {
    onError: (error) => onError('informer', '', error),
  });
  return { client, clock, random: random.fork('kube-controller-manager'), informers, minor, onError };
}

function makeAll(
  context: ControllerContext,
  { clusterCidr, rootCa, secretTokens, signingAuthority }: ControllerManagerOptions,
): Controller[] {
  return [
    makeNamespaceController(context),
    makeServiceAccountController(context),
    ...(rootCa === undefined ? [] : [makeRootCaPublisher(context, rootCa)]),
    ...(secretTokens === undefined || rootCa === undefined
      ? []
      : [makeServiceAccountTokensController(context, { rootCa, ...secretTokens })]),
    ...(clusterCidr === undefined ? [] : [makeNodeIpamController(context, clusterCidr)]),
    ...(signingAuthority === undefined ? [] : [makeCertificateSigner(context, signingAuthority)]),
    makeCertificateApprover(context),
    makeCertificateCleaner(context),
    makeBootstrapSigner(context),
    makeTokenCleaner(context),
    makeClusterRoleAggregationController(context),
    makeNodeLifecycleController(context),
    makeTaintEvictionController(context),
    makeTtlController(context),
    makeAdmissionPolicyStatusController(context),
    makeDeploymentController(context),
    makeReplicaSetController(context),
    makeReplicationController(context),
    makeDaemonSetController(context),
    makeStatefulSetController(context),
    makeJobController(context),
    makeCronJobController(context),
    makeTtlAfterFinishedController(context),
    makeHorizontalPodAutoscalerController(context),
    makeEndpointsController(context),
    makeEndpointSliceController(context),
    makeEndpointSliceMirroringController(context),
    makeDisruptionController(context),
    makeResourceQuotaController(context),
    makePersistentVolumeController(context),
    makeClaimProtectionController(context),
    makeVolumeProtectionController(context),
    makeEphemeralVolumeController(context),
    makeExpandController(context),
    makePodGarbageCollector(context),
    makeGarbageCollector(context),
  ];
}

function chosen(controllers: readonly Controller[], names: readonly string[] = ['*']): Controller[] {
  return controllers.filter(({ name }) => {
    if (names.includes(`-${name}`)) return false;
    return names.includes(name) || names.includes('*');
  });
}
