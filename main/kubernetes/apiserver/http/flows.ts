// Which flow a request belongs to (KEP-1040): the FlowSchema that matches first, and its priority level.
// Differs: requests are classified and told so, but never queued or refused; this server takes one at a time anyway.
import { resources } from '../../api/resources.ts';
import type { Attributes } from '../auth/authorizer.ts';
import type { UserInfo } from '../auth/user.ts';
import type { Catalogue } from '../catalogue.ts';
import type { FlowRules, FlowSpec, FlowSubject } from '../flow-schema.ts';
import type { StoredObject } from '../object.ts';

const PRECEDENCE_DEFAULT = 1000;
/** A request's flow, by the uids that its answer's headers carry. */
interface Flow {
  readonly schemaUid: string;
  readonly levelUid: string;
}

/** Says which flow requests belong to. */
export class FlowControl {
  private readonly catalogue: Catalogue;
  /** The schemas in storage's order, and the same in the order in which they are tried. */
  private stored: readonly StoredObject[] = [];
  private sorted: readonly StoredObject[] = [];

  constructor(catalogue: Catalogue) {
    this.catalogue = catalogue;
  }

  /** The first schema that matches; undefined where somebody deleted even the one that catches all. */
  classify(attributes: Attributes): Flow | undefined {
    for (const schema of this.schemas()) {
      const spec = schema['spec'] as FlowSpec;
      if (!(spec.rules ?? []).some((rule) => matches(rule, attributes))) continue;
      const { name } = spec.priorityLevelConfiguration;
      const level = this.catalogue.find(resources.prioritylevelconfigurations)?.table.get('', name);
      if (level === undefined) continue; // A dangling schema matches nothing.
      return { schemaUid: schema.metadata.uid, levelUid: level.metadata.uid };
    }
    return undefined;
  }

  private schemas(): readonly StoredObject[] {
    const stored = this.catalogue.find(resources.flowschemas)?.table.list() ?? [];
    // Storage makes a new list with each change.
    if (stored === this.stored) return this.sorted;
    this.stored = stored;
    this.sorted = [...stored].sort(byPrecedence);
    return this.sorted;
  }
}

/** The order in which schemas are tried. */
function byPrecedence(a: StoredObject, b: StoredObject): number {
  const rank = (schema: StoredObject): number =>
    (schema['spec'] as FlowSpec).matchingPrecedence ?? PRECEDENCE_DEFAULT;
  return rank(a) - rank(b) || (a.metadata.name < b.metadata.name ? -1 : 1);
}

function matches(
  { subjects, resourceRules = [], nonResourceRules = [] }: FlowRules,
  request: Attributes,
): boolean {
  if (!subjects.some((subject) => isSubject(subject, request.user))) return false;
  const has = (list: readonly string[], value: string): boolean => list.includes('*') || list.includes(value);
  const { path } = request;
  if (path !== undefined) {
    return nonResourceRules.some(
      ({ verbs, nonResourceURLs }) =>
        has(verbs, request.verb) &&
        nonResourceURLs.some(
          (url) => url === '*' || url === path || (url.endsWith('/*') && path.startsWith(url.slice(0, -1))),
        ),
    );
  }
  const { verb, group: apiGroup, resource, subresource, namespace } = request;
  const name = subresource === '' ? resource : `${resource}/${subresource}`;
  return resourceRules.some(
    (rule) =>
      has(rule.verbs, verb) &&
      has(rule.apiGroups, apiGroup) &&
      has(rule.resources, name) &&
      (namespace === '' ? rule.clusterScope === true : has(rule.namespaces ?? [], namespace)),
  );
}

function isSubject(subject: FlowSubject, { name, groups }: UserInfo): boolean {
  if ('user' in subject) return subject.user.name === '*' || subject.user.name === name;
  if ('group' in subject) return subject.group.name === '*' || groups.includes(subject.group.name);
  const { namespace, name: account } = subject.serviceAccount;
  const prefix = `system:serviceaccount:${namespace}:`;
  return account === '*' ? name.startsWith(prefix) : name === prefix + account;
}
