import { expect, test } from 'vitest';
import { faultsOf } from '../../../../support/judged.ts';

const rule = (more: object = {}): object => ({
  subjects: [{ kind: 'User', user: { name: 'u' } }],
  resourceRules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'], namespaces: ['*'] }],
  ...more,
});
const schema = (spec: object = {}): object => ({
  spec: { matchingPrecedence: 5, priorityLevelConfiguration: { name: 'p' }, rules: [rule()], ...spec },
});

test.each([
  [{}, []],
  [
    { matchingPrecedence: 1 },
    [
      "spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1",
    ],
  ],
  [
    { matchingPrecedence: 10_001 },
    ['spec.matchingPrecedence: Invalid value: 10001: must not be greater than 10000'],
  ],
  [
    { priorityLevelConfiguration: {} },
    ['spec.priorityLevelConfiguration.name: Required value: must reference a priority level'],
  ],
  [
    { distinguisherMethod: { type: 'X' } },
    ['spec.distinguisherMethod: Unsupported value: "X": supported values: "ByNamespace", "ByUser"'],
  ],
  [
    { rules: [rule({ subjects: [] })] },
    ['spec.rules[0].subjects: Required value: subjects must contain at least one value'],
  ],
  [
    { rules: [rule({ resourceRules: [] })] },
    ['spec.rules[0]: Required value: at least one of resourceRules and nonResourceRules has to be non-empty'],
  ],
  [
    { rules: [rule({ subjects: [{ kind: 'User', group: { name: 'g' } }] })] },
    [
      "spec.rules[0].subjects[0].user: Required value: user is required when subject kind is 'User'",
      "spec.rules[0].subjects[0].group: Forbidden: group is forbidden when subject kind is not 'Group'",
    ],
  ],
  [
    {
      rules: [rule({ resourceRules: [{ verbs: ['*', 'get'], apiGroups: ['*', 'x'], resources: ['pods'] }] })],
    },
    [
      'spec.rules[0].resourceRules[0].verbs: Invalid value: ["*","get"]: if \'*\' is present, must not specify other verbs',
      'spec.rules[0].resourceRules[0].apiGroups: Invalid value: ["*","x"]: if \'*\' is present, must not specify other api groups',
      'spec.rules[0].resourceRules[0].namespaces: Required value: resource rules that are not cluster scoped must supply at least one namespace',
    ],
  ],
])('of a FlowSchema with %j it says what is wrong', (spec, expected) => {
  expect(faultsOf('flowschemas', schema(spec))).toEqual(expected);
});

test.each([
  [{ type: 'Exempt', limited: {} }, ['spec.limited: Forbidden: must be nil if the type is not Limited']],
  [{ type: 'Limited' }, ['spec.limited: Required value: must not be empty when type is Limited']],
  [{ type: 'X' }, ['spec.type: Unsupported value: "X": supported values: "Exempt", "Limited"']],
  [
    { type: 'Limited', limited: { lendablePercent: 101, limitResponse: { type: 'Reject', queuing: {} } } },
    [
      'spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive',
      'spec.limited.limitResponse.queuing: Forbidden: must be nil if limited.limitResponse.type is not Limited',
    ],
  ],
  [
    {
      type: 'Limited',
      limited: { limitResponse: { type: 'Queue', queuing: { queues: 2, handSize: 3, queueLengthLimit: 1 } } },
    },
    ['spec.limited.limitResponse.queuing.handSize: Invalid value: 3: should not be greater than queues (2)'],
  ],
])('of a priority level with %j it says what is wrong', (spec, expected) => {
  expect(faultsOf('prioritylevelconfigurations', { spec })).toEqual(expected);
});
