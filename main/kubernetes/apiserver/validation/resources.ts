// Amounts of resources: names, quantities, requests against limits (pkg/apis/core/validation ValidateResourceRequirements).
import { parseQuantity } from '../../api/quantity.ts';
import { labelKeyProblems } from '../../api/selector.ts';
import type { Container, PodSpec } from '../../api/types.ts';
import { required } from '../refusals.ts';
import { sortedEntries } from '../verbs/metadata.ts';
import type { Faults } from './checks.ts';

export type Amounts = Readonly<Record<string, string | number>>;

const NANO = 1_000_000_000n;
const COMPUTE = ['cpu', 'memory', 'ephemeral-storage'];
/** Countable things, of which there is no half. */
const INTEGERS = new Set([
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
]);
const STANDARD = new Set([
  ...COMPUTE,
  ...COMPUTE.flatMap((name) => [`requests.${name}`, `limits.${name}`]),
  ...INTEGERS,
  'storage',
  'requests.storage',
]);

/** Quantities read lately: few amounts are asked for by many pods. */
const parsed = new Map<string | number, bigint>();
const PARSED_MAX = 1024;

/** A quantity in nano-units; what isn't one counts as nothing. */
export function nanoOf(value: string | number | undefined): bigint {
  if (value === undefined) return 0n;
  let nano = parsed.get(value);
  if (nano === undefined) {
    nano = parseQuantity(value)?.nano ?? 0n;
    if (parsed.size >= PARSED_MAX) parsed.clear();
    parsed.set(value, nano);
  }
  return nano;
}

const isHugePages = (name: string): boolean => name.startsWith('hugepages-');
const isNative = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/');

/** Whether more of a resource may be promised than there is. */
function isOvercommitAllowed(name: string): boolean {
  return isNative(name) && !isHugePages(name);
}

function isExtended(name: string): boolean {
  return (
    !isNative(name) && !name.startsWith('requests.') && labelKeyProblems(`requests.${name}`).length === 0
  );
}

/** A name of any resource that the server knows or that is qualified. */
export function checkResourceName(faults: Faults, field: string, name: string): boolean {
  if (COMPUTE.includes(name)) return true;
  const problems = labelKeyProblems(name);
  faults.problems(field, name, problems);
  if (problems.length > 0) return false;
  if (!name.includes('/') && !STANDARD.has(name) && !isHugePages(name.replace(/^requests\./, ''))) {
    faults.invalid(field, name, 'must be a standard resource type or fully qualified');
    return false;
  }
  return true;
}

export function checkContainerResourceName(faults: Faults, field: string, name: string): void {
  checkResourceName(faults, field, name);
  if (!name.includes('/')) {
    if (!COMPUTE.includes(name) && !isHugePages(name))
      faults.invalid(field, name, 'must be a standard resource for containers');
  } else if (!isNative(name) && !isExtended(name))
    faults.invalid(field, name, "doesn't follow extended resource name standard");
}

export function checkAmount(faults: Faults, field: string, name: string, value: string | number): void {
  if (nanoOf(value) < 0n) faults.invalid(field, String(value), 'must be greater than or equal to 0');
  if ((INTEGERS.has(name) || isExtended(name)) && nanoOf(value) % NANO !== 0n)
    faults.invalid(field, String(value), 'must be an integer');
}

/** What a request or limit of a pod or container may be, and requests against limits. */
export function checkResources(
  faults: Faults,
  path: string,
  resources: Container['resources'],
  spec: PodSpec | undefined,
): void {
  const limits = (resources?.limits ?? {}) as Amounts;
  const requests = (resources?.requests ?? {}) as Amounts;
  for (const [name, value] of sortedEntries(limits)) {
    checkContainerResourceName(faults, `${path}.limits[${name}]`, name);
    checkAmount(faults, `${path}.limits[${name}]`, name, value);
  }
  for (const [name, value] of sortedEntries(requests)) {
    checkContainerResourceName(faults, `${path}.requests[${name}]`, name);
    checkAmount(faults, `${path}.requests[${name}]`, name, value);
    checkRequestToLimit(faults, path, name, value, limits[name]);
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  if (names.some(isHugePages) && !names.some((name) => name === 'cpu' || name === 'memory'))
    faults.forbidden(path, 'HugePages require cpu or memory');
  checkClaimNames(faults, `${path}.claims`, resources, spec);
}

function checkRequestToLimit(
  faults: Faults,
  path: string,
  name: string,
  request: string | number,
  limit: string | number | undefined,
): void {
  if (limit === undefined) {
    if (!isOvercommitAllowed(name))
      faults.add(required(`${path}.limits`, 'Limit must be set for non overcommitable resources'));
    return;
  }
  const difference = nanoOf(request) - nanoOf(limit);
  if (difference !== 0n && !isOvercommitAllowed(name))
    faults.invalid(`${path}.requests`, String(request), `must be equal to ${name} limit of ${limit}`);
  else if (difference > 0n)
    faults.invalid(
      `${path}.requests`,
      String(request),
      `must be less than or equal to ${name} limit of ${limit}`,
    );
}

interface Claims {
  readonly claims?: readonly { readonly name?: string; readonly request?: string }[];
}

function checkClaimNames(
  faults: Faults,
  path: string,
  resources: Container['resources'],
  spec: PodSpec | undefined,
): void {
  const known = new Set((spec?.resourceClaims ?? []).map(({ name }) => name));
  const seen = new Set<string>();
  for (const [index, { name = '', request = '' }] of (
    (resources as Claims | undefined)?.claims ?? []
  ).entries()) {
    const at = `${path}[${index}]`;
    if (name === '') {
      faults.add(required(at));
      continue;
    }
    const key = request === '' ? name : `${name}/${request}`;
    if (seen.has(key)) faults.duplicate(at, key);
    seen.add(key);
    if (!known.has(name)) faults.notFound(at, name);
  }
}

/** How a container takes changes of its resources. */
export function checkResizePolicy(
  faults: Faults,
  path: string,
  { resizePolicy }: Container,
  spec: PodSpec,
): void {
  const seen = new Set<string>();
  for (const [index, { resourceName = '', restartPolicy = '' }] of (resizePolicy ?? []).entries()) {
    if (seen.has(resourceName)) faults.duplicate(`${path}[${index}]`, resourceName);
    seen.add(resourceName);
    if (resourceName === '') faults.add(required(path));
    else faults.word(path, resourceName, ['cpu', 'memory']);
    if (restartPolicy === '') faults.add(required(path));
    else faults.word(path, restartPolicy, ['NotRequired', 'RestartContainer']);
    if (spec.restartPolicy === 'Never' && restartPolicy !== 'NotRequired')
      faults.invalid(path, restartPolicy, "must be 'NotRequired' when `restartPolicy` is 'Never'");
  }
}

/** Amounts for a pod as a whole, which hold at least what its containers ask for together (KEP-2837). */
export function checkPodResources(faults: Faults, path: string, spec: PodSpec): void {
  const { resources } = spec;
  if (resources === undefined) return;
  for (const list of ['limits', 'requests'] as const) {
    for (const [name] of sortedEntries(resources[list] as Amounts | undefined)) {
      if (name !== 'cpu' && name !== 'memory' && !isHugePages(name))
        faults.unsupported(`${path}.${list}`, name, ['cpu', 'hugepages-', 'memory']);
    }
  }
  if (((resources as Claims).claims ?? []).length > 0)
    faults.forbidden(`${path}.claims`, 'claims cannot be set for Resources at pod-level');
  checkResources(faults, path, { limits: resources.limits, requests: resources.requests }, spec);
  for (const [name, value] of sortedEntries(resources.requests as Amounts | undefined)) {
    const together = spec.containers.reduce(
      (sum, container) => sum + nanoOf((container.resources?.requests as Amounts | undefined)?.[name]),
      0n,
    );
    if (together > nanoOf(value))
      faults.invalid(
        `${path}.requests[${name}]`,
        String(value),
        'must be greater than or equal to aggregate container requests of ' + quantityText(together),
      );
  }
  for (const [name, value] of sortedEntries(resources.limits as Amounts | undefined)) {
    for (const [index, container] of spec.containers.entries()) {
      const limit = (container.resources?.limits as Amounts | undefined)?.[name];
      if (nanoOf(limit) > nanoOf(value))
        faults.invalid(
          `${path.replace(/\.resources$/, '')}.containers[${index}].resources.limits[${name}]`,
          String(limit),
          `must be less than or equal to pod limits of ${value}`,
        );
    }
  }
}

function quantityText(nano: bigint): string {
  return nano % NANO === 0n ? String(nano / NANO) : `${nano / 1_000_000n}m`;
}
