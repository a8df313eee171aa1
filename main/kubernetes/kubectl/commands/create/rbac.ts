// kubectl create role, clusterrole, rolebinding and clusterrolebinding.
import { CommandError } from '../../frame/command-error.ts';
import type { Command, Invocation } from '../../frame/command.ts';
import type { AnyObject } from '../../rest/builder.ts';
import { generator, metadata } from './generator.ts';

const RBAC = 'rbac.authorization.k8s.io';
const VERBS = [
  'get',
  'delete',
  'list',
  'create',
  'update',
  'patch',
  'watch',
  'proxy',
  'deletecollection',
  'use',
  'bind',
  'escalate',
  'impersonate',
];

export const createRole: Command = generator('role', { failure: 'role' }, async (invocation, name) => {
  const verbs = await verbsOf(invocation);
  if (invocation.flags.list('resource').length === 0)
    throw new CommandError('at least one resource must be specified');
  return {
    apiVersion: `${RBAC}/v1`,
    kind: 'Role',
    metadata: metadata(name),
    rules: await resourceRules(invocation, verbs),
  } as unknown as AnyObject;
});

export const createClusterRole: Command = generator(
  'clusterrole',
  { failure: 'clusterrole', clusterScoped: true },
  async (invocation, name) => {
    const { flags } = invocation;
    const aggregation = flags.string('aggregation-rule');
    if (aggregation !== '') {
      const matchLabels = Object.fromEntries(
        aggregation.split(',').map((pair) => pair.split('=') as [string, string]),
      );
      return {
        aggregationRule: { clusterRoleSelectors: [{ matchLabels }] },
        apiVersion: `${RBAC}/v1`,
        kind: 'ClusterRole',
        metadata: metadata(name),
        rules: null,
      } as unknown as AnyObject;
    }
    const verbs = await verbsOf(invocation);
    const urls = flags.list('non-resource-url');
    if (flags.list('resource').length === 0 && urls.length === 0)
      throw new CommandError('one of resource or nonResourceURL must be specified');
    const rules = [
      ...(await resourceRules(invocation, verbs)),
      ...(urls.length > 0 ? [{ nonResourceURLs: urls, verbs }] : []),
    ];
    return {
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRole',
      metadata: metadata(name),
      rules,
    } as unknown as AnyObject;
  },
);

export const createRoleBinding: Command = generator(
  'rolebinding',
  { failure: 'rolebinding' },
  ({ flags }, name) => {
    const [role, clusterRole] = [flags.string('role'), flags.string('clusterrole')];
    if ((role === '') === (clusterRole === ''))
      throw new CommandError('exactly one of clusterrole or role must be specified');
    return binding(
      'RoleBinding',
      name,
      role === '' ? 'ClusterRole' : 'Role',
      role === '' ? clusterRole : role,
      subjectsOf(flags),
    );
  },
);

export const createClusterRoleBinding: Command = generator(
  'clusterrolebinding',
  { failure: 'clusterrolebinding', required: ['clusterrole'], clusterScoped: true },
  ({ flags }, name) =>
    binding('ClusterRoleBinding', name, 'ClusterRole', flags.string('clusterrole'), subjectsOf(flags)),
);

function binding(
  kind: string,
  name: string,
  roleKind: string,
  roleName: string,
  subjects: readonly unknown[],
): AnyObject {
  return {
    apiVersion: `${RBAC}/v1`,
    kind,
    metadata: metadata(name),
    roleRef: { apiGroup: RBAC, kind: roleKind, name: roleName },
    ...(subjects.length > 0 ? { subjects } : {}),
  } as unknown as AnyObject;
}

/** --user, --group and --serviceaccount as subjects. */
export function subjectsOf(flags: Invocation['flags']): Record<string, string>[] {
  return [
    ...flags.list('user').map((name) => ({ apiGroup: RBAC, kind: 'User', name })),
    ...flags.list('group').map((name) => ({ apiGroup: RBAC, kind: 'Group', name })),
    ...flags.list('serviceaccount').map((text) => {
      const [namespace = '', name = '', ...more] = text.split(':');
      if (namespace === '' || name === '' || more.length > 0)
        throw new CommandError('serviceaccount must be <namespace>:<name>');
      return { kind: 'ServiceAccount', name, namespace };
    }),
  ];
}

async function verbsOf({ kubectl, flags }: Invocation): Promise<string[]> {
  const given = flags.list('verb');
  const verbs = given.includes('*') ? ['*'] : [...new Set(given)];
  if (verbs.length === 0) throw new CommandError('at least one verb must be specified');
  for (const verb of verbs) {
    if (verb !== '*' && !VERBS.includes(verb))
      await kubectl.err(`Warning: '${verb}' is not a standard resource verb\n`);
  }
  return verbs;
}

/** One rule for each API group, in the order in which the groups are first named. */
async function resourceRules(
  { kubectl, flags }: Invocation,
  verbs: readonly string[],
): Promise<Record<string, unknown>[]> {
  const given = flags.list('resource');
  if (given.length === 0) return [];
  const mapper = await kubectl.mapper();
  const resourceNames = flags.list('resource-name');
  const groups = new Map<string, string[]>();
  for (const text of given) {
    const [type = '', subresource] = text.split('/');
    const resource = type === '*' ? { group: '', plural: '*' } : mapper.find(type);
    if (resource === undefined)
      throw new CommandError(`the server doesn't have a resource type "${type}"`, 'plain');
    const known = groups.get(resource.group) ?? [];
    const name = subresource === undefined ? resource.plural : `${resource.plural}/${subresource}`;
    if (!known.includes(name)) groups.set(resource.group, [...known, name]);
  }
  return [...groups].map(([group, resources]) => ({
    apiGroups: [group],
    ...(resourceNames.length > 0 ? { resourceNames } : {}),
    resources,
    verbs,
  }));
}
