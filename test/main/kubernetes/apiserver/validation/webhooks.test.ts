import { expect, test } from 'vitest';
import { faultsOf } from '../../../../support/judged.ts';

const RULE = { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] };
const webhook = (more: object = {}): object => ({
  name: 'a.b.c',
  admissionReviewVersions: ['v1'],
  sideEffects: 'None',
  clientConfig: { service: { name: 's', namespace: 'n' } },
  rules: [RULE],
  ...more,
});
const judged = (...webhooks: object[]): string[] => faultsOf('validatingwebhookconfigurations', { webhooks });

test('a complete webhook has no faults', () => {
  expect(judged(webhook())).toEqual([]);
});

test('two webhooks have two names', () => {
  expect(judged(webhook(), webhook())).toEqual(['webhooks[1].name: Duplicate value: "a.b.c"']);
});

test.each([
  [
    { admissionReviewVersions: ['v2'] },
    'admissionReviewVersions: Invalid value: ["v2"]: must include at least one of v1, v1beta1',
  ],
  [
    { clientConfig: { url: 'https://u@a.b/?q#f' } },
    [
      'clientConfig.url: Invalid value: "u": user information is not permitted in the URL',
      'clientConfig.url: Invalid value: "f": fragments are not permitted in the URL',
      'clientConfig.url: Invalid value: "q": query parameters are not permitted in the URL',
    ],
  ],
  [
    { clientConfig: { service: { name: '', namespace: 'n', path: 'x', port: 0 } } },
    [
      'clientConfig.service.name: Required value',
      'clientConfig.service.port: Invalid value: 0: port is not valid: must be between 1 and 65535, inclusive',
      'clientConfig.service.path: Invalid value: "x": must start with a \'/\'',
    ],
  ],
  [
    { rules: [{ ...RULE, operations: ['*', 'CREATE'] }] },
    'rules[0].operations: Invalid value: ["*","CREATE"]: if \'*\' is present, must not specify other operations',
  ],
  [
    { rules: [{ ...RULE, operations: ['PATCH'] }] },
    'rules[0].operations[0]: Unsupported value: "PATCH": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE"',
  ],
  [
    { rules: [{ ...RULE, resources: ['*', 'pods'] }] },
    'rules[0].resources: Invalid value: ["*","pods"]: if \'*\' is present, must not specify other resources without subresources',
  ],
  [
    { rules: [{ ...RULE, resources: ['pods/*', 'pods/log'] }] },
    'rules[0].resources[1]: Invalid value: "pods/log": if \'pods/*\' is present, must not specify pods/log',
  ],
  [
    { rules: [{ ...RULE, scope: 'X' }] },
    'rules[0].scope: Unsupported value: "X": supported values: "*", "Cluster", "Namespaced"',
  ],
  [{ matchPolicy: 'X' }, 'matchPolicy: Unsupported value: "X": supported values: "Equivalent", "Exact"'],
])('of a webhook with %j it says what is wrong', (more, expected) => {
  expect(judged(webhook(more))).toEqual([expected].flat().map((text) => `webhooks[0].${text}`));
});

const policy = (more: object): object => ({
  spec: { matchConstraints: { resourceRules: [RULE] }, validations: [{ expression: 'true' }], ...more },
});

test.each([
  [{ matchConstraints: undefined }, 'spec.matchConstraints: Required value'],
  [{ matchConstraints: {} }, 'spec.matchConstraints.resourceRules: Required value'],
  [{ paramKind: { apiVersion: 'v1' } }, 'spec.paramKind.kind: Required value'],
  [
    { variables: [{ name: '1a', expression: '1' }] },
    'spec.variables[0].name: Invalid value: "1a": name is not a valid CEL identifier',
  ],
  [
    { validations: [{ expression: 'true', message: 'a\nb' }] },
    String.raw`spec.validations[0].message: Invalid value: "a\nb": message must not contain line breaks`,
  ],
  [
    { validations: [{ expression: 'true', reason: 'X' }] },
    'spec.validations[0].reason: Unsupported value: "X": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized"',
  ],
  [
    { auditAnnotations: [{ key: 'k', valueExpression: '' }] },
    'spec.auditAnnotations[0].valueExpression: Required value: valueExpression is not specified',
  ],
  [
    { matchConditions: [{ name: 'a', expression: '1' }] },
    'spec.matchConditions[0].expression: Invalid value: "1": must evaluate to bool but got int',
  ],
])('of a policy with %j it says what is wrong', (more, expected) => {
  expect(faultsOf('validatingadmissionpolicies', policy(more))).toEqual([expected]);
});

test.each([
  [
    { policyName: 'p', validationActions: ['Deny', 'Warn'] },
    expect.stringMatching(
      /^spec\.validationActions: Invalid value: \["Deny","Warn"\]: must not contain both Deny and Warn/,
    ),
  ],
  [
    { policyName: 'p', validationActions: ['Deny'], paramRef: { name: 'n' } },
    'spec.paramRef.parameterNotFoundAction: Required value',
  ],
  [
    { policyName: 'A_', validationActions: ['X'] },
    [
      expect.stringMatching(/^spec\.policyName: Invalid value: "A_"/),
      'spec.validationActions[0]: Unsupported value: "X": supported values: "Audit", "Deny", "Warn"',
    ],
  ],
])('of a binding with %j it says what is wrong', (spec, expected) => {
  expect(faultsOf('validatingadmissionpolicybindings', { spec })).toEqual([expected].flat());
});

test('a decision about a certificate is one or the other', () => {
  expect(faultsOf('certificatesigningrequests', { spec: {} }).map((text) => text.split(':')[0])).toContain(
    'spec.signerName',
  );
});
