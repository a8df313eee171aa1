import { describe, expect, test } from 'vitest';
import { ask, type Answer } from '../../../../support/ask-json.ts';
import { makeApi, type TestApi } from '../../../../support/make-api.ts';

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const TOYS = '/apis/example.com/v1/namespaces/default/toys';

/** Defines toys with this schema of their spec; they are served a moment later. */
async function define(api: TestApi, spec: object): Promise<Answer> {
  const answer = await ask(api, 'POST', DEFINITIONS, {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'toys.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'toys', kind: 'Toy' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec } } },
        },
      ],
    },
  });
  await api.clock.advance({ seconds: 1 });
  return answer;
}

const toy = (spec: object, metadata: object = {}): object => ({
  apiVersion: 'example.com/v1',
  kind: 'Toy',
  metadata: { name: 'a', ...metadata },
  spec,
});

/** Puts a changed toy in place of the one that is there. */
async function change(api: TestApi, spec: object): Promise<Answer> {
  const { body } = await ask(api, 'GET', `${TOYS}/a`);
  const { resourceVersion } = body['metadata'] as { resourceVersion: string };
  return ask(api, 'PUT', `${TOYS}/a`, toy(spec, { resourceVersion }));
}

const causesOf = ({ body }: Answer): unknown => (body['details'] as { causes?: unknown } | undefined)?.causes;

const rules = (...list: object[]): object => ({ 'x-kubernetes-validations': list });
const COUNTS = { low: { type: 'integer' }, high: { type: 'integer' }, note: { type: 'string' } };

describe('a rule', () => {
  test('is judged with its message, reason and field', async () => {
    using api = makeApi();
    await define(api, {
      type: 'object',
      properties: COUNTS,
      ...rules({
        rule: 'self.low <= self.high',
        messageExpression: "'low is ' + string(self.low) + ', high is ' + string(self.high)",
        reason: 'FieldValueForbidden',
        fieldPath: '.high',
      }),
    });
    const answer = await ask(api, 'POST', TOYS, toy({ low: 3, high: 2 }));
    expect(answer.status).toBe(422);
    expect(causesOf(answer)).toEqual([
      { reason: 'FieldValueForbidden', message: 'Forbidden: low is 3, high is 2', field: 'spec.high' },
    ]);
    expect((await ask(api, 'POST', TOYS, toy({ low: 1, high: 2 }))).status).toBe(201);
  });

  test('says what went wrong when it cannot be evaluated', async () => {
    using api = makeApi();
    await define(api, { type: 'object', properties: COUNTS, ...rules({ rule: 'self.low <= self.high' }) });
    const { body } = await ask(api, 'POST', TOYS, toy({ low: 3 }));
    expect(body.message).toContain(
      'spec: Invalid value: no such key: high evaluating rule: self.low <= self.high',
    );
  });

  test('compares with what was before, and only then', async () => {
    using api = makeApi();
    await define(api, {
      type: 'object',
      properties: { size: { type: 'integer', ...rules({ rule: 'self >= oldSelf', message: 'only grows' }) } },
    });
    expect((await ask(api, 'POST', TOYS, toy({ size: 5 }))).status).toBe(201);
    const answer = await change(api, { size: 4 });
    expect(causesOf(answer)).toEqual([
      { reason: 'FieldValueInvalid', message: 'Invalid value: 4: only grows', field: 'spec.size' },
    ]);
    expect((await change(api, { size: 6 })).status).toBe(200);
  });

  test('with optionalOldSelf runs on creation as well', async () => {
    using api = makeApi();
    await define(api, {
      type: 'object',
      properties: {
        state: {
          type: 'string',
          ...rules({
            rule: "oldSelf.hasValue() || self == 'new'",
            optionalOldSelf: true,
            message: 'begins as new',
          }),
        },
      },
    });
    expect((await ask(api, 'POST', TOYS, toy({ state: 'old' }))).status).toBe(422);
    expect((await ask(api, 'POST', TOYS, toy({ state: 'new' }))).status).toBe(201);
    expect((await change(api, { state: 'old' })).status).toBe(200);
  });

  test('sees times and bytes as such', async () => {
    using api = makeApi();
    await define(api, {
      type: 'object',
      properties: { when: { type: 'string', format: 'date-time' }, raw: { type: 'string', format: 'byte' } },
      ...rules(
        { rule: "!has(self.when) || self.when > timestamp('2020-01-01T00:00:00Z')", message: 'too early' },
        { rule: '!has(self.raw) || self.raw.size() == 3', message: 'three bytes' },
      ),
    });
    const early = await ask(api, 'POST', TOYS, toy({ when: '2019-01-01T00:00:00Z', raw: 'YWJjZA==' }));
    expect(early.body.message).toContain('too early');
    expect(early.body.message).toContain('three bytes');
    expect((await ask(api, 'POST', TOYS, toy({ when: '2021-01-01T00:00:00Z', raw: 'YWJj' }))).status).toBe(
      201,
    );
  });
});

/** Gives toys another schema of their spec. */
async function redefine(api: TestApi, spec: object): Promise<void> {
  const { body } = await ask(api, 'GET', `${DEFINITIONS}/toys.example.com`);
  const definition = body as unknown as {
    spec: { versions: { schema: { openAPIV3Schema: { properties: { spec: object } } } }[] };
  };
  definition.spec.versions[0]!.schema.openAPIV3Schema.properties.spec = spec;
  expect((await ask(api, 'PUT', `${DEFINITIONS}/toys.example.com`, definition)).status).toBe(200);
  await api.clock.advance({ seconds: 1 });
}

describe('what an update leaves as it was', () => {
  test('is not held against a new rule', async () => {
    using api = makeApi();
    await define(api, { type: 'object', properties: COUNTS });
    await ask(api, 'POST', TOYS, toy({ low: 3, high: 2 }));
    await redefine(api, {
      type: 'object',
      properties: { ...COUNTS, low: { type: 'integer', ...rules({ rule: 'self < 3', message: 'below 3' }) } },
    });
    expect((await change(api, { low: 3, high: 2, note: 'unchanged' })).status).toBe(200);
    expect((await change(api, { low: 4, high: 2 })).status).toBe(422);
  });

  test('is not held against a new bound or word, not even in a list by its keys', async () => {
    using api = makeApi();
    const ports = (port: object): object => ({
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: {
        type: 'object',
        required: ['name'],
        properties: {
          name: { type: 'string' },
          port: { type: 'integer', ...port },
          note: { type: 'string' },
        },
      },
    });
    const color = { type: 'string' };
    await define(api, { type: 'object', properties: { color, ports: ports({}) } });
    await ask(api, 'POST', TOYS, toy({ color: 'pink', ports: [{ name: 'a', port: 99 }] }));
    await redefine(api, {
      type: 'object',
      properties: { color: { ...color, enum: ['red'] }, ports: ports({ maximum: 10 }) },
    });
    const kept = {
      color: 'pink',
      ports: [
        { name: 'b', port: 1 },
        { name: 'a', port: 99, note: 'x' },
      ],
    };
    expect((await change(api, kept)).status).toBe(200);
    expect((await change(api, { ...kept, color: 'blue' })).status).toBe(422);
    expect((await change(api, { ...kept, ports: [{ name: 'b', port: 11 }] })).status).toBe(422);
  });

  test('is refused all the same for lacking what has become required', async () => {
    using api = makeApi();
    await define(api, { type: 'object', properties: COUNTS });
    await ask(api, 'POST', TOYS, toy({ low: 3 }));
    await redefine(api, { type: 'object', required: ['high'], properties: COUNTS });
    expect((await change(api, { low: 3, note: 'x' })).status).toBe(422);
  });
});

describe('a definition is refused when', () => {
  const spec = (rule: object, properties: object = COUNTS): object => ({
    type: 'object',
    properties,
    ...rules(rule),
  });
  for (const [why, schema, message] of [
    ['a rule is no condition', spec({ rule: 'self.low' }), 'cel expression must evaluate to a bool'],
    [
      'a message is no text',
      spec({ rule: 'true', messageExpression: 'self.low' }),
      'messageExpression must evaluate to a string',
    ],
    [
      'a message does not compile',
      spec({ rule: 'true', messageExpression: 'self.lou' }),
      "messageExpression compilation failed: ERROR: <input>:1:5: undefined field 'lou'",
    ],
    ['types do not fit', spec({ rule: "self.low == 'a'" }), "'_==_' applied to '(int, string)'"],
    [
      'optionalOldSelf has no use',
      spec({ rule: 'true', optionalOldSelf: true }),
      'may not be set if oldSelf is not used in rule',
    ],
    [
      'elements of a list cannot be compared',
      {
        type: 'object',
        properties: {
          list: { type: 'array', items: { type: 'string', ...rules({ rule: 'self == oldSelf' }) } },
        },
      },
      'oldSelf cannot be used on the uncorrelatable portion of the schema within',
    ],
    ['its field is not there', spec({ rule: 'true', fieldPath: '.none' }), 'does not refer to a valid field'],
  ] as const) {
    test(why, async () => {
      using api = makeApi();
      const { status, body } = await define(api, schema);
      expect(status).toBe(422);
      expect(body.message).toContain(message);
    });
  }
});
