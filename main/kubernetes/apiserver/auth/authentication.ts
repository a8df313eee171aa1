// Who a request is from: client certificate, bearer token or nobody; and whom it asks to act as.
import { headerOf, type HttpRequest } from '../../../network/http/index.ts';
import type { RequestInfo } from '../http/request-info.ts';
import { isStatus } from '../../api/status.ts';
import { badRequest, unauthorized } from '../refusals.ts';
import type { ServerCore } from '../core.ts';
import { ALL_AUTHENTICATED, ANONYMOUS, type UserInfo } from './user.ts';

export interface Authenticated {
  readonly user: UserInfo;
  /** Throws 403 when the request may not act as who it asks to. */
  check(info: RequestInfo): void;
}

/** Finds the user of a bearer token; undefined for a bad one. */
export type TokenReader = (token: string) => UserInfo | undefined;

export interface Authenticator {
  /** Throws 401 for bad credentials and 400 for bad impersonation headers. */
  authenticate(request: HttpRequest): Authenticated;
}

export function makeAuthenticator(core: ServerCore, readToken: TokenReader): Authenticator {
  return {
    authenticate(request) {
      const user = userOf(request, readToken);
      const target = impersonated(request);
      if (target === undefined) return { user, check: () => undefined };
      return { user: target, check: (info) => checkImpersonation(core, user, target, request, info) };
    },
  };
}

function userOf({ peer, headers }: HttpRequest, readToken: TokenReader): UserInfo {
  if (peer.certificate !== undefined) {
    const { commonName, organizations, sha256 } = peer.certificate;
    return {
      name: commonName,
      groups: [...organizations, ALL_AUTHENTICATED],
      ...(sha256 === undefined ? {} : { extra: { [CREDENTIAL_ID]: [`X509SHA256=${sha256}`] } }),
    };
  }
  const token = bearerOf(headers);
  if (token === '') {
    if (peer.isDistrusted === true) throw unauthorized();
    return ANONYMOUS;
  }
  const user = readToken(token);
  if (user === undefined) throw unauthorized();
  return user.groups.includes(ALL_AUTHENTICATED)
    ? user
    : { ...user, groups: [...user.groups, ALL_AUTHENTICATED] };
}

/** How a page in a browser, which can't set headers, names its token: as one of its WebSocket's subprotocols. */
export const BEARER_PROTOCOL = 'base64url.bearer.authorization.k8s.io.';

/** The request's token; empty if there is none. Throws 401 for one that isn't told as it must be. */
function bearerOf(headers: HttpRequest['headers']): string {
  const [scheme = '', token = ''] = (headerOf(headers, 'authorization') ?? '').split(' ');
  if (scheme.toLowerCase() === 'bearer') return token;
  if (!/websocket/i.test(headerOf(headers, 'upgrade') ?? '')) return '';
  const protocols = (headerOf(headers, 'sec-websocket-protocol') ?? '').split(',').map((name) => name.trim());
  const tokens = protocols.filter((name) => name.startsWith(BEARER_PROTOCOL));
  if (tokens.length === 0) return '';
  // There must be one token, and a protocol besides it that can be agreed on.
  if (tokens.length > 1 || protocols.length < 2) throw unauthorized();
  return Buffer.from(tokens[0]!.slice(BEARER_PROTOCOL.length), 'base64url').toString('utf8');
}

/** The certificate or token that a user was known by (KEP-4193). */
const CREDENTIAL_ID = 'authentication.kubernetes.io/credential-id';
const EXTRA_PREFIX = 'impersonate-extra-';

function impersonated({ headers }: HttpRequest): UserInfo | undefined {
  const name = headerOf(headers, 'impersonate-user') ?? '';
  const uid = headerOf(headers, 'impersonate-uid') ?? '';
  const groups = headers
    .filter(([field]) => field.toLowerCase() === 'impersonate-group')
    .map(([, value]) => value);
  const extra: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
  for (const [field, value] of headers) {
    const lower = field.toLowerCase();
    if (lower.startsWith(EXTRA_PREFIX))
      (extra[unescapeKey(lower.slice(EXTRA_PREFIX.length))] ??= []).push(value);
  }
  const hasExtra = Object.keys(extra).length > 0;
  if (name === '') {
    if (groups.length === 0 && !hasExtra && uid === '') return undefined;
    throw badRequest(`requested ${goUser(uid, groups, extra)} without impersonating a user name`);
  }
  const serviceAccount = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name);
  const implied =
    groups.length > 0
      ? groups
      : serviceAccount === null
        ? []
        : ['system:serviceaccounts', `system:serviceaccounts:${serviceAccount[1]}`];
  const all =
    name === ANONYMOUS.name
      ? implied.length === 0
        ? ['system:unauthenticated']
        : implied
      : [...new Set([...implied, ALL_AUTHENTICATED])];
  return { name, ...(uid === '' ? {} : { uid }), groups: all, ...(hasExtra ? { extra } : {}) };
}

/** A key that isn't escaped well stands for itself (apiserver's unescapeExtraKey). */
function unescapeKey(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return key;
  }
}

/** A user.DefaultInfo as Go's %#v prints it. */
function goUser(uid: string, groups: readonly string[], extra: Record<string, string[]>): string {
  const list = (items: readonly string[]): string =>
    `[]string{${items.map((item) => JSON.stringify(item)).join(', ')}}`;
  const groupText = groups.length === 0 ? '[]string(nil)' : list(groups);
  const extraText = `map[string][]string{${Object.entries(extra)
    .map(([key, values]) => `${JSON.stringify(key)}:${list(values)}`)
    .join(', ')}}`;
  return `&user.DefaultInfo{Name:"", UID:${JSON.stringify(uid)}, Groups:${groupText}, Extra:${Object.keys(extra).length === 0 ? 'map[string][]string(nil)' : extraText}}`;
}

/**
 * Whether a user may act as another: for this very request (KEP-5284, constrained impersonation), or as such. Throws 403
 * with what the constrained check found missing first.
 */
function checkImpersonation(
  core: ServerCore,
  user: UserInfo,
  target: UserInfo,
  request: HttpRequest,
  info: RequestInfo,
): void {
  try {
    checkConstrained(core, user, target, request, info);
  } catch (error) {
    if (!isStatus(error, 'Forbidden')) throw error;
    try {
      checkUnconstrained(core, user, target, request);
    } catch (second) {
      throw isStatus(second, 'Forbidden') ? error : second;
    }
  }
}

/** How somebody is impersonated: as a service account, as a node, or by name, groups and extras. */
function modeOf({ name }: UserInfo): 'serviceaccount' | 'arbitrary-node' | 'user-info' {
  if (name.startsWith('system:serviceaccount:')) return 'serviceaccount';
  return name.startsWith('system:node:') ? 'arbitrary-node' : 'user-info';
}

function checkConstrained(
  core: ServerCore,
  user: UserInfo,
  target: UserInfo,
  { headers }: HttpRequest,
  info: RequestInfo,
): void {
  const mode = modeOf(target);
  const { isResource, group, version, resource, subresource, namespace, name, path } = info;
  const verb = `impersonate-on:${mode}:${info.verb}`;
  const own = { user, verb, group, version, resource, subresource, namespace, name };
  core.authorize(isResource ? own : { ...own, path });
  const ask = (kind: string, place: string, value: string, sub = ''): void =>
    core.authorize({
      user,
      verb: `impersonate:${mode}`,
      group: 'authentication.k8s.io',
      version: 'v1',
      resource: kind,
      subresource: sub,
      namespace: place,
      name: value,
    });
  if (mode === 'arbitrary-node') return ask('nodes', '', target.name.slice('system:node:'.length));
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(target.name);
  if (account !== null) return ask('serviceaccounts', account[1]!, account[2]!);
  ask('users', '', target.name);
  for (const [field, value] of headers)
    if (field.toLowerCase() === 'impersonate-group') ask('groups', '', value);
  if (target.uid !== undefined) ask('uids', '', target.uid);
  for (const [key, values] of Object.entries(target.extra ?? {}))
    for (const value of values) ask('userextras', '', value, key);
}

function checkUnconstrained(
  core: ServerCore,
  user: UserInfo,
  target: UserInfo,
  { headers }: HttpRequest,
): void {
  const ask = (group: string, resource: string, subresource: string, namespace: string, name: string): void =>
    core.authorize({
      user,
      verb: 'impersonate',
      group,
      version: 'v1',
      resource,
      subresource,
      namespace,
      name,
    });
  const serviceAccount = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(target.name);
  if (serviceAccount === null) ask('', 'users', '', '', target.name);
  else ask('', 'serviceaccounts', '', serviceAccount[1]!, serviceAccount[2]!);
  for (const [field, value] of headers)
    if (field.toLowerCase() === 'impersonate-group') ask('', 'groups', '', '', value);
  if (target.uid !== undefined) ask('authentication.k8s.io', 'uids', '', '', target.uid);
  for (const [key, values] of Object.entries(target.extra ?? {})) {
    for (const value of values) ask('authentication.k8s.io', 'userextras', key, '', value);
  }
}
