// What names of objects and their parts may be, with upstream's explanations (apimachinery pkg/util/validation).

const SUBDOMAIN_PATTERN = String.raw`[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*`;
const LABEL_PATTERN = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = new RegExp(`^${SUBDOMAIN_PATTERN}$`);
const LABEL = new RegExp(`^${LABEL_PATTERN}$`);

const SUBDOMAIN_MESSAGE = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${SUBDOMAIN_PATTERN}')`;
const LABEL_MESSAGE = `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${LABEL_PATTERN}')`;

/** The text for something longer than it may be. */
function tooLongMessage(most: number): string {
  return `must be no more than ${most} characters`;
}

/** A prefix for generateName may end in a dash that the generated part follows. */
function maskTrailingDash(name: string): string {
  return name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name;
}

function checked(name: string, most: number, pattern: RegExp, message: string): string[] {
  const problems: string[] = [];
  if (name.length > most) problems.push(tooLongMessage(most));
  if (!pattern.test(name)) problems.push(message);
  return problems;
}

export function subdomainProblems(name: string, prefix = false): string[] {
  return checked(prefix ? maskTrailingDash(name) : name, 253, SUBDOMAIN, SUBDOMAIN_MESSAGE);
}

export function labelProblems(name: string, prefix = false): string[] {
  if (name.includes('.')) return ['must not contain dots'];
  const masked = prefix ? maskTrailingDash(name) : name;
  if (masked.length > 63) return ['must be no more than 63 characters'];
  return checked(masked, 63, LABEL, LABEL_MESSAGE);
}

/** A label that may be a host's name (IsDNS1123Label): dots are told like any other character. */
export function hostLabelProblems(name: string): string[] {
  return checked(name, 63, LABEL, LABEL_MESSAGE);
}

/** A path segment, as RBAC names are. */
export function pathSegmentProblems(name: string): string[] {
  if (name === '.' || name === '..') return [`may not be '${name}'`];
  const problems: string[] = [];
  for (const illegal of ['/', '%']) if (name.includes(illegal)) problems.push(`may not contain '${illegal}'`);
  return problems;
}
