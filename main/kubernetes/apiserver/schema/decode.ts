// Brings a JSON value into the shape that Go's decoding and encoding of a kind would give it:
// wrong types are refused in Go's words, unknown fields noted and dropped, zero values left out or written as Go does.
import { canonicalQuantity, parseQuantity, QUANTITY_FORMAT_ERROR } from '../../api/quantity.ts';
import { rfc3339 } from '../../../simulation/index.ts';
import { isTree, type Tree } from '../object.ts';
import { resolve, structures, type Structure } from './structures.ts';
import {
  ALWAYS_WRITTEN,
  NEVER_FORCED,
  PLAIN_BOOLEANS,
  PLAIN_NUMBERS,
  POINTER_BOOLEANS,
  POINTER_STRINGS,
} from './zero-values.ts';

/** What decoding found besides the value. */
export class DecodeNotes {
  /** Paths of unknown fields in document order, such as `spec.containers[0].imag`. */
  readonly unknown: string[] = [];
  /** Go's text for the first value that doesn't fit. */
  error: string | undefined;
  /** Where the decoder is. */
  readonly path: (string | number)[] = [];

  fail(message: string): void {
    this.error ??= message;
  }

  pathText(): string {
    let text = '';
    for (const part of this.path)
      text += typeof part === 'number' ? `[${part}]` : text === '' ? part : `.${part}`;
    return text;
  }

  /** A type mismatch in encoding/json's words. */
  mismatch(value: unknown, struct: string, goType: string): void {
    if (this.error !== undefined) return;
    const path = this.path
      .filter((part, index) => typeof part === 'string' && !this.mapKeys.has(index))
      .join('.');
    this.error = `json: cannot unmarshal ${jsonKind(value, goType)} into Go struct field ${struct}.${path} of type ${goType}`;
  }

  /** Positions in `path` that are keys of maps, which Go's texts don't show. */
  readonly mapKeys = new Set<number>();
}

function jsonKind(value: unknown, goType: string): string {
  if (Array.isArray(value)) return 'array';
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'number':
      return goType.startsWith('int') ? `number ${value}` : 'number';
    default:
      return 'object';
  }
}

type Decoder = (value: unknown, notes: DecodeNotes, struct: string) => unknown;

interface FieldPlan {
  readonly decode: Decoder;
  /** Whether a decoded value is left out. */
  readonly drops: (value: unknown) => boolean;
}

const NEVER = (): boolean => false;
const isEmptyString = (value: unknown): boolean => value === '';
const isFalse = (value: unknown): boolean => value === false;
const isZero = (value: unknown): boolean => value === 0;
const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;
const isEmptyMap = (value: unknown): boolean => {
  for (const _key in value as Tree) return false;
  return true;
};

const decoders = new Map<string, Decoder>();

/** Decodes a value as the type with this schema name. Look at `notes.error` before using the result. */
export function decodeAs(schemaName: string, value: unknown, notes: DecodeNotes): Tree {
  const decoded = decoderOf(schemaName)(value, notes, schemaName);
  return isTree(decoded) ? decoded : {};
}

function decoderOf(name: string): Decoder {
  let decoder = decoders.get(name);
  if (decoder === undefined) {
    const structure = structures.get(name);
    if (structure === undefined) throw new Error(`no schema is called ${name}`);
    // Recursive types find this stand-in while the real one is being made.
    const slot: { made?: Decoder } = {};
    decoders.set(name, (value, notes, struct) => slot.made!(value, notes, struct));
    decoder = makeDecoder(structure, name);
    slot.made = decoder;
    decoders.set(name, decoder);
  }
  return decoder;
}

function shortName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

/** How Go's error texts name a type. */
function goTypeOf(structure: Structure): string {
  const { structure: target, name } = resolve(structure);
  if (target.special === 'Quantity') return 'resource.Quantity';
  if (target.special === 'IntOrString') return 'intstr.IntOrString';
  if (name !== undefined) return `v1.${shortName(name)}`;
  switch (target.type) {
    case 'array':
      return `[]${goTypeOf(target.items ?? {})}`;
    case 'object':
      return target.additionalProperties === undefined
        ? 'map[string]interface {}'
        : `map[string]${goTypeOf(target.additionalProperties)}`;
    case 'string':
      return target.format === 'byte' ? '[]uint8' : 'string';
    case 'integer':
      return target.format ?? 'int64';
    case 'number':
      return 'float64';
    case 'boolean':
      return 'bool';
    default:
      return 'interface {}';
  }
}

function makeDecoder(structure: Structure, name: string | undefined): Decoder {
  if (structure.$ref !== undefined) return decoderOf(structure.$ref);
  switch (structure.special) {
    case 'Quantity':
      return decodeQuantity;
    case 'IntOrString':
      return decodeIntOrString;
    case 'Time':
      return decodeTime;
    case 'MicroTime':
      return decodeMicroTime;
    default:
  }
  if (structure.any === true) return structure.type === 'object' ? decodeAnyObject : (value) => value;
  switch (structure.type) {
    case 'array':
      return listDecoder(structure);
    case 'object':
      return structure.properties === undefined
        ? mapDecoder(structure)
        : structDecoder(structure, name ?? '');
    case 'string':
      return structure.format === 'byte' ? decodeBytes : decodeString;
    case 'integer':
      return integerDecoder(structure.format ?? 'int64');
    case 'number':
      return decodeNumber;
    case 'boolean':
      return decodeBoolean;
    default:
      return (value) => value;
  }
}

function structDecoder(structure: Structure, name: string): Decoder {
  const type = shortName(name);
  const plans = new Map<string, FieldPlan>();
  for (const [field, property] of Object.entries(structure.properties ?? {})) {
    const isRequired = structure.required?.includes(field) === true && !NEVER_FORCED.has(`${type}.${field}`);
    const always = ALWAYS_WRITTEN[type]?.[field];
    plans.set(field, {
      decode: makeDecoder(property, undefined),
      drops: isRequired || always !== undefined ? NEVER : dropsOf(type, field, property),
    });
  }
  const forced = forcedFields(structure, type);
  const goType = `v1.${type}`;
  return (value, notes, struct) => {
    if (!isTree(value)) {
      notes.mismatch(value, struct, goType);
      return {};
    }
    const result: Tree = {};
    for (const field in value) {
      const member = value[field];
      if (member === undefined) continue;
      notes.path.push(field);
      const plan = plans.get(field);
      if (plan === undefined) notes.unknown.push(notes.pathText());
      else if (member !== null) {
        const decoded = plan.decode(member, notes, type);
        if (!plan.drops(decoded)) result[field] = decoded;
      }
      notes.path.pop();
    }
    for (const [field, zero] of forced) {
      const present = result[field];
      if (present === undefined)
        result[field] =
          zero === null || typeof zero !== 'object' ? zero : plans.get(field)!.decode(zero, notes, type);
      else if (zero === null && isEmptyList(present) && NULL_WHEN_EMPTY.has(field)) result[field] = null;
    }
    return result;
  };
}

/** Lists without `omitempty` that conversion to the internal type turns from empty to null. */
const NULL_WHEN_EMPTY = new Set(['rules', 'ports']);

function forcedFields(structure: Structure, type: string): [string, unknown][] {
  const forced = new Map<string, unknown>();
  for (const field of structure.required ?? []) {
    if (NEVER_FORCED.has(`${type}.${field}`)) continue;
    forced.set(field, zeroOf(structure.properties?.[field] ?? {}));
  }
  for (const [field, zero] of Object.entries(ALWAYS_WRITTEN[type] ?? {})) {
    if (structure.properties?.[field] !== undefined) forced.set(field, zero);
  }
  return [...forced];
}

function zeroOf(property: Structure): unknown {
  const { structure } = resolve(property);
  if (structure.special === 'Quantity') return '0';
  if (structure.special === 'IntOrString') return 0;
  if (structure.special !== undefined) return null;
  switch (structure.type) {
    case 'string':
      return structure.format === 'byte' ? null : '';
    case 'integer':
    case 'number':
      return 0;
    case 'boolean':
      return false;
    case 'object':
      return structure.properties === undefined ? null : {};
    default:
      return null;
  }
}

function dropsOf(type: string, field: string, property: Structure): (value: unknown) => boolean {
  const { structure, name } = resolve(property);
  if (structure.special === 'Time' || structure.special === 'MicroTime') return (value) => value === null;
  if (structure.special !== undefined) return NEVER;
  switch (structure.type) {
    case 'string':
      return POINTER_STRINGS.has(`${type}.${field}`) ? NEVER : isEmptyString;
    case 'boolean':
      return POINTER_BOOLEANS.has(field) && !PLAIN_BOOLEANS.has(`${type}.${field}`) ? NEVER : isFalse;
    case 'integer':
    case 'number':
      return PLAIN_NUMBERS.has(`${type}.${field}`) ? isZero : NEVER;
    case 'array':
      return isEmptyList;
    case 'object':
      return name === undefined && structure.properties === undefined ? isEmptyMap : NEVER;
    default:
      return NEVER;
  }
}

function listDecoder(structure: Structure): Decoder {
  const item = makeDecoder(structure.items ?? {}, undefined);
  const goType = goTypeOf(structure);
  const zero = zeroOf(structure.items ?? {});
  const zeroItem = zero !== null && typeof zero === 'object' ? {} : zero;
  return (value, notes, struct) => {
    if (!Array.isArray(value)) {
      notes.mismatch(value, struct, goType);
      return [];
    }
    const { path } = notes;
    const depth = path.length;
    const result: unknown[] = [];
    for (let index = 0; index < value.length; index++) {
      path[depth] = index;
      result[index] = item(value[index] ?? zeroItem, notes, struct);
    }
    path.length = depth;
    return result;
  };
}

function mapDecoder(structure: Structure): Decoder {
  const values = structure.additionalProperties ?? {};
  const item = makeDecoder(values, undefined);
  const goType = goTypeOf(structure);
  const zero = zeroOf(values);
  return (value, notes, struct) => {
    if (!isTree(value)) {
      notes.mismatch(value, struct, goType);
      return {};
    }
    const { path } = notes;
    const depth = path.length;
    const result: Tree = {};
    notes.mapKeys.add(depth);
    for (const key of sortedKeys(value)) {
      const member = value[key];
      if (member === undefined) continue;
      path[depth] = key;
      result[key] = item(member ?? zero, notes, struct);
    }
    notes.mapKeys.delete(depth);
    path.length = depth;
    return result;
  };
}

/** Go writes the members of a map in the order of their names. */
function sortedKeys(tree: Tree): string[] {
  const keys = Object.keys(tree);
  for (let index = 1; index < keys.length; index++) if (keys[index]! < keys[index - 1]!) return keys.sort();
  return keys;
}

const decodeString: Decoder = (value, notes, struct) => {
  if (typeof value === 'string') return value;
  notes.mismatch(value, struct, 'string');
  return '';
};

const decodeBoolean: Decoder = (value, notes, struct) => {
  if (typeof value === 'boolean') return value;
  notes.mismatch(value, struct, 'bool');
  return false;
};

const decodeNumber: Decoder = (value, notes, struct) => {
  if (typeof value === 'number') return value;
  notes.mismatch(value, struct, 'float64');
  return 0;
};

function integerDecoder(format: string): Decoder {
  const most = format === 'int32' ? 2 ** 31 : 2 ** 63;
  return (value, notes, struct) => {
    if (typeof value === 'number' && Number.isInteger(value) && value < most && value >= -most) return value;
    notes.mismatch(value, struct, format);
    return 0;
  };
}

const decodeAnyObject: Decoder = (value, notes, struct) => {
  if (isTree(value)) return value;
  notes.mismatch(value, struct, 'map[string]interface {}');
  return {};
};

const decodeBytes: Decoder = (value, notes, struct) => {
  if (value === null) return '';
  if (typeof value !== 'string') {
    notes.mismatch(value, struct, '[]uint8');
    return '';
  }
  const fault = base64Fault(value);
  if (fault !== undefined) notes.fail(`illegal base64 data at input byte ${fault}`);
  return value.replace(/[\r\n]/g, '');
};

/** The position at which encoding/base64 gives up, or undefined for valid text. */
function base64Fault(text: string): number | undefined {
  const bad = /[^A-Za-z0-9+/=\r\n]/.exec(text);
  const plain = text.replace(/[\r\n]/g, '');
  const padding = plain.indexOf('=');
  if (bad !== null && (padding < 0 || bad.index <= padding)) return bad.index;
  if (padding < 0) return plain.length % 4 === 0 ? undefined : plain.length - (plain.length % 4);
  if (padding % 4 < 2) return padding;
  const tail = plain.slice(padding);
  const wanted = 4 - (padding % 4);
  if (tail.length < wanted) return plain.length;
  return tail.length > wanted ? padding + wanted : tail === '='.repeat(wanted) ? undefined : padding + 1;
}

const decodeQuantity: Decoder = (value, notes) => {
  if ((typeof value === 'string' || typeof value === 'number') && parseQuantity(value) !== undefined) {
    return canonicalQuantity(value);
  }
  if (value === null) return '0';
  notes.fail(QUANTITY_FORMAT_ERROR);
  return '0';
};

const decodeIntOrString: Decoder = (value, notes, struct) => {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  notes.mismatch(value, struct, typeof value === 'number' ? 'int32' : 'string');
  return 0;
};

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.,]\d+)?(Z|[+-]\d\d:\d\d)$/;

const decodeTime: Decoder = (value, notes) => {
  if (value === null) return null;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const instantMs = RFC3339.test(text) ? Date.parse(text.replace(',', '.')) : Number.NaN;
  if (typeof value === 'string' && !Number.isNaN(instantMs)) return rfc3339(instantMs);
  notes.fail(timeFault(text, '2006-01-02T15:04:05Z07:00'));
  return null;
};

const decodeMicroTime: Decoder = (value, notes) => {
  if (value === null) return null;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const layout = '2006-01-02T15:04:05.000000Z07:00';
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (match === null || Number.isNaN(Date.parse(text))) notes.fail(timeFault(text, layout));
  else if (match[2] === undefined || match[2].length !== 7) {
    const rest = `${match[2] ?? ''}${match[3]}`;
    notes.fail(
      `parsing time ${JSON.stringify(text)} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(rest)} as ".000000"`,
    );
  }
  return text;
};

function timeFault(text: string, layout: string): string {
  const parts: [RegExp, string][] = [
    [/^\d{4}/, '2006'],
    [/^-/, '-'],
    [/^\d\d/, '01'],
    [/^-/, '-'],
    [/^\d\d/, '02'],
    [/^T/, 'T'],
    [/^\d\d/, '15'],
    [/^:/, ':'],
    [/^\d\d/, '04'],
    [/^:/, ':'],
    [/^\d\d/, '05'],
    [/^(\.\d+)?(Z|[+-]\d\d:\d\d)/, 'Z07:00'],
  ];
  let rest = text;
  for (const [pattern, element] of parts) {
    const match = pattern.exec(rest);
    if (match === null) {
      return `parsing time ${JSON.stringify(text)} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(element)}`;
    }
    rest = rest.slice(match[0].length);
  }
  return `parsing time ${JSON.stringify(text)}: extra text: ${JSON.stringify(rest)}`;
}
