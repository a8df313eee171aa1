// ResourceQuotas and LimitRanges (pkg/apis/core/validation ValidateResourceQuota, ValidateLimitRange).
import { labelKeyProblems } from '../../api/selector.ts';
import type { LimitRange, ResourceQuota } from '../../api/types.ts';
import { equalTrees } from '../object.ts';
import { required } from '../refusals.ts';
import { sortedEntries } from '../verbs/metadata.ts';
import type { Faults } from './checks.ts';
import {
  checkAmount,
  checkContainerResourceName,
  checkResourceName,
  nanoOf,
  type Amounts,
} from './resources.ts';
import { immutable, validator, type Validator } from './validator.ts';

type QuotaSpec = NonNullable<ResourceQuota['spec']>;

const SCOPES = [
  'BestEffort',
  'CrossNamespacePodAffinity',
  'NotBestEffort',
  'NotTerminating',
  'PriorityClass',
  'Terminating',
  'VolumeAttributesClass',
];
const CONFLICTS = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const;

/** What a quota of BestEffort pods can count, and what other scopes can. */
function appliesTo(scope: string, name: string): boolean {
  const isPodResource =
    name === 'pods' ||
    /^(limits\.|requests\.)?(cpu|memory|ephemeral-storage)$/.test(name) ||
    name.includes('hugepages-');
  if (scope === 'BestEffort') return name === 'pods';
  if (scope === 'VolumeAttributesClass')
    return name === 'persistentvolumeclaims' || name.endsWith('requests.storage');
  return isPodResource;
}

/** Whether a name is of something that the server itself counts. */
function checkQuotaName(faults: Faults, field: string, name: string): boolean {
  const isKnown = checkResourceName(faults, field, name);
  if (name.includes('/')) return false;
  if (isKnown && name !== 'storage') return true;
  faults.invalid(field, name, 'must be a standard resource for quota');
  return false;
}

function checkQuota(faults: Faults, { spec = {} }: ResourceQuota): void {
  const counted: string[] = [];
  for (const [name, value] of sortedEntries(spec.hard as Amounts | undefined)) {
    if (checkQuotaName(faults, `spec.hard[${name}]`, name)) counted.push(name);
    checkAmount(faults, `spec.hard[${name}]`, name, value);
  }
  const scopes: readonly string[] = spec.scopes ?? [];
  for (const scope of scopes) {
    if (!SCOPES.includes(scope)) faults.invalid('spec.scopes', scopes, 'unsupported scope');
    else if (counted.some((name) => !appliesTo(scope, name)))
      faults.invalid('spec.scopes', scopes, 'unsupported scope applied to resource');
  }
  checkConflicts(faults, 'spec.scopes', scopes, scopes);
  checkScopeSelector(faults, spec, counted);
}

function checkConflicts(faults: Faults, field: string, shown: unknown, scopes: readonly string[]): void {
  for (const [one, other] of CONFLICTS)
    if (scopes.includes(one) && scopes.includes(other)) faults.invalid(field, shown, 'conflicting scopes');
}

function checkScopeSelector(faults: Faults, { scopeSelector }: QuotaSpec, counted: readonly string[]): void {
  const expressions = scopeSelector?.matchExpressions ?? [];
  for (const [index, { scopeName, operator, values = [] }] of expressions.entries()) {
    const at = `spec.scopeSelector.matchExpressions[${index}]`;
    if (!SCOPES.includes(scopeName)) faults.invalid(`${at}.scopeName`, scopeName, 'unsupported scope');
    else if (counted.some((name) => !appliesTo(scopeName, name)))
      faults.invalid(`${at}.scopeName`, scopeName, 'unsupported scope applied to resource');
    const isValued = scopeName === 'PriorityClass' || scopeName === 'VolumeAttributesClass';
    if (!isValued && operator !== 'Exists')
      faults.invalid(
        `${at}.operator`,
        operator,
        "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
      );
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0)
        faults.add(
          required(
            `${at}.values`,
            "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
          ),
        );
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0)
        faults.invalid(
          `${at}.values`,
          values,
          "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
        );
    } else faults.invalid(`${at}.operator`, operator, 'not a valid selector operator');
  }
  const names = expressions.map(({ scopeName }): string => scopeName);
  checkConflicts(faults, 'spec.scopeSelector.matchExpressions', expressions, names);
}

type Limit = NonNullable<LimitRange['spec']>['limits'][number];

const LIMIT_TYPES = ['Container', 'PersistentVolumeClaim', 'Pod'];

function checkLimitRange(faults: Faults, { spec }: LimitRange): void {
  const seen = new Set<string>();
  for (const [index, limit] of (spec?.limits ?? []).entries()) {
    const at = `spec.limits[${index}]`;
    const { type } = limit;
    faults.problems(`${at}.type`, type, labelKeyProblems(type));
    if (labelKeyProblems(type).length === 0 && !type.includes('/') && !LIMIT_TYPES.includes(type))
      faults.invalid(`${at}.type`, type, 'must be a standard limit type or fully qualified');
    if (seen.has(type)) faults.duplicate(`${at}.type`, type);
    seen.add(type);
    checkLimitNames(faults, at, limit);
    const names = new Set(LISTS.flatMap((list) => Object.keys(limit[list] ?? {})));
    for (const name of [...names].sort()) checkLimit(faults, at, limit, name);
  }
}

const LISTS = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const;

function checkLimitNames(faults: Faults, at: string, limit: Limit): void {
  const check = (list: (typeof LISTS)[number]): void => {
    for (const [name] of sortedEntries(limit[list] as Amounts | undefined)) {
      const field = `${at}.${list}[${name}]`;
      if (limit.type === 'Pod' || limit.type === 'Container') checkContainerResourceName(faults, field, name);
      else checkResourceName(faults, field, name);
    }
  };
  check('max');
  check('min');
  for (const list of ['default', 'defaultRequest'] as const) {
    if (limit.type !== 'Pod') check(list);
    else if (Object.keys(limit[list] ?? {}).length > 0)
      faults.forbidden(`${at}.${list}`, "may not be specified when `type` is 'Pod'");
  }
  if (
    limit.type === 'PersistentVolumeClaim' &&
    limit.min?.['storage'] === undefined &&
    limit.max?.['storage'] === undefined
  )
    faults.add(
      required(
        `${at}.limits`,
        'either minimum or maximum storage value is required, but neither was provided',
      ),
    );
  check('maxLimitRequestRatio');
}

/** One resource's bounds and defaults against each other. */
function checkLimit(faults: Faults, at: string, limit: Limit, name: string): void {
  const of = (list: (typeof LISTS)[number]): string | number | undefined =>
    (limit[list] as Amounts | undefined)?.[name];
  const [min, max, byDefault, request, ratio] = [
    of('min'),
    of('max'),
    of('default'),
    of('defaultRequest'),
    of('maxLimitRequestRatio'),
  ];
  type Amount = string | number | undefined;
  const ordered = (
    low: readonly [string, Amount],
    high: readonly [string, Amount],
    field: string,
    value: Amount,
  ): void => {
    if (low[1] === undefined || high[1] === undefined || nanoOf(low[1]) <= nanoOf(high[1])) return;
    faults.invalid(
      `${at}.${field}[${name}]`,
      String(value),
      `${low[0]} value ${low[1]} is greater than ${high[0]} value ${high[1]}`,
    );
  };
  ordered(['min', min], ['max', max], 'min', min);
  ordered(['min', min], ['default request', request], 'defaultRequest', request);
  ordered(['default request', request], ['max', max], 'defaultRequest', request);
  ordered(['default request', request], ['default limit', byDefault], 'defaultRequest', request);
  ordered(['min', min], ['default', byDefault], 'default', min);
  ordered(['default', byDefault], ['max', max], 'default', max);
  if (ratio !== undefined) checkRatio(faults, `${at}.maxLimitRequestRatio[${name}]`, ratio, min, max);
}

function checkRatio(
  faults: Faults,
  field: string,
  ratio: string | number,
  min: string | number | undefined,
  max: string | number | undefined,
): void {
  if (nanoOf(ratio) < nanoOf('1')) faults.invalid(field, String(ratio), `ratio ${ratio} is less than 1`);
  if (min === undefined || max === undefined || nanoOf(min) === 0n) return;
  const most = Number(nanoOf(max)) / Number(nanoOf(min));
  if (Number(nanoOf(ratio)) / 1e9 > most)
    faults.invalid(field, String(ratio), `ratio ${ratio} is greater than max/min = ${most.toFixed(6)}`);
}

export const quotaValidators: Readonly<Record<string, Validator>> = {
  resourcequotas: validator<ResourceQuota>({
    create: checkQuota,
    update: (faults, now, old) => {
      checkQuota(faults, now);
      const [scopes, before] = [now.spec?.scopes ?? [], old.spec?.scopes ?? []];
      if (!equalTrees([...scopes].sort(), [...before].sort()))
        immutable(faults, 'spec.scopes', scopes, before);
    },
    status(faults, { status }) {
      for (const list of ['hard', 'used'] as const)
        for (const [name, value] of sortedEntries(status?.[list] as Amounts | undefined)) {
          checkQuotaName(faults, `status.${list}[${name}]`, name);
          checkAmount(faults, `status.${list}[${name}]`, name, value);
        }
    },
  }),
  limitranges: validator<LimitRange>({ create: checkLimitRange }),
};
