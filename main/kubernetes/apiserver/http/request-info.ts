// From a request's path to what it asks for (apiserver pkg/endpoints/request/requestinfo.go).
import { verbOfMethod } from '../../api/verbs.ts';

export interface RequestInfo {
  /** Whether the path is one of resources. */
  readonly isResource: boolean;
  readonly path: string;
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly namespace: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  /** What follows the subresource, as for proxies; without the leading slash. */
  readonly rest: string;
  /** Under the deprecated `/watch/` prefix. */
  readonly legacyWatch: boolean;
}

/** Subresources of namespaces that aren't resources in a namespace. */
const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize']);

/** Reads the path; `isWatch` says that the query asks for a watch. */
export function requestInfoOf(method: string, path: string, query: URLSearchParams): RequestInfo {
  const parts = path
    .split('/')
    .filter((part, index, all) => !(part === '' && (index === 0 || index === all.length - 1)));
  const plain: RequestInfo = {
    isResource: false,
    path,
    verb: method.toLowerCase(),
    group: '',
    version: '',
    namespace: '',
    resource: '',
    subresource: '',
    name: '',
    rest: '',
    legacyWatch: false,
  };
  const isCore = parts[0] === 'api';
  if (!isCore && parts[0] !== 'apis') return plain;
  const rest = parts.slice(isCore ? 2 : 3);
  if (rest.length === 0) return plain;
  const group = isCore ? '' : parts[1]!;
  const version = isCore ? parts[1]! : parts[2]!;

  let verb = verbOfMethod(method);
  let legacyWatch = false;
  let segments = rest;
  if (segments[0] === 'watch' && segments.length > 1) {
    legacyWatch = true;
    verb = 'watch';
    segments = segments.slice(1);
  }
  let namespace = '';
  if (segments[0] === 'namespaces') {
    if (segments.length > 1) {
      namespace = segments[1]!;
      if (segments.length > 2 && !NAMESPACE_SUBRESOURCES.has(segments[2]!)) segments = segments.slice(2);
    }
  }
  const [resource = '', name = '', subresource = '', ...tail] = segments;
  if (name === '') {
    if (verb === 'get') verb = isTrue(query, 'watch') ? 'watch' : 'list';
    else if (verb === 'delete') verb = 'deletecollection';
  }
  return {
    isResource: true,
    path,
    verb,
    group,
    version,
    namespace,
    resource,
    subresource,
    name,
    rest: tail.join('/'),
    legacyWatch,
  };
}

/** Go's reading of a boolean query parameter: present and not false. */
export function isTrue(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  if (value === null) return false;
  return !['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value);
}
