// What pods' subresources may change, and what is wrong with it: ephemeralcontainers, resize, status (pkg/registry/core/pod/strategy.go, pkg/apis/core/validation).
import { parseQuantity } from '../../api/quantity.ts';
import type { Container, Pod, PodSpec } from '../../api/types.ts';
import type { SubresourceRules } from '../kinds/kind.ts';
import { subdomainProblems } from '../kinds/names.ts';
import { qosClassOf } from '../kinds/qos.ts';
import { equalTrees, metaOf, type ApiObject, type StoredObject, type Tree } from '../object.ts';
import { forbiddenField, invalidValue, type FieldError } from '../refusals.ts';
import { addressProblems } from './addresses.ts';
import { Faults } from './checks.ts';
import { internalForm } from './internal-form.ts';
import { checkPodSpec } from './pod-spec.ts';
import { diffOf } from './unified-diff.ts';
import { nullless } from './validator.ts';

type ContainerStatus = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number];

/** Marks the API's copy of a pod that a node runs from a file. */
const MIRROR = 'kubernetes.io/config.mirror';

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
    const errors = podProblems(object);
    const field = 'spec.ephemeralContainers';
    if (old.metadata.annotations?.[MIRROR] !== undefined)
      return [forbiddenField('', 'static pods do not support ephemeral containers')];
    for (const before of (old as unknown as Pod).spec?.ephemeralContainers ?? []) {
      const after = spec.ephemeralContainers?.find(({ name }) => name === before.name);
      if (after === undefined)
        errors.push(
          forbiddenField(field, `existing ephemeral containers "${before.name}" may not be removed\n`),
        );
      else if (!equalTrees(before, after)) {
        const [was, is] = [before, after].map((container) => internalForm('EphemeralContainer', container));
        errors.push(
          forbiddenField(
            field,
            `existing ephemeral containers "${before.name}" may not be changed\n${diffOf(was, is)}`,
          ),
        );
      }
    }
    return errors;
  },
};

/** What is wrong with a pod as it now is. */
function podProblems(object: ApiObject): FieldError[] {
  const faults = new Faults();
  const { spec, metadata } = nullless<Pod>(object);
  checkPodSpec(faults, 'spec', spec, metadata);
  return [...faults.all];
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
    const errors = [
      ...podProblems(object),
      ...(spec.containers ?? []).flatMap((container, index) =>
        resizeProblems(container, before.containers?.[index], `spec.containers[${index}].resources`),
      ),
    ];
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
