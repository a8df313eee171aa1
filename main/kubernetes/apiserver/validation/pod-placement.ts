// Where a pod may run: affinity, spreading, tolerations (pkg/apis/core/validation validateAffinity, ValidateTolerations).
import { labelKeyProblems, labelValueProblems, type LabelSelectorSpec } from '../../api/selector.ts';
import type { PodSpec } from '../../api/types.ts';
import { labelProblems } from '../kinds/names.ts';
import { duplicate, required } from '../refusals.ts';
import { checkLabelSelector, type Faults } from './checks.ts';
import { internalForm } from './internal-form.ts';
import { checkNodeSelector, checkNodeSelectorTerm } from './node-selector.ts';

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution';

type Affinity = NonNullable<PodSpec['affinity']>;
type PodTerm = NonNullable<NonNullable<Affinity['podAffinity']>[typeof REQUIRED]>[number];
type Constraint = NonNullable<PodSpec['topologySpreadConstraints']>[number];

function checkWeight(faults: Faults, at: string, weight: number): void {
  if (weight <= 0 || weight > 100) faults.invalid(`${at}.weight`, weight, 'must be in the range 1-100');
}

export function checkAffinity(faults: Faults, path: string, affinity: Affinity | undefined): void {
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity ?? {};
  const node = `${path}.nodeAffinity`;
  if (nodeAffinity?.[REQUIRED] !== undefined)
    checkNodeSelector(faults, `${node}.${REQUIRED}`, nodeAffinity[REQUIRED]);
  for (const [index, { weight, preference }] of (nodeAffinity?.[PREFERRED] ?? []).entries()) {
    const at = `${node}.${PREFERRED}[${index}]`;
    checkWeight(faults, at, weight);
    checkNodeSelectorTerm(faults, `${at}.preference`, preference);
  }
  for (const [field, terms] of [
    ['podAffinity', podAffinity],
    ['podAntiAffinity', podAntiAffinity],
  ] as const) {
    for (const [index, term] of (terms?.[REQUIRED] ?? []).entries())
      checkPodTerm(faults, `${path}.${field}.${REQUIRED}[${index}]`, term);
    for (const [index, { weight, podAffinityTerm }] of (terms?.[PREFERRED] ?? []).entries()) {
      const at = `${path}.${field}.${PREFERRED}[${index}]`;
      checkWeight(faults, at, weight);
      checkPodTerm(faults, `${at}.podAffinityTerm`, podAffinityTerm);
    }
  }
}

function checkPodTerm(faults: Faults, at: string, term: PodTerm): void {
  checkLabelSelector(faults, `${at}.labelSelector`, term.labelSelector as LabelSelectorSpec | undefined);
  checkLabelSelector(
    faults,
    `${at}.namespaceSelector`,
    term.namespaceSelector as LabelSelectorSpec | undefined,
  );
  for (const name of term.namespaces ?? []) faults.problems(`${at}.namespace`, name, labelProblems(name));
  const { matchLabelKeys = [], mismatchLabelKeys = [] } = term;
  checkLabelKeys(faults, `${at}.matchLabelKeys`, matchLabelKeys, term.labelSelector);
  checkLabelKeys(faults, `${at}.mismatchLabelKeys`, mismatchLabelKeys, term.labelSelector);
  for (const [index, key] of mismatchLabelKeys.entries())
    if (matchLabelKeys.includes(key))
      faults.invalid(
        `${at}.matchLabelKeys[${matchLabelKeys.indexOf(key)}]`,
        key,
        `exists in both matchLabelKeys and mismatchLabelKeys at index ${index}`,
      );
  if (term.topologyKey === '') faults.add(required(`${at}.topologyKey`, 'can not be empty'));
  faults.labelKey(`${at}.topologyKey`, term.topologyKey);
}

function checkLabelKeys(faults: Faults, path: string, keys: readonly string[], selector: unknown): void {
  if (keys.length === 0) return;
  if (selector === undefined) {
    faults.forbidden(path, 'must not be specified when labelSelector is not set');
    return;
  }
  for (const [index, key] of keys.entries()) faults.problems(`${path}[${index}]`, key, labelKeyProblems(key));
}

/** Topology spread constraints; each pair of key and behaviour may be there once. */
export function checkSpread(faults: Faults, path: string, constraints: readonly Constraint[]): void {
  for (const [index, constraint] of constraints.entries()) {
    const at = `${path}[${index}]`;
    const { maxSkew, topologyKey, whenUnsatisfiable, minDomains } = constraint;
    if (maxSkew <= 0) faults.invalid(`${at}.maxSkew`, maxSkew, 'must be greater than zero');
    if (topologyKey === '') faults.add(required(`${at}.topologyKey`, 'can not be empty'));
    else faults.labelKey(`${at}.topologyKey`, topologyKey);
    faults.word(`${at}.whenUnsatisfiable`, whenUnsatisfiable, ['DoNotSchedule', 'ScheduleAnyway']);
    const isRepeated = constraints
      .slice(index + 1)
      .some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable);
    if (isRepeated)
      faults.duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${topologyKey}, ${whenUnsatisfiable}}`);
    if (minDomains !== undefined) {
      if (minDomains <= 0) faults.invalid(`${at}.minDomains`, minDomains, 'must be greater than zero');
      if (whenUnsatisfiable !== 'DoNotSchedule')
        faults.invalid(
          `${at}.minDomains`,
          minDomains,
          `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`,
        );
    }
    for (const field of ['nodeAffinityPolicy', 'nodeTaintsPolicy'] as const)
      faults.word(`${at}.${field}`, constraint[field], ['Honor', 'Ignore']);
    checkLabelKeys(faults, `${at}.matchLabelKeys`, constraint.matchLabelKeys ?? [], constraint.labelSelector);
    checkLabelSelector(
      faults,
      `${at}.labelSelector`,
      constraint.labelSelector as LabelSelectorSpec | undefined,
    );
  }
}

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

type Toleration = NonNullable<PodSpec['tolerations']>[number];

export function checkTolerations(faults: Faults, path: string, tolerations: readonly Toleration[]): void {
  for (const [index, toleration] of tolerations.entries()) {
    const { key = '', operator = '', value = '', effect = '', tolerationSeconds } = toleration;
    const at = `${path}[${index}]`;
    if (key !== '') faults.labelKey(`${at}.key`, key);
    else if (operator !== 'Exists')
      faults.invalid(
        `${at}.operator`,
        operator,
        'operator must be Exists when `key` is empty, which means "match all values and all keys"',
      );
    if (tolerationSeconds !== undefined && effect !== 'NoExecute')
      faults.invalid(`${at}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set");
    if (operator === 'Exists') {
      if (value !== '')
        faults.invalid(`${at}.operator`, value, "value must be empty when `operator` is 'Exists'");
    } else if (operator === 'Equal' || operator === '') {
      const problems = labelValueProblems(value);
      if (problems.length > 0) faults.invalid(`${at}.operator`, value, problems.join(';'));
    } else faults.unsupported(`${at}.operator`, operator, ['Equal', 'Exists']);
    if (effect !== '') faults.word(`${at}.effect`, effect, EFFECTS);
  }
}

/** Taints of a node, each key and effect once (validateNodeTaints). */
export function checkTaints(
  faults: Faults,
  path: string,
  taints: readonly { readonly key: string; readonly value?: string; readonly effect: string }[],
): void {
  const seen = new Set<string>();
  for (const [index, taint] of taints.entries()) {
    const at = `${path}[${index}]`;
    faults.problems(`${at}.key`, taint.key, labelKeyProblems(taint.key));
    const problems = labelValueProblems(taint.value ?? '');
    if (problems.length > 0) faults.invalid(`${at}.value`, taint.value, problems.join(';'));
    if (taint.effect === '') faults.add(required(`${at}.effect`));
    else faults.word(`${at}.effect`, taint.effect, EFFECTS);
    const key = `${taint.key}:${taint.effect}`;
    if (seen.has(key)) {
      const { body } = duplicate(at, internalForm('Taint', taint));
      faults.add({
        type: 'Duplicate',
        field: at,
        body: `${body}: taints must be unique by key and effect pair`,
      });
    }
    seen.add(key);
  }
}
