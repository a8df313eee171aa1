// The HTTP door: authenticate, authorize, find the verb, answer.
import {
  headerOf,
  type HttpHandler,
  type HttpRequest,
  type HttpResponse,
} from '../../../network/http/index.ts';
import { verbOfMethod } from '../../api/verbs.ts';
import { deprecationWarning, unsimulatedIn } from '../../api/api-versions.ts';
import type { PatchType } from '../../client/client.ts';
import { proxyAnswer } from '../aggregation/proxy.ts';
import { findRemote } from '../aggregation/registration.ts';
import type { Authenticator } from '../auth/authentication.ts';
import type { Attributes } from '../auth/authorizer.ts';
import type { UserInfo } from '../auth/user.ts';
import type { Served } from '../catalogue.ts';
import type { ServerCore } from '../core.ts';
import { FlowControl } from './flows.ts';
import type { StoredObject } from '../object.ts';
import { isTree } from '../object.ts';
import {
  badRequest,
  failure,
  methodNotAllowed,
  noSuchResource,
  notFound,
  unknownError,
} from '../refusals.ts';
import { admitted } from '../verbs/admitted.ts';
import { createOf } from '../verbs/creating.ts';
import { nameSelected } from '../verbs/selecting.ts';
import { deleteCollection } from '../verbs/collection.ts';
import { getObject, listObjects, parseRevision, checkNotFuture } from '../verbs/reading.ts';
import type { WriteRequest } from '../verbs/request.ts';
import { documentAnswer, refusalAnswer, textAnswer } from './answer.ts';
import { mediaTypeOf, objectFormat, parseBody, readBody } from './body.ts';
import { connectAnswer, isConnectSubresource } from '../connect/connect.ts';
import { overWebSocket } from '../connect/websocket-body.ts';
import { componentStatusAnswer } from './component-status.ts';
import { deleteOptionsOf } from './delete-options.ts';
import { decodeObject } from './decoding.ts';
import { JsonError } from './json-reader.ts';
import { takesNothing, type Wanted } from './negotiation.ts';
import { presentationOf, prettyOf } from './presentation.ts';
import { listParametersOf, writeOptionsOf } from './options.ts';
import { presentList, presentObject } from './presenting.ts';
import { requestInfoOf, isTrue, type RequestInfo } from './request-info.ts';
import { reviewAnswer } from '../verbs/reviews.ts';
import { countRequest } from './metrics.ts';
import { plainAnswer } from './plain-paths.ts';
import { warningHeaders } from './warnings.ts';
import { watchAnswer } from './watch-stream.ts';

/** Longest Audit-ID that is taken from a request, in characters. */
const AUDIT_ID_MAX = 64;

const PATCH_TYPES: readonly PatchType[] = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];

/** First release with server-side apply (beta). */
const APPLY_SINCE = 16;

/** One request with everything that was read off it. */
export interface Exchange {
  readonly core: ServerCore;
  readonly request: HttpRequest;
  readonly info: RequestInfo;
  readonly query: URLSearchParams;
  readonly user: UserInfo;
  readonly wanted: Wanted;
  readonly warnings: string[];
}

/** Serves the API over HTTP. */
export function makeHttpDoor(core: ServerCore, authenticator: Authenticator): HttpHandler {
  const flows = new FlowControl(core.catalogue);
  const auditIds = core.random.fork('audit');
  return async (request) => {
    const auditId = headerOf(request.headers, 'audit-id') ?? '';
    const trail: [string, string][] = [
      ['audit-id', auditId !== '' && auditId.length <= AUDIT_ID_MAX ? auditId : auditIds.uuid()],
    ];
    const seen: { info?: RequestInfo } = {};
    const response = await answer(request, trail, seen);
    countRequest(core, request.method, seen.info, response.status);
    return { ...response, headers: [...response.headers, ...trail] };
  };

  /** Adds to the trail which flow the request belongs to, once that is known. */
  async function answer(
    request: HttpRequest,
    trail: [string, string][],
    seen: { info?: RequestInfo },
  ): Promise<HttpResponse> {
    const pretty = prettyOf(request);
    let wanted: Wanted = { format: 'json', as: undefined, asVersion: '', pretty };
    const warnings: string[] = [];
    try {
      const { path, query } = targetOf(request.target);
      const accept = headerOf(request.headers, 'accept');
      const caller = authenticator.authenticate(request);
      const { user } = caller;
      const info = requestInfoOf(request.method, path, query);
      seen.info = info;
      caller.check(info);
      const attributes = attributesOf(info, user, query);
      const flow = flows.classify(attributes);
      if (flow !== undefined) {
        trail.push(
          ['x-kubernetes-pf-flowschema-uid', flow.schemaUid],
          ['x-kubernetes-pf-prioritylevel-uid', flow.levelUid],
        );
      }
      core.authorize(attributes);
      const basic = basicFormat(accept);
      if (basic !== undefined) wanted = { ...wanted, format: basic };
      const exchange: Exchange = { core, request, info, query, user, wanted, warnings };
      if (!info.isResource) return await plainAnswer(exchange);
      return await resourceAnswer(exchange);
    } catch (error) {
      if (error instanceof JsonError)
        return refusalAnswer(badRequest(error.message), wanted, warningHeaders(warnings));
      const indented = takesNothing(headerOf(request.headers, 'accept'));
      return refusalAnswer(
        error,
        indented ? { format: 'json', pretty: true } : wanted,
        warningHeaders(warnings),
      );
    }
  }
}

function basicFormat(accept: string | undefined): 'json' | 'yaml' | undefined {
  return accept !== undefined && /^\s*application\/yaml\b/.test(accept) ? 'yaml' : undefined;
}

function targetOf(target: string): { path: string; query: URLSearchParams } {
  const mark = target.indexOf('?');
  const raw = mark < 0 ? target : target.slice(0, mark);
  let path: string;
  try {
    path = decodeURIComponent(raw);
  } catch (error) {
    throw failure(400, 'BadRequest', `invalid URL escape in ${JSON.stringify(raw)}`, undefined) ?? error;
  }
  return { path, query: new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1)) };
}

function attributesOf(info: RequestInfo, user: UserInfo, query: URLSearchParams): Attributes {
  const { verb, group, version, namespace, resource, subresource, path } = info;
  let { name } = info;
  if (!info.isResource)
    return {
      user,
      verb,
      group: '',
      version: '',
      resource: '',
      subresource: '',
      namespace: '',
      name: '',
      path,
    };
  if (name === '' && (verb === 'list' || verb === 'watch' || verb === 'deletecollection'))
    name = nameSelected(query.get('fieldSelector') ?? undefined);
  return { user, verb, group, version, resource, subresource, namespace, name };
}

async function resourceAnswer(exchange: Exchange): Promise<HttpResponse> {
  const { core, request, info } = exchange;
  const { group, version, resource, namespace, name, subresource } = info;
  if (group === '' && version === 'v1' && resource === 'componentstatuses')
    return componentStatusAnswer(exchange);
  const review = await reviewAnswer(exchange);
  if (review !== undefined) return review;
  const served = core.catalogue.findServed({ group, version, plural: resource });
  const isCustomGroup = core.catalogue.hasCustomGroup(group);
  if (served === undefined || isCustomGroup) {
    const remote = findRemote(core.catalogue, group, version);
    if (remote !== undefined) return proxyAnswer(exchange, remote);
  }
  if (served === undefined) {
    if (isCustomGroup) return textAnswer(404, '404 page not found\n');
    throw unsimulated(exchange) ?? noSuchResource();
  }
  if (served.kind.custom?.deprecation !== undefined) exchange.warnings.push(served.kind.custom.deprecation);
  const deprecation = deprecationWarning(core.catalogue.minor, served.resource);
  if (deprecation !== undefined) exchange.warnings.push(deprecation);
  if (subresource !== '' && !served.resource.subresources.some((known) => known.name === subresource))
    throw isCustomGroup ? notFound(served.resource, name) : noSuchResource();
  const scoped = served.resource.namespaced;
  if (!scoped && namespace !== '' && resource !== 'namespaces') {
    if (isCustomGroup) return textAnswer(404, '404 page not found\n');
    throw noSuchResource();
  }
  if (scoped && namespace === '' && name !== '') throw noSuchResource();
  if (subresource === 'proxy') return connectAnswer(exchange, served);
  if (request.method === 'HEAD') throw methodNotAllowed();
  checkMethod(served, exchange);
  if (isConnectSubresource(served, subresource)) return connectAnswer(exchange, served);
  switch (request.method) {
    case 'GET':
      return name === '' || info.legacyWatch
        ? collectionAnswer(exchange, served)
        : objectAnswer(exchange, served);
    case 'POST':
      return createAnswer(exchange, served);
    case 'PUT':
      return updateAnswer(exchange, served);
    case 'PATCH':
      return patchAnswer(exchange, served);
    default:
      return deleteAnswer(exchange, served);
  }
}

/** What this release served and Drydock doesn't. */
function unsimulated({ core, info }: Exchange): Error | undefined {
  const { group, version, resource } = info;
  const known = unsimulatedIn(core.catalogue.minor).find(
    (one) => one.group === group && one.version === version && one.plural === resource,
  );
  if (known === undefined) return undefined;
  return failure(501, 'NotImplemented', `drydock: ${known.kind} isn't simulated`);
}

/** 405 for what the resource doesn't do. */
function checkMethod({ resource }: Served, { request, info }: Exchange): void {
  const { name, subresource, namespace } = info;
  let verbs: readonly string[] = resource.verbs;
  if (subresource !== '')
    verbs = resource.subresources.find((known) => known.name === subresource)?.verbs ?? [];
  const verb = subresource !== '' ? verbOfMethod(request.method) : info.verb;
  const misplaced =
    subresource === '' &&
    ((request.method === 'POST' && (name !== '' || (resource.namespaced && namespace === ''))) ||
      ((request.method === 'PUT' || request.method === 'PATCH') && name === ''));
  const known = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].includes(request.method);
  if (!known || misplaced || !verbs.includes(verb)) throw methodNotAllowed();
}

function answerObject(exchange: Exchange, served: Served, status: number, object: unknown): HttpResponse {
  const presentation = presentationOf(exchange);
  const isObject = isTree(object) && isTree(object['metadata']) && object['kind'] !== 'Status';
  const document = isObject ? presentObject(served, object as unknown as StoredObject, presentation) : object;
  return documentAnswer(status, document, presentation.wanted, warningHeaders(exchange.warnings));
}

function objectAnswer(exchange: Exchange, served: Served): HttpResponse {
  const { core, info, query } = exchange;
  presentationOf(exchange);
  const revision = parseRevision(query.get('resourceVersion') ?? undefined, unknownError);
  checkNotFuture(revision, core.objects.revision);
  const object = getObject(served, info.namespace, info.name);
  return answerObject(exchange, served, 200, core.api.getSubresource(served, object, info.subresource));
}

function collectionAnswer(exchange: Exchange, served: Served): HttpResponse | Promise<HttpResponse> {
  const { core, request, info, query } = exchange;
  const isWatch = info.legacyWatch || isTrue(query, 'watch');
  const presentation = presentationOf(exchange, isWatch);
  const parameters = listParametersOf(query, isWatch);
  const namespace = served.resource.namespaced && info.namespace !== '' ? info.namespace : undefined;
  if (!isWatch) {
    const list = listObjects(core.objects, { ...parameters, served, namespace });
    return documentAnswer(
      200,
      presentList(served, list, presentation),
      presentation.wanted,
      warningHeaders(exchange.warnings),
    );
  }
  const nameField = info.name === '' ? undefined : `metadata.name=${info.name}`;
  return overWebSocket(request, 'events', ({ signal }) =>
    watchAnswer(core, {
      request: {
        ...parameters,
        fieldSelector:
          [parameters.fieldSelector, nameField].filter((part) => part !== undefined).join(',') || undefined,
        served,
        namespace,
        initialEvents: parameters.sendInitialEvents === true,
      },
      presentation,
      timeoutSeconds: parameters.timeoutSeconds,
      bookmarks: parameters.bookmarks,
      initialEventsEnd: parameters.sendInitialEvents === true && parameters.bookmarks,
      signal,
      warnings: warningHeaders(exchange.warnings),
    }),
  );
}

function writeRequestOf(
  exchange: Exchange,
  served: Served,
  options: { dryRun: boolean; fieldManager: string },
): WriteRequest {
  const { info, user, warnings } = exchange;
  return {
    served,
    namespace: served.resource.namespaced ? info.namespace : '',
    user,
    subresource: info.subresource,
    dryRun: options.dryRun,
    fieldManager: options.fieldManager,
    tracked: true,
    warn: (text) => void warnings.push(text),
  };
}

async function createAnswer(exchange: Exchange, served: Served): Promise<HttpResponse> {
  const { core, request, info, query } = exchange;
  presentationOf(exchange);
  const format = objectFormat(mediaTypeOf(request));
  const bytes = await readBody(request);
  const options = writeOptionsOf(query, 'CreateOptions', false, headerOf(request.headers, 'user-agent'));
  const write = writeRequestOf(exchange, served, options);
  const object = decodeObject({
    served,
    subresource: info.subresource,
    bytes,
    format,
    validation: options.fieldValidation,
    warn: (text) => write.warn(text),
  });
  const created = await admitted(core, write, (tried, own) => createOf(core, tried, info.name, own(object)));
  if (created === undefined) throw methodNotAllowed();
  return answerObject(exchange, served, 201, created);
}

async function updateAnswer(exchange: Exchange, served: Served): Promise<HttpResponse> {
  const { core, request, info, query } = exchange;
  presentationOf(exchange);
  const format = objectFormat(mediaTypeOf(request));
  const bytes = await readBody(request);
  const options = writeOptionsOf(query, 'UpdateOptions', false, headerOf(request.headers, 'user-agent'));
  const write = writeRequestOf(exchange, served, options);
  const object = decodeObject({
    served,
    subresource: info.subresource,
    bytes,
    format,
    validation: options.fieldValidation,
    warn: (text) => write.warn(text),
  });
  if ((object.metadata?.name ?? '') === '') {
    throw badRequest(
      `the name of the object (${info.name} based on URL) was undeterminable: name must be provided`,
    );
  }
  const result = await admitted(core, write, (tried, own) =>
    info.subresource === 'finalize'
      ? { object: core.api.finalize(tried, info.name, own(object)), created: false }
      : core.api.update(tried, info.name, own(object)),
  );
  return answerObject(exchange, served, result.created ? 201 : 200, result.object);
}

async function patchAnswer(exchange: Exchange, served: Served): Promise<HttpResponse> {
  const { core, request, info, query } = exchange;
  presentationOf(exchange);
  const type = PATCH_TYPES.find((known) => known === mediaTypeOf(request));
  if (type === undefined || (type === 'application/apply-patch+yaml' && core.catalogue.minor < APPLY_SINCE))
    throw failure(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
  const bytes = await readBody(request);
  const isApply = type === 'application/apply-patch+yaml';
  const options = writeOptionsOf(query, 'PatchOptions', isApply, headerOf(request.headers, 'user-agent'));
  const write = writeRequestOf(exchange, served, options);
  const parsed = parsePatch(bytes, type);
  const { object, created } = await admitted(core, write, (tried) =>
    core.api.patch({
      write: tried,
      name: info.name,
      type,
      patch: parsed.value,
      fieldValidation: options.fieldValidation,
      duplicates: parsed.duplicates,
      force: options.force,
    }),
  );
  return answerObject(exchange, served, created ? 201 : 200, object);
}

function parsePatch(bytes: Uint8Array, type: PatchType): { value: unknown; duplicates: readonly string[] } {
  const isApply = type === 'application/apply-patch+yaml';
  try {
    const { value, duplicates, complaints } = parseBody(bytes, isApply ? 'yaml' : 'json');
    if (isApply && complaints.length > 0) {
      throw badRequest(
        `error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  ${complaints.join('\n  ')}`,
      );
    }
    return { value, duplicates };
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    if (isApply) throw badRequest(`error decoding YAML: error converting YAML to JSON: ${error.message}`);
    if (type === 'application/strategic-merge-patch+json') throw badRequest(error.message);
    throw badRequest(`error decoding patch: ${error.message}`);
  }
}

async function deleteAnswer(exchange: Exchange, served: Served): Promise<HttpResponse> {
  const { core, request, info, query } = exchange;
  presentationOf(exchange);
  const bytes = await readBody(request);
  const options = deleteOptionsOf(bytes, mediaTypeOf(request), query);
  const write = writeRequestOf(exchange, served, { dryRun: options.dryRun, fieldManager: '' });
  if (
    served.kind.defaultPropagation === 'Orphan' &&
    served.resource.plural === 'jobs' &&
    !options.policySet
  ) {
    write.warn(
      'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
    );
  }
  if (info.name === '') {
    const presentation = presentationOf(exchange);
    const namespace = served.resource.namespaced && info.namespace !== '' ? info.namespace : undefined;
    const list = await deleteCollection(
      core,
      write,
      { ...listParametersOf(query, false), served, namespace },
      options,
    );
    return documentAnswer(
      200,
      presentList(served, list, presentation),
      presentation.wanted,
      warningHeaders(exchange.warnings),
    );
  }
  const { answer } = await admitted(core, write, (tried) =>
    core.api.writer.delete(tried, info.name, options),
  );
  return answerObject(exchange, served, 200, answer);
}
