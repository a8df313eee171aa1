// Values and mutations that nobody in his senses sends.
import fc from 'fast-check';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const TEXTS = [
  '',
  ' ',
  '\u0000',
  '\n',
  '../../etc/passwd',
  '__proto__',
  'constructor',
  'toString',
  '%00%2f',
  'a'.repeat(254),
  'a'.repeat(70_000),
  'ä😀\u202e\ud800',
  '-1',
  '1e999',
  '0x10',
  '10m',
  '1Zi',
  '1.5e3Ki',
  '9999999999999999999999',
  '2026-13-45T99:99:99Z',
  '2026-01-01T00:00:00Z',
  '300.300.1.1',
  '::1',
  '10.0.0.0/99',
  '$(A)',
  '{{.x}}',
  '(a+)+$',
  '*',
  '/',
  'a/b/c',
  'A.B',
  'true',
  'null',
  '50%',
  '-5%',
] as const;
const NUMBERS = [
  0,
  -1,
  1,
  0.5,
  -0,
  1e21,
  1e308,
  2 ** 31,
  2 ** 31 - 1,
  -(2 ** 31) - 1,
  2 ** 53,
  2 ** 63,
  65_536,
  4_294_967_296,
];

export const text: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...TEXTS) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
);

export const leaf: fc.Arbitrary<Json> = fc.oneof(
  { weight: 4, arbitrary: text as fc.Arbitrary<Json> },
  { weight: 3, arbitrary: fc.constantFrom<Json>(...NUMBERS) },
  { weight: 2, arbitrary: fc.constantFrom<Json>(null, true, false) },
);

export const value: fc.Arbitrary<Json> = fc.oneof(
  { weight: 6, arbitrary: leaf },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Json>(
      [],
      {},
      [[]],
      [{}],
      [null],
      { '': null },
      { a: { b: [] } },
      { metadata: null },
    ),
  },
  { weight: 1, arbitrary: fc.array(leaf, { maxLength: 4 }) },
  { weight: 1, arbitrary: fc.dictionary(text, leaf, { maxKeys: 3 }) },
);

/** One change of a document: the how-manieth place in it, and what becomes of it. */
export interface Mutation {
  readonly place: number;
  readonly change: 'replace' | 'remove' | 'add' | 'repeat' | 'wrap' | 'rename' | 'own';
  readonly key: string;
  readonly value: Json;
}

export const mutation: fc.Arbitrary<Mutation> = fc.record({
  place: fc.nat(10_000),
  change: fc.constantFrom(
    'replace',
    'replace',
    'replace',
    'remove',
    'add',
    'repeat',
    'wrap',
    'rename',
    'own',
  ),
  key: text,
  value,
});

/** The document with the mutations made, one after the other; the original stays as it is. */
export function mutate(document: Json, mutations: readonly Mutation[]): Json {
  let result = structuredClone(document);
  for (const one of mutations) result = mutateOnce(result, one);
  return result;
}

type Container = Record<string, Json> | Json[];

function mutateOnce(document: Json, { place, change, key, value: given }: Mutation): Json {
  const hostile = structuredClone(given); // Later changes may fall into it.
  const places: { holder: Container; key: string | number }[] = [];
  const visit = (node: Json): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const name of Object.keys(node)) {
      places.push({ holder: node as Container, key: Array.isArray(node) ? Number(name) : name });
      visit((node as Record<string, Json>)[name]!);
    }
  };
  visit(document);
  const target = places[place % Math.max(places.length, 1)];
  if (target === undefined) return hostile;
  const holder = target.holder as Record<string | number, Json>;
  const before = holder[target.key]!;
  if (change === 'replace') define(holder, target.key, hostile);
  else if (change === 'wrap') define(holder, target.key, place % 2 === 0 ? [before] : { [key]: before });
  else if (change === 'repeat' && Array.isArray(target.holder)) target.holder.push(structuredClone(before));
  else if (change === 'own' && Array.isArray(before))
    define(
      holder,
      target.key,
      Array.from({ length: 200 }, () => before[0] ?? null),
    );
  else if (change === 'add' && !Array.isArray(target.holder)) define(holder, key, hostile);
  else if (Array.isArray(target.holder)) target.holder.splice(target.key as number, 1);
  else {
    delete holder[target.key];
    if (change === 'rename') define(holder, key, before);
  }
  return document;
}

/** Also a key such as `__proto__` becomes the document's own. */
function define(holder: object, key: string | number, value: Json): void {
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Text that is nearly JSON, YAML or protobuf. */
export const rawBody: fc.Arbitrary<Uint8Array | string> = fc.oneof(
  fc.constantFrom<Uint8Array | string>(
    '',
    '{',
    '[]',
    'null',
    '"x"',
    '12',
    '{"kind":"ConfigMap"}',
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"metadata":{"name":"b"}}',
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"x":"1","x":"2"}}',
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}} trailing',
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"__proto__":{"polluted":true}}',
    `${'['.repeat(50_000)}`,
    `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`,
    `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":${'{"a":'.repeat(9999)}1${'}'.repeat(9999)}}`,
    `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"n","labels":{"a":${'9'.repeat(4000)}}}}`,
    'apiVersion: v1\nkind: ConfigMap\nmetadata: &m {name: y, x: *m}\n',
    `a: &a [${'x, '.repeat(9)}]\nb: &b [${'*a, '.repeat(9)}]\nc: &c [${'*b, '.repeat(9)}]\nd: &d [${'*c, '.repeat(9)}]\ne: &e [${'*d, '.repeat(9)}]\nf: [${'*e, '.repeat(9)}]\n`,
    '!!js/function "function(){}"',
    '--- \n... \n--- !x\n',
    '\ufeff{"kind":"ConfigMap"}',
    Buffer.from([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]),
    Buffer.from('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"\xc3\x28"}}', 'latin1'),
    Buffer.from('k8s\0', 'latin1'),
    Buffer.from('k8s\0\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01', 'latin1'),
    Buffer.from('k8s\0\x0a\x0f\x0a\x02v1\x12\x09ConfigMap\x12\x04\x0a\x02\x0a\x7f', 'latin1'),
  ),
  fc.uint8Array({ maxLength: 200 }),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.concat([Buffer.from('k8s\0', 'latin1'), bytes])),
  fc.json({ maxDepth: 4 }),
);

export const contentType = fc.constantFrom(
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/cbor',
  'text/plain',
  'application/json; charset=utf-16',
  'application/json;stream=watch',
  '',
  ';;;',
  '*/*',
  'application/merge-patch+json',
  'multipart/form-data; boundary=x',
);

export const accept = fc.constantFrom(
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/json;as=Table;v=v1;g=meta.k8s.io',
  'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
  'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json',
  'application/json;as=Nonsense;v=v9;g=none',
  'text/html',
  'application/json;q=0',
  '*/*;q=banana',
  ',,,',
  'application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,application/json',
  'application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io',
);
