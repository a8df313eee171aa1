// The subcommands of create.
import type { Command } from '../../frame/command.ts';
import { createConfigMap } from './configmap.ts';
import { createDeployment } from './deployment.ts';
import { createIngress } from './ingress.ts';
import { createCronJob, createJob } from './job.ts';
import { createClusterRole, createClusterRoleBinding, createRole, createRoleBinding } from './rbac.ts';
import { createSecret } from './secret.ts';
import { createService } from './service.ts';
import {
  createNamespace,
  createPodDisruptionBudget,
  createPriorityClass,
  createQuota,
  createServiceAccount,
} from './simple.ts';
import { createToken } from './token.ts';

export const generators: readonly Command[] = [
  createClusterRole,
  createClusterRoleBinding,
  createConfigMap,
  createCronJob,
  createDeployment,
  createIngress,
  createJob,
  createNamespace,
  createPodDisruptionBudget,
  createPriorityClass,
  createQuota,
  createRole,
  createRoleBinding,
  createSecret,
  createService,
  createServiceAccount,
  createToken,
];
