// CEL's `authorizer`: asks whether the one who makes a request may do something else as well (apiserver pkg/cel/library/authz.go).
import type { Environment } from '@marcbachmann/cel-js';
import type { Attributes, Decision } from '../../auth/authorizer.ts';
import { serviceAccountUser, type UserInfo } from '../../auth/user.ts';

/** Answers a question of access. */
export type AccessCheck = (attributes: Attributes) => Decision;

type Place = Omit<Attributes, 'user' | 'verb'>;

const NOWHERE: Place = { group: '', version: '', resource: '', subresource: '', namespace: '', name: '' };

/** The variable of that name, on whose behalf questions are asked. */
export class CelAuthorizer {
  readonly check: AccessCheck;
  readonly user: UserInfo;
  /** The request itself. */
  readonly requestResource: ResourceCheck;
  constructor(check: AccessCheck, user: UserInfo, requested: Place) {
    this.check = check;
    this.user = user;
    this.requestResource = new ResourceCheck(this, requested);
  }
}

class PathCheck {
  readonly authorizer: CelAuthorizer;
  readonly path: string;
  constructor(authorizer: CelAuthorizer, path: string) {
    this.authorizer = authorizer;
    this.path = path;
  }
}

class GroupCheck {
  readonly authorizer: CelAuthorizer;
  readonly group: string;
  constructor(authorizer: CelAuthorizer, group: string) {
    this.authorizer = authorizer;
    this.group = group;
  }
}

/** What is asked about a resource. */
class ResourceCheck {
  readonly authorizer: CelAuthorizer;
  readonly place: Place;
  constructor(authorizer: CelAuthorizer, place: Place) {
    this.authorizer = authorizer;
    this.place = place;
  }
  with(change: Partial<Place>): ResourceCheck {
    return new ResourceCheck(this.authorizer, { ...this.place, ...change });
  }
}

class CelDecision {
  readonly decision: Decision;
  constructor(decision: Decision) {
    this.decision = decision;
  }
}

export const AUTHORIZER = 'kubernetes.authorization.Authorizer';
const PATH = 'kubernetes.authorization.PathCheck';
const GROUP = 'kubernetes.authorization.GroupCheck';
const RESOURCE = 'kubernetes.authorization.ResourceCheck';
const DECISION = 'kubernetes.authorization.Decision';

export function registerAuthorizer(environment: Environment): void {
  environment.registerType(PATH, PathCheck);
  environment.registerType(GROUP, GroupCheck);
  environment.registerType(RESOURCE, { ctor: ResourceCheck, fields: {} });
  environment.registerType(DECISION, CelDecision);
  environment.registerType(AUTHORIZER, { ctor: CelAuthorizer, fields: { requestResource: RESOURCE } });
  environment.registerFunction(
    `${AUTHORIZER}.path(string): ${PATH}`,
    (self: CelAuthorizer, path: string) => new PathCheck(self, path),
  );
  environment.registerFunction(
    `${AUTHORIZER}.group(string): ${GROUP}`,
    (self: CelAuthorizer, group: string) => new GroupCheck(self, group),
  );
  environment.registerFunction(
    `${AUTHORIZER}.serviceAccount(string, string): ${AUTHORIZER}`,
    (self: CelAuthorizer, namespace: string, name: string) =>
      new CelAuthorizer(self.check, serviceAccountUser(namespace, name), self.requestResource.place),
  );
  environment.registerFunction(
    `${GROUP}.resource(string): ${RESOURCE}`,
    ({ authorizer, group }: GroupCheck, resource: string) =>
      new ResourceCheck(authorizer, { ...NOWHERE, group, version: '*', resource }),
  );
  for (const field of ['subresource', 'namespace', 'name'] as const) {
    environment.registerFunction(
      `${RESOURCE}.${field}(string): ${RESOURCE}`,
      (self: ResourceCheck, value: string) => self.with({ [field]: value }),
    );
  }
  // Selectors narrow what is asked only for authorizers that look at them, which RBAC doesn't.
  for (const field of ['fieldSelector', 'labelSelector'])
    environment.registerFunction(`${RESOURCE}.${field}(string): ${RESOURCE}`, (self: ResourceCheck) => self);
  environment.registerFunction(
    `${PATH}.check(string): ${DECISION}`,
    ({ authorizer, path }: PathCheck, verb: string) =>
      new CelDecision(authorizer.check({ ...NOWHERE, user: authorizer.user, verb, path })),
  );
  environment.registerFunction(
    `${RESOURCE}.check(string): ${DECISION}`,
    ({ authorizer, place }: ResourceCheck, verb: string) =>
      new CelDecision(authorizer.check({ ...place, user: authorizer.user, verb })),
  );
  environment.registerFunction(
    `${DECISION}.allowed(): bool`,
    ({ decision }: CelDecision) => decision.allowed,
  );
  environment.registerFunction(
    `${DECISION}.reason(): string`,
    ({ decision }: CelDecision) => decision.reason,
  );
  environment.registerFunction(`${DECISION}.errored(): bool`, () => false);
  environment.registerFunction(`${DECISION}.error(): string`, () => '');
}
