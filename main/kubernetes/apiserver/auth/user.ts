// Who asks: a user name, groups and extra values.

/** authentication.k8s.io UserInfo. */
export interface UserInfo {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export const ANONYMOUS: UserInfo = Object.freeze({
  name: 'system:anonymous',
  groups: ['system:unauthenticated'],
});
export const ALL_AUTHENTICATED = 'system:authenticated';

/** The API server itself, where it writes what nobody asked it for. */
export const API_SERVER: UserInfo = Object.freeze({
  name: 'system:apiserver',
  groups: ['system:masters', ALL_AUTHENTICATED],
});

/** The user of a service account. */
export function serviceAccountUser(namespace: string, name: string, uid?: string): UserInfo {
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    ...(uid === undefined ? {} : { uid }),
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, ALL_AUTHENTICATED],
  };
}
