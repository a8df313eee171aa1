// Admission webhooks: which of them a request is for, in which order, and what their answers do to it.
//
// Differs: CONNECT (exec, attach, proxy) isn't reviewed, nor are requests under another version of a rule's resource
// (matchPolicy Equivalent).
import { runCel } from '../cel/cel.ts';
import type { AccessCheck } from '../cel/library/authorizer.ts';
import { policyScope } from '../cel/policy-scope.ts';
import { cloneTree, equalTrees, type ApiObject, type Tree } from '../object.ts';
import { applyJsonPatch } from '../patch/json-patch.ts';
import { badRequest, failure, internalError } from '../refusals.ts';
import { scaleOf } from '../verbs/scale.ts';
import { shape } from '../verbs/shaping.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts';
import { matches } from './matching.ts';
import { variablesOf } from './validating-policy.ts';
import { webhookCall, WebhooksNeeded, type WebhookCall } from './webhook-calls.ts';
import type { ReviewedRequest, Webhook, WebhookAnswer, WebhookConfiguration } from './webhook-types.ts';

const GROUP = 'admissionregistration.k8s.io';
const WITHOUT_SIDE_EFFECTS = ['None', 'NoneOnDryRun'];

interface Found {
  readonly configuration: string;
  readonly webhook: Webhook;
}

/** The webhooks of a kind of configuration that a request is for, in their order. */
function webhooksFor(plural: string, request: AdmissionRequest, check: AccessCheck): Found[] {
  const { served, context } = request;
  // Else a bad webhook could never be taken away.
  if (context.webhookCalls === undefined || served.resource.group === GROUP) return [];
  const found: Found[] = [];
  for (const configuration of context.objects.list(plural, GROUP)) {
    const { metadata, webhooks = [] } = configuration as WebhookConfiguration;
    for (const webhook of webhooks)
      if (isFor(webhook, request, check)) found.push({ configuration: metadata.name, webhook });
  }
  return found;
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

/** What a webhook is told of a request. */
function reviewed({ operation, served, object, old, context }: AdmissionRequest): ReviewedRequest {
  const { group, version, kind, plural } = served.resource;
  const { user, subresource, dryRun, fieldManager } = context;
  const { name = '', namespace = '' } = object?.metadata ?? old?.metadata ?? {};
  const isScale = subresource === 'scale';
  const kinds = isScale ? { group: 'autoscaling', version: 'v1', kind: 'Scale' } : { group, version, kind };
  const resource = { group, version, resource: plural };
  const shown = (state: ApiObject | undefined): unknown =>
    state === undefined
      ? null
      : isScale
        ? scaleOf(state as Parameters<typeof scaleOf>[0], served.kind.custom?.scale)
        : cloneTree(state);
  const optionsKind = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions' }[
    operation
  ];
  return {
    kind: kinds,
    resource,
    ...(subresource === '' ? {} : { subResource: subresource }),
    requestKind: kinds,
    requestResource: resource,
    ...(subresource === '' ? {} : { requestSubResource: subresource }),
    ...(name === '' ? {} : { name }),
    ...(namespace === '' ? {} : { namespace }),
    operation,
    userInfo: {
      username: user.name,
      ...(user.uid === undefined || user.uid === '' ? {} : { uid: user.uid }),
      groups: [...user.groups],
      ...(user.extra === undefined ? {} : { extra: user.extra }),
    },
    object: shown(object),
    oldObject: shown(old),
    dryRun,
    options: {
      kind: optionsKind,
      apiVersion: 'meta.k8s.io/v1',
      ...(dryRun ? { dryRun: ['All'] } : {}),
      ...(fieldManager === '' || operation === 'DELETE' ? {} : { fieldManager }),
    },
  };
}

/** The call for a webhook. Throws 400 for a dry run that it can't be part of. */
function callOf(
  { configuration, webhook }: Found,
  isMutating: boolean,
  request: AdmissionRequest,
): WebhookCall {
  if (request.context.dryRun && !WITHOUT_SIDE_EFFECTS.includes(webhook.sideEffects ?? ''))
    throw badRequest(`admission webhook ${JSON.stringify(webhook.name)} does not support dry run`);
  return webhookCall(configuration, webhook, isMutating, reviewed(request));
}

/** Goes by an answer: refuses, warns, or gives the patch to apply. */
function obey(webhook: Webhook, answer: WebhookAnswer, { context }: AdmissionRequest): unknown {
  if ('failure' in answer) {
    if (webhook.failurePolicy === 'Ignore') return undefined;
    throw internalError(`failed calling webhook ${JSON.stringify(webhook.name)}: ${answer.failure}`);
  }
  for (const warning of answer.warnings) context.warn(warning);
  if (!answer.allowed) throw denied(webhook.name, answer.status ?? {});
  return answer.patch;
}

/** The refusal in the webhook's words (webhook/errors/statuserror.go, ToStatusErr). */
function denied(
  name: string,
  { code = 0, reason = '', message = '' }: { code?: number; reason?: string; message?: string },
): Error {
  const by = `admission webhook ${JSON.stringify(name)} denied the request`;
  const why = message !== '' ? `: ${message}` : reason !== '' ? `: ${reason}` : ' without explanation';
  return failure(code < 400 ? 400 : code, reason, by + why);
}

/** Asks the mutating webhooks one after the other; those that want it once more, if a later one changed the object. */
function mutateAll(request: AdmissionRequest, check: AccessCheck): void {
  const found = webhooksFor('mutatingwebhookconfigurations', request, check);
  if (found.length === 0) return;
  const invoke = (each: Found): void => {
    const call = callOf(each, true, request);
    const answer = request.context.webhookCalls!.answerTo(call);
    if (answer === undefined) throw new WebhooksNeeded([call]);
    const patch = obey(each.webhook, answer, request);
    if (patch !== undefined) patchObject(each.webhook, request, patch);
  };
  const seen = new Map<Found, unknown>();
  for (const each of found) {
    invoke(each);
    if (each.webhook.reinvocationPolicy === 'IfNeeded') seen.set(each, cloneTree(request.object));
  }
  for (const [each, state] of seen) if (!equalTrees(state, request.object)) invoke(each);
}

/** Applies a webhook's patch to the object in place, defaults of what it added included. Throws 500. */
function patchObject({ name }: Webhook, { served, object, context }: AdmissionRequest, patch: unknown): void {
  const failing = (why: string): Error =>
    internalError(`failed calling webhook ${JSON.stringify(name)}: ${why}`);
  if (object === undefined) return;
  if (context.subresource === 'scale')
    throw failing("drydock: patches of the scale subresource by webhooks aren't simulated");
  let patched: unknown;
  try {
    patched = applyJsonPatch(object, patch);
  } catch (error) {
    throw failing((error as Error).message);
  }
  const { object: shaped, error } = shape(served, patched as Tree);
  if (error !== undefined) throw internalError(error);
  for (const field of Object.keys(object)) delete object[field];
  Object.assign(object, shaped);
}

/** Asks all validating webhooks at once. */
function validateAll(request: AdmissionRequest, check: AccessCheck): void {
  const found = webhooksFor('validatingwebhookconfigurations', request, check);
  const calls = found.map((each) => callOf(each, false, request));
  const missing = calls.filter((call) => request.context.webhookCalls!.answerTo(call) === undefined);
  if (missing.length > 0) throw new WebhooksNeeded(missing);
  for (const call of calls) obey(call.webhook, request.context.webhookCalls!.answerTo(call)!, request);
}

export const mutatingWebhooks = (check: AccessCheck): AdmissionPlugin => ({
  name: 'MutatingAdmissionWebhook',
  mutate: (request) => mutateAll(request, check),
});

export const validatingWebhooks = (check: AccessCheck): AdmissionPlugin => ({
  name: 'ValidatingAdmissionWebhook',
  validate: (request) => validateAll(request, check),
});
