// Admission policies and their bindings (pkg/apis/admissionregistration/validation validateValidatingAdmissionPolicy).
import type { LabelSelectorSpec } from '../../api/selector.ts';
import { labelKeyProblems } from '../../api/selector.ts';
import type { CelScope } from '../cel/cel.ts';
import { typeText } from '../cel/messages.ts';
import { policyScope } from '../cel/policy-scope.ts';
import { subdomainProblems } from '../kinds/names.ts';
import { required } from '../refusals.ts';
import { checkLabelSelector, type Faults } from './checks.ts';
import { validator, type Validator } from './validator.ts';
import { checkRule, type AdmissionRule } from './webhooks.ts';

interface MatchResources {
  readonly namespaceSelector?: LabelSelectorSpec;
  readonly objectSelector?: LabelSelectorSpec;
  readonly resourceRules?: readonly AdmissionRule[];
  readonly excludeResourceRules?: readonly AdmissionRule[];
  readonly matchPolicy?: string;
}

interface Validation {
  readonly expression?: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
}

interface Named {
  readonly name?: string;
  readonly expression?: string;
}

interface Policy {
  readonly spec?: {
    readonly paramKind?: { readonly apiVersion?: string; readonly kind?: string };
    readonly matchConstraints?: MatchResources;
    readonly validations?: readonly Validation[];
    readonly failurePolicy?: string;
    readonly auditAnnotations?: readonly { readonly key?: string; readonly valueExpression?: string }[];
    readonly matchConditions?: readonly Named[];
    readonly variables?: readonly Named[];
  };
}

const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge', 'Unauthorized'];
const ACTIONS = ['Audit', 'Deny', 'Warn'];
const CONDITIONS_MAX = 64;
const ANNOTATIONS_MAX = 20;
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** An expression that has to yield one type, or anything when none is said. */
function checkExpression(
  faults: Faults,
  scope: CelScope,
  field: string,
  expression: string,
  wanted: string | undefined,
): void {
  if (expression.trim() === '') {
    faults.add(required(field, 'expression is not specified'));
    return;
  }
  const compiled = scope.compile(expression);
  if (!('run' in compiled)) faults.invalid(field, expression, `compilation failed: ${compiled.error}`);
  else if (wanted !== undefined && compiled.type !== wanted)
    faults.invalid(field, expression, `must evaluate to ${wanted} but got ${typeText(compiled.type)}`);
}

/** What both kinds of policies say of where they apply; what their expressions may name. */
function checkScope(faults: Faults, spec: NonNullable<Policy['spec']>): CelScope {
  faults.word('spec.failurePolicy', spec.failurePolicy, ['Fail', 'Ignore']);
  if (spec.paramKind !== undefined) checkParamKind(faults, spec.paramKind);
  if (spec.matchConstraints === undefined) faults.add(required('spec.matchConstraints'));
  else {
    checkMatch(faults, 'spec.matchConstraints', spec.matchConstraints);
    if ((spec.matchConstraints.resourceRules ?? []).length === 0)
      faults.add(required('spec.matchConstraints.resourceRules'));
  }
  const scope = policyScope(spec.variables);
  checkVariables(faults, spec.variables ?? []);
  checkConditions(faults, scope, spec.matchConditions ?? []);
  return scope;
}

function checkPolicy(faults: Faults, { spec = {} }: Policy): void {
  const scope = checkScope(faults, spec);
  const { validations = [], auditAnnotations = [] } = spec;
  if (validations.length === 0 && auditAnnotations.length === 0) {
    const why = 'validations or auditAnnotations must contain at least one item';
    faults.add(required('spec.validations', why), required('spec.auditAnnotations', why));
    return;
  }
  for (const [index, validation] of validations.entries())
    checkValidation(faults, scope, `spec.validations[${index}]`, validation);
  if (auditAnnotations.length > ANNOTATIONS_MAX)
    faults.invalid(
      'spec.auditAnnotations',
      auditAnnotations,
      `must not have more than ${ANNOTATIONS_MAX} auditAnnotations`,
    );
  const keys = new Set<string>();
  for (const [index, { key = '', valueExpression = '' }] of auditAnnotations.entries()) {
    const at = `spec.auditAnnotations[${index}]`;
    if (faults.required(`${at}.key`, key)) faults.problems(`${at}.key`, key, labelKeyProblems(key));
    if (keys.has(key)) faults.duplicate(`${at}.key`, key);
    keys.add(key);
    if (valueExpression.trim() === '')
      faults.add(required(`${at}.valueExpression`, 'valueExpression is not specified'));
    else checkExpression(faults, scope, `${at}.valueExpression`, valueExpression, undefined);
  }
}

function checkParamKind(
  faults: Faults,
  { apiVersion = '', kind = '' }: { apiVersion?: string; kind?: string },
): void {
  const at = 'spec.paramKind';
  if (faults.required(`${at}.apiVersion`, apiVersion)) {
    const [group, version, ...rest] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
    if (rest.length > 0)
      faults.invalid(`${at}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`);
    else if (group !== '') faults.problems(`${at}.apiVersion`, group, subdomainProblems(group!));
    if (version === '') faults.invalid(`${at}.apiVersion`, apiVersion, 'version must be specified');
  }
  if (faults.required(`${at}.kind`, kind)) faults.label(`${at}.kind`, kind.toLowerCase());
}

function checkMatch(faults: Faults, at: string, match: MatchResources): void {
  faults.word(`${at}.matchPolicy`, match.matchPolicy, ['Equivalent', 'Exact']);
  checkLabelSelector(faults, `${at}.namespaceSelector`, match.namespaceSelector);
  checkLabelSelector(faults, `${at}.objectSelector`, match.objectSelector);
  for (const list of ['resourceRules', 'excludeResourceRules'] as const)
    for (const [index, rule] of (match[list] ?? []).entries())
      checkRule(faults, `${at}.${list}[${index}]`, rule);
}

function checkConditions(faults: Faults, scope: CelScope, conditions: readonly Named[]): void {
  if (conditions.length > CONDITIONS_MAX)
    faults.tooMany('spec.matchConditions', conditions.length, CONDITIONS_MAX);
  const names = new Set<string>();
  for (const [index, { name = '', expression = '' }] of conditions.entries()) {
    const at = `spec.matchConditions[${index}]`;
    checkExpression(faults, scope, `${at}.expression`, expression, 'bool');
    if (name === '') faults.add(required(`${at}.name`));
    else {
      faults.problems(`${at}.name`, name, labelKeyProblems(name));
      if (names.has(name)) faults.duplicate(`${at}.name`, name);
      names.add(name);
    }
  }
}

function checkVariables(faults: Faults, variables: readonly Named[]): void {
  const names = new Set<string>();
  for (const [index, { name = '', expression = '' }] of variables.entries()) {
    const at = `spec.variables[${index}]`;
    if (name.trim() === '') faults.add(required(`${at}.name`, 'name is not specified'));
    else {
      if (!IDENTIFIER.test(name)) faults.invalid(`${at}.name`, name, 'name is not a valid CEL identifier');
      if (names.has(name)) faults.duplicate(`${at}.name`, name);
      names.add(name);
    }
    // Each may speak of those before it.
    checkExpression(
      faults,
      policyScope(variables.slice(0, index)),
      `${at}.expression`,
      expression,
      undefined,
    );
  }
}

function checkValidation(faults: Faults, scope: CelScope, at: string, validation: Validation): void {
  const { expression = '', message = '', messageExpression = '', reason } = validation;
  checkExpression(faults, scope, `${at}.expression`, expression, 'bool');
  if (messageExpression !== '' && messageExpression.trim() === '')
    faults.invalid(`${at}.messageExpression`, messageExpression, 'must be non-empty if specified');
  else if (messageExpression !== '')
    checkExpression(faults, scope, `${at}.messageExpression`, messageExpression, 'string');
  if (message !== '' && message.trim() === '')
    faults.invalid(`${at}.message`, message, 'message must be non-empty if specified');
  else if (message.trim().includes('\n'))
    faults.invalid(`${at}.message`, message, 'message must not contain line breaks');
  else if (message === '' && expression.trim().includes('\n') && messageExpression === '')
    faults.add(required(`${at}.message`, 'message must be specified if expression contains line breaks'));
  faults.word(`${at}.reason`, reason, REASONS);
}

interface Binding {
  readonly spec?: {
    readonly policyName?: string;
    readonly paramRef?: {
      readonly name?: string;
      readonly selector?: LabelSelectorSpec;
      readonly parameterNotFoundAction?: string;
    };
    readonly matchResources?: MatchResources;
    readonly validationActions?: readonly string[];
  };
}

function checkBinding(faults: Faults, { spec = {} }: Binding): void {
  const { policyName = '', paramRef, matchResources, validationActions: actions = [] } = spec;
  if (faults.required('spec.policyName', policyName)) faults.subdomain('spec.policyName', policyName);
  if (paramRef !== undefined) checkParamRef(faults, 'spec.paramRef', paramRef);
  if (matchResources !== undefined) checkMatch(faults, 'spec.matchResources', matchResources);
  const field = 'spec.validationActions';
  if (actions.length === 0) faults.add(required(field, 'at least one validation action is required'));
  for (const [index, action] of actions.entries()) {
    faults.word(`${field}[${index}]`, action, ACTIONS);
    if (actions.indexOf(action) < index) faults.duplicate(`${field}[${index}]`, action);
  }
  if (actions.includes('Deny') && actions.includes('Warn'))
    faults.invalid(
      field,
      [...actions].sort(),
      'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
    );
}

type ParamRef = NonNullable<NonNullable<Binding['spec']>['paramRef']>;

function checkParamRef(
  faults: Faults,
  at: string,
  { name = '', selector, parameterNotFoundAction }: ParamRef,
): void {
  if (name !== '') {
    faults.subdomain(`${at}.name`, name);
    if (selector !== undefined) faults.forbidden(`${at}.name`, 'name and selector are mutually exclusive');
  }
  if (selector !== undefined) {
    checkLabelSelector(faults, `${at}.selector`, selector);
    if (name !== '') faults.forbidden(`${at}.selector`, 'name and selector are mutually exclusive');
  }
  if (name === '' && selector === undefined)
    faults.add(required(at, 'one of name or selector must be specified'));
  if (parameterNotFoundAction === undefined) faults.add(required(`${at}.parameterNotFoundAction`));
  else faults.word(`${at}.parameterNotFoundAction`, parameterNotFoundAction, ['Deny', 'Allow']);
}

interface MutatingPolicy {
  readonly spec?: NonNullable<Policy['spec']> & {
    readonly reinvocationPolicy?: string;
    readonly mutations?: readonly {
      readonly patchType?: string;
      readonly applyConfiguration?: { readonly expression?: string };
      readonly jsonPatch?: { readonly expression?: string };
    }[];
  };
}

/** A policy that changes objects. Differs: what its expressions yield isn't looked at. */
function checkMutatingPolicy(faults: Faults, { spec = {} }: MutatingPolicy): void {
  checkScope(faults, spec);
  const { mutations = [], reinvocationPolicy } = spec;
  if (mutations.length === 0)
    faults.add(required('spec.mutations', 'mutations must contain at least one item'));
  for (const [index, { patchType, applyConfiguration, jsonPatch }] of mutations.entries()) {
    const at = `spec.mutations[${index}]`;
    if ((patchType ?? '') === '') faults.add(required(`${at}.patchType`));
    else faults.word(`${at}.patchType`, patchType, ['ApplyConfiguration', 'JSONPatch']);
    const isPatch = patchType === 'JSONPatch';
    const [field, chosen] = isPatch ? ['jsonPatch', jsonPatch] : ['applyConfiguration', applyConfiguration];
    if (chosen === undefined) faults.add(required(`${at}.${field}`));
    else if ((chosen.expression ?? '').trim() === '')
      faults.add(required(`${at}.${field}.expression`, 'expression is not specified'));
  }
  if ((reinvocationPolicy ?? '') === '') faults.add(required('spec.reinvocationPolicy'));
  else faults.word('spec.reinvocationPolicy', reinvocationPolicy, ['IfNeeded', 'Never']);
}

function checkMutatingBinding(faults: Faults, { spec = {} }: Binding): void {
  const { policyName = '', paramRef, matchResources } = spec;
  if (faults.required('spec.policyName', policyName)) faults.subdomain('spec.policyName', policyName);
  if (paramRef !== undefined) checkParamRef(faults, 'spec.paramRef', paramRef);
  if (matchResources !== undefined) checkMatch(faults, 'spec.matchResources', matchResources);
}

export const policyValidators: Readonly<Record<string, Validator>> = {
  mutatingadmissionpolicies: validator<MutatingPolicy>({ create: checkMutatingPolicy }),
  mutatingadmissionpolicybindings: validator<Binding>({ create: checkMutatingBinding }),
  validatingadmissionpolicies: validator<Policy>({ create: checkPolicy }),
  validatingadmissionpolicybindings: validator<Binding>({ create: checkBinding }),
};
