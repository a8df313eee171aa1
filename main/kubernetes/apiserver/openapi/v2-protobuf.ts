// OpenAPI v2 as protobuf, the form in which kubectl asks for it. Field numbers: gnostic's openapiv2/OpenAPIv2.proto.

type Json = Record<string, unknown>;

/** Encodes a value as the content of a length-delimited field, or as a varint where it is a boolean. */
type Encoder = (value: never) => Buffer | boolean;

/** Member → field number and encoder; a list under `repeated` gives one field per item. */
interface Field {
  readonly number: number;
  readonly encode: Encoder;
  readonly repeated?: boolean;
}

const VARINT = 0;
const DELIMITED = 2;

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}

function fieldOf(number: number, content: Buffer | boolean): Buffer {
  if (typeof content === 'boolean')
    return Buffer.concat([varint(number * 8 + VARINT), varint(content ? 1 : 0)]);
  return Buffer.concat([varint(number * 8 + DELIMITED), varint(content.length), content]);
}

const text = (value: string): Buffer => Buffer.from(value, 'utf8');
const flag = (value: boolean): boolean => value;
/** Any with its value as YAML, of which JSON is a part. */
const any = (value: unknown): Buffer => fieldOf(2, text(JSON.stringify(value)));

/** A message that holds a map as a list of names and values. */
const named =
  (encode: Encoder, number = 1) =>
  (map: Json): Buffer =>
    Buffer.concat(
      Object.entries(map).map(([name, value]) =>
        fieldOf(number, Buffer.concat([fieldOf(1, text(name)), fieldOf(2, encode(value as never))])),
      ),
    );

function message(fields: Readonly<Record<string, Field>>, extensions: number): (value: Json) => Buffer {
  return (value) => {
    const pieces: Buffer[] = [];
    for (const [member, content] of Object.entries(value)) {
      const field = fields[member];
      if (field?.repeated === true) {
        for (const item of content as never[]) pieces.push(fieldOf(field.number, field.encode(item)));
      } else if (field !== undefined) pieces.push(fieldOf(field.number, field.encode(content as never)));
      else if (member.startsWith('x-')) pieces.push(named(any, extensions)({ [member]: content }));
    }
    return Buffer.concat(pieces);
  };
}

const schema: (value: Json) => Buffer = message(
  {
    $ref: { number: 1, encode: text },
    format: { number: 2, encode: text },
    title: { number: 3, encode: text },
    description: { number: 4, encode: text },
    default: { number: 5, encode: any },
    pattern: { number: 13, encode: text },
    uniqueItems: { number: 16, encode: flag },
    required: { number: 19, encode: text, repeated: true },
    enum: { number: 20, encode: any, repeated: true },
    additionalProperties: {
      number: 21,
      encode: (value: Json | boolean) =>
        typeof value === 'boolean' ? fieldOf(2, value) : fieldOf(1, schema(value)),
    },
    type: { number: 22, encode: (value: string) => fieldOf(1, text(value)) },
    items: { number: 23, encode: (value: Json) => fieldOf(1, schema(value)) },
    allOf: { number: 24, encode: (value: Json) => schema(value), repeated: true },
    properties: { number: 25, encode: (value: Json) => named(schema)(value) },
  },
  31,
);

const queryParameter = message(
  {
    required: { number: 1, encode: flag },
    in: { number: 2, encode: text },
    description: { number: 3, encode: text },
    name: { number: 4, encode: text },
    type: { number: 6, encode: text },
    format: { number: 7, encode: text },
    uniqueItems: { number: 20, encode: flag },
  },
  23,
);

/** A parameter of a query: ParametersItem, Parameter and NonBodyParameter around it. */
function parameter({ schema: of = {}, ...rest }: Json & { schema?: Json }): Buffer {
  return fieldOf(1, fieldOf(2, fieldOf(3, queryParameter({ ...of, ...rest }))));
}

const response = message({ description: { number: 1, encode: text } }, 5);

const operation = message(
  {
    description: { number: 3, encode: text },
    operationId: { number: 5, encode: text },
    parameters: { number: 8, encode: parameter, repeated: true },
    responses: { number: 9, encode: named((value: Json) => fieldOf(1, response(value))) },
  },
  13,
);

const pathItem = message(
  {
    get: { number: 2, encode: operation },
    put: { number: 3, encode: operation },
    post: { number: 4, encode: operation },
    delete: { number: 5, encode: operation },
    patch: { number: 8, encode: operation },
  },
  10,
);

const document = message(
  {
    swagger: { number: 1, encode: text },
    info: {
      number: 2,
      encode: message({ title: { number: 1, encode: text }, version: { number: 2, encode: text } }, 7),
    },
    paths: { number: 8, encode: named(pathItem, 2) },
    definitions: { number: 9, encode: named(schema) },
  },
  16,
);

/** The whole document in protobuf. */
export function encodeDocument(whole: unknown): Uint8Array {
  return document(whole as Json);
}
