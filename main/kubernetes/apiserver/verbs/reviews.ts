// Reviews: questions about users and their rights, answered and never stored.
import type { HttpResponse } from '../../../network/http/index.ts';
import { rfc3339 } from '../../../simulation/index.ts';
import type { SubjectAccessReviewSpec } from '../auth/review-types.ts';
import type { Attributes } from '../auth/authorizer.ts';
import type { UserInfo } from '../auth/user.ts';
import { documentAnswer } from '../http/answer.ts';
import { mediaTypeOf, objectFormat, parseBody, readBody } from '../http/body.ts';
import type { Exchange } from '../http/door.ts';
import { isTree, type Tree } from '../object.ts';
import { badRequest, invalid, invalidValue, methodNotAllowed, noSuchResource } from '../refusals.ts';
import { DecodeNotes, decodeAs } from '../schema/decode.ts';
import { RbacAuthorizer } from '../auth/rbac.ts';

const REVIEWS: Readonly<
  Record<string, { readonly kind: string; readonly schema: string; readonly namespaced: boolean }>
> = {
  'authentication.k8s.io/selfsubjectreviews': {
    kind: 'SelfSubjectReview',
    schema: 'io.k8s.api.authentication.v1.SelfSubjectReview',
    namespaced: false,
  },
  'authentication.k8s.io/tokenreviews': {
    kind: 'TokenReview',
    schema: 'io.k8s.api.authentication.v1.TokenReview',
    namespaced: false,
  },
  'authorization.k8s.io/selfsubjectaccessreviews': {
    kind: 'SelfSubjectAccessReview',
    schema: 'io.k8s.api.authorization.v1.SelfSubjectAccessReview',
    namespaced: false,
  },
  'authorization.k8s.io/subjectaccessreviews': {
    kind: 'SubjectAccessReview',
    schema: 'io.k8s.api.authorization.v1.SubjectAccessReview',
    namespaced: false,
  },
  'authorization.k8s.io/localsubjectaccessreviews': {
    kind: 'LocalSubjectAccessReview',
    schema: 'io.k8s.api.authorization.v1.LocalSubjectAccessReview',
    namespaced: true,
  },
  'authorization.k8s.io/selfsubjectrulesreviews': {
    kind: 'SelfSubjectRulesReview',
    schema: 'io.k8s.api.authorization.v1.SelfSubjectRulesReview',
    namespaced: false,
  },
};

/** Answers a review; undefined if the request isn't one. */
export async function reviewAnswer(exchange: Exchange): Promise<HttpResponse | undefined> {
  const { info, request, wanted, user } = exchange;
  const review = REVIEWS[`${info.group}/${info.resource}`];
  if (review === undefined || info.version !== 'v1') return undefined;
  if (info.name !== '') throw noSuchResource();
  if (request.method !== 'POST') throw methodNotAllowed();
  const bytes = await readBody(request);
  const { value } = parseBody(bytes, objectFormat(mediaTypeOf(request)));
  const notes = new DecodeNotes();
  const body = decodeAs(review.schema, isTree(value) ? value : {}, notes);
  if (notes.error !== undefined) {
    throw badRequest(`${review.kind} in version "v1" cannot be handled as a ${review.kind}: ${notes.error}`);
  }
  const { kind: _kind, apiVersion: _apiVersion, metadata, status: _status, ...rest } = body;
  const meta = {
    ...(isTree(metadata) ? metadata : {}),
    ...(review.namespaced ? { namespace: info.namespace } : {}),
  };
  const answered = answerOf(exchange, review.kind, rest, user);
  return documentAnswer(
    201,
    {
      kind: review.kind,
      apiVersion: `${info.group}/v1`,
      metadata: { ...meta, ...answered.metadata },
      ...answered.body,
    },
    wanted,
  );
}

function answerOf(
  exchange: Exchange,
  kind: string,
  rest: Tree,
  user: UserInfo,
): { body: Tree; metadata?: Tree } {
  const { core, info } = exchange;
  const spec = (rest['spec'] ?? {}) as SubjectAccessReviewSpec & {
    token?: string;
    audiences?: string[];
    namespace?: string;
  };
  switch (kind) {
    case 'SelfSubjectReview':
      return {
        body: { status: { userInfo: userInfo(user) } },
        metadata: { creationTimestamp: rfc3339(core.clock.now()) },
      };
    case 'TokenReview': {
      if ((spec.token ?? '') === '') throw badRequest('token is required for TokenReview in authentication');
      const owner = core.readToken(spec.token!, spec.audiences);
      const status =
        owner === undefined
          ? { user: {}, error: 'invalid bearer token' }
          : {
              authenticated: true,
              user: userInfo(owner),
              ...(spec.audiences === undefined ? {} : { audiences: spec.audiences }),
            };
      return { body: { spec, status } };
    }
    case 'SelfSubjectRulesReview':
      return { body: { spec, status: rulesOf(exchange, spec.namespace ?? '', user) } };
    case 'SelfSubjectAccessReview':
      return { body: { spec, status: accessOf(exchange, spec, user) } };
    default: {
      if ((spec.user ?? '') === '' && (spec.groups ?? []).length === 0) {
        checkOneOf(spec);
        throw invalid('authorization.k8s.io', '', '', [
          invalidValue('spec.user', '', 'at least one of user or group must be specified'),
        ]);
      }
      if (kind === 'LocalSubjectAccessReview' && spec.resourceAttributes?.namespace !== info.namespace) {
        throw badRequest(`spec.resourceAttributes.namespace must match namespace: ${info.namespace}`);
      }
      const subject: UserInfo = {
        name: spec.user ?? '',
        groups: spec.groups ?? [],
        ...(spec.uid === undefined ? {} : { uid: spec.uid }),
      };
      return { body: { spec, status: accessOf(exchange, spec, subject) } };
    }
  }
}

function userInfo({ name, uid, groups, extra }: UserInfo): Tree {
  return {
    username: name,
    ...(uid === undefined ? {} : { uid }),
    groups,
    ...(extra === undefined ? {} : { extra }),
  };
}

function checkOneOf({ resourceAttributes, nonResourceAttributes }: SubjectAccessReviewSpec): void {
  if ((resourceAttributes === undefined) !== (nonResourceAttributes === undefined)) return;
  throw invalid('authorization.k8s.io', '', '', [
    resourceAttributes === undefined
      ? {
          type: 'Invalid',
          field: 'spec.resourceAttributes',
          body: 'Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified',
        }
      : {
          type: 'Invalid',
          field: 'spec.nonResourceAttributes',
          body: 'Invalid value: null: cannot be specified in combination with resourceAttributes',
        },
  ]);
}

function accessOf({ core }: Exchange, spec: SubjectAccessReviewSpec, user: UserInfo): Tree {
  checkOneOf(spec);
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec;
  const attributes: Attributes =
    resource === undefined
      ? {
          user,
          verb: path!.verb ?? '',
          path: path!.path ?? '',
          group: '',
          version: '',
          resource: '',
          subresource: '',
          namespace: '',
          name: '',
        }
      : {
          user,
          verb: resource.verb ?? '',
          group: resource.group ?? '',
          version: resource.version ?? '',
          resource: resource.resource ?? '',
          subresource: resource.subresource ?? '',
          namespace: resource.namespace ?? '',
          name: resource.name ?? '',
        };
  const { allowed, reason } = core.authorizer.authorize(attributes);
  return { allowed, ...(reason === '' ? {} : { reason }) };
}

function rulesOf({ core }: Exchange, namespace: string, user: UserInfo): Tree {
  if (namespace === '') throw badRequest('no namespace on request');
  const resourceRules: Tree[] = [];
  const nonResourceRules: Tree[] = [];
  const rules = core.authorizer instanceof RbacAuthorizer ? core.authorizer.rulesFor(user, namespace) : [];
  for (const { rule } of rules) {
    const { verbs, apiGroups, resources, resourceNames, nonResourceURLs } = rule;
    if (resources !== undefined)
      resourceRules.push({
        verbs,
        ...(apiGroups === undefined ? {} : { apiGroups }),
        resources,
        ...(resourceNames === undefined ? {} : { resourceNames }),
      });
    if (nonResourceURLs !== undefined) nonResourceRules.push({ verbs, nonResourceURLs });
  }
  return { resourceRules, nonResourceRules, incomplete: false };
}
