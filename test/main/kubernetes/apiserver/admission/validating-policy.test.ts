import { expect, test } from 'vitest';
import { ask, type Answer, type AskOptions } from '../../../../support/ask-json.ts';
import { makeApi, type TestApi } from '../../../../support/make-api.ts';

const GROUP = '/apis/admissionregistration.k8s.io/v1';
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';

async function enforce(api: TestApi, policy: object, binding: object = {}): Promise<void> {
  const made = await ask(api, 'POST', `${GROUP}/validatingadmissionpolicies`, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: 'p' },
    spec: {
      matchConstraints: {
        resourceRules: [
          {
            apiGroups: [''],
            apiVersions: ['v1'],
            operations: ['CREATE', 'UPDATE'],
            resources: ['configmaps'],
          },
        ],
      },
      ...policy,
    },
  });
  expect(made.body.message).toBeUndefined();
  const bound = await ask(api, 'POST', `${GROUP}/validatingadmissionpolicybindings`, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: 'b' },
    spec: { policyName: 'p', validationActions: ['Deny'], ...binding },
  });
  expect(bound.body.message).toBeUndefined();
}

function make(api: TestApi, name: string, data: object = {}, options: AskOptions = {}): Promise<Answer> {
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
  return ask(api, 'POST', CONFIG_MAPS, body, options);
}

const DENIED = (name: string, why: string): string =>
  `configmaps "${name}" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: ${why}`;

test('a policy speaks of variables, each evaluated once it is asked for', async () => {
  using api = makeApi();
  await enforce(api, {
    variables: [
      { name: 'keys', expression: 'has(object.data) ? object.data.map(key, key) : []' },
      { name: 'count', expression: 'variables.keys.size()' },
      { name: 'broken', expression: "object.data['none'] == ''" },
    ],
    validations: [
      {
        expression: 'variables.count < 2',
        messageExpression: "'too many: ' + variables.keys.join(', ')",
        reason: 'Forbidden',
      },
    ],
  });
  expect((await make(api, 'one', { a: '1' })).status).toBe(201);
  const { status, body } = await make(api, 'two', { a: '1', b: '2' });
  expect(status).toBe(403);
  expect(body.message).toBe(DENIED('two', 'too many: a, b'));
});

test('parameters come from an object, by name or selector; where there are none the binding decides', async () => {
  using api = makeApi();
  await make(api, 'limits', { most: '3' });
  const policy = {
    paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
    matchConditions: [{ name: 'others', expression: "object.metadata.name.startsWith('x')" }],
    validations: [{ expression: 'object.data.size() <= int(params.data.most)', message: 'too much' }],
  };
  await enforce(api, policy, { paramRef: { name: 'limits', parameterNotFoundAction: 'Deny' } });
  expect((await make(api, 'x1', { a: '', b: '', c: '' })).status).toBe(201);
  const many = await make(api, 'x2', { a: '', b: '', c: '', d: '' });
  expect(many.body.message).toBe(DENIED('x2', 'too much'));
  await ask(api, 'DELETE', `${CONFIG_MAPS}/limits`);
  const none = await make(api, 'x3', { a: '' });
  expect(none.body.message).toBe(
    DENIED(
      'x3',
      'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction',
    ),
  );
  const path = `${GROUP}/validatingadmissionpolicybindings/b`;
  await ask(
    api,
    'PATCH',
    path,
    {
      spec: {
        paramRef: {
          name: null,
          selector: { matchLabels: { is: 'limit' } },
          parameterNotFoundAction: 'Allow',
        },
      },
    },
    { headers: { 'content-type': 'application/merge-patch+json' } },
  );
  expect((await make(api, 'x4', { a: '' })).status).toBe(201);
});

test('an expression asks what its caller may do', async () => {
  using api = makeApi();
  await enforce(api, {
    validations: [
      {
        expression:
          "authorizer.group('').resource('secrets').namespace('default').check('delete').allowed() && authorizer.requestResource.check('create').allowed()",
        message: 'only for who may delete secrets',
      },
    ],
  });
  await ask(api, 'POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles', {
    metadata: { name: 'maker' },
    rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['create'] }],
  });
  await ask(api, 'POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings', {
    metadata: { name: 'maker' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'maker' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'jane' }],
  });
  expect((await make(api, 'a')).status).toBe(201);
  const { body } = await make(api, 'b', {}, { as: 'jane', groups: [] });
  expect(body.message).toBe(DENIED('b', 'only for who may delete secrets'));
});

test('a failure warns where the binding says so, and others are judged all the same', async () => {
  using api = makeApi();
  await enforce(
    api,
    {
      validations: [
        { expression: 'has(object.data)', message: 'no data' },
        { expression: "object.metadata.name != 'bad'", message: 'a bad name' },
      ],
    },
    { validationActions: ['Warn', 'Audit'] },
  );
  const { status, warnings } = await make(api, 'bad');
  expect(status).toBe(201);
  expect(warnings).toEqual([
    "Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': no data",
    "Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': a bad name",
  ]);
});

for (const [failurePolicy, answer] of [
  ['Ignore', { status: 201 }],
  [
    'Fail',
    {
      status: 422,
      body: {
        message: DENIED('a', "expression 'object.data.none == 'x'' resulted in error: no such key: none"),
      },
    },
  ],
] as const) {
  test(`an expression that fails does as the policy says: ${failurePolicy}`, async () => {
    using api = makeApi();
    await enforce(api, { failurePolicy, validations: [{ expression: "object.data.none == 'x'" }] });
    expect(await make(api, 'a', { some: '' })).toMatchObject(answer);
  });
}

test('a condition that fails counts only where none is false', async () => {
  using api = makeApi();
  await enforce(api, {
    matchConditions: [
      { name: 'broken', expression: "object.data.none == 'x'" },
      { name: 'named', expression: "object.metadata.name == 'a'" },
    ],
    validations: [{ expression: 'true' }],
  });
  expect((await make(api, 'b', { some: '' })).status).toBe(201);
  const { body } = await make(api, 'a', { some: '' });
  expect(body.message).toContain('failed to evaluate match condition "broken"');
});

test('a policy whose expressions do not compile is refused', async () => {
  using api = makeApi();
  const { status, body } = await ask(api, 'POST', `${GROUP}/validatingadmissionpolicies`, {
    metadata: { name: 'p' },
    spec: {
      variables: [{ name: 'not-a-name', expression: 'request.nothing' }],
      matchConditions: [{ name: 'c', expression: '1' }],
      validations: [{ expression: 'true', messageExpression: '1', reason: 'Why' }],
      auditAnnotations: [{ key: 'k', valueExpression: 'none' }],
    },
  });
  expect(status).toBe(422);
  for (const text of [
    'spec.variables[0].name: Invalid value: "not-a-name": name is not a valid CEL identifier',
    "undefined field 'nothing'",
    'spec.matchConditions[0].expression: Invalid value: "1": must evaluate to bool but got int',
    'spec.validations[0].messageExpression: Invalid value: "1": must evaluate to string but got int',
    'spec.validations[0].reason: Unsupported value: "Why"',
    "undeclared reference to 'none' (in container '')",
  ])
    expect(body.message).toContain(text);
});
