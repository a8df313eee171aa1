// kubectl set env: variables of containers, given, taken from ConfigMaps and Secrets, or listed.
import { CommandError } from '../../frame/command-error.ts';
import type { Command, Invocation } from '../../frame/command.ts';
import { parseTargets, type AnyObject } from '../../rest/builder.ts';
import { splitPairs } from '../../rest/pairs.ts';
import { fetchObject, visitObjects } from '../../rest/selection.ts';
import { changeEach, matches, requirePodSpec, type MutableContainer } from './pod-specs.ts';

type Variable = NonNullable<MutableContainer['env']>[number];

export const setEnv: Command = { name: 'env', run: runSetEnv };

async function runSetEnv(invocation: Invocation): Promise<number> {
  const { flags } = invocation;
  const { resources, pairs } = splitPairs(invocation.args, 'environment variable');
  if (resources.length === 0 && flags.list('filename').length === 0)
    throw new CommandError(
      'one or more resources must be specified as <resource> <name> or <resource>/<name>',
    );
  if (flags.bool('list')) return listVariables(invocation, resources);
  const added: Variable[] = [...pairs, ...flags.list('env')]
    .filter((pair) => pair.includes('='))
    .map(parseVariable);
  const removed = pairs
    .filter((pair) => !pair.includes('=') && pair.endsWith('-'))
    .map((pair) => pair.slice(0, -1));
  if (flags.string('from') !== '') added.push(...(await variablesFrom(invocation)));
  return changeEach(invocation, {
    args: resources,
    done: 'env updated',
    failure: 'failed to patch env update to pod template',
    apply: (copy, selected) => {
      const containers = requirePodSpec(copy, selected).containers.filter(({ name }) =>
        matches(name, flags.string('containers') || '*'),
      );
      for (const container of containers) {
        const env = (container.env ?? []).filter(({ name }) => !removed.includes(name));
        for (const variable of added) {
          const at = env.findIndex(({ name }) => name === variable.name);
          if (at === -1) env.push(variable);
          else if (!flags.bool('overwrite'))
            throw new CommandError(
              `'${variable.name}' already has a value (${env[at]!.value ?? ''}), and --overwrite is false`,
            );
          else env[at] = variable;
        }
        if (env.length > 0 || container.env !== undefined) container.env = env;
        if (env.length === 0) delete container.env;
      }
    },
  });
}

function parseVariable(pair: string): Variable {
  const name = pair.slice(0, pair.indexOf('='));
  if (!/^[-._a-zA-Z][-._a-zA-Z0-9]*$/.test(name)) {
    throw new CommandError(
      `"${name}" is not a valid key name: a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')`,
    );
  }
  return { name, value: pair.slice(name.length + 1) };
}

async function variablesFrom({ kubectl, flags }: Invocation): Promise<Variable[]> {
  const [target] = await parseTargets(kubectl, [flags.string('from')]);
  const { resource, name = '' } = target!;
  const source = await fetchObject(kubectl, resource, kubectl.namespace, name);
  if (resource.kind !== 'ConfigMap' && resource.kind !== 'Secret')
    throw new CommandError(`unsupported resource specified in --from: ${flags.string('from')}`);
  const keys = flags.list('keys');
  const variables: Variable[] = [];
  for (const key of Object.keys((source['data'] ?? {}) as object).sort()) {
    if (keys.length > 0 && !keys.includes(key)) continue;
    const plain = key.toUpperCase().replace(/[^A-Z0-9_]/g, '_');
    if (plain !== key) await kubectl.err(`Warning: key ${key} transferred to ${plain}\n`);
    const reference = { name, key };
    variables.push({
      name: flags.string('prefix') + plain,
      valueFrom: resource.kind === 'Secret' ? { secretKeyRef: reference } : { configMapKeyRef: reference },
    });
  }
  return variables;
}

async function listVariables(invocation: Invocation, args: readonly string[]): Promise<number> {
  const { kubectl, flags } = invocation;
  await visitObjects(
    invocation,
    { args, all: flags.bool('all'), labelSelector: flags.string('selector'), continueOnError: true },
    async (selected) => {
      const { resource, name, namespace, object } = selected;
      for (const container of requirePodSpec(object, selected).containers) {
        await kubectl.out(`# ${resource.kind} ${name}, container ${container.name}\n`);
        for (const variable of container.env ?? [])
          await kubectl.out(`${await variableText(invocation, namespace, variable)}\n`);
      }
    },
  );
  return 0;
}

async function variableText(
  { kubectl, flags }: Invocation,
  namespace: string | undefined,
  { name, value = '', valueFrom }: Variable,
): Promise<string> {
  if (valueFrom === undefined) return `${name}=${value}`;
  const { configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef } = valueFrom as Record<
    string,
    { name?: string; key?: string; fieldPath?: string; resource?: string } | undefined
  >;
  const reference = configMapKeyRef ?? secretKeyRef;
  if (reference !== undefined && flags.bool('resolve')) {
    const plural = configMapKeyRef === undefined ? 'secrets' : 'configmaps';
    const source = await kubectl.api.json<AnyObject>({
      method: 'GET',
      path: `/api/v1/namespaces/${namespace}/${plural}/${reference.name}`,
    });
    const found = ((source['data'] ?? {}) as Record<string, string>)[reference.key ?? ''] ?? '';
    return `${name}=${plural === 'secrets' ? Buffer.from(found, 'base64').toString('utf8') : found}`;
  }
  if (configMapKeyRef !== undefined)
    return `# ${name} from configmap ${configMapKeyRef.name}, key ${configMapKeyRef.key}`;
  if (secretKeyRef !== undefined)
    return `# ${name} from secret ${secretKeyRef.name}, key ${secretKeyRef.key}`;
  if (fieldRef !== undefined) return `# ${name} from field path ${fieldRef.fieldPath}`;
  return `# ${name} from resource field ${resourceFieldRef?.resource ?? ''}`;
}
