// Roles and their bindings (pkg/apis/rbac/validation).
import type { LabelSelectorSpec } from '../../api/selector.ts';
import type { ClusterRole, ClusterRoleBinding } from '../../api/types.ts';
import { pathSegmentProblems } from '../kinds/names.ts';
import { equalTrees } from '../object.ts';
import { required } from '../refusals.ts';
import { checkLabelSelector, type Faults } from './checks.ts';
import { internalForm } from './internal-form.ts';
import { validator, type Check, type UpdateCheck, type Validator } from './validator.ts';

const GROUP = 'rbac.authorization.k8s.io';

function checkRole(namespaced: boolean): Check<ClusterRole> {
  return (faults, { rules, aggregationRule }) => {
    for (const [index, rule] of (rules ?? []).entries())
      checkRule(faults, `rules[${index}]`, rule, namespaced);
    if (namespaced || aggregationRule === undefined) return;
    const selectors = aggregationRule.clusterRoleSelectors ?? [];
    const at = 'aggregationRule.clusterRoleSelectors';
    if (selectors.length === 0)
      faults.add(required(at, 'at least one clusterRoleSelector required if aggregationRule is non-nil'));
    for (const [index, selector] of selectors.entries())
      checkLabelSelector(faults, `${at}[${index}]`, selector as LabelSelectorSpec);
  };
}

type Rule = NonNullable<ClusterRole['rules']>[number];

function checkRule(faults: Faults, at: string, rule: Partial<Rule>, namespaced: boolean): void {
  const { apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  const verbs = rule.verbs ?? []; // A list that has to be there and isn't is decoded as null.
  if (verbs.length === 0) faults.add(required(`${at}.verbs`, 'verbs must contain at least one value'));
  if (nonResourceURLs.length > 0) {
    const field = `${at}.nonResourceURLs`;
    if (namespaced)
      faults.invalid(field, nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs');
    if (apiGroups.length + resources.length + resourceNames.length > 0)
      faults.invalid(
        field,
        nonResourceURLs,
        'rules cannot apply to both regular resources and non-resource URLs',
      );
    return;
  }
  if (apiGroups.length === 0)
    faults.add(required(`${at}.apiGroups`, 'resource rules must supply at least one api group'));
  if (resources.length === 0)
    faults.add(required(`${at}.resources`, 'resource rules must supply at least one resource'));
}

function checkBinding(namespaced: boolean): Check<ClusterRoleBinding> {
  return (faults, { roleRef, subjects }) => {
    faults.word('roleRef.apiGroup', roleRef.apiGroup, [GROUP]);
    faults.word('roleRef.kind', roleRef.kind, namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole']);
    if (faults.required('roleRef.name', roleRef.name))
      faults.problems('roleRef.name', roleRef.name, pathSegmentProblems(roleRef.name));
    for (const [index, subject] of (subjects ?? []).entries())
      checkSubject(faults, `subjects[${index}]`, subject, namespaced);
  };
}

type Subject = NonNullable<ClusterRoleBinding['subjects']>[number];

function checkSubject(faults: Faults, at: string, subject: Subject, namespaced: boolean): void {
  const { kind, name, apiGroup = '', namespace = '' } = subject;
  faults.required(`${at}.name`, name);
  if (kind === 'ServiceAccount') {
    if (name !== '') faults.subdomain(`${at}.name`, name);
    faults.word(`${at}.apiGroup`, apiGroup, ['']);
    if (!namespaced && namespace === '') faults.add(required(`${at}.namespace`));
  } else if (kind === 'User' || kind === 'Group') faults.word(`${at}.apiGroup`, apiGroup, [GROUP]);
  else faults.unsupported(`${at}.kind`, kind, ['ServiceAccount', 'User', 'Group']);
}

const sameReference: UpdateCheck<ClusterRoleBinding> = (faults, now, old) => {
  if (!equalTrees(now.roleRef, old.roleRef))
    faults.invalid('roleRef', internalForm('RoleRef', now.roleRef), 'cannot change roleRef');
};

const binding = (namespaced: boolean): Validator =>
  validator<ClusterRoleBinding>({
    create: checkBinding(namespaced),
    update: (faults, now, old, context) => {
      checkBinding(namespaced)(faults, now, context);
      sameReference(faults, now, old, context);
    },
  });

export const rbacValidators: Readonly<Record<string, Validator>> = {
  roles: validator<ClusterRole>({ create: checkRole(true) }),
  clusterroles: validator<ClusterRole>({ create: checkRole(false) }),
  rolebindings: binding(true),
  clusterrolebindings: binding(false),
};
