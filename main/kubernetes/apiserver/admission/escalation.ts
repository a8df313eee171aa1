// Nobody grants what they don't hold themselves (pkg/registry/rbac/*/policybased, component-helpers auth/rbac/validation).
import type { PolicyRule } from '../../api/types.ts';
import type { RbacAuthorizer } from '../auth/rbac.ts';
import { equalTrees } from '../object.ts';
import { forbidden, notFound, unknownError } from '../refusals.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts';

const GROUP = 'rbac.authorization.k8s.io';

interface RoleRef {
  readonly kind: string;
  readonly name: string;
}

export function rbacEscalation(authorizer: RbacAuthorizer): AdmissionPlugin {
  return {
    name: 'RBAC escalation',
    mutate({ operation, served, object }) {
      const { group, plural } = served.resource;
      if (operation === 'DELETE' || group !== GROUP || !plural.endsWith('rolebindings')) return;
      // Upstream resolves the role before it looks at the binding.
      const { kind = '' } = (object?.['roleRef'] ?? {}) as Partial<RoleRef>;
      if (kind !== 'Role' && kind !== 'ClusterRole')
        throw unknownError(`unsupported role reference kind: ${JSON.stringify(kind)}`);
    },
    validate(request) {
      const { operation, served, object, old } = request;
      if (operation === 'DELETE' || served.resource.group !== GROUP || object === undefined) return;
      const isRole = served.resource.plural === 'roles' || served.resource.plural === 'clusterroles';
      if (
        old !== undefined &&
        ['rules', 'roleRef', 'subjects'].every((field) => equalTrees(object[field], old[field]))
      )
        return;
      const rules = isRole ? ((object['rules'] ?? []) as PolicyRule[]) : boundRules(request, authorizer);
      if (rules === undefined || (isRole && may(request, authorizer, 'escalate', served.resource.plural)))
        return;
      const missing = missingOf(rules, request, authorizer);
      if (missing.length === 0) return;
      const { name, groups } = request.context.user;
      const shownGroups = groups.map((group) => JSON.stringify(group)).join(' ');
      throw forbidden(
        served.resource,
        object.metadata?.name ?? '',
        `user ${JSON.stringify(name)} (groups=[${shownGroups}]) is attempting to grant RBAC permissions not currently held:\n${missing.join('\n')}`,
      );
    },
  };
}

function may(
  { context, object }: AdmissionRequest,
  authorizer: RbacAuthorizer,
  verb: string,
  resource: string,
  name = object?.metadata?.name ?? '',
): boolean {
  return authorizer.authorize({
    user: context.user,
    verb,
    group: GROUP,
    version: 'v1',
    resource,
    subresource: '',
    namespace: object?.metadata?.namespace ?? '',
    name,
  }).allowed;
}

/** The rules of the role that a binding refers to; undefined when its author may bind it whatever it holds. */
function boundRules(request: AdmissionRequest, authorizer: RbacAuthorizer): PolicyRule[] | undefined {
  const { kind, name } = (request.object?.['roleRef'] ?? {}) as RoleRef;
  const resource = kind === 'ClusterRole' ? 'clusterroles' : 'roles';
  if (may(request, authorizer, 'bind', resource, name)) return undefined;
  const namespace = kind === 'ClusterRole' ? '' : (request.object?.metadata?.namespace ?? '');
  const role = request.context.objects.get(resource, GROUP, namespace, name);
  if (role === undefined) throw notFound({ group: GROUP, plural: resource }, name);
  return (role['rules'] ?? []) as PolicyRule[];
}

const holds = (list: readonly string[] | undefined, value: string): boolean =>
  list !== undefined && (list.includes('*') || list.includes(value));

function holdsResource(list: readonly string[] | undefined, resource: string): boolean {
  const slash = resource.indexOf('/');
  return holds(list, resource) || (slash >= 0 && list?.includes(`*${resource.slice(slash)}`) === true);
}

/** What isn't held, one line for each group and resource, as upstream shows compacted rules. */
function missingOf(
  rules: readonly PolicyRule[],
  { context, object }: AdmissionRequest,
  authorizer: RbacAuthorizer,
): string[] {
  const held = authorizer.rulesFor(context.user, object?.metadata?.namespace ?? '').map(({ rule }) => rule);
  const verbs = new Map<string, Set<string>>();
  const note = (key: string, verb: string): void =>
    void verbs.set(key, (verbs.get(key) ?? new Set()).add(verb));
  for (const rule of rules) {
    for (const verb of rule.verbs) {
      for (const url of rule.nonResourceURLs ?? []) {
        const isHeld = held.some((own) => holds(own.verbs, verb) && holds(own.nonResourceURLs, url));
        if (!isHeld) note(`NonResourceURLs:[${JSON.stringify(url)}]`, verb);
      }
      for (const group of rule.apiGroups ?? []) {
        for (const resource of rule.resources ?? []) {
          const names = (rule.resourceNames?.length ?? 0) > 0 ? rule.resourceNames! : [undefined];
          for (const name of names) {
            const isHeld = held.some(
              (own) =>
                holds(own.verbs, verb) &&
                holds(own.apiGroups, group) &&
                holdsResource(own.resources, resource) &&
                ((own.resourceNames?.length ?? 0) === 0 ||
                  (name !== undefined && own.resourceNames!.includes(name))),
            );
            const shownName = name === undefined ? '' : `, ResourceNames:[${JSON.stringify(name)}]`;
            if (!isHeld)
              note(
                `APIGroups:[${JSON.stringify(group)}], Resources:[${JSON.stringify(resource)}]${shownName}`,
                verb,
              );
          }
        }
      }
    }
  }
  return [...verbs]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([key, words]) =>
        `{${key}, Verbs:[${[...words]
          .sort()
          .map((word) => JSON.stringify(word))
          .join(' ')}]}`,
    );
}
