// How a server beside the API server knows its callers: it asks for reviews (apiserver pkg/authentication and pkg/authorization, delegating).
import { resources, type KubernetesObject } from '../api/index.ts';
import type { ApiClient } from './client.ts';

/** Who asks, as a TokenReview or a certificate names them. */
export interface ReviewedUser {
  readonly name: string;
  readonly groups: readonly string[];
}

interface Review extends KubernetesObject {
  readonly spec: unknown;
  readonly status?: {
    readonly allowed?: boolean;
    readonly authenticated?: boolean;
    readonly user?: { readonly username?: string; readonly groups?: readonly string[] };
  };
}

/** Whose token it is by a TokenReview; undefined: nobody's. Rejects when the API server can't be asked. */
export async function reviewToken(client: ApiClient, token: string): Promise<ReviewedUser | undefined> {
  const review = await client.create<Review>(resources.tokenreviews, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token },
  });
  const { authenticated, user } = review.status ?? {};
  if (authenticated !== true || user?.username === undefined) return undefined;
  return { name: user.username, groups: user.groups ?? [] };
}

/**
 * Whether a SubjectAccessReview allows it; `attributes` holds resourceAttributes or nonResourceAttributes.
 * Rejects when the API server can't be asked.
 */
export async function reviewAccess(
  client: ApiClient,
  { name, groups }: ReviewedUser,
  attributes: { readonly resourceAttributes: object } | { readonly nonResourceAttributes: object },
): Promise<boolean> {
  const review = await client.create<Review>(resources.subjectaccessreviews, {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user: name, groups, ...attributes },
  });
  return review.status?.allowed === true;
}
