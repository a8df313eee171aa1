// Checks that many kinds share (apimachinery pkg/util/validation, pkg/apis/core/validation).
import { labelKeyProblems, labelValueProblems, type LabelSelectorSpec } from '../../api/selector.ts';
import { labelProblems, pathSegmentProblems, subdomainProblems } from '../kinds/names.ts';
import {
  duplicate,
  forbiddenField,
  invalidValue,
  notFoundValue,
  required,
  tooLong,
  tooMany,
  unsupported,
  type FieldError,
} from '../refusals.ts';
import { sortedEntries } from '../verbs/metadata.ts';
import { addressProblems, parseAddress, rangeProblems } from './addresses.ts';

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

  duplicate(field: string, value: unknown): void {
    this.add(duplicate(field, value));
  }

  notFound(field: string, value: unknown): void {
    this.add(notFoundValue(field, value));
  }

  unsupported(field: string, value: unknown, words: readonly string[]): void {
    this.add(unsupported(field, value, words));
  }

  tooLong(field: string, bytesMax: number): void {
    this.add(tooLong(field, bytesMax));
  }

  tooMany(field: string, actual: number, most: number): void {
    this.add(tooMany(field, actual, most));
  }

  /** Reports each problem of a value. */
  problems(field: string, value: unknown, problems: readonly string[]): void {
    for (const problem of problems) this.invalid(field, value, problem);
  }

  /** A word that must be one of a set; absent is fine. */
  word(field: string, value: string | undefined, words: readonly string[]): void {
    if (value !== undefined && !words.includes(value)) this.unsupported(field, value, words);
  }

  notNegative(field: string, value: number | undefined): void {
    if (value !== undefined && value < 0) this.invalid(field, value, 'must be greater than or equal to 0');
  }

  positive(field: string, value: number | undefined): void {
    if (value !== undefined && value <= 0) this.invalid(field, value, 'must be greater than 0');
  }

  /** A number between two bounds, both of which it may be. */
  between(field: string, value: number | undefined, least: number, most: number): void {
    if (value !== undefined && (value < least || value > most))
      this.invalid(field, value, `must be between ${least} and ${most}, inclusive`);
  }

  port(field: string, value: number): void {
    this.between(field, value, 1, 65_535);
  }

  /** A port by number or by an IANA service name. */
  portOrName(field: string, value: string | number | undefined): void {
    if (typeof value === 'string') this.problems(field, value, portNameProblems(value));
    else this.port(field, value ?? 0);
  }

  label(field: string, value: string): void {
    this.problems(field, value, labelProblems(value));
  }

  subdomain(field: string, value: string): void {
    this.problems(field, value, subdomainProblems(value));
  }

  labelKey(field: string, value: string): void {
    this.problems(field, value, labelKeyProblems(value));
  }

  address(field: string, value: string): void {
    this.problems(field, value, addressProblems(value));
  }

  range(field: string, value: string): void {
    this.problems(field, value, rangeProblems(value));
  }

  /** Addresses that no other machine can be reached at (ValidateEndpointIP). */
  reachable(field: string, value: string): void {
    const { bytes, version } = parseAddress(value) ?? { bytes: [], version: 4 };
    if (bytes.every((byte) => byte === 0)) this.invalid(field, value, `may not be unspecified (${value})`);
    if (version === 4 ? bytes[0] === 127 : bytes.every((byte, index) => byte === (index === 15 ? 1 : 0)))
      this.invalid(field, value, 'may not be in the loopback range (127.0.0.0/8, ::1/128)');
    if (
      version === 4 ? bytes[0] === 169 && bytes[1] === 254 : bytes[0] === 0xfe && (bytes[1]! & 0xc0) === 0x80
    )
      this.invalid(field, value, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)');
    if (
      version === 4
        ? bytes[0] === 224 && bytes[1] === 0 && bytes[2] === 0
        : bytes[0] === 0xff && (bytes[1]! & 0x0f) === 2
    )
      this.invalid(field, value, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)');
  }
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
  const areLabels = Object.entries(selector?.matchLabels ?? {}).every(
    ([key, value]) => labelKeyProblems(key).length === 0 && labelValueProblems(value).length === 0,
  );
  return (
    areLabels &&
    (selector?.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      if (!SELECTOR_OPERATORS.includes(operator) || labelKeyProblems(key).length > 0) return false;
      if (operator === 'Exists' || operator === 'DoesNotExist') return values.length === 0;
      return values.length > 0 && values.every((value) => labelValueProblems(value).length === 0);
    })
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

/** A name that stands in a URL's path (path.IsValidPathSegmentName). */
export function checkPathSegment(faults: Faults, field: string, name: string): void {
  faults.problems(field, name, pathSegmentProblems(name));
}

const PATH_CHARACTERS = /^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/;

/** `acme.io/foo`: something that belongs to a domain (IsDomainPrefixedPath). */
export function checkDomainPath(faults: Faults, field: string, value: string): void {
  if (!faults.required(field, value)) return;
  const slash = value.indexOf('/');
  const [domain, path] = [value.slice(0, slash), value.slice(slash + 1)];
  if (slash <= 0 || path === '') {
    faults.invalid(field, value, 'must be a domain-prefixed path (such as "acme.io/foo")');
    return;
  }
  faults.problems(field, domain, subdomainProblems(domain));
  if (!PATH_CHARACTERS.test(path))
    faults.invalid(
      field,
      path,
      String.raw`Invalid path (regex used for validation is '[A-Za-z0-9/\-._~%!$&'()*+,;=:]+')`,
    );
}
