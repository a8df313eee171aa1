// What a command is about: the objects of a manifest, or types and names on the line (cli-runtime's resource.Builder).
import { LineCounter, parseAllDocuments } from 'yaml';
import type { KubernetesObject } from '../../api/index.ts';
import { CommandError } from '../frame/command-error.ts';
import type { Kubectl } from '../kubectl.ts';
import type { DiscoveredResource } from './discovery.ts';

/** Any object, as JSON. */
export type AnyObject = KubernetesObject & Record<string, unknown>;

/** An object of a file, with where it came from. */
export interface FileObject {
  readonly object: AnyObject;
  /** The path as it was found, or STDIN. */
  readonly source: string;
}

/** A type, and the name of one of it; without a name, all of them. */
export interface Target {
  readonly resource: DiscoveredResource;
  readonly name: string | undefined;
  /** Where a file says that it is; absent: where the command line says. */
  readonly namespace?: string;
}

/** The documents of a YAML or JSON text. */
export function parseManifest(text: string, source: string): FileObject[] {
  const counter = new LineCounter();
  const found: FileObject[] = [];
  for (const document of parseAllDocuments(text, { lineCounter: counter, version: '1.1', merge: true })) {
    const [problem] = document.errors;
    if (problem !== undefined) {
      const line = lineOf(text, counter.linePos(problem.pos[0]).line, problem.code);
      throw new CommandError(
        `error parsing ${source}: error converting YAML to JSON: yaml: line ${line}: ${goYamlText(problem.code)}`,
      );
    }
    const value: unknown = document.toJS();
    if (value === null || value === undefined) continue;
    if (typeof value !== 'object' || Array.isArray(value)) {
      const kind = Array.isArray(value) ? 'array' : typeof value === 'string' ? 'string' : 'number';
      throw new CommandError(
        `unable to decode "${source}": json: cannot unmarshal ${kind} into Go value of type unstructured.detector`,
      );
    }
    const object = value as AnyObject;
    if (typeof object.kind !== 'string' || object.kind === '') {
      throw new CommandError(
        `unable to decode "${source}": Object 'Kind' is missing in '${JSON.stringify(object)}'`,
      );
    }
    if (typeof object.apiVersion !== 'string' || object.apiVersion === '') {
      throw new CommandError(
        `error validating "${source}": error validating data: apiVersion not set; if you choose to ignore these errors, turn validation off with --validate=false`,
      );
    }
    if (object.kind === 'List' && Array.isArray(object['items'])) {
      for (const item of object['items'] as AnyObject[]) found.push({ object: item, source });
    } else found.push({ object, source });
  }
  return found;
}

/** go-yaml points at the line of the second colon, where a key runs over two lines. */
function lineOf(text: string, line: number, code: string): number {
  const isOnLine = (text.split('\n')[line - 1] ?? '').split(/:(?:\s|$)/).length > 2;
  return code === 'BLOCK_AS_IMPLICIT_KEY' && !isOnLine ? line + 1 : line;
}

/** go-yaml's words for what is wrong, as far as the two parsers see the same fault. */
function goYamlText(code: string): string {
  const texts: Readonly<Record<string, string>> = {
    BAD_INDENT: 'did not find expected key',
    MISSING_CHAR: "could not find expected ':'",
    TAB_AS_INDENT: 'found character that cannot start any token',
    DUPLICATE_KEY: 'mapping key already defined',
    BLOCK_AS_IMPLICIT_KEY: 'mapping values are not allowed in this context',
    MULTILINE_IMPLICIT_KEY: 'did not find expected key',
    UNEXPECTED_TOKEN: 'did not find expected key',
  };
  return texts[code] ?? 'did not find expected key';
}

/** What `TYPE NAME…`, `TYPE/NAME…` and `TYPE,TYPE` mean. Throws CommandError in kubectl's words. */
export async function parseTargets(kubectl: Kubectl, args: readonly string[]): Promise<Target[]> {
  const mapper = await kubectl.mapper();
  if (args.some((arg) => arg.includes('/'))) {
    const plain = args.find((arg) => !arg.includes('/'));
    if (plain !== undefined) {
      throw new CommandError(
        "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'",
      );
    }
    return args.map((arg) => {
      const [type = '', name = '', ...more] = arg.split('/');
      if (more.length > 0 || type === '' || name === '') {
        throw new CommandError('arguments in resource/name form must have a single resource and name');
      }
      return { resource: mapper.require(type), name };
    });
  }
  const [types = '', ...names] = args;
  const resources = types.split(',').flatMap((type) => {
    const category = mapper.find(type) === undefined ? mapper.inCategory(type) : [];
    return category.length > 0 ? category : [mapper.require(type)];
  });
  if (names.length === 0) return resources.map((resource) => ({ resource, name: undefined }));
  return resources.flatMap((resource) => names.map((name) => ({ resource, name })));
}

/** `deployment.apps/web`: how answers name an object. */
export function qualifiedName(resource: DiscoveredResource, name: string): string {
  return `${resource.singular || resource.kind.toLowerCase()}${resource.group === '' ? '' : `.${resource.group}`}/${name}`;
}
