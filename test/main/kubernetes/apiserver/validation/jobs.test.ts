import { expect, test } from 'vitest';
import { faultsOf, statusFaultsOf, updateFaultsOf } from '../../../../support/judged.ts';

const labels = { 'batch.kubernetes.io/controller-uid': 'u', 'controller-uid': 'u' };
const template = (spec: object = {}): object => ({
  metadata: { labels },
  spec: { containers: [{ name: 'c', image: 'i' }], restartPolicy: 'Never', ...spec },
});
const job = (spec: object = {}, more: object = {}): object => ({
  spec: {
    selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': 'u' } },
    template: template(),
    ...spec,
  },
  ...more,
});
const indexed = { completionMode: 'Indexed', completions: 3 };

test.each([
  [
    { managedBy: 'x' },
    'spec.managedBy: Invalid value: "x": must be a domain-prefixed path (such as "acme.io/foo")',
  ],
  [
    { ...indexed, parallelism: 100_001 },
    'spec.parallelism: Invalid value: 100001: must be less than or equal to 100000 when completion mode is Indexed',
  ],
  [
    { ...indexed, maxFailedIndexes: 1 },
    'spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified',
  ],
  [
    { ...indexed, backoffLimitPerIndex: 1, maxFailedIndexes: 4 },
    'spec.maxFailedIndexes: Invalid value: 4: must be less than or equal to completions',
  ],
  [
    { podFailurePolicy: { rules: [{ action: 'FailJob' }] } },
    'spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required',
  ],
  [
    { podFailurePolicy: { rules: [{ action: 'FailIndex', onPodConditions: [{ type: 'X' }] }] } },
    'spec.podFailurePolicy.rules[0].action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set',
  ],
  [
    {
      podFailurePolicy: {
        rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [2, 1], containerName: 'x' } }],
      },
    },
    [
      'spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: "x": must be one of the container or initContainer names in the pod template',
      'spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [2,1]: must be ordered',
    ],
  ],
  [
    {
      podFailurePolicy: { rules: [{ action: 'FailJob', onPodConditions: [{ type: 'X', status: 'Maybe' }] }] },
      podReplacementPolicy: 'TerminatingOrFailed',
    },
    [
      'spec.podFailurePolicy.rules[0].onPodConditions[0].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"',
      'spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed"',
    ],
  ],
  [
    { successPolicy: { rules: [{ succeededCount: 1 }] } },
    'spec.successPolicy: Invalid value: {"Rules":[{"succeededCount":1}]}: requires indexed completion mode',
  ],
  [
    { ...indexed, successPolicy: { rules: [{ succeededCount: 4 }] } },
    'spec.successPolicy.rules[0].succeededCount: Invalid value: 4: must be less than or equal to 3 (the number of specified completions)',
  ],
  [
    { selector: { matchLabels: { a: 'b' } }, manualSelector: true },
    expect.stringMatching(
      /^spec\.template\.metadata\.labels: Invalid value: .*: `selector` does not match template `labels`$/,
    ),
  ],
])('of a Job with %j it says what is wrong', (spec, expected) => {
  expect(faultsOf('jobs', job(spec))).toEqual([expected].flat());
});

test('an indexed Job leaves room for the names of its pods', () => {
  const name = 'a'.repeat(62);
  expect(faultsOf('jobs', job(indexed, { metadata: { name } }))).toEqual([
    `metadata.name: Invalid value: "${name}": will not able to create pod with invalid DNS label: ${name}-2`,
  ]);
});

test('completions change only with parallelism, and only of an indexed Job', () => {
  const tandem = (count: number, parallelism = count): object =>
    job({ completionMode: 'Indexed', completions: count, parallelism });
  expect(updateFaultsOf('jobs', tandem(2), tandem(3))).toEqual([]);
  expect(updateFaultsOf('jobs', tandem(2), tandem(3, 2))).toEqual([
    'spec.completions: Invalid value: 3: can only be modified in tandem with spec.parallelism',
  ]);
  expect(updateFaultsOf('jobs', job({ completions: 2 }), job({ completions: 3 }))).toEqual([
    'spec.completions: Invalid value: 3: field is immutable',
  ]);
});

test('the template of a suspended Job may change where its pods go and what they get', () => {
  const suspended = (spec: object): object => job({ suspend: true, template: template(spec) });
  const directed = suspended({ nodeSelector: { a: 'b' }, tolerations: [{ operator: 'Exists' }] });
  expect(updateFaultsOf('jobs', suspended({}), directed)).toEqual([]);
  expect(updateFaultsOf('jobs', suspended({}), suspended({ hostname: 'h' }))).toEqual([
    expect.stringMatching(/^spec\.template\.spec: Invalid value: \{"Volumes":null.*: field is immutable$/),
  ]);
  const running = (spec: object): object => job({ template: template(spec) });
  expect(updateFaultsOf('jobs', running({}), running({ nodeSelector: { a: 'b' } }))).toEqual([
    expect.stringMatching(
      /^spec\.template: Invalid value: \{"labels":\{.*"Spec":\{"Volumes":null.*: field is immutable$/,
    ),
  ]);
});

test('a status counts nothing below zero', () => {
  expect(statusFaultsOf('jobs', job(), job({}, { status: { active: -1 } }))).toEqual([
    'status.active: Invalid value: -1: must be greater than or equal to 0',
  ]);
});

const cron = (spec: object): object => ({
  spec: { schedule: '* * * * *', jobTemplate: { spec: { template: template() } }, ...spec },
});

test.each([
  [
    { schedule: 'TZ=Nowhere/Else * * * * *' },
    [
      'spec.schedule: Invalid value: "TZ=Nowhere/Else * * * * *": provided bad location Nowhere/Else: unknown time zone Nowhere/Else',
      'spec.schedule: Invalid value: "TZ=Nowhere/Else * * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
    ],
  ],
  [
    { schedule: 'CRON_TZ=UTC * * * * *', timeZone: 'UTC' },
    'spec.schedule: Invalid value: "CRON_TZ=UTC * * * * *": cannot use both timeZone field and TZ or CRON_TZ in schedule',
  ],
  [
    { timeZone: 'Local' },
    'spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
  ],
  [
    { jobTemplate: { spec: { template: template(), manualSelector: true, selector: {} } } },
    [
      'spec.jobTemplate.spec.selector: Invalid value: {}: `selector` will be auto-generated',
      'spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false"',
    ],
  ],
])('of a CronJob with %j it says what is wrong', (spec, expected) => {
  expect(faultsOf('cronjobs', cron(spec))).toEqual([expected].flat());
});

test('a time zone that once was accepted may stay', () => {
  expect(
    updateFaultsOf('cronjobs', cron({ timeZone: 'Old/Zone' }), cron({ timeZone: 'Old/Zone', suspend: true })),
  ).toEqual([]);
});
