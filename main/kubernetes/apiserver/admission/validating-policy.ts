// ValidatingAdmissionPolicy: rules in CEL that cluster administrators write (KEP-3488).
import { labelSelectorOf, type LabelSelectorSpec } from '../../api/selector.ts';
import { EvaluationError } from '@marcbachmann/cel-js';
import { runCel, type CelScope } from '../cel/cel.ts';
import { CelAuthorizer, type AccessCheck } from '../cel/library/authorizer.ts';
import { policyScope } from '../cel/policy-scope.ts';
import { celValue } from '../cel/schema-types.ts';
import type { Resource } from '../../api/meta.ts';
import type { ObjectReader } from '../kinds/kind.ts';
import type { StoredObject } from '../object.ts';
import { failure, qualified } from '../refusals.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts';
import { matches, type MatchResources } from './matching.ts';

const GROUP = 'admissionregistration.k8s.io';
const CODES: Readonly<Record<string, number>> = {
  Unauthorized: 401,
  Forbidden: 403,
  RequestEntityTooLarge: 413,
  Invalid: 422,
};

interface Validation {
  readonly expression: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
}

interface PolicySpec {
  readonly failurePolicy?: string;
  readonly paramKind?: { readonly apiVersion?: string; readonly kind?: string };
  readonly auditAnnotations?: readonly { readonly key: string; readonly valueExpression: string }[];
  readonly matchConstraints?: MatchResources;
  readonly matchConditions?: readonly { readonly name: string; readonly expression: string }[];
  readonly variables?: readonly { readonly name: string; readonly expression: string }[];
  readonly validations?: readonly Validation[];
}

interface BindingSpec {
  readonly policyName: string;
  readonly validationActions?: readonly string[];
  readonly matchResources?: MatchResources;
  readonly paramRef?: ParamRef;
}

interface ParamRef {
  readonly name?: string;
  readonly namespace?: string;
  readonly selector?: LabelSelectorSpec;
  readonly parameterNotFoundAction?: string;
}

type Variables = Record<string, unknown>;

/** A validation that failed, and which policy and binding it is of. */
interface Failure {
  readonly reason: string;
  readonly names: string;
  readonly message: string;
}

/** Makes the plugin; `check` answers what expressions ask of the authorizer. */
export const validatingAdmissionPolicy = (check: AccessCheck): AdmissionPlugin => ({
  name: 'ValidatingAdmissionPolicy',
  validate(request) {
    const { objects } = request.context;
    const bindings = objects.list('validatingadmissionpolicybindings', GROUP);
    if (bindings.length === 0 || request.served.resource.group === GROUP) return;
    const denials: Failure[] = [];
    for (const binding of bindings) {
      const spec = binding['spec'] as BindingSpec;
      const policy = objects.get('validatingadmissionpolicies', GROUP, '', spec.policyName);
      if (policy === undefined) continue;
      const policySpec = policy['spec'] as PolicySpec;
      if (!matches(policySpec.matchConstraints, request, true)) continue;
      if (!matches(spec.matchResources, request, false)) continue;
      const names = `'${policy.metadata.name}' with binding '${binding.metadata.name}'`;
      denials.push(...new Judgement(request, policySpec, spec, names, check).denials());
    }
    // All are judged and warned of; the first denial is the answer.
    const [first] = denials;
    if (first !== undefined) throw denied(request, first);
  },
});

/** One policy, as one binding applies it to one request. */
class Judgement {
  private readonly request: AdmissionRequest;
  private readonly policy: PolicySpec;
  private readonly binding: BindingSpec;
  private readonly names: string;
  private readonly check: AccessCheck;
  private readonly scope: CelScope;

  constructor(
    request: AdmissionRequest,
    policy: PolicySpec,
    binding: BindingSpec,
    names: string,
    check: AccessCheck,
  ) {
    this.request = request;
    this.policy = policy;
    this.binding = binding;
    this.names = names;
    this.check = check;
    this.scope = policyScope(policy.variables);
  }

  denials(): Failure[] {
    const params = paramsFor(this.request, this.policy, this.binding.paramRef);
    if ('error' in params) return this.failing(`failed to configure binding: ${params.error}`);
    return params.found.flatMap((param) => this.denialsWith(param));
  }

  /** What to do when a policy can't be judged by. */
  private failing(message: string): Failure[] {
    if (this.policy.failurePolicy === 'Ignore') return [];
    return [{ reason: 'Invalid', names: this.names, message }];
  }

  private denialsWith(param: StoredObject | null): Failure[] {
    const variables = variablesOf(this.request, param, this.check);
    variables['variables'] = this.lazyVariables(variables);
    const isMatched = this.conditionsHold(variables);
    if (typeof isMatched === 'string') return this.failing(isMatched);
    if (!isMatched) return [];
    return [
      ...(this.policy.validations ?? []).flatMap((validation) => this.judge(validation, variables)),
      ...this.annotate(variables),
    ];
  }

  private judge(validation: Validation, variables: Variables): Failure[] {
    const { expression, reason = 'Invalid' } = validation;
    const outcome = this.evaluate(expression, variables);
    if (outcome.value === true) return [];
    if (outcome.error !== undefined && this.policy.failurePolicy === 'Ignore') return [];
    const message =
      outcome.error === undefined
        ? this.messageOf(validation, variables)
        : `expression '${expression}' resulted in error: ${outcome.error}`;
    return this.enforce({ reason, names: this.names, message });
  }

  /** Differs: there is no audit log for annotations; that they can be made is checked. */
  private annotate(variables: Variables): Failure[] {
    return (this.policy.auditAnnotations ?? []).flatMap(({ valueExpression }) => {
      const { error } = this.evaluate(valueExpression, variables);
      return error === undefined
        ? []
        : this.failing(`expression '${valueExpression}' resulted in error: ${error}`);
    });
  }

  /** Warns of a failure or hands it back to be denied, as the binding says. */
  private enforce(failed: Failure): Failure[] {
    const actions = this.binding.validationActions ?? [];
    if (actions.includes('Warn'))
      this.request.context.warn(
        `Validation failed for ValidatingAdmissionPolicy ${failed.names}: ${failed.message}`,
      );
    return actions.includes('Deny') ? [failed] : [];
  }

  /** Whether all conditions hold: one that is false decides, whatever the others come to. A text is what went wrong. */
  private conditionsHold(variables: Variables): boolean | string {
    let problem: string | undefined;
    for (const { name, expression } of this.policy.matchConditions ?? []) {
      const { value, error } = this.evaluate(expression, variables);
      if (value === false) return false;
      if (error !== undefined)
        problem ??= `failed to evaluate match condition ${JSON.stringify(name)}: expression '${expression}' resulted in error: ${error}`;
    }
    return problem ?? true;
  }

  /** The policy's variables, each evaluated when it is first asked for. */
  private lazyVariables(variables: Variables): Variables {
    const made: Variables = {};
    for (const { name, expression } of this.policy.variables ?? []) {
      let outcome: { value?: unknown; error?: string } | undefined;
      Object.defineProperty(made, name, {
        enumerable: true,
        get: () => {
          outcome ??= this.evaluate(expression, variables);
          if (outcome.error !== undefined)
            throw new EvaluationError(
              `composited variable ${JSON.stringify(name)} fails to evaluate: ${outcome.error}`,
            );
          return outcome.value;
        },
      });
    }
    return made;
  }

  private evaluate(expression: string, variables: Variables): { value?: unknown; error?: string } {
    const compiled = this.scope.compile(expression);
    return 'run' in compiled
      ? runCel(compiled, variables)
      : { error: `compilation failed: ${compiled.error}` };
  }

  private messageOf({ message, messageExpression, expression }: Validation, variables: Variables): string {
    if (messageExpression !== undefined && messageExpression !== '') {
      const text = this.evaluate(messageExpression, variables).value;
      if (typeof text === 'string' && text.trim() !== '' && !text.includes('\n')) return text.trim();
    }
    return message !== undefined && message !== ''
      ? message.trim()
      : `failed expression: ${expression.trim()}`;
  }
}

type Params = { readonly found: readonly (StoredObject | null)[] } | { readonly error: string };

/** The parameters that a binding names: none, one, or all that a selector finds. */
function paramsFor(request: AdmissionRequest, { paramKind }: PolicySpec, ref: ParamRef | undefined): Params {
  if (paramKind === undefined || ref === undefined) return { found: [null] };
  const { object, old, context } = request;
  const { apiVersion = '', kind = '' } = paramKind;
  const resource = context.objects.findKind(apiVersion, kind);
  if (resource === undefined)
    return { error: `failed to find resource referenced by paramKind: '${apiVersion}, Kind=${kind}'` };
  const own = ref.namespace ?? '';
  if (!resource.namespaced && own !== '')
    return { error: 'paramRef.namespace must not be provided for a cluster-scoped `paramKind`' };
  const requested = object?.metadata?.namespace ?? old?.metadata.namespace ?? '';
  const namespace = !resource.namespaced ? '' : own === '' ? requested : own;
  if (resource.namespaced && namespace === '')
    return {
      error: 'cannot use namespaced paramRef in policy binding that matches cluster-scoped resources',
    };
  const found = selectParams(context.objects, resource, namespace, ref);
  if (found.length > 0) return { found };
  return ref.parameterNotFoundAction === 'Deny'
    ? { error: 'no params found for policy binding with `Deny` parameterNotFoundAction' }
    : { found: [] };
}

function selectParams(
  objects: ObjectReader,
  { plural, group }: Resource,
  namespace: string,
  { name = '', selector }: ParamRef,
): readonly StoredObject[] {
  if (name !== '') {
    const found = objects.get(plural, group, namespace, name);
    return found === undefined ? [] : [found];
  }
  const labels = labelSelectorOf(selector ?? {});
  return objects
    .list(plural, group, namespace === '' ? undefined : namespace)
    .filter(({ metadata }) => labels.matches(metadata.labels));
}

function denied({ served, object, old }: AdmissionRequest, { reason, names, message: why }: Failure): Error {
  const { resource } = served;
  const name = object?.metadata?.name ?? old?.metadata.name ?? '';
  const message = `ValidatingAdmissionPolicy ${names} denied request: ${why}`;
  return failure(
    CODES[reason] ?? 422,
    reason,
    `${qualified(resource)} ${JSON.stringify(name)} is forbidden: ${message}`,
    {
      name,
      ...(resource.group === '' ? {} : { group: resource.group }),
      kind: resource.plural,
      causes: [{ message }],
    },
  );
}

/** What expressions about a request may speak of, as values. */
export function variablesOf(
  { operation, served, object, old, context }: AdmissionRequest,
  param: StoredObject | null,
  check: AccessCheck,
): Variables {
  const { group, version, kind, plural } = served.resource;
  const { name = '', namespace = '' } = object?.metadata ?? old?.metadata ?? {};
  const { user, subresource } = context;
  const kinds = { group, version, kind };
  const resources = { group, version, resource: plural };
  return {
    object: celValue(object ?? null, undefined),
    oldObject: celValue(old ?? null, undefined),
    params: celValue(param, undefined),
    namespaceObject: celValue(context.objects.get('namespaces', '', '', namespace) ?? null, undefined),
    authorizer: new CelAuthorizer(check, user, {
      group,
      version,
      resource: plural,
      subresource,
      namespace,
      name,
    }),
    request: {
      operation,
      name,
      namespace,
      dryRun: context.dryRun,
      subResource: subresource,
      kind: kinds,
      resource: resources,
      requestKind: kinds,
      requestResource: resources,
      requestSubResource: subresource,
      options: {},
      userInfo: {
        username: user.name,
        uid: user.uid ?? '',
        groups: [...user.groups],
        extra: { ...user.extra },
      },
    },
  };
}
