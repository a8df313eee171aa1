// kubectl get: tables from the server, or objects in another form.
import type { AnyObject, Target } from '../rest/builder.ts';
import { parseTargets, qualifiedName } from '../rest/builder.ts';
import { readManifests } from '../rest/read-manifests.ts';
import { pathOf, type DiscoveredResource } from '../rest/discovery.ts';
import { watchEvents } from '../rest/watch.ts';
import { isStatus, StatusError } from '../../api/index.ts';
import { listRefusal, requireNamespace } from '../rest/selection.ts';
import { CommandError, UsageError } from '../frame/command-error.ts';
import type { Command, Invocation } from '../frame/command.ts';
import { customColumns } from '../output/custom-columns.ts';
import { JsonPathError, parseJsonPath, relaxedJsonPath } from '../output/jsonpath.ts';
import { OBJECT_FORMATS, objectPrinter } from '../output/printer.ts';
import { formatTable } from '../output/table.ts';
import { statusText } from '../frame/explain.ts';

/** meta.k8s.io/v1 Table. */
interface Table {
  readonly kind: 'Table';
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  /** Null, as Go writes an empty list, in the tables of a watch but its first. */
  readonly columnDefinitions?: readonly { readonly name: string; readonly priority: number }[] | null;
  readonly rows?: readonly { readonly cells: readonly unknown[]; readonly object?: AnyObject }[];
}

const TABLE_ACCEPT =
  'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json';

export const get: Command = {
  name: 'get',
  run: runGet,
};

async function runGet(invocation: Invocation): Promise<number> {
  const { kubectl, flags, args, path } = invocation;
  if (flags.changed('raw')) {
    const raw = flags.string('raw');
    if (!raw.startsWith('/'))
      throw new CommandError(
        `--raw must be a valid URL path: parse ${JSON.stringify(raw)}: invalid URI for request`,
      );
    await kubectl.out(await kubectl.api.text({ method: 'GET', path: raw }));
    return 0;
  }
  const hasFiles = flags.list('filename').length > 0 || flags.string('kustomize') !== '';
  if (args.length === 0 && !hasFiles) {
    await kubectl.err(
      'You must specify the type of resource to get. Use "kubectl api-resources" for a complete list of supported resources.\n\n',
    );
    throw new UsageError(
      'Required resource not specified.\nUse "kubectl explain <resource>" for a detailed description of that resource (e.g. kubectl explain pods).',
      path,
    );
  }
  const watches = flags.bool('watch') || flags.bool('watch-only');
  if (flags.bool('output-watch-events') && !watches)
    throw new CommandError('--output-watch-events option can only be used with --watch or --watch-only');
  const targets = await targetsOf(invocation);
  const format = flags.string('output');
  const asTable = format === '' || format === 'wide';
  if (watches) return watchTargets(invocation, targets, asTable);
  if (asTable) return printTables(invocation, targets);
  return printObjects(invocation, targets, format);
}

async function targetsOf(invocation: Invocation): Promise<Target[]> {
  const { kubectl, args } = invocation;
  const files = await readManifests(invocation);
  if (files === undefined) return parseTargets(kubectl, args);
  if (args.length > 0)
    throw new CommandError(
      'when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well',
    );
  const mapper = await kubectl.mapper();
  return files.map(({ object, source }) => ({
    resource: mapper.forObject(object, source),
    name: object.metadata?.name,
    namespace: kubectl.namespaceOf(object),
  }));
}

function namespaceFor({ kubectl, flags }: Invocation, { resource, namespace }: Target): string | undefined {
  if (!resource.namespaced || flags.bool('all-namespaces')) return undefined;
  return namespace ?? kubectl.namespace;
}

async function request<T>(invocation: Invocation, target: Target, accept: string): Promise<T> {
  const { kubectl, flags } = invocation;
  const { resource, name } = target;
  const isList = name === undefined;
  const selector = isList
    ? {
        labelSelector: text(flags.string('selector')),
        fieldSelector: text(flags.string('field-selector')),
        limit: chunk(flags.int('chunk-size')),
      }
    : {};
  if (!isList && flags.bool('all-namespaces')) {
    throw new CommandError('a resource cannot be retrieved by name across all namespaces');
  }
  const asked = {
    method: 'GET',
    path: pathOf(resource, namespaceFor(invocation, target), name, text(flags.string('subresource'))),
    query: selector,
    accept,
  };
  try {
    return await kubectl.api.json<T>(asked);
  } catch (error) {
    // A missing object in a missing namespace is told as the latter.
    if (!isList && isStatus(error, 'NotFound') && resource.namespaced && kubectl.namespace !== 'default') {
      await requireNamespace(kubectl, kubectl.namespace);
    }
    if (!isList) throw error;
    throw listRefusal(error, resource, flags.string('selector'), flags.string('field-selector'));
  }
}

/** All pages of a list as one. */
async function requestAll(invocation: Invocation, target: Target, accept: string): Promise<AnyObject> {
  const first = await request<AnyObject>(invocation, target, accept);
  let next = (first.metadata as { continue?: string } | undefined)?.continue;
  const member = accept === 'application/json' ? 'items' : 'rows';
  const gathered = [...((first[member] as unknown[] | undefined) ?? [])];
  while (next !== undefined && next !== '') {
    const { kubectl, flags } = invocation;
    const page = await kubectl.api.json<AnyObject>({
      method: 'GET',
      path: pathOf(target.resource, namespaceFor(invocation, target)),
      query: {
        labelSelector: text(flags.string('selector')),
        fieldSelector: text(flags.string('field-selector')),
        limit: chunk(flags.int('chunk-size')),
        continue: next,
      },
      accept,
    });
    gathered.push(...((page[member] as unknown[] | undefined) ?? []));
    next = (page.metadata as { continue?: string } | undefined)?.continue;
  }
  return first[member] === undefined ? first : { ...first, [member]: gathered };
}

function chunk(size: number): string | undefined {
  return size === 0 ? undefined : String(size);
}

function text(value: string): string | undefined {
  return value === '' ? undefined : value;
}

async function printTables(invocation: Invocation, targets: readonly Target[]): Promise<number> {
  const { kubectl, flags } = invocation;
  let exitCode = 0;
  const tables: { target: Target; table: Table }[] = [];
  for (const target of targets) {
    try {
      tables.push({
        target,
        table: (await requestAll(invocation, target, TABLE_ACCEPT)) as unknown as Table,
      });
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      if (error.reason === 'NotFound' && flags.bool('ignore-not-found')) continue;
      await kubectl.err(`${statusText(error)}\n`);
      exitCode = 1;
    }
  }
  const kinds = new Set(tables.map(({ target: { resource } }) => `${resource.plural}.${resource.group}`));
  const withKind = flags.bool('show-kind') || kinds.size > 1;
  const grouped = groupByResource(tables);
  let printed = 0;
  for (const { target, rows, columns } of grouped) {
    if (rows.length === 0 || !canSort(rows, flags.string('sort-by'))) continue;
    if (printed++ > 0 && !flags.bool('no-headers')) await kubectl.out('\n');
    await kubectl.out(
      tableText(invocation, target.resource, columns, rows, withKind, !flags.bool('no-headers')),
    );
  }
  if (printed === 0 && exitCode === 0 && !flags.bool('ignore-not-found'))
    await kubectl.err(nothingFound(invocation, targets));
  return exitCode;
}

type Column = NonNullable<Table['columnDefinitions']>[number];
type Row = NonNullable<Table['rows']>[number];

/** Answers for the same resource, one after another, are one table. */
function groupByResource(
  tables: readonly { target: Target; table: Table }[],
): { target: Target; columns: readonly Column[]; rows: Row[] }[] {
  const groups: { target: Target; columns: readonly Column[]; rows: Row[] }[] = [];
  for (const { target, table } of tables) {
    const last = groups.at(-1);
    const rows = [...(table.rows ?? [])];
    if (last !== undefined && last.target.resource === target.resource) last.rows.push(...rows);
    else groups.push({ target, columns: table.columnDefinitions ?? [], rows });
  }
  return groups;
}

function tableText(
  invocation: Invocation,
  resource: DiscoveredResource,
  columns: readonly Column[],
  rows: readonly Row[],
  withKind: boolean,
  withHeader: boolean,
  widths?: number[],
): string {
  const { flags } = invocation;
  const wide = flags.string('output') === 'wide';
  const shown = columns
    .map((column, index) => ({ column, index }))
    .filter(({ column }) => column.priority === 0 || wide);
  const labels = flags.list('label-columns');
  const allNamespaces = flags.bool('all-namespaces') && resource.namespaced;
  const headers = [
    ...(allNamespaces ? ['NAMESPACE'] : []),
    ...shown.map(({ column }) => column.name.toUpperCase()),
    ...labels.map((label) => label.slice(label.lastIndexOf('/') + 1).toUpperCase()),
    ...(flags.bool('show-labels') ? ['LABELS'] : []),
  ];
  const lines = sortRows(rows, flags.string('sort-by')).map(({ cells, object }) => [
    ...(allNamespaces ? [object?.metadata?.namespace ?? ''] : []),
    ...shown.map(({ column, index }) => {
      const cell = cellText(cells[index]);
      return withKind && column.name.toLowerCase() === 'name' ? `${qualifiedName(resource, cell)}` : cell;
    }),
    ...labels.map((label) => object?.metadata?.labels?.[label] ?? ''),
    ...(flags.bool('show-labels') ? [labelsText(object?.metadata?.labels)] : []),
  ]);
  return formatTable(withHeader ? headers : undefined, lines, widths);
}

function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return '';
  const value =
    typeof cell === 'string'
      ? cell
      : typeof cell === 'object'
        ? JSON.stringify(cell)
        : String(cell as number | boolean);
  return value.includes('\n') ? `${value.slice(0, value.indexOf('\n'))}...` : value;
}

function labelsText(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(labels ?? {});
  if (pairs.length === 0) return '<none>';
  return pairs
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

/** The real one prints nothing of a table whose rows have nothing to sort by, and ends well. */
function canSort(rows: readonly Row[], expression: string): boolean {
  if (expression === '') return true;
  try {
    const path = parseJsonPath(relaxedJsonPath(expression));
    return rows.some((row) => path.find(row.object, true).length > 0);
  } catch (error) {
    if (!(error instanceof JsonPathError)) throw error;
    return false;
  }
}

function sortRows(rows: readonly Row[], expression: string): readonly Row[] {
  if (expression === '') return rows;
  const path = parseJsonPath(relaxedJsonPath(expression));
  const keyed = rows.map((row) => ({ row, key: path.find(row.object, true)[0] }));
  return keyed.sort((a, b) => compare(a.key, b.key)).map(({ row }) => row);
}

/** As get's sorter: absent values first, numbers by value, texts in natural order. */
function compare(a: unknown, b: unknown): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [left, right] = [String(a as string | number | boolean), String(b as string | number | boolean)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function nothingFound(invocation: Invocation, targets: readonly Target[]): string {
  const namespaced =
    targets.every(({ resource }) => resource.namespaced) && !invocation.flags.bool('all-namespaces');
  return namespaced
    ? `No resources found in ${invocation.kubectl.namespace} namespace.\n`
    : 'No resources found\n';
}

async function printObjects(
  invocation: Invocation,
  targets: readonly Target[],
  format: string,
): Promise<number> {
  const { kubectl, flags } = invocation;
  const columns = format.startsWith('custom-columns')
    ? customColumns(format, kubectl.proc, flags.bool('no-headers'))
    : undefined;
  const print = objectPrinter(format, flags, kubectl.proc);
  if (print === undefined && columns === undefined && format !== 'name') {
    throw new CommandError(
      `unable to match a printer suitable for the output format "${format}", allowed formats are: custom-columns,custom-columns-file,${OBJECT_FORMATS.replace('yaml', 'wide,yaml')}`,
    );
  }
  const items: { resource: DiscoveredResource; object: AnyObject }[] = [];
  const single = targets.length === 1 && targets[0]!.name !== undefined;
  let exitCode = 0;
  for (const target of targets) {
    try {
      const answer = await requestAll(invocation, target, 'application/json');
      const list = answer['items'];
      if (target.name === undefined && Array.isArray(list)) {
        const kind = (answer.kind ?? '').replace(/List$/, '');
        items.push(
          ...(list as AnyObject[]).map((object) => ({
            resource: target.resource,
            object: { apiVersion: answer.apiVersion, kind, ...object } as AnyObject,
          })),
        );
      } else items.push({ resource: target.resource, object: answer });
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      if (error.reason === 'NotFound' && flags.bool('ignore-not-found')) continue;
      if (single) throw error;
      await kubectl.err(`${statusText(error)}\n`);
      exitCode = 1;
    }
  }
  const sorting = flags.string('sort-by');
  if (sorting !== '') {
    const path = parseJsonPath(relaxedJsonPath(sorting));
    items.sort((a, b) => compare(path.find(a.object, true)[0], path.find(b.object, true)[0]));
  }
  const objects = items.map(({ object }) => object);
  if (format === 'name') {
    for (const { resource, object } of items)
      await kubectl.out(`${qualifiedName(resource, object.metadata?.name ?? '')}\n`);
  } else if (columns !== undefined) await kubectl.out(columns(objects));
  else if (single && objects.length === 1) await kubectl.out(print!(objects[0]!));
  else
    await kubectl.out(
      print!({ apiVersion: 'v1', items: objects, kind: 'List', metadata: { resourceVersion: '' } }),
    );
  return exitCode;
}

async function watchTargets(
  invocation: Invocation,
  targets: readonly Target[],
  asTable: boolean,
): Promise<number> {
  const { kubectl, flags, proc } = invocation;
  const [target, ...others] = targets;
  if (target === undefined) return 0;
  if (others.length > 0) throw new CommandError('you may only specify a single resource type');
  const format = flags.string('output');
  const print = asTable ? undefined : (objectPrinter(format, flags, proc) ?? namePrinter(target.resource));
  const withEvents = flags.bool('output-watch-events');
  let columns: readonly Column[] = [];
  const widths: number[] = [];
  let headed = flags.bool('no-headers');
  const show = async (type: string, answer: AnyObject): Promise<void> => {
    if (print !== undefined) {
      await kubectl.out(withEvents ? print({ object: answer, type }) : print(answer));
      return;
    }
    const table = answer as unknown as Table;
    const definitions = table.columnDefinitions ?? [];
    if (definitions.length > 0) columns = definitions;
    if ((table.rows ?? []).length === 0) return;
    const text = tableText(
      invocation,
      target.resource,
      columns,
      table.rows ?? [],
      flags.bool('show-kind'),
      !headed,
      widths,
    );
    headed = true;
    await kubectl.out(withEvents ? withEventColumn(text, type) : text);
  };
  const listTarget = { resource: target.resource, name: undefined };
  const named = target.name === undefined ? undefined : `metadata.name=${target.name}`;
  const accept = asTable ? TABLE_ACCEPT : 'application/json';
  const query = {
    labelSelector: text(flags.string('selector')),
    fieldSelector: named ?? text(flags.string('field-selector')),
  };
  const path = pathOf(target.resource, namespaceFor(invocation, listTarget));
  const first = await kubectl.api.json<AnyObject>({ method: 'GET', path, query, accept });
  if (target.name !== undefined && isEmpty(first)) await request(invocation, target, accept); // Says NotFound.
  if (!flags.bool('watch-only')) {
    if (asTable) await show('ADDED', first);
    else
      for (const item of (first['items'] as AnyObject[] | undefined) ?? [])
        await show('ADDED', {
          apiVersion: first.apiVersion,
          kind: (first.kind ?? '').replace(/List$/, ''),
          ...item,
        } as AnyObject);
  }
  const resourceVersion = (first.metadata as { resourceVersion?: string } | undefined)?.resourceVersion;
  for await (const event of watchEvents<AnyObject>(kubectl.api, {
    method: 'GET',
    path,
    query: { ...query, resourceVersion },
    accept,
    signal: proc.signal,
  })) {
    if (event.type === 'ERROR') throw new StatusError(event.object as never);
    if (event.type !== 'BOOKMARK') await show(event.type, event.object);
  }
  return 0;
}

function namePrinter(resource: DiscoveredResource): (object: object) => string {
  return (object) => `${qualifiedName(resource, (object as AnyObject).metadata?.name ?? '')}\n`;
}

function withEventColumn(table: string, type: string): string {
  return table.replace(/^(?=.)/gm, () => `${type.padEnd(11)}`);
}

function isEmpty(answer: AnyObject): boolean {
  const list = (answer['rows'] ?? answer['items']) as unknown[] | undefined;
  return list === undefined || list.length === 0;
}
