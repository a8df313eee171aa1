// RBAC: who may do what, from Roles and bindings (pkg/registry/rbac/validation, plugin/pkg/auth/authorizer/rbac).
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding } from '../../api/types.ts';
import type { ObjectReader } from '../kinds/kind.ts';
import type { Attributes, Authorizer, Decision } from './authorizer.ts';
import { NodeAuthorizer, nodeOf } from './node-authorizer.ts';
import type { UserInfo } from './user.ts';

const GROUP = 'rbac.authorization.k8s.io';
/** Users in this group may do anything. */
const MASTERS = 'system:masters';
/** Where the rules of kubelets come from, whom the Node authorizer looks at first. */
const NODE_SOURCE = 'the Node authorizer';

/** A rule with where it came from. */
export interface GrantedRule {
  readonly rule: PolicyRule;
  /** For the reason of a decision. */
  readonly source: string;
}

/** Objects of the RBAC group as of one moment, indexed by subject. */
interface Index {
  readonly stamp: unknown;
  readonly cluster: Map<string, GrantedRule[]>;
  readonly namespaced: Map<string, Map<string, GrantedRule[]>>;
}

type Subject = { kind: string; name: string; namespace?: string };

export class RbacAuthorizer implements Authorizer {
  private readonly objects: ObjectReader;
  private readonly nodes: NodeAuthorizer;
  private index: Index | undefined;
  private cacheStamp: Index | undefined;
  private caches = new WeakMap<UserInfo, Map<string, readonly GrantedRule[]>>();

  constructor(objects: ObjectReader, nodes: NodeAuthorizer = new NodeAuthorizer(objects)) {
    this.objects = objects;
    this.nodes = nodes;
  }

  authorize(attributes: Attributes): Decision {
    const { user, namespace } = attributes;
    if (user.groups.includes(MASTERS)) return { allowed: true, reason: '' };
    const node = nodeOf(user);
    const decision = node === undefined ? 'by-role' : this.nodes.decide(node, attributes);
    if (decision === 'allowed') return { allowed: true, reason: '' };
    for (const { rule, source } of this.rulesFor(user, namespace)) {
      // What the role of nodes allows in general, the Node authorizer may have refused in particular.
      if (decision !== 'by-role' && source === NODE_SOURCE) continue;
      if (allows(rule, attributes)) return { allowed: true, reason: `RBAC: allowed by ${source}` };
    }
    return { allowed: false, reason: decision === 'by-role' ? '' : decision.reason };
  }

  /** Every rule that applies to a user in a namespace (cluster-wide ones included). */
  rulesFor(user: UserInfo, namespace: string): readonly GrantedRule[] {
    const index = this.current();
    if (this.cacheStamp !== index) {
      this.cacheStamp = index;
      this.caches = new WeakMap();
    }
    let byNamespace = this.caches.get(user);
    if (byNamespace === undefined) this.caches.set(user, (byNamespace = new Map()));
    let rules = byNamespace.get(namespace);
    if (rules === undefined) {
      rules = this.collect(index, user, namespace);
      byNamespace.set(namespace, rules);
    }
    return rules;
  }

  private collect(index: Index, user: UserInfo, namespace: string): readonly GrantedRule[] {
    const rules: GrantedRule[] = [];
    for (const key of subjectKeys(user)) rules.push(...(index.cluster.get(key) ?? []));
    if (nodeOf(user) !== undefined) {
      const role = this.objects.get('clusterroles', GROUP, '', 'system:node') as ClusterRole | undefined;
      for (const rule of role?.rules ?? []) rules.push({ rule, source: NODE_SOURCE });
    }
    if (namespace !== '') {
      const bindings = index.namespaced.get(namespace);
      for (const key of subjectKeys(user)) rules.push(...(bindings?.get(key) ?? []));
    }
    return rules;
  }

  /** The index, made anew when an RBAC object has changed: lists are rebuilt by storage on every change. */
  private current(): Index {
    const lists = [
      this.objects.list('clusterrolebindings', GROUP),
      this.objects.list('rolebindings', GROUP),
      this.objects.list('clusterroles', GROUP),
      this.objects.list('roles', GROUP),
    ];
    const stamp = this.index?.stamp as unknown[] | undefined;
    if (stamp !== undefined && lists.every((list, index) => list === stamp[index])) return this.index!;
    const index: Index = { stamp: lists, cluster: new Map(), namespaced: new Map() };
    for (const binding of lists[0] as readonly ClusterRoleBinding[]) {
      const { name = '' } = binding.metadata ?? {};
      this.grant(
        index.cluster,
        binding.subjects,
        binding.roleRef,
        '',
        `ClusterRoleBinding ${JSON.stringify(name)}`,
      );
    }
    for (const binding of lists[1] as readonly RoleBinding[]) {
      const { name = '', namespace = '' } = binding.metadata ?? {};
      let bindings = index.namespaced.get(namespace);
      if (bindings === undefined) index.namespaced.set(namespace, (bindings = new Map()));
      this.grant(
        bindings,
        binding.subjects,
        binding.roleRef,
        namespace,
        `RoleBinding ${JSON.stringify(`${name}/${namespace}`)}`,
      );
    }
    this.index = index;
    return index;
  }

  private grant(
    target: Map<string, GrantedRule[]>,
    subjects: readonly Subject[] | undefined,
    ref: { kind: string; name: string },
    namespace: string,
    binding: string,
  ): void {
    const role =
      ref.kind === 'ClusterRole'
        ? (this.objects.get('clusterroles', GROUP, '', ref.name) as ClusterRole | undefined)
        : (this.objects.get('roles', GROUP, namespace, ref.name) as Role | undefined);
    for (const subject of subjects ?? []) {
      const who =
        subject.kind === 'ServiceAccount'
          ? `${subject.name}/${subject.namespace ?? namespace}`
          : subject.name;
      const source = `${binding} of ${ref.kind} ${JSON.stringify(ref.name)} to ${subject.kind} ${JSON.stringify(who)}`;
      const key = keyOfSubject(subject, namespace);
      const granted = target.get(key) ?? [];
      for (const rule of role?.rules ?? []) granted.push({ rule, source });
      target.set(key, granted);
    }
  }
}

function keyOfSubject({ kind, name, namespace }: Subject, bindingNamespace: string): string {
  if (kind === 'ServiceAccount') return `User/system:serviceaccount:${namespace ?? bindingNamespace}:${name}`;
  return `${kind}/${name}`;
}

function subjectKeys(user: UserInfo): string[] {
  return [`User/${user.name}`, ...user.groups.map((group) => `Group/${group}`)];
}

const has = (list: readonly string[] | undefined, value: string): boolean =>
  list !== undefined && (list.includes('*') || list.includes(value));

/** Whether one rule allows a request. */
function allows(rule: PolicyRule, attributes: Attributes): boolean {
  if (!has(rule.verbs, attributes.verb)) return false;
  if (attributes.path !== undefined)
    return (rule.nonResourceURLs ?? []).some((pattern) => pathMatches(pattern, attributes.path!));
  if (!has(rule.apiGroups, attributes.group)) return false;
  const { resource, subresource, name } = attributes;
  const full = subresource === '' ? resource : `${resource}/${subresource}`;
  const named = (rule.resources ?? []).some(
    (pattern) =>
      pattern === '*' || pattern === full || (subresource !== '' && pattern === `*/${subresource}`),
  );
  if (!named) return false;
  return (rule.resourceNames?.length ?? 0) === 0 || rule.resourceNames!.includes(name);
}

function pathMatches(pattern: string, path: string): boolean {
  if (pattern === '*' || pattern === path) return true;
  return pattern.endsWith('*') && path.startsWith(pattern.replace(/\*+$/, ''));
}
