// Validation of admission policies and their bindings, and of priority classes (pkg/apis/admissionregistration, scheduling).
import type { CelScope } from '../cel/cel.ts';
import { typeText } from '../cel/messages.ts';
import { policyScope } from '../cel/policy-scope.ts';
import type { Kind } from '../kinds/kind.ts';
import { textAt, type ApiObject } from '../object.ts';
import { forbiddenField, invalidValue, required, unsupported, type FieldError } from '../refusals.ts';

type Validator = Pick<Kind, 'validate' | 'validateUpdate'>;

interface Policy {
  readonly spec?: {
    readonly validations?: readonly {
      readonly expression?: string;
      readonly message?: string;
      readonly messageExpression?: string;
      readonly reason?: string;
    }[];
    readonly auditAnnotations?: readonly { readonly key?: string; readonly valueExpression?: string }[];
    readonly matchConditions?: readonly { readonly name?: string; readonly expression?: string }[];
    readonly variables?: readonly { readonly name?: string; readonly expression?: string }[];
  };
}

const POLICY_REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge', 'Unauthorized'];

/** A check that holds for creates and updates alike. */
function always(check: (object: ApiObject) => FieldError[]): Validator {
  return { validate: check, validateUpdate: check };
}

export const policyValidator: Validator = always((object) => {
  const spec = (object as Policy).spec ?? {};
  const { validations = [], auditAnnotations = [], matchConditions = [], variables = [] } = spec;
  if (validations.length === 0 && auditAnnotations.length === 0) {
    const why = 'validations or auditAnnotations must contain at least one item';
    return [required('spec.validations', why), required('spec.auditAnnotations', why)];
  }
  const scope = policyScope(variables);
  return [
    ...variableProblems(variables),
    ...matchConditions.flatMap(({ name = '', expression }, index) => {
      const field = `spec.matchConditions[${index}]`;
      const named = name === '' ? [required(`${field}.name`)] : [];
      return [...named, ...expressionProblems(scope, `${field}.expression`, expression, 'bool')];
    }),
    ...validations.flatMap(({ expression, message = '', messageExpression = '', reason }, index) => {
      const field = `spec.validations[${index}]`;
      const errors = expressionProblems(scope, `${field}.expression`, expression, 'bool');
      if (message.includes('\n'))
        errors.push(invalidValue(`${field}.message`, message, 'message must not contain line breaks'));
      if (messageExpression !== '')
        errors.push(...expressionProblems(scope, `${field}.messageExpression`, messageExpression, 'string'));
      if (reason !== undefined && !POLICY_REASONS.includes(reason))
        errors.push(unsupported(`${field}.reason`, reason, POLICY_REASONS));
      return errors;
    }),
    ...auditAnnotations.flatMap(({ key = '', valueExpression = '' }, index) => {
      const field = `spec.auditAnnotations[${index}]`;
      if (key === '') return [required(`${field}.key`)];
      const at = `${field}.valueExpression`;
      if (valueExpression.trim() === '') return [required(at, 'valueExpression is not specified')];
      const compiled = scope.compile(valueExpression);
      return 'run' in compiled
        ? []
        : [invalidValue(at, valueExpression, `compilation failed: ${compiled.error}`)];
    }),
  ];
});

/** Each variable may speak of those before it. */
function variableProblems(
  variables: readonly { readonly name?: string; readonly expression?: string }[],
): FieldError[] {
  return variables.flatMap(({ name = '', expression }, index) => {
    const field = `spec.variables[${index}]`;
    const errors: FieldError[] = [];
    if (name === '') errors.push(required(`${field}.name`, 'name is not specified'));
    else if (!/^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name))
      errors.push(invalidValue(`${field}.name`, name, 'name is not a valid CEL identifier'));
    const scope = policyScope(variables.slice(0, index));
    return [...errors, ...expressionProblems(scope, `${field}.expression`, expression, undefined)];
  });
}

function expressionProblems(
  scope: CelScope,
  field: string,
  expression = '',
  wanted: string | undefined,
): FieldError[] {
  if (expression.trim() === '') return [required(field, 'expression is not specified')];
  const compiled = scope.compile(expression);
  if (!('run' in compiled)) return [invalidValue(field, expression, `compilation failed: ${compiled.error}`)];
  return wanted === undefined || compiled.type === wanted
    ? []
    : [invalidValue(field, expression, `must evaluate to ${wanted} but got ${typeText(compiled.type)}`)];
}

export const policyBindingValidator: Validator = always((object) => {
  const spec = object['spec'] as { validationActions?: string[] } | undefined;
  const errors: FieldError[] = [];
  if (textAt(object, 'spec', 'policyName') === '') errors.push(required('spec.policyName'));
  if ((spec?.validationActions?.length ?? 0) === 0)
    errors.push(required('spec.validationActions', 'at least one validation action is required'));
  return errors;
});

const SYSTEM_CLASSES: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
};

/** Names that begin with `system-` are the server's own. */
export function systemClassProblems(name: string): FieldError[] {
  if (!name.startsWith('system-') || SYSTEM_CLASSES[name] !== undefined) return [];
  return [
    forbiddenField(
      'metadata.name',
      `priority class names with 'system-' prefix are reserved for system use only. error: ${name} is not a known system priority class`,
    ),
  ];
}
