// Defaults of admission policies, their bindings and webhook configurations (pkg/apis/admissionregistration/v1/defaults.go).
import type { KubernetesObject } from '../../api/meta.ts';

function admissionPolicies(policy: KubernetesObject & { spec?: Record<string, unknown> }): void {
  const { spec } = policy;
  if (spec === undefined) return;
  spec['failurePolicy'] ??= 'Fail';
  defaultMatch(spec['matchConstraints'] as Record<string, unknown> | undefined);
}

function defaultMatch(constraints: Record<string, unknown> | undefined): void {
  if (constraints === undefined) return;
  constraints['namespaceSelector'] ??= {};
  constraints['objectSelector'] ??= {};
  constraints['matchPolicy'] ??= 'Equivalent';
  for (const rule of (constraints['resourceRules'] ?? []) as { scope?: string }[]) rule.scope ??= '*';
}

function admissionBindings({ spec }: KubernetesObject & { spec?: Record<string, unknown> }): void {
  defaultMatch(spec?.['matchResources'] as Record<string, unknown> | undefined);
}

interface Webhook extends Record<string, unknown> {
  clientConfig?: { service?: { port?: number } };
  rules?: { scope?: string }[];
}

function webhooks(configuration: KubernetesObject & { webhooks?: Webhook[] }): void {
  for (const webhook of configuration.webhooks ?? []) {
    webhook['failurePolicy'] ??= 'Fail';
    webhook['matchPolicy'] ??= 'Equivalent';
    webhook['namespaceSelector'] ??= {};
    webhook['objectSelector'] ??= {};
    webhook['timeoutSeconds'] ??= 10;
    if (webhook.clientConfig?.service !== undefined) webhook.clientConfig.service.port ??= 443;
    for (const rule of webhook.rules ?? []) rule.scope ??= '*';
  }
}

function mutatingWebhooks(configuration: KubernetesObject & { webhooks?: Webhook[] }): void {
  webhooks(configuration);
  for (const webhook of configuration.webhooks ?? []) webhook['reinvocationPolicy'] ??= 'Never';
}

/** By plural, as in defaults.ts. */
export const admissionDefaults = {
  validatingadmissionpolicies: admissionPolicies,
  validatingadmissionpolicybindings: admissionBindings,
  mutatingadmissionpolicies: admissionPolicies,
  mutatingadmissionpolicybindings: admissionBindings,
  validatingwebhookconfigurations: webhooks,
  mutatingwebhookconfigurations: mutatingWebhooks,
};
