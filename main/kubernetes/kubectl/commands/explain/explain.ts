// kubectl explain: what the server's OpenAPI says of a kind or of a field in it.
import { CommandError } from '../../frame/command-error.ts';
import type { Command, Invocation } from '../../frame/command.ts';
import type { DiscoveredResource, ResourceMapper } from '../../rest/discovery.ts';
import { OpenApi } from '../../rest/open-api.ts';
import { explanation } from './plain-text.ts';

export const explain: Command = { name: 'explain', run: runExplain };

async function runExplain({ kubectl, flags, args }: Invocation): Promise<number> {
  const [path] = args;
  if (path === undefined)
    throw new CommandError(
      'You must specify the type of resource to explain. Use "kubectl api-resources" for a complete list of supported resources.',
    );
  if (args.length > 1) throw new CommandError('We accept only this format: explain RESOURCE');
  const format = flags.string('output');
  if (format === 'plaintext-openapiv2')
    throw new CommandError("drydock: explain --output=plaintext-openapiv2 isn't simulated", 'plain');
  if (format !== 'plaintext') throw new CommandError(`unrecognized format: ${format}`);
  const { resource, fields } = resourceAndFields(await kubectl.mapper(), path, flags.string('api-version'));
  const schemas = await new OpenApi(kubectl.api).schemas(resource.group, resource.version);
  const schema = schemas.forKind(resource);
  if (schema === undefined)
    throw new CommandError(
      `GVR (${resource.group}/${resource.version}, Resource=${resource.plural}) not found in OpenAPI schema`,
    );
  const { text, problem } = explanation({
    resource,
    fields,
    schemas,
    schema,
    recursive: flags.bool('recursive'),
  });
  await kubectl.out(text);
  if (problem !== undefined) throw new CommandError(problem);
  return 0;
}

/** `deployments.v1.apps` and `deployments.apps.spec` both may name a resource with its group: the longest that does wins. */
function resourceAndFields(
  mapper: ResourceMapper,
  path: string,
  apiVersion: string,
): { resource: DiscoveredResource; fields: readonly string[] } {
  const words = path.replace(/\.$/, '').split('.');
  if (apiVersion !== '') {
    const plain = mapper.find(words[0]!);
    if (plain === undefined) throw noSuchType(words[0]!);
    const resource = mapper.findKind(apiVersion, plain.kind);
    if (resource === undefined)
      throw new CommandError(`couldn't find resource for "${apiVersion}, Resource=${plain.plural}"`);
    return { resource, fields: words.slice(1) };
  }
  for (let count = words.length; count > 1; count--) {
    const qualifier = words.slice(1, count).join('.');
    const resource = mapper.find(words.slice(0, count).join('.'));
    const isWhole =
      resource !== undefined && [resource.group, `${resource.version}.${resource.group}`].includes(qualifier);
    if (isWhole) return { resource, fields: words.slice(count) };
  }
  const resource = mapper.find(words[0]!);
  if (resource === undefined) throw noSuchType(words[0]!);
  return { resource, fields: words.slice(1) };
}

function noSuchType(word: string): CommandError {
  return word === ''
    ? new CommandError('a resource must be present, got: /, Resource=')
    : new CommandError(`the server doesn't have a resource type "${word}"`, 'plain');
}
