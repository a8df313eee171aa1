// Admission webhooks: which of them a request is for, and what comes of calling them.
//
// Differs: a webhook isn't called. What its failure policy says of one that can't be reached is done instead, in clear words.
import type { LabelSelectorSpec } from '../../api/selector.ts';
import { runCel } from '../cel/cel.ts';
import type { AccessCheck } from '../cel/library/authorizer.ts';
import { policyScope } from '../cel/policy-scope.ts';
import type { StoredObject } from '../object.ts';
import { internalError } from '../refusals.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts';
import { matches, type ResourceRule } from './matching.ts';
import { variablesOf } from './validating-policy.ts';

const GROUP = 'admissionregistration.k8s.io';

interface WebhookRule extends Omit<ResourceRule, 'resourceNames'> {
  readonly resources?: readonly string[];
}

interface Webhook {
  readonly name: string;
  readonly clientConfig: {
    readonly url?: string;
    readonly service?: {
      readonly namespace: string;
      readonly name: string;
      readonly path?: string;
      readonly port?: number;
    };
  };
  readonly rules?: readonly WebhookRule[];
  readonly failurePolicy?: string;
  readonly namespaceSelector?: LabelSelectorSpec;
  readonly objectSelector?: LabelSelectorSpec;
  readonly matchConditions?: readonly { readonly name: string; readonly expression: string }[];
  readonly timeoutSeconds?: number;
}

function callAll(plural: string, request: AdmissionRequest, check: AccessCheck): void {
  if (request.served.resource.group === GROUP) return; // Else a bad webhook could never be taken away.
  const configurations = request.context.objects.list(plural, GROUP);
  for (const configuration of configurations) {
    const { webhooks = [] } = configuration as StoredObject & { webhooks?: readonly Webhook[] };
    for (const webhook of webhooks) if (isFor(webhook, request, check)) fail(webhook, request);
  }
}

function isFor(webhook: Webhook, request: AdmissionRequest, check: AccessCheck): boolean {
  const { rules = [], namespaceSelector, objectSelector, matchConditions = [] } = webhook;
  const selectors = {
    resourceRules: rules,
    ...(namespaceSelector === undefined ? {} : { namespaceSelector }),
    ...(objectSelector === undefined ? {} : { objectSelector }),
  };
  if (!matches(selectors, request, true)) return false;
  if (matchConditions.length === 0) return true;
  const variables = variablesOf(request, null, check);
  return matchConditions.every(({ expression }) => {
    const compiled = policyScope().compile(expression);
    return !('run' in compiled) || runCel(compiled, variables).value !== false;
  });
}

/** Refuses, or lets pass with a warning where the webhook may fail. */
function fail(webhook: Webhook, { context }: AdmissionRequest): void {
  const { service, url = '' } = webhook.clientConfig;
  const timeout = `timeout=${webhook.timeoutSeconds ?? 10}s`;
  const target =
    service === undefined
      ? `${url}?${timeout}`
      : `https://${service.name}.${service.namespace}.svc:${service.port ?? 443}${service.path ?? ''}?${timeout}`;
  const isMissing =
    service !== undefined &&
    context.objects.get('services', '', service.namespace, service.name) === undefined;
  const why = isMissing
    ? `service ${JSON.stringify(service.name)} not found`
    : "drydock: calling admission webhooks isn't simulated";
  const message = `failed calling webhook ${JSON.stringify(webhook.name)}: failed to call webhook: Post ${JSON.stringify(target)}: ${why}`;
  if (webhook.failurePolicy !== 'Ignore') throw internalError(message);
  if (!isMissing) context.warn(`${message}; the request goes on, as its failurePolicy says`);
}

export const mutatingWebhooks = (check: AccessCheck): AdmissionPlugin => ({
  name: 'MutatingAdmissionWebhook',
  mutate: (request) => callAll('mutatingwebhookconfigurations', request, check),
});

export const validatingWebhooks = (check: AccessCheck): AdmissionPlugin => ({
  name: 'ValidatingAdmissionWebhook',
  validate: (request) => callAll('validatingwebhookconfigurations', request, check),
});
