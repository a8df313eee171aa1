// What the expressions of admission policies may speak of (apiserver pkg/admission/plugin/cel).
import type { Environment } from '@marcbachmann/cel-js';
import { CelScope } from './cel.ts';
import { AUTHORIZER } from './library/authorizer.ts';

interface Named {
  readonly name?: string;
  readonly expression?: string;
}

const GROUP_KIND = { group: 'string', version: 'string', kind: 'string' };
const GROUP_RESOURCE = { group: 'string', version: 'string', resource: 'string' };

/** Declares `object`, `request` and the others. Objects are of no declared type: a policy may match many kinds. */
function declare(environment: Environment): void {
  environment.registerType('object.kind', { fields: GROUP_KIND });
  environment.registerType('object.resource', { fields: GROUP_RESOURCE });
  environment.registerType('object.userInfo', {
    fields: { username: 'string', uid: 'string', groups: 'list<string>', extra: 'map<string, list<string>>' },
  });
  environment.registerType('object.request', {
    fields: {
      uid: 'string',
      kind: 'object.kind',
      resource: 'object.resource',
      subResource: 'string',
      requestKind: 'object.kind',
      requestResource: 'object.resource',
      requestSubResource: 'string',
      name: 'string',
      namespace: 'string',
      operation: 'string',
      userInfo: 'object.userInfo',
      dryRun: 'bool',
      options: 'dyn',
    },
  });
  for (const name of ['object', 'oldObject', 'params', 'namespaceObject'])
    environment.registerVariable(name, 'dyn');
  environment.registerVariable('request', 'object.request');
  environment.registerVariable('authorizer', AUTHORIZER);
}

const plain = new CelScope(declare);
const byVariables = new Map<string, CelScope>();
/** Scopes kept; beyond that the oldest go. */
const SCOPES_MAX = 256;

/** A scope with the variables that a policy declares, each typed by its expression, which may use those before it. */
export function policyScope(variables: readonly Named[] = []): CelScope {
  if (variables.length === 0) return plain;
  const key = JSON.stringify(variables.map(({ name, expression }) => [name, expression]));
  let scope = byVariables.get(key);
  if (scope !== undefined) return scope;
  const fields: Record<string, string> = {};
  const withFields = (known: Readonly<Record<string, string>>): CelScope =>
    new CelScope((environment) => {
      declare(environment);
      environment.registerType('object.variables', { fields: { ...known } });
      environment.registerVariable('variables', 'object.variables');
    });
  scope = withFields(fields);
  for (const { name = '', expression = '' } of variables) {
    const compiled = scope.compile(expression);
    fields[name] = 'run' in compiled ? compiled.type : 'dyn';
    scope = withFields(fields);
  }
  if (byVariables.size >= SCOPES_MAX) byVariables.delete(byVariables.keys().next().value!);
  byVariables.set(key, scope);
  return scope;
}
