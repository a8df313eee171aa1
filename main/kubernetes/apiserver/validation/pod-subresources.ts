// What pods' subresources may change, and what is wrong with it: ephemeralcontainers, resize, status (pkg/registry/core/pod/strategy.go, pkg/apis/core/validation).
import { parseQuantity } from '../../api/quantity.ts';
import type { Container, Pod, PodSpec } from '../../api/types.ts';
import type { SubresourceRules } from '../kinds/kind.ts';
import { labelProblems, subdomainProblems } from '../kinds/names.ts';
import { qosClassOf } from '../kinds/qos.ts';
import { equalTrees, metaOf, type ApiObject, type StoredObject, type Tree } from '../object.ts';
import {
  duplicate,
  forbiddenField,
  invalidValue,
  notFoundValue,
  required,
  type FieldError,
} from '../refusals.ts';
import { addressProblems } from './addresses.ts';

type EphemeralContainer = NonNullable<PodSpec['ephemeralContainers']>[number];
type ContainerStatus = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number];

/** Marks the API's copy of a pod that a node runs from a file. */
const MIRROR = 'kubernetes.io/config.mirror';

/** What an ephemeral container has no use for, in the order of its fields. */
const NOT_EPHEMERAL = [
  'ports',
  'resources',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
] as const;

/** Everything but the spec's own part stays as it was. */
function keepAllBut(object: ApiObject, old: StoredObject, spec: PodSpec): void {
  object['spec'] = spec;
  object['status'] = old['status'];
  const meta = metaOf(object);
  for (const field of ['labels', 'annotations', 'finalizers', 'ownerReferences'] as const) {
    if (old.metadata[field] === undefined) delete meta[field];
    else (meta as Tree)[field] = old.metadata[field];
  }
}

const ephemeralContainers: SubresourceRules = {
  prepare(object, old) {
    const wanted = (object as Pod).spec?.ephemeralContainers;
    const { ephemeralContainers: _before, ...spec } = (old as unknown as Pod).spec!;
    keepAllBut(object, old, {
      ...spec,
      ...(wanted === undefined || wanted.length === 0 ? {} : { ephemeralContainers: wanted }),
    });
  },
  validate(object, old) {
    const spec = (object as Pod).spec!;
    const errors = ephemeralProblems(spec);
    const field = 'spec.ephemeralContainers';
    if (old.metadata.annotations?.[MIRROR] !== undefined)
      return [forbiddenField('', 'static pods do not support ephemeral containers')];
    for (const before of (old as unknown as Pod).spec?.ephemeralContainers ?? []) {
      const after = spec.ephemeralContainers?.find(({ name }) => name === before.name);
      if (after === undefined)
        errors.push(
          forbiddenField(field, `existing ephemeral containers "${before.name}" may not be removed\n`),
        );
      // Differs: upstream adds a dump of both containers.
      else if (!equalTrees(before, after))
        errors.push(
          forbiddenField(field, `existing ephemeral containers "${before.name}" may not be changed\n`),
        );
    }
    return errors;
  },
};

function ephemeralProblems(spec: PodSpec): FieldError[] {
  const errors: FieldError[] = [];
  const others = new Set(
    [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ name }) => name),
  );
  const taken = new Set(others);
  const volumes = new Set((spec.volumes ?? []).map(({ name }) => name));
  for (const [index, container] of (spec.ephemeralContainers ?? []).entries()) {
    const at = `spec.ephemeralContainers[${index}]`;
    errors.push(...commonProblems(container, at, volumes));
    if (taken.has(container.name)) errors.push(duplicate(`${at}.name`, container.name));
    taken.add(container.name);
    for (const name of NOT_EPHEMERAL) {
      if (isSet((container as unknown as Tree)[name]))
        errors.push(forbiddenField(`${at}.${name}`, 'cannot be set for an Ephemeral Container'));
    }
    for (const [number, mount] of (container.volumeMounts ?? []).entries()) {
      for (const name of ['subPath', 'subPathExpr'] as const) {
        if ((mount[name] ?? '') !== '')
          errors.push(
            forbiddenField(
              `${at}.volumeMounts[${number}].${name}`,
              'cannot be set for an Ephemeral Container',
            ),
          );
      }
    }
    const target = container.targetContainerName ?? '';
    if (target !== '' && !others.has(target)) errors.push(notFoundValue(`${at}.targetContainerName`, target));
  }
  return errors;
}

function commonProblems(
  { name, image = '', volumeMounts = [] }: EphemeralContainer,
  at: string,
  volumes: ReadonlySet<string>,
): FieldError[] {
  const errors: FieldError[] =
    (name ?? '') === ''
      ? [required(`${at}.name`)]
      : labelProblems(name).map((problem) => invalidValue(`${at}.name`, name, problem));
  if (image === '') errors.push(required(`${at}.image`));
  for (const [index, mount] of volumeMounts.entries()) {
    const field = `${at}.volumeMounts[${index}]`;
    if ((mount.name ?? '') === '') errors.push(required(`${field}.name`));
    else if (!volumes.has(mount.name)) errors.push(notFoundValue(`${field}.name`, mount.name));
    if ((mount.mountPath ?? '') === '') errors.push(required(`${field}.mountPath`));
  }
  return errors;
}

function isSet(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

const resize: SubresourceRules = {
  prepare(object, old) {
    const spec = (old as unknown as Pod).spec!;
    const wanted = (object as Pod).spec;
    const resized = (before: Container, list: readonly Container[] | undefined): Container => {
      const after = list?.find(({ name }) => name === before.name);
      if (after === undefined) return before;
      const { resources, resizePolicy } = after;
      return {
        ...before,
        resources: resources ?? {},
        ...(resizePolicy === undefined ? {} : { resizePolicy }),
      };
    };
    keepAllBut(object, old, {
      ...spec,
      containers: (spec.containers ?? []).map((each) => resized(each, wanted?.containers)),
      ...(spec.initContainers === undefined
        ? {}
        : { initContainers: spec.initContainers.map((each) => resized(each, wanted?.initContainers)) }),
    });
  },
  validate(object, old) {
    const spec = (object as Pod).spec!;
    const before = (old as unknown as Pod).spec!;
    if (old.metadata.annotations?.[MIRROR] !== undefined)
      return [forbiddenField('', 'static pods cannot be resized')];
    const errors = (spec.containers ?? []).flatMap((container, index) =>
      resizeProblems(container, before.containers?.[index], `spec.containers[${index}].resources`),
    );
    const qosClass = qosClassOf(before);
    if (qosClassOf(spec) !== qosClass)
      errors.push(invalidValue('spec', qosClass, 'Pod QOS Class may not change as a result of resizing'));
    return errors;
  },
};

type Amounts = Readonly<Record<string, string | number>> | undefined;

function resizeProblems(after: Container, before: Container | undefined, at: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const side of ['limits', 'requests'] as const) {
    const now = after.resources?.[side] as Amounts;
    const then = before?.resources?.[side] as Amounts;
    const names = new Set([...Object.keys(now ?? {}), ...Object.keys(then ?? {})]);
    for (const name of names) {
      const isCompute = name === 'cpu' || name === 'memory';
      const isSame = parseQuantity(now?.[name] ?? '')?.nano === parseQuantity(then?.[name] ?? '')?.nano;
      if (!isCompute && !isSame)
        errors.push(forbiddenField('spec', 'only cpu and memory resources are mutable'));
      else if (now?.[name] === undefined)
        errors.push(forbiddenField(`${at}.${side}`, `resource ${side} cannot be removed`));
    }
  }
  for (const [name, amount] of Object.entries((after.resources?.requests ?? {}) as NonNullable<Amounts>)) {
    const limit = (after.resources?.limits as Amounts)?.[name];
    const [wanted, most] = [parseQuantity(amount)?.nano, parseQuantity(limit ?? '')?.nano];
    if (wanted !== undefined && most !== undefined && wanted > most)
      errors.push(
        invalidValue(`${at}.requests`, amount, `must be less than or equal to ${name} limit of ${limit}`),
      );
  }
  return errors;
}

/** Rules of the subresources that hold a whole pod. */
export const podSubresources: Readonly<Record<string, SubresourceRules>> = {
  ephemeralcontainers: ephemeralContainers,
  resize,
};

/** What a kubelet may not say of a pod (ValidatePodStatusUpdate). */
export function podStatusProblems(object: ApiObject, old: StoredObject): FieldError[] {
  const { status, spec } = object as Pod;
  const before = (old as unknown as Pod).status;
  const errors: FieldError[] = [];
  const nominated = status?.nominatedNodeName ?? '';
  if (nominated !== '')
    for (const problem of subdomainProblems(nominated))
      errors.push(invalidValue('status.nominatedNodeName', nominated, problem));
  if (spec?.restartPolicy !== 'Always') {
    const isFinal = spec?.restartPolicy === 'Never';
    const field = 'status.containerStatuses';
    // A container with a policy or rules of its own is its kubelet's affair (KEP-5307); some rules concern all (KEP-5532).
    const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
    const restartsAll = containers.some(({ restartPolicyRules }) =>
      restartPolicyRules?.some(({ action }) => action === 'RestartAllContainers'),
    );
    const isOwn = new Set(
      containers
        .filter(
          ({ restartPolicy, restartPolicyRules }) =>
            restartsAll ||
            restartPolicyRules !== undefined ||
            (restartPolicy !== undefined && restartPolicy !== 'Never'),
        )
        .map(({ name }) => name),
    );
    const mayEnd = before?.containerStatuses?.filter(({ name }) => !isOwn.has(name));
    errors.push(...revivals(status?.containerStatuses, mayEnd, field, isFinal));
    const initField = 'status.initContainerStatuses';
    const ended = before?.initContainerStatuses?.filter(({ name }) => !isOwn.has(name));
    errors.push(...revivals(status?.initContainerStatuses, ended, initField, isFinal));
  }
  errors.push(...addressErrors(status?.podIPs, 'status.podIPs'));
  errors.push(...addressErrors(status?.hostIPs, 'status.hostIPs'));
  return errors;
}

/** A container that ended stays ended unless the policy starts it again. */
function revivals(
  now: readonly ContainerStatus[] | undefined,
  before: readonly ContainerStatus[] | undefined,
  field: string,
  isFinal: boolean,
): FieldError[] {
  return (before ?? []).flatMap(({ name, state }) => {
    if (state?.terminated === undefined) return [];
    if (!isFinal && state.terminated.exitCode !== 0) return [];
    const index = (now ?? []).findIndex((status) => status.name === name);
    if (index < 0 || now![index]!.state?.terminated !== undefined) return [];
    return [forbiddenField(`${field}[${index}].state`, 'may not be transitioned to non-terminated state')];
  });
}

function addressErrors(
  addresses: readonly { readonly ip?: string }[] | undefined,
  field: string,
): FieldError[] {
  const errors = (addresses ?? []).flatMap(({ ip = '' }, index) =>
    addressProblems(ip).map((problem) => invalidValue(`${field}[${index}]`, ip, problem)),
  );
  if (errors.length > 0 || (addresses ?? []).length < 2) return errors;
  const families = new Set(addresses!.map(({ ip = '' }) => ip.includes(':')));
  return addresses!.length > 2 || families.size === 1
    ? [invalidValue(field, addresses, 'may specify no more than one IP for each IP family')]
    : [];
}
