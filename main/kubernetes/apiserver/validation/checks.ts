// Checks that many kinds share (apimachinery pkg/util/validation, pkg/apis/core/validation).
import { labelKeyProblems, labelValueProblems, type LabelSelectorSpec } from '../../api/selector.ts';
import { isIpv4 } from '../kinds/address-allocator.ts';
import { labelProblems } from '../kinds/names.ts';
import { forbiddenField, invalidValue, required, unsupported, type FieldError } from '../refusals.ts';
import { sortedEntries } from '../verbs/metadata.ts';

/** Collects errors field by field. */
export class Faults {
  readonly all: FieldError[] = [];

  add(...errors: FieldError[]): void {
    this.all.push(...errors);
  }

  /** Reports an empty text. */
  required(field: string, value: unknown, why = ''): boolean {
    if (value !== undefined && value !== null && value !== '') return true;
    this.add(required(field, why));
    return false;
  }

  invalid(field: string, value: unknown, why: string): void {
    this.add(invalidValue(field, value, why));
  }

  forbidden(field: string, why: string): void {
    this.add(forbiddenField(field, why));
  }

  /** A word that must be one of a set; absent is fine. */
  word(field: string, value: string | undefined, words: readonly string[]): void {
    if (value !== undefined && !words.includes(value)) this.add(unsupported(field, value, words));
  }

  notNegative(field: string, value: number | undefined): void {
    if (value !== undefined && value < 0) this.invalid(field, value, 'must be greater than or equal to 0');
  }

  port(field: string, value: number): void {
    if (value < 1 || value > 65_535) this.invalid(field, value, 'must be between 1 and 65535, inclusive');
  }

  /** A port by number or by an IANA service name. */
  portOrName(field: string, value: string | number | undefined): void {
    if (typeof value === 'string')
      for (const problem of portNameProblems(value)) this.invalid(field, value, problem);
    else this.port(field, value ?? 0);
  }

  label(field: string, value: string): void {
    for (const problem of labelProblems(value)) this.invalid(field, value, problem);
  }

  address(field: string, value: string): void {
    const problem = addressProblem(value);
    if (problem !== undefined) this.invalid(field, value, problem);
  }

  /** Addresses that no other machine can be reached at. */
  reachable(field: string, value: string): void {
    if (value === '0.0.0.0' || value === '::')
      this.invalid(field, value, `may not be unspecified (0.0.0.0 or ::)`);
    if (value.startsWith('127.') || value === '::1')
      this.invalid(field, value, 'may not be in the loopback range (127.0.0.0/8, ::1/128)');
    if (value.startsWith('169.254.'))
      this.invalid(field, value, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)');
    if (value.startsWith('224.0.0.'))
      this.invalid(field, value, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)');
  }
}

/** Why a text isn't an IP address. */
export function addressProblem(value: string): string | undefined {
  if (isIpv4(value) || /^[0-9a-fA-F:]*:[0-9a-fA-F:]*$/.test(value)) return undefined;
  if (/^\d+(\.\d+){3}$/.test(value) && value.split('.').some((part) => /^0\d/.test(part)))
    return 'must not have leading 0s';
  return 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
}

/** Why a text isn't an IANA service name. */
export function portNameProblems(name: string): string[] {
  const problems: string[] = [];
  if (name.length > 15) problems.push('must be no more than 15 characters');
  if (!/^[-a-z0-9]+$/.test(name))
    problems.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(name)) problems.push('must contain at least one letter (a-z)');
  if (name.includes('--')) problems.push('must not contain consecutive hyphens');
  if (name.startsWith('-') || name.endsWith('-')) problems.push('must not begin or end with a hyphen');
  return problems;
}

const SELECTOR_OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'];

/** A metav1.LabelSelector. */
export function checkLabelSelector(
  faults: Faults,
  field: string,
  selector: LabelSelectorSpec | undefined,
): void {
  for (const [key, value] of sortedEntries(selector?.matchLabels)) {
    for (const problem of labelKeyProblems(key)) faults.invalid(`${field}.matchLabels`, key, problem);
    for (const problem of labelValueProblems(value)) faults.invalid(`${field}.matchLabels`, value, problem);
  }
  for (const [index, { key, operator, values = [] }] of (selector?.matchExpressions ?? []).entries()) {
    const at = `${field}.matchExpressions[${index}]`;
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0)
        faults.add(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0)
        faults.forbidden(
          `${at}.values`,
          "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
        );
    } else faults.invalid(`${at}.operator`, operator, 'not a valid selector operator');
    for (const problem of labelKeyProblems(key)) faults.invalid(`${at}.key`, key, problem);
  }
}

/** Whether a selector can be used at all. */
export function isUsable(selector: LabelSelectorSpec | undefined): boolean {
  return (selector?.matchExpressions ?? []).every(({ operator, values = [] }) =>
    !SELECTOR_OPERATORS.includes(operator)
      ? false
      : operator === 'In' || operator === 'NotIn'
        ? values.length > 0
        : values.length === 0,
  );
}

/** A number or percentage of pods. */
export function checkIntOrPercent(faults: Faults, field: string, value: string | number | undefined): void {
  if (value === undefined) return;
  if (typeof value === 'number') faults.notNegative(field, value);
  else if (!/^\d+%$/.test(value)) {
    faults.invalid(
      field,
      value,
      "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
    );
  }
}

export function checkAtMostAll(faults: Faults, field: string, value: string | number | undefined): void {
  if (typeof value === 'string' && /^\d+%$/.test(value) && Number.parseInt(value, 10) > 100) {
    faults.invalid(field, value, 'must not be greater than 100%');
  }
}
