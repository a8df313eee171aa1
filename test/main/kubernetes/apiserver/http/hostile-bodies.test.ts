// What fuzzing found: bodies that once made the server stumble, and what it says to them.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { documentAnswer } from '../../../../../main/kubernetes/apiserver/http/answer.ts';
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

test('YAML whose anchor holds itself is refused', () => {
  expect(() => yaml('a: &a {b: *a}\n')).toThrow(/^yaml: /);
});

test.each([
  ['a number where a message belongs', 'k8s\0\x0a\x0f\x0a\x02v1\x12\x09ConfigMap\x12\x02\x08\x05'],
  ['an end too soon', 'k8s\0\x0a\x7f'],
  ['a length beyond all', 'k8s\0\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01'],
])('protobuf with %s is refused', (_, text) => {
  expect(() => parseBody(Buffer.from(text, 'latin1'), 'protobuf')).toThrow(/^proto: /);
});

test('an answer in YAML shows an object that is there twice in full', () => {
  const twice = { a: 1 };
  expect(documentAnswer(200, { x: twice, y: twice }, { format: 'yaml', pretty: false }).body).toBe(
    'x:\n  a: 1\ny:\n  a: 1\n',
  );
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
