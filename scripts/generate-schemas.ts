// Builds the API's schemas (types, formats, enums, descriptions) from npm packages into main/kubernetes/api/generated/.
// Sources: the .d.ts of kubernetes-models (names, descriptions, required, enums) and the attribute formats of
// @kubernetes/client-node. Run by set-up; what it writes is never committed.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** A structure as the API server reads it; `any` takes whatever comes. */
interface Structure {
  type?: string;
  format?: string | undefined;
  enum?: string[];
  any?: true;
  special?: string;
  items?: Structure;
  properties?: Record<string, Structure>;
  additionalProperties?: Structure;
  required?: string[];
  gvk?: [group: string, version: string, kind: string];
  $ref?: string;
  /** A literal type, until its union has been read. */
  constant?: string;
}

/** An interface's body: its structure and what each property's comment says. */
interface Members {
  properties: Record<string, Structure>;
  additionalProperties?: Structure;
  required: string[];
  descriptions: Record<string, string>;
}

type Token = { doc?: string; string?: string; word?: string; sign?: string };

/** What @kubernetes/client-node's models say of their attributes. */
type ClientModels = Record<string, { attributeTypeMap?: { baseName: string; format: string }[] } | undefined>;

const root = path.resolve(import.meta.dirname, '..');
const output = path.join(root, 'main/kubernetes/api/generated');
const require = createRequire(path.join(root, 'package.json'));
const modelsRoot = path.dirname(require.resolve('kubernetes-models/package.json'));
const machineryRoot = path.join(root, 'node_modules/@kubernetes-models/apimachinery');

/** Group-versions that Drydock serves or converts from; the packages carry older ones too. */
const FOLDERS = new Map([
  ['v1', 'io.k8s.api.core.v1'],
  ['admissionregistration.k8s.io/v1', 'io.k8s.api.admissionregistration.v1'],
  ['apiextensions.k8s.io/v1', 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1'],
  ['apiregistration.k8s.io/v1', 'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1'],
  ['apps/v1', 'io.k8s.api.apps.v1'],
  ['authentication.k8s.io/v1', 'io.k8s.api.authentication.v1'],
  ['authorization.k8s.io/v1', 'io.k8s.api.authorization.v1'],
  ['autoscaling/v1', 'io.k8s.api.autoscaling.v1'],
  ['autoscaling/v2', 'io.k8s.api.autoscaling.v2'],
  ['batch/v1', 'io.k8s.api.batch.v1'],
  ['certificates.k8s.io/v1', 'io.k8s.api.certificates.v1'],
  ['coordination.k8s.io/v1', 'io.k8s.api.coordination.v1'],
  ['discovery.k8s.io/v1', 'io.k8s.api.discovery.v1'],
  ['events.k8s.io/v1', 'io.k8s.api.events.v1'],
  ['flowcontrol.apiserver.k8s.io/v1', 'io.k8s.api.flowcontrol.v1'],
  ['networking.k8s.io/v1', 'io.k8s.api.networking.v1'],
  ['node.k8s.io/v1', 'io.k8s.api.node.v1'],
  ['policy/v1', 'io.k8s.api.policy.v1'],
  ['rbac.authorization.k8s.io/v1', 'io.k8s.api.rbac.v1'],
  ['resource.k8s.io/v1', 'io.k8s.api.resource.v1'],
  ['scheduling.k8s.io/v1', 'io.k8s.api.scheduling.v1'],
  ['storage.k8s.io/v1', 'io.k8s.api.storage.v1'],
  // What servers of older versions serve beside these.
  ['admissionregistration.k8s.io/v1beta1', 'io.k8s.api.admissionregistration.v1beta1'],
  ['apiextensions.k8s.io/v1beta1', 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1beta1'],
  ['apiregistration.k8s.io/v1beta1', 'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1beta1'],
  ['apps/v1beta1', 'io.k8s.api.apps.v1beta1'],
  ['apps/v1beta2', 'io.k8s.api.apps.v1beta2'],
  ['autoscaling/v2beta1', 'io.k8s.api.autoscaling.v2beta1'],
  ['autoscaling/v2beta2', 'io.k8s.api.autoscaling.v2beta2'],
  ['batch/v1beta1', 'io.k8s.api.batch.v1beta1'],
  ['certificates.k8s.io/v1beta1', 'io.k8s.api.certificates.v1beta1'],
  ['coordination.k8s.io/v1beta1', 'io.k8s.api.coordination.v1beta1'],
  ['discovery.k8s.io/v1beta1', 'io.k8s.api.discovery.v1beta1'],
  ['events.k8s.io/v1beta1', 'io.k8s.api.events.v1beta1'],
  ['extensions/v1beta1', 'io.k8s.api.extensions.v1beta1'],
  ['networking.k8s.io/v1beta1', 'io.k8s.api.networking.v1beta1'],
  ['node.k8s.io/v1beta1', 'io.k8s.api.node.v1beta1'],
  ['policy/v1beta1', 'io.k8s.api.policy.v1beta1'],
  ['rbac.authorization.k8s.io/v1beta1', 'io.k8s.api.rbac.v1beta1'],
  ['scheduling.k8s.io/v1beta1', 'io.k8s.api.scheduling.v1beta1'],
  ['storage.k8s.io/v1beta1', 'io.k8s.api.storage.v1beta1'],
]);
const MACHINERY_FOLDERS = new Map([
  ['apis/meta/v1', 'io.k8s.apimachinery.pkg.apis.meta.v1'],
  ['api/resource', 'io.k8s.apimachinery.pkg.api.resource'],
  ['util/intstr', 'io.k8s.apimachinery.pkg.util.intstr'],
  ['runtime', 'io.k8s.apimachinery.pkg.runtime'],
  ['version', 'io.k8s.apimachinery.pkg.version'],
]);

/** Alias used in the .d.ts (IIoK8sApiCoreV1Pod) → dotted name. */
const names = new Map<string, string>();
/** Dotted name → source text of its interface file. */
const sources = new Map<string, string>();

function collect(base: string, folders: ReadonlyMap<string, string>): void {
  for (const [folder, prefix] of folders) {
    for (const file of readdirSync(path.join(base, folder)).sort()) {
      if (!file.endsWith('.d.ts') || file === 'index.d.ts') continue;
      const text = readFileSync(path.join(base, folder, file), 'utf8');
      const kind = file.slice(0, -'.d.ts'.length);
      const alias = /as (IIo\w+)/.exec(text)?.[1];
      if (alias === undefined) throw new Error(`${folder}/${file} exports no canonical name`);
      names.set(alias, `${prefix}.${kind}`);
      sources.set(`${prefix}.${kind}`, text);
    }
  }
}

collect(modelsRoot, FOLDERS);
collect(machineryRoot, MACHINERY_FOLDERS);

// ── Formats ──

const { ObjectSerializer } = (await import(
  pathToFileURL(path.join(root, 'node_modules/@kubernetes/client-node/dist/gen/models/ObjectSerializer.js'))
    .href
)) as { ObjectSerializer?: unknown };
if (ObjectSerializer === undefined) throw new Error('@kubernetes/client-node has no ObjectSerializer');
const clientModels = (await import(
  pathToFileURL(path.join(root, 'node_modules/@kubernetes/client-node/dist/gen/models/all.js')).href
)) as ClientModels;

function formatsOf(name: string): Map<string, string> {
  const parts = name.split('.');
  const [group = '', lowerVersion = '', kind = ''] = parts.slice(-3);
  const version = lowerVersion.replace(/^v/, 'V');
  const capital = group.charAt(0).toUpperCase() + group.slice(1);
  // A version that is no longer has no model; the fields it shares with v1 have the formats they have there.
  const model =
    clientModels[`${capital}${version}${kind}`] ??
    clientModels[`${version}${kind}`] ??
    clientModels[`${capital}V1${kind}`] ??
    clientModels[`V1${kind}`] ??
    clientModels[`V2${kind}`];
  return new Map((model?.attributeTypeMap ?? []).map((attribute) => [attribute.baseName, attribute.format]));
}

// ── The .d.ts grammar: interfaces of documented properties, and aliases ──

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const pattern =
    /\s+|\/\*\*([\s\S]*?)\*\/|"((?:[^"\\]|\\.)*)"|([A-Za-z_$][\w$]*)|([{}[\]<>:;?|,()=&.]|=>)/gy;
  for (
    let match: RegExpExecArray | null;
    pattern.lastIndex < text.length && (match = pattern.exec(text)) !== null;
  ) {
    if (match[1] !== undefined) tokens.push({ doc: commentText(match[1]) });
    else if (match[2] !== undefined) tokens.push({ string: JSON.parse(`"${match[2]}"`) as string });
    else if (match[3] !== undefined) tokens.push({ word: match[3] });
    else if (match[4] !== undefined) tokens.push({ sign: match[4] });
  }
  return tokens;
}

/** The words of a doc comment; a blank line stays one, escapes (`*\/`, `\*`) are undone. */
function commentText(comment: string): string {
  return comment
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trimEnd())
    .join('\n')
    .trim()
    .replace(/\*\\\//g, '*/')
    .replace(/\\([*_`<>[\]@{}#])/g, '$1');
}

class Reader {
  private at = 0;
  private readonly tokens: Token[];
  private readonly name: string;
  private readonly formats: Map<string, string>;

  constructor(tokens: Token[], name: string) {
    this.tokens = tokens;
    this.name = name;
    this.formats = formatsOf(name);
  }

  sign(sign: string): boolean {
    if (this.tokens[this.at]?.sign !== sign) return false;
    this.at++;
    return true;
  }

  expect(sign: string): void {
    if (!this.sign(sign)) {
      throw new Error(
        `${this.name}: expected ${sign} at ${JSON.stringify(this.tokens.slice(this.at, this.at + 4))}`,
      );
    }
  }

  /** The members of `{ … }`, after the opening brace. */
  members(top: boolean): Members {
    const schema: Members = { properties: {}, required: [], descriptions: {} };
    let doc: string | undefined;
    while (!this.sign('}')) {
      const token = this.next();
      if (token.doc !== undefined) {
        doc = token.doc;
        continue;
      }
      if (token.sign === '[') {
        this.at++; // key
        this.expect(':');
        this.at++; // string
        this.expect(']');
        this.expect(':');
        schema.additionalProperties = this.type();
        this.expect(';');
        continue;
      }
      const property = token.string ?? token.word ?? '';
      const optional = this.sign('?');
      this.expect(':');
      schema.properties[property] = this.type(top ? this.formats.get(property) : undefined);
      this.expect(';');
      if (doc !== undefined) schema.descriptions[property] = doc;
      doc = undefined;
      if (!optional) schema.required.push(property);
    }
    return schema;
  }

  type(format?: string): Structure {
    const options = [this.single(format)];
    while (this.sign('|')) options.push(this.single(format));
    const constants = options.flatMap(({ constant }) => constant ?? []);
    if (constants.length === options.length) return { type: 'string', enum: constants.sort() };
    return options.length === 1 ? options[0]! : { any: true };
  }

  single(format?: string): Structure {
    const token = this.next();
    if (token.string !== undefined) return { constant: token.string };
    if (token.sign === '{') {
      const schema = this.members(false);
      if (schema.additionalProperties !== undefined) {
        const values: Structure =
          format === 'byte' ? { type: 'string', format } : schema.additionalProperties;
        return { type: 'object', additionalProperties: values };
      }
      if (Object.keys(schema.properties).length === 0) return { type: 'object', any: true };
      return { type: 'object', ...schema };
    }
    if (token.sign === '(') {
      const inner = this.type(format);
      this.expect(')');
      return inner;
    }
    switch (token.word) {
      case 'string':
        return format === 'byte'
          ? { type: 'string', format }
          : format === 'date-time'
            ? { type: 'string', format }
            : { type: 'string' };
      case 'boolean':
        return { type: 'boolean' };
      case 'number':
        if (format === 'double') return { type: 'number', format };
        return { type: 'integer', format: format === 'int64' ? 'int64' : 'int32' };
      case 'Array': {
        this.expect('<');
        const items = this.type(format);
        this.expect('>');
        return { type: 'array', items };
      }
      case 'unknown':
      case 'any':
      case 'object':
        return { any: true };
      default:
        return { $ref: this.reference(token.word ?? '') };
    }
  }

  private next(): Token {
    const token = this.tokens[this.at++];
    if (token === undefined) throw new Error(`${this.name}: ends too soon`);
    return token;
  }

  private reference(word: string): string {
    const known = names.get(word);
    if (known !== undefined) return known;
    // A file refers to its own interface by its short name.
    const own = this.name.slice(0, this.name.lastIndexOf('.') + 1) + word.slice(1);
    if (sources.has(own)) return own;
    throw new Error(`${this.name}: nothing is called ${word}`);
  }
}

const structures: Record<string, Structure> = {};
const descriptions: Record<string, Record<string, string>> = {};
for (const [name, text] of sources) {
  const declaration = /export (?:interface|type) I\w+[^{;=]*(?:\{|=)/.exec(text);
  if (declaration === null) throw new Error(`${name}: no interface`);
  const docs = text.slice(0, declaration.index).match(/\/\*\*([\s\S]*?)\*\/\s*$/);
  const description = docs?.[1] === undefined ? undefined : commentText(docs[1]);
  const body = tokenize(text.slice(declaration.index + declaration[0].length));
  const reader = new Reader(body, name);
  let schema: Structure;
  if (declaration[0].endsWith('=')) schema = reader.type();
  else {
    const isObject = /extends TypeMeta/.test(declaration[0]);
    const read = reader.members(true);
    schema = { type: 'object', properties: read.properties };
    const required = read.required.filter(
      (field) => !(isObject && (field === 'apiVersion' || field === 'kind')),
    );
    if (required.length > 0) schema.required = required.toSorted();
    if (isObject) {
      const apiVersion = read.properties['apiVersion']?.enum?.[0] ?? '';
      const kind = read.properties['kind']?.enum?.[0] ?? '';
      schema.gvk = [
        apiVersion.includes('/') ? apiVersion.split('/')[0]! : '',
        apiVersion.split('/').at(-1)!,
        kind,
      ];
      schema.properties = {
        apiVersion: { type: 'string' },
        kind: { type: 'string' },
        ...omit(read.properties),
      };
    } else if (Object.keys(read.properties).length === 0) {
      schema = { type: 'object', any: true };
    }
    descriptions[name] = { ...read.descriptions };
  }
  if (description !== undefined) (descriptions[name] ??= {})[''] = description;
  structures[name] = special(name) ?? schema;
}

function omit({
  apiVersion: _apiVersion,
  kind: _kind,
  ...rest
}: Record<string, Structure>): Record<string, Structure> {
  return rest;
}

/** Types whose Go code marshals itself. */
function special(name: string): Structure | undefined {
  const short = name.split('.').at(-1)!;
  if (name.endsWith('resource.Quantity')) return { special: 'Quantity', type: 'string' };
  if (name.endsWith('intstr.IntOrString'))
    return { special: 'IntOrString', type: 'string', format: 'int-or-string' };
  if (name.endsWith('meta.v1.Time')) return { special: 'Time', type: 'string', format: 'date-time' };
  if (name.endsWith('meta.v1.MicroTime'))
    return { special: 'MicroTime', type: 'string', format: 'date-time' };
  if (name.endsWith('runtime.RawExtension')) return { type: 'object', any: true };
  if (name.endsWith('meta.v1.FieldsV1')) return { type: 'object', any: true };
  if (
    name.includes('apiextensions') &&
    ['JSON', 'JSONSchemaPropsOrBool', 'JSONSchemaPropsOrArray', 'JSONSchemaPropsOrStringArray'].includes(
      short,
    )
  ) {
    return { any: true };
  }
  return undefined;
}

function moduleOf(constant: string, value: unknown): string {
  return `// Written by scripts/generate-schemas.ts; do not edit.\nexport const ${constant} = ${JSON.stringify(JSON.stringify(value))};\n`;
}

mkdirSync(output, { recursive: true });
writeFileSync(path.join(output, 'structures.js'), moduleOf('structuresText', structures));
writeFileSync(
  path.join(output, 'structures.d.ts'),
  '/** JSON text: schema name → structure. */\nexport declare const structuresText: string;\n',
);
writeFileSync(path.join(output, 'descriptions.js'), moduleOf('descriptionsText', descriptions));
writeFileSync(
  path.join(output, 'descriptions.d.ts'),
  '/** JSON text: schema name → property (or the empty string for the type) → description. */\nexport declare const descriptionsText: string;\n',
);
