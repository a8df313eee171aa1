// Validation of admission policies and their bindings, and of priority classes (pkg/apis/admissionregistration, scheduling).
import { compileCel, resultTypeOf } from '../cel/cel.ts';
import type { Kind } from '../kinds/kind.ts';
import { textAt, type ApiObject } from '../object.ts';
import { forbiddenField, invalidValue, required, type FieldError } from '../refusals.ts';

type Validator = Pick<Kind, 'validate' | 'validateUpdate'>;

interface Policy {
  readonly spec?: {
    readonly validations?: readonly { readonly expression?: string }[];
    readonly auditAnnotations?: readonly unknown[];
  };
}

/** A check that holds for creates and updates alike. */
function always(check: (object: ApiObject) => FieldError[]): Validator {
  return { validate: check, validateUpdate: check };
}

export const policyValidator: Validator = always((object) => {
  const { validations = [], auditAnnotations = [] } = (object as Policy).spec ?? {};
  if (validations.length === 0 && auditAnnotations.length === 0) {
    const why = 'validations or auditAnnotations must contain at least one item';
    return [required('spec.validations', why), required('spec.auditAnnotations', why)];
  }
  return validations.flatMap(({ expression = '' }, index) => {
    const field = `spec.validations[${index}].expression`;
    if (expression.trim() === '') return [required(field, 'expression is not specified')];
    const compiled = compileCel(expression);
    if (!('run' in compiled))
      return [invalidValue(field, expression, `compilation failed: ERROR: <input>: ${compiled.error}`)];
    const type = resultTypeOf(compiled);
    return type === 'bool' || type === 'dyn'
      ? []
      : [invalidValue(field, expression, `must evaluate to bool but got ${type}`)];
  });
});

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
