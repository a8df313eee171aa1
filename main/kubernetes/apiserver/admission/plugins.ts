// The admission plugins that are on, in upstream's order (pkg/kubeapiserver/options/plugins.go).
import type { AccessCheck } from '../cel/library/authorizer.ts';
import type { AdmissionPlugin } from './admission.ts';
import { certificateApproval, certificateSigning, certificateSubjectRestriction } from './certificates.ts';
import { claimResize } from './claim-resize.ts';
import { defaultStorageClass } from './default-storage-class.ts';
import { limitRanger } from './limit-ranger.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { nodeRestriction } from './node-restriction.ts';
import { runtimeClass, taintNodesByCondition } from './node-plugins.ts';
import { defaultTolerationSeconds, priority } from './pod-plugins.ts';
import { podSecurity } from './pod-security.ts';
import { resourceQuota, type Charge } from './resource-quota.ts';
import { serviceAccount } from './service-account.ts';
import { validatingAdmissionPolicy } from './validating-policy.ts';
import { mutatingWebhooks, validatingWebhooks } from './webhooks.ts';

/** First release with the plugin PodSecurity on (beta). */
const POD_SECURITY_SINCE = 23;

/** Those of a release (a minor version). `charge` writes what a quota's usage has become; `check` answers what expressions ask. */
export function defaultPlugins(minor: number, charge: Charge, check: AccessCheck): AdmissionPlugin[] {
  return [
    namespaceLifecycle,
    limitRanger,
    serviceAccount(minor),
    nodeRestriction,
    taintNodesByCondition,
    ...(minor < POD_SECURITY_SINCE ? [] : [podSecurity]),
    priority,
    defaultTolerationSeconds,
    defaultStorageClass,
    claimResize,
    runtimeClass,
    certificateApproval(check),
    certificateSigning(check),
    certificateSubjectRestriction,
    mutatingWebhooks(check),
    validatingAdmissionPolicy(check),
    validatingWebhooks(check),
    resourceQuota(charge),
  ];
}
