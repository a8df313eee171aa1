// Validation of values by an OpenAPI v3 schema, in the words of kube-openapi's validator.
import { equalTrees, isTree } from '../object.ts';
import { duplicate, required, unsupported, type FieldError } from '../refusals.ts';
import { fieldOf, itemsOf, type JsonSchema } from './schema.ts';

/** Where a value is: the error's field, and the name that texts give it. */
interface Place {
  readonly field: string;
  readonly name: string;
}

function below({ field, name }: Place, part: string): Place {
  return { field: joined(field, part), name: joined(name, part) };
}

function joined(path: string, part: string): string {
  return path === '' ? part : part.startsWith('[') ? path + part : `${path}.${part}`;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  'date-time': (text) =>
    /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(text) &&
    !Number.isNaN(Date.parse(text.toUpperCase())),
  date: (text) => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)),
  ipv4: (text) =>
    /^(\d{1,3})(\.\d{1,3}){3}$/.test(text) && text.split('.').every((part) => Number(part) < 256),
  ipv6: (text) => text.includes(':') && /^[0-9a-fA-F:.]+$/.test(text),
  uuid: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text),
  email: (text) => /^[^@\s]+@[^@\s]+$/.test(text),
  byte: (text) => /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0,
};

/** All that is wrong with a value. */
export function validateValue(
  value: unknown,
  schema: JsonSchema | undefined,
  field = '',
  name = field,
): FieldError[] {
  const errors: FieldError[] = [];
  if (schema !== undefined) check(value, schema, { field, name }, errors);
  return errors;
}

function check(value: unknown, schema: JsonSchema, place: Place, errors: FieldError[]): void {
  if (value === undefined) return;
  if (value === null && schema.nullable === true) return;
  if (!checkType(value, schema, place, errors)) return;
  if (schema.enum !== undefined && !schema.enum.some((allowed) => equalTrees(allowed, value)))
    errors.push(
      unsupported(
        place.field,
        value,
        schema.enum.map((allowed) => (typeof allowed === 'string' ? allowed : JSON.stringify(allowed))),
      ),
    );
  if (typeof value === 'number') checkNumber(value, schema, place, errors);
  else if (typeof value === 'string') checkText(value, schema, place, errors);
  else if (Array.isArray(value)) checkList(value, schema, place, errors);
  else if (isTree(value)) checkObject(value, schema, place, errors);
  checkCombinations(value, schema, place, errors);
}

const invalidAt = ({ field }: Place, shown: string, body: string): FieldError => ({
  type: 'Invalid',
  field,
  body: `Invalid value: ${shown}: ${body}`,
});

function checkType(value: unknown, schema: JsonSchema, place: Place, errors: FieldError[]): boolean {
  const found = typeOf(value);
  const wanted = schema['x-kubernetes-int-or-string'] === true ? ['integer', 'string'] : [schema.type];
  if (wanted[0] === undefined || wanted[0] === '') return true;
  if (wanted.includes(found) || (found === 'integer' && wanted.includes('number'))) return true;
  errors.push({
    type: 'TypeInvalid',
    field: place.field,
    body: `Invalid value: "${found}": ${place.name} in body must be of type ${wanted.join(',')}: "${found}"`,
  });
  if (schema.type === 'integer' && found === 'number') {
    errors.push({
      type: 'Invalid',
      field: '<nil>',
      body: `Invalid value: "": Checked value must be of type integer (default format) in ${place.name}`,
    });
  }
  return false;
}

function checkNumber(value: number, schema: JsonSchema, place: Place, errors: FieldError[]): void {
  const { minimum, maximum, multipleOf } = schema;
  const fault = (why: string): void =>
    void errors.push(invalidAt(place, String(value), `${place.name} in body should be ${why}`));
  if (multipleOf !== undefined) {
    // The validator mistakes the value for the factor when it complains of zero.
    if (value === 0)
      errors.push(invalidAt(place, '0', `factor MultipleOf declared for ${place.name} must be positive: 0`));
    else if (!Number.isInteger(value / multipleOf)) fault(`a multiple of ${multipleOf}`);
  }
  if (maximum !== undefined) {
    if (schema.exclusiveMaximum === true ? value >= maximum : value > maximum)
      fault(schema.exclusiveMaximum === true ? `less than ${maximum}` : `less than or equal to ${maximum}`);
  }
  if (minimum !== undefined) {
    if (schema.exclusiveMinimum === true ? value <= minimum : value < minimum)
      fault(
        schema.exclusiveMinimum === true ? `greater than ${minimum}` : `greater than or equal to ${minimum}`,
      );
  }
}

function checkText(value: string, schema: JsonSchema, place: Place, errors: FieldError[]): void {
  const length = [...value].length;
  const { minLength, maxLength, pattern, format } = schema;
  const fault = (why: string): void =>
    void errors.push(invalidAt(place, JSON.stringify(value), `${place.name} in body should ${why}`));
  if (maxLength !== undefined && length > maxLength) {
    errors.push({
      type: 'TooLong',
      field: place.field,
      body: `Too long: may not be more than ${maxLength} bytes`,
    });
  }
  if (minLength !== undefined && length < minLength) fault(`be at least ${minLength} chars long`);
  if (pattern !== undefined && patternOf(pattern)?.test(value) === false) fault(`match '${pattern}'`);
  if (format !== undefined && FORMATS[format]?.(value) === false) {
    errors.push({
      type: 'TypeInvalid',
      field: place.field,
      body: `Invalid value: ${JSON.stringify(value)}: ${place.name} in body must be of type ${format}: ${JSON.stringify(value)}`,
    });
  }
}

/** A Go regular expression as JavaScript's; undefined for what can't be compiled. */
export function patternOf(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern.replaceAll(String.raw`\A`, '^').replaceAll(String.raw`\z`, '$'), 'u');
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function tooMany(place: Place, count: number, most: number): FieldError {
  return {
    type: 'TooMany',
    field: place.field,
    body: `Too many: ${count}: must have at most ${most} items`,
  };
}

function checkList(value: readonly unknown[], schema: JsonSchema, place: Place, errors: FieldError[]): void {
  const items = itemsOf(schema);
  if (items !== undefined)
    for (const [index, item] of value.entries()) check(item, items, below(place, `[${index}]`), errors);
  const { minItems, maxItems } = schema;
  if (maxItems !== undefined && value.length > maxItems) errors.push(tooMany(place, value.length, maxItems));
  if (minItems !== undefined && value.length < minItems)
    errors.push(
      invalidAt(place, String(value.length), `${place.name} in body should have at least ${minItems} items`),
    );
}

function checkObject(
  value: Readonly<Record<string, unknown>>,
  schema: JsonSchema,
  place: Place,
  errors: FieldError[],
): void {
  const fields = Object.keys(value).sort();
  const { minProperties, maxProperties } = schema;
  if (maxProperties !== undefined && fields.length > maxProperties)
    errors.push(tooMany(place, fields.length, maxProperties));
  if (minProperties !== undefined && fields.length < minProperties)
    errors.push(
      invalidAt(
        place,
        String(fields.length),
        `${place.name} in body should have at least ${minProperties} properties`,
      ),
    );
  for (const field of schema.required ?? []) {
    if (value[field] === undefined) errors.push(required(joined(place.field, field)));
  }
  for (const field of fields) {
    const known = fieldOf(schema, field);
    if (known !== undefined) check(value[field], known, below(place, field), errors);
  }
}

function checkCombinations(value: unknown, schema: JsonSchema, place: Place, errors: FieldError[]): void {
  const outcomes = (list: readonly JsonSchema[]): FieldError[][] =>
    list.map((each) => {
      const found: FieldError[] = [];
      check(value, each, place, found);
      return found;
    });
  const general = (body: string): FieldError => ({
    type: 'Invalid',
    field: '<nil>',
    body: `Invalid value: "": ${JSON.stringify(place.name)} ${body}`,
  });
  const best = (results: readonly FieldError[][]): FieldError[] =>
    results.reduce((least, each) => (each.length < least.length ? each : least));
  for (const each of schema.allOf ?? []) check(value, each, place, errors);
  if ((schema.anyOf?.length ?? 0) > 0) {
    const results = outcomes(schema.anyOf!);
    if (!results.some((each) => each.length === 0))
      errors.push(general('must validate at least one schema (anyOf)'), ...best(results));
  }
  if ((schema.oneOf?.length ?? 0) > 0) {
    const results = outcomes(schema.oneOf!);
    const valid = results.filter((each) => each.length === 0).length;
    const text = 'must validate one and only one schema (oneOf). Found';
    if (valid === 0) errors.push(general(`${text} none valid`), ...best(results));
    else if (valid > 1) errors.push(general(`${text} ${valid} valid alternatives`));
  }
  if (schema.not !== undefined && outcomes([schema.not])[0]!.length === 0)
    errors.push(general('must not validate the schema (not)'));
}

/** Lists that are sets or maps have no element twice. */
export function checkListTypes(
  value: unknown,
  schema: JsonSchema | undefined,
  field: string,
  errors: FieldError[],
): void {
  if (Array.isArray(value)) {
    const kind = schema?.['x-kubernetes-list-type'];
    const keys = schema?.['x-kubernetes-list-map-keys'] ?? [];
    if (kind === 'set' || kind === 'map') {
      const seen = new Set<string>();
      for (const [index, item] of value.entries()) {
        const shown =
          kind === 'set'
            ? item
            : Object.fromEntries(keys.map((key) => [key, isTree(item) ? item[key] : undefined]));
        const text = JSON.stringify(shown);
        if (seen.has(text)) errors.push(duplicate(`${field}[${index}]`, shown));
        seen.add(text);
      }
    }
    for (const [index, item] of value.entries())
      checkListTypes(item, itemsOf(schema), `${field}[${index}]`, errors);
  } else if (isTree(value)) {
    for (const [name, member] of Object.entries(value)) {
      const known = fieldOf(schema, name);
      if (known !== undefined) checkListTypes(member, known, joined(field, name), errors);
    }
  }
}
