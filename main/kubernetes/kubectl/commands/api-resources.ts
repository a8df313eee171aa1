// kubectl api-resources and api-versions: what the server serves.
import { CommandError, UsageError } from '../frame/command-error.ts';
import type { Command, Invocation } from '../frame/command.ts';
import { formatTable } from '../output/table.ts';
import { apiVersionOf } from '../rest/selection.ts';

export const apiResources: Command = { name: 'api-resources', run: runApiResources };

async function runApiResources({ kubectl, flags, args, path }: Invocation): Promise<number> {
  if (args.length > 0) throw new UsageError(`unexpected arguments: [${args.join(' ')}]`, path);
  const output = flags.string('output');
  if (output !== '' && output !== 'wide' && output !== 'name')
    throw new CommandError(`--output ${output} is not available`);
  const sortBy = flags.string('sort-by');
  if (sortBy !== '' && sortBy !== 'name' && sortBy !== 'kind')
    throw new CommandError('--sort-by accepts only name or kind');
  const [verbs, categories] = [flags.list('verbs'), flags.list('categories')];
  const seen = new Set<string>();
  const found = (await kubectl.mapper()).resources.filter((resource) => {
    const key = `${resource.plural}.${resource.group}`;
    if (seen.has(key)) return false; // Only the preferred version.
    seen.add(key);
    if (flags.changed('api-group') && resource.group !== flags.string('api-group')) return false;
    if (flags.changed('namespaced') && resource.namespaced !== flags.bool('namespaced')) return false;
    return (
      verbs.every((verb) => resource.verbs.includes(verb)) &&
      categories.every((category) => resource.categories.includes(category)) &&
      resource.verbs.length > 0
    );
  });
  const order = found.toSorted((a, b) => {
    if (sortBy === 'kind') return a.kind < b.kind ? -1 : a.kind > b.kind ? 1 : 0;
    if (sortBy === 'name') return a.plural < b.plural ? -1 : a.plural > b.plural ? 1 : 0;
    return a.group < b.group
      ? -1
      : a.group > b.group
        ? 1
        : a.plural < b.plural
          ? -1
          : a.plural > b.plural
            ? 1
            : 0;
  });
  if (output === 'name') {
    await kubectl.out(
      order.map(({ plural, group }) => `${plural}${group === '' ? '' : `.${group}`}\n`).join(''),
    );
    return 0;
  }
  const wide = output === 'wide';
  const headers = [
    'NAME',
    'SHORTNAMES',
    'APIVERSION',
    'NAMESPACED',
    'KIND',
    ...(wide ? ['VERBS', 'CATEGORIES'] : []),
  ];
  const rows = order.map((resource) => [
    resource.plural,
    resource.shortNames.join(','),
    apiVersionOf(resource),
    String(resource.namespaced),
    resource.kind,
    ...(wide ? [resource.verbs.join(','), resource.categories.join(',')] : []),
  ]);
  await kubectl.out(formatTable(flags.bool('no-headers') ? undefined : headers, rows));
  return 0;
}

export const apiVersions: Command = { name: 'api-versions', run: runApiVersions };

async function runApiVersions({ kubectl, args, path }: Invocation): Promise<number> {
  if (args.length > 0) throw new UsageError(`unexpected arguments: [${args.join(' ')}]`, path);
  const { resources } = await kubectl.mapper();
  const versions = [...new Set(resources.map(apiVersionOf))].sort();
  await kubectl.out(versions.map((each) => `${each}\n`).join(''));
  return 0;
}
