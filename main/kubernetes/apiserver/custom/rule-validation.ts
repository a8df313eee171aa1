// What is wrong with a rule in a definition's schema (apiextensions-apiserver pkg/apis/apiextensions/validation, ValidateCustomResourceDefinitionOpenAPISchema).
import { invalidValue, required, unsupported, type FieldError } from '../refusals.ts';
import { isTransitionRule, scopeOf } from './rules.ts';
import { itemsOf, valuesOf, type JsonSchema, type ValidationRule } from './schema.ts';

const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];
/** Longest message, in bytes (MaxMessageLength of the library's own). */
const MESSAGE_BYTES_MAX = 2048;

/** The part of a schema that a rule belongs to. */
export interface RuleSite {
  readonly schema: JsonSchema;
  readonly isRoot: boolean;
  readonly path: string;
  /** The part around it whose elements can't be told from those before an update. */
  readonly uncorrelatable: string | undefined;
}

export function ruleProblems(rule: ValidationRule, site: RuleSite, index: number): FieldError[] {
  const { schema, path, uncorrelatable } = site;
  const at = `${path}.x-kubernetes-validations[${index}]`;
  const text = rule.rule ?? '';
  if (text.trim() === '') return [required(`${at}.rule`, 'rule is not specified')];
  const errors = [...messageProblems(rule, at), ...pathProblems(rule, schema, at)];
  if (rule.reason !== undefined && !REASONS.includes(rule.reason))
    errors.push(unsupported(`${at}.reason`, rule.reason, REASONS));
  const isTransition = isTransitionRule(rule);
  if (isTransition && uncorrelatable !== undefined) {
    errors.push(
      invalidValue(
        `${at}.rule`,
        text,
        `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelatable}`,
      ),
    );
  }
  if (rule.optionalOldSelf !== undefined && !isTransition)
    errors.push(
      invalidValue(
        `${at}.optionalOldSelf`,
        rule.optionalOldSelf,
        'may not be set if oldSelf is not used in rule',
      ),
    );
  return [...errors, ...expressionProblems(rule, site, at)];
}

function messageProblems({ message = '', rule = '' }: ValidationRule, at: string): FieldError[] {
  if (message === '' && rule.trim().includes('\n'))
    return [required(`${at}.message`, 'message must be specified if rule contains line breaks')];
  if (message !== '' && message.trim() === '')
    return [invalidValue(`${at}.message`, message, 'message must be non-empty if specified')];
  if (message.includes('\n')) return [invalidValue(`${at}.message`, message, 'must not contain line breaks')];
  return Buffer.byteLength(message) > MESSAGE_BYTES_MAX
    ? [
        invalidValue(
          `${at}.message`,
          `${message.slice(0, 10)}...`,
          `must have a maximum length of ${MESSAGE_BYTES_MAX} characters`,
        ),
      ]
    : [];
}

/** A fieldPath names a field of the schema, such as `.spec.ports['http']`. */
function pathProblems({ fieldPath = '' }: ValidationRule, schema: JsonSchema, at: string): FieldError[] {
  if (fieldPath === '') return [];
  const fault = (why: string): FieldError[] => [
    invalidValue(`${at}.fieldPath`, fieldPath, `fieldPath must be a valid path: ${why}`),
  ];
  if (fieldPath.trim() === '')
    return [invalidValue(`${at}.fieldPath`, fieldPath, 'fieldPath must be non-empty if specified')];
  if (fieldPath.includes('\n'))
    return [invalidValue(`${at}.fieldPath`, fieldPath, 'fieldPath must not contain line breaks')];
  let rest = fieldPath;
  let current: JsonSchema | undefined = schema;
  while (rest !== '') {
    const step = /^(?:\.([^.[\]']+)|\['((?:[^'\\]|\\.)+)'\]|\[(\d+)\])/.exec(rest);
    if (step === null) return fault(`expected [ or . but got: ${rest.slice(0, 1)}`);
    if (step[3] !== undefined) return fault('does not support indexing of lists, such as [0]');
    const name: string = step[1] ?? step[2]!.replaceAll("\\'", "'");
    const isIndexed = step[1] === undefined;
    const next: JsonSchema | undefined = isIndexed
      ? (valuesOf(current) ?? current.properties?.[name])
      : current.properties?.[name];
    if (next === undefined) {
      if (itemsOf(current) !== undefined) return fault('does not support list');
      return fault(`does not refer to a valid field`);
    }
    current = next;
    rest = rest.slice(step[0].length);
  }
  return [];
}

function expressionProblems(rule: ValidationRule, { schema, isRoot }: RuleSite, at: string): FieldError[] {
  const scope = scopeOf(schema, isRoot, rule);
  const shown = {
    Rule: rule.rule,
    Message: rule.message ?? '',
    MessageExpression: rule.messageExpression ?? '',
    Reason: rule.reason ?? null,
    FieldPath: rule.fieldPath ?? '',
    OptionalOldSelf: rule.optionalOldSelf ?? null,
  };
  const compiled = scope.compile(rule.rule!);
  if (!('run' in compiled))
    return [invalidValue(`${at}.rule`, shown, `compilation failed: ${compiled.error}`)];
  if (compiled.type !== 'bool')
    return [invalidValue(`${at}.rule`, shown, 'cel expression must evaluate to a bool')];
  if ((rule.messageExpression ?? '') === '') return [];
  const field = `${at}.messageExpression`;
  const message = scope.compile(rule.messageExpression!);
  if (!('run' in message))
    return [invalidValue(field, shown, `messageExpression compilation failed: ${message.error}`)];
  return message.type === 'string'
    ? []
    : [invalidValue(field, shown, 'messageExpression must evaluate to a string')];
}
