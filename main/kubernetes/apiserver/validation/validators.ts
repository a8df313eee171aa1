// Every built-in kind's validator, by plural. One file per group or kind; each exports a map that is joined here.
import { autoscalingValidators } from './autoscaling.ts';
import { certificateValidators } from './certificates.ts';
import { claimValidators } from './claims.ts';
import { clusterValidators } from './cluster.ts';
import { configValidators } from './config.ts';
import { endpointValidators } from './endpoints.ts';
import { flowControlValidators } from './flow-control.ts';
import { ingressValidators } from './ingress.ts';
import { jobValidators } from './jobs.ts';
import { networkPolicyValidators } from './network-policy.ts';
import { podValidators } from './pods.ts';
import { policyValidators } from './policies.ts';
import { quotaValidators } from './quotas.ts';
import { rbacValidators } from './rbac.ts';
import { serviceValidators } from './services.ts';
import { storageValidators } from './storage.ts';
import type { Validator } from './validator.ts';
import { volumeValidators } from './volumes.ts';
import { webhookValidators } from './webhooks.ts';
import { workloadValidators } from './workloads.ts';

export const validators: Readonly<Record<string, Validator>> = {
  ...podValidators,
  ...serviceValidators,
  ...workloadValidators,
  ...jobValidators,
  ...configValidators,
  ...claimValidators,
  ...volumeValidators,
  ...storageValidators,
  ...endpointValidators,
  ...ingressValidators,
  ...networkPolicyValidators,
  ...autoscalingValidators,
  ...quotaValidators,
  ...clusterValidators,
  ...rbacValidators,
  ...certificateValidators,
  ...webhookValidators,
  ...policyValidators,
  ...flowControlValidators,
};
