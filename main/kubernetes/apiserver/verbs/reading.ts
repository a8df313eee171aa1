// get, list and watch over storage, with the revision semantics of the API.
import type { List } from '../../api/meta.ts';
import { apiVersionOf } from '../../api/meta.ts';
import { isStatus, StatusError } from '../../api/status.ts';
import type { Served } from '../catalogue.ts';
import type { StoredObject } from '../object.ts';
import { badRequest, expired, failure, notFound } from '../refusals.ts';
import type { ObjectStore, Selection } from '../storage/object-store.ts';
import { selects, type StorageWatcher } from '../storage/watchers.ts';
import type { ListRequest } from './request.ts';
import { selectionOf } from './selecting.ts';

/** One object; throws 404. */
export function getObject(served: Served, namespace: string, name: string): StoredObject {
  const object = served.table.get(namespace, name);
  if (object === undefined) throw notFound(served.resource, name);
  return served.present(object);
}

/** A revision in a request; throws what upstream throws for what isn't one. */
export function parseRevision(text: string | undefined, wrap: (message: string) => Error): number {
  if (text === undefined || text === '') return 0;
  if (!/^\d+$/.test(text)) {
    throw wrap(
      `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  }
  return Number(text);
}

/** 504 for a revision that hasn't come yet. */
export function checkNotFuture(revision: number, current: number): void {
  if (revision <= current) return;
  throw failure(504, 'Timeout', `Timeout: Too large resource version: ${revision}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}

/** In a token: go on with whatever is there by then. */
const ANY_REVISION = -1;

interface ContinueToken {
  readonly revision: number;
  /** The last key given. */
  readonly start: string;
}

function encodeToken({ revision, start }: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start })).toString('base64url');
}

/** JSON as Go's decoder takes it: an object, or words about what it is instead. */
function parseToken(
  bytes: Buffer,
  fail: (why: string) => never,
): { readonly v?: unknown; readonly rv?: unknown; readonly start?: unknown } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const [first] = bytes.toString('latin1').trimStart();
    return fail(
      first === undefined || first === '{'
        ? 'unexpected end of JSON input'
        : `invalid character '${first}' looking for beginning of value`,
    );
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed;
  const kind = Array.isArray(parsed) ? 'array' : parsed === true || parsed === false ? 'bool' : typeof parsed;
  if (parsed === null) return {};
  return fail(`json: cannot unmarshal ${kind} into Go value of type storage.continueToken`);
}

function decodeToken(token: string): ContinueToken {
  const fail = (why: string): never => {
    throw badRequest(`invalid continue token: continue key is not valid: ${why}`);
  };
  const bad = /[^A-Za-z0-9_-]/.exec(token);
  if (bad !== null) fail(`illegal base64 data at input byte ${bad.index}`);
  if (token.length % 4 === 1) fail(`illegal base64 data at input byte ${token.length - 1}`);
  const parsed = parseToken(Buffer.from(token, 'base64url'), fail);
  if (parsed.v !== 'meta.k8s.io/v1')
    fail(`server does not recognize this encoded version ${JSON.stringify(parsed.v ?? '')}`);
  const { rv, start } = parsed;
  if (typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv === 0)
    return fail('incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  if (typeof start !== 'string' || start === '')
    return fail('encoded start key empty (version meta.k8s.io/v1)');
  return { revision: rv, start };
}

/** What a list answers; items are shared, frozen objects. */
export function listObjects(objects: ObjectStore, request: ListRequest): List<StoredObject> {
  const { served, namespace, limit = 0 } = request;
  const selection = selectionOf(served, namespace, request.labelSelector, request.fieldSelector);
  const { revision, start, items: all } = snapshotOf(objects, request);
  const { table } = served;
  const filtered = selection.labels !== undefined || selection.matches !== undefined;

  const items: StoredObject[] = [];
  let last = '';
  let seen = 0;
  let more = false;
  for (const object of candidates(served, selection, all)) {
    const key = table.keyOf(object);
    if (start !== '' && key <= start) continue;
    seen++;
    if (!selects(selection, object)) continue;
    if (limit > 0 && items.length >= limit) {
      more = true;
      break;
    }
    items.push(served.present(object));
    last = key;
  }
  const remaining = filtered
    ? undefined
    : all.length -
      (start === '' ? 0 : all.length - countAfter(table.keyOf.bind(table), all, start)) -
      items.length;
  void seen;
  return {
    apiVersion: apiVersionOf(served.resource),
    kind: served.resource.listKind,
    metadata: {
      resourceVersion: String(revision),
      // Lists of custom resources always say that there is nothing more.
      ...(more
        ? { continue: encodeToken({ revision, start: last }) }
        : served.schemaName === undefined
          ? { continue: '' }
          : {}),
      ...(more && remaining !== undefined ? { remainingItemCount: remaining } : {}),
    },
    items,
  };
}

function countAfter(
  keyOf: (object: StoredObject) => string,
  all: readonly StoredObject[],
  start: string,
): number {
  let count = 0;
  for (const object of all) if (keyOf(object) > start) count++;
  return count;
}

/** A list by exact name needn't look at every object. */
function candidates(
  served: Served,
  selection: Selection,
  all: readonly StoredObject[],
): readonly StoredObject[] {
  const name = selection.equals?.find(({ field }) => field === 'metadata.name')?.value;
  if (name === undefined || (served.resource.namespaced && selection.namespace === undefined)) return all;
  const found = served.table.get(selection.namespace ?? '', name);
  return found !== undefined && all.includes(found)
    ? [found]
    : all.filter((object) => object.metadata.name === name);
}

function snapshotOf(
  objects: ObjectStore,
  request: ListRequest,
): { revision: number; start: string; items: readonly StoredObject[] } {
  const { served, namespace } = request;
  const wanted = parseRevision(request.resourceVersion, (message) =>
    badRequest(`invalid resource version: ${message}`),
  );
  if (request.continueToken !== undefined && request.continueToken !== '') {
    const { revision, start } = decodeToken(request.continueToken);
    if (revision === ANY_REVISION)
      return { revision: objects.revision, start, items: served.table.list(namespace) };
    try {
      return { revision, start, items: objects.listAt(served.table, revision, namespace) };
    } catch (error) {
      throw isStatus(error, 'Expired') ? continueExpired(start) : error;
    }
  }
  checkNotFuture(wanted, objects.revision);
  if (request.resourceVersionMatch === 'Exact' && wanted > 0) {
    return { revision: wanted, start: '', items: objects.listAt(served.table, wanted, namespace) };
  }
  return { revision: objects.revision, start: '', items: served.table.list(namespace) };
}

/** 410, with a token to go on without consistency. */
function continueExpired(start: string): Error {
  const { status } = expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
  );
  return new StatusError({
    ...status,
    metadata: { continue: encodeToken({ revision: ANY_REVISION, start }) },
  });
}

export interface WatchRequest extends ListRequest {
  /** Begin with what exists, as ADDED. */
  readonly initialEvents: boolean;
}

/** What a watch is told; objects in the served version. */
export interface WatchTarget {
  onEvent(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: StoredObject): void;
  onEnd(error: unknown): void;
  onBookmark?(revision: number): void;
}

/** Starts a watch. Throws for a bad request; 410 Expired when the revision is gone. Returns initial objects to send first. */
export function watchObjects(
  objects: ObjectStore,
  request: WatchRequest,
  target: WatchTarget,
): { readonly initial: readonly StoredObject[]; readonly revision: number; readonly watch: Disposable } {
  const { served } = request;
  const selection = selectionOf(served, request.namespace, request.labelSelector, request.fieldSelector);
  const watcher: StorageWatcher = {
    selection,
    onEvent: (type, object) => target.onEvent(type, served.present(object)),
    onEnd: (error) => target.onEnd(error),
    ...(target.onBookmark === undefined
      ? {}
      : { onBookmark: (revision: number) => target.onBookmark?.(revision) }),
  };
  const wanted = parseRevision(request.resourceVersion, (message) => failure(500, undefined, message));
  const revision = objects.revision;
  if (request.initialEvents || wanted === 0) {
    const initial = served.table
      .list(request.namespace)
      .filter((object) => selects(selection, object))
      .map(served.present);
    return { initial, revision, watch: objects.watch(served.table, revision, watcher) };
  }
  checkNotFuture(wanted, revision);
  return { initial: [], revision: wanted, watch: objects.watch(served.table, wanted, watcher) };
}
