// What fuzzing found: bodies that once made the server stumble, and what it says to them.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseBody } from '../../../../../main/kubernetes/apiserver/http/body.ts';
import { applyJsonPatch } from '../../../../../main/kubernetes/apiserver/patch/json-patch.ts';
import { resources } from '../../../../../main/kubernetes/api/index.ts';
import { makeApi, type TestApi } from '../../../../support/make-api.ts';

let api: TestApi;
beforeAll(() => void (api = makeApi()));
afterAll(() => api[Symbol.dispose]());

const yaml = (text: string): unknown => parseBody(Buffer.from(text), 'yaml').value;
const json = (text: string): unknown => parseBody(Buffer.from(text), 'json').value;

test('YAML whose aliases multiply is refused', () => {
  const nine = (name: string): string => `[${`*${name}, `.repeat(9)}]`;
  const bomb = `a: &a [x]\nb: &b ${nine('a')}\nc: &c ${nine('b')}\nd: &d ${nine('c')}\ne: ${nine('d')}\n`;
  expect(() => yaml(bomb)).toThrow('yaml: document contains excessive aliasing');
});

test('JSON that is nested too deep is refused', () => {
  expect(() => json('['.repeat(5000))).toThrow('exceeded max depth');
  expect(() => json(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`)).toThrow('exceeded max depth');
});

test('operations of a JSON patch that are none', () => {
  expect(() => applyJsonPatch({}, [7])).toThrow(
    'error decoding patch: json: cannot unmarshal number into Go value of type handlers.jsonPatchOp',
  );
  expect(() => applyJsonPatch({}, [null])).toThrow(
    'the server rejected our request due to an error in our request',
  );
});

test('a definition without versions, or without a spec', async () => {
  const names = { plural: 'as', kind: 'A' };
  for (const spec of [{ group: 'a.example.com', scope: 'Cluster', names, versions: null }, undefined]) {
    await expect(
      api.client.create(resources.customresourcedefinitions, {
        metadata: { name: 'as.a.example.com' },
        spec,
      } as never),
    ).rejects.toThrow(/is invalid/);
  }
});
