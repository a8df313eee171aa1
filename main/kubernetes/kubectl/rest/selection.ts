// The objects that a command line is about, fetched and given one by one (cli-runtime's Builder and its visitors).
import { isStatus, StatusError } from '../../api/index.ts';
import { CommandError, throwGathered } from '../frame/command-error.ts';
import type { Invocation } from '../frame/command.ts';
import { parseTargets, type AnyObject } from './builder.ts';
import { readManifests } from './read-manifests.ts';
import { pathOf, type DiscoveredResource } from './discovery.ts';

/** One object of a command line. */
export interface Selected {
  readonly resource: DiscoveredResource;
  /** Absent for cluster-scoped kinds. */
  readonly namespace: string | undefined;
  readonly name: string;
  /** As the server has it, or as the file has it when nothing was fetched. */
  readonly object: AnyObject;
  /** The file it came from. */
  readonly source: string | undefined;
}

export interface Selection {
  readonly args: readonly string[];
  /** All of the named types. */
  readonly all?: boolean;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly allNamespaces?: boolean;
  /** Goes by the file or by names alone, asking the server for nothing that is named. */
  readonly unfetched?: boolean;
  /** Goes on after an object that can't be had; errors are thrown together at the end. */
  readonly continueOnError?: boolean;
  /** What a name alone is one of, such as `pods` for logs. */
  readonly defaultType?: string;
  /** Lists in pages of this many. */
  readonly chunkSize?: number;
}

const NOTHING_NAMED =
  "You must provide one or more resources by argument or filename.\nExample resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'";

/** Calls `visit` with each object. Returns how many there were. Throws as `visit` and as the server refuses. */
export async function visitObjects(
  invocation: Invocation,
  selection: Selection,
  visit: (selected: Selected) => Promise<void> | void,
): Promise<number> {
  const errors: unknown[] = [];
  let count = 0;
  for await (const next of objectsOf(invocation, selection)) {
    try {
      count++;
      await visit(await next());
    } catch (error) {
      if (selection.continueOnError !== true || !isOfOneObject(error)) throw error;
      errors.push(error);
    }
  }
  throwGathered(errors);
  return count;
}

/** All objects at once. */
export async function selectObjects(invocation: Invocation, selection: Selection): Promise<Selected[]> {
  const found: Selected[] = [];
  await visitObjects(invocation, selection, (selected) => {
    found.push(selected);
  });
  return found;
}

/** An error that other objects of the line needn't suffer from. */
function isOfOneObject(error: unknown): boolean {
  return error instanceof StatusError || error instanceof CommandError;
}

async function* objectsOf(
  invocation: Invocation,
  selection: Selection,
): AsyncGenerator<() => Promise<Selected>> {
  const { kubectl, flags } = invocation;
  const files = flags.list('filename');
  const kustomize = flags.string('kustomize');
  if (files.length > 0 || kustomize !== '') {
    if (selection.args.length > 0) {
      throw new CommandError(
        'when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well',
      );
    }
    yield* fromFiles(invocation, selection);
    return;
  }
  const args = withDefaultType(selection);
  if (args.length === 0) throw new CommandError(NOTHING_NAMED);
  const named = args.length > 1 || args.some((arg) => arg.includes('/'));
  const listed =
    selection.all === true ||
    text(selection.labelSelector) !== undefined ||
    text(selection.fieldSelector) !== undefined;
  if (named && listed) {
    throw new CommandError(
      args.some((arg) => arg.includes('/'))
        ? 'selectors and the all flag cannot be used when passing resource/name arguments'
        : 'name cannot be provided when a selector is specified',
    );
  }
  if (named && selection.allNamespaces === true)
    throw new CommandError('a resource cannot be retrieved by name across all namespaces');
  if (!named && !listed) {
    await parseTargets(kubectl, args);
    throw new CommandError('resource(s) were provided, but no name was specified');
  }
  for (const { resource, name } of await parseTargets(kubectl, args)) {
    if (name === undefined) yield* fromList(invocation, resource, selection);
    else yield () => fromName(invocation, resource, name, selection);
  }
}

function withDefaultType({ args, defaultType }: Selection): readonly string[] {
  if (defaultType === undefined || args.length === 0) return args;
  return args[0]!.includes('/') ? args : [defaultType, ...args];
}

async function* fromFiles(
  invocation: Invocation,
  selection: Selection,
): AsyncGenerator<() => Promise<Selected>> {
  const { kubectl } = invocation;
  const mapper = await kubectl.mapper();
  for (const { object, source } of (await readManifests(invocation)) ?? []) {
    yield async () => {
      const resource = mapper.forObject(object, source);
      const namespace = resource.namespaced ? kubectl.namespaceOf(object) : undefined;
      const name = object.metadata?.name ?? '';
      if (selection.unfetched === true) return { resource, namespace, name, object, source };
      return {
        resource,
        namespace,
        name,
        object: await fetchObject(kubectl, resource, namespace, name),
        source,
      };
    };
  }
}

async function* fromList(
  invocation: Invocation,
  resource: DiscoveredResource,
  selection: Selection,
): AsyncGenerator<() => Promise<Selected>> {
  const { kubectl } = invocation;
  const namespace = resource.namespaced && selection.allNamespaces !== true ? kubectl.namespace : undefined;
  const { labelSelector = '', fieldSelector = '' } = selection;
  const list = await kubectl.api
    .json<{ items: AnyObject[] | null }>({
      method: 'GET',
      path: pathOf(resource, namespace),
      query: { labelSelector: text(labelSelector), fieldSelector: text(fieldSelector) },
    })
    .catch((error: unknown) => {
      throw listRefusal(error, resource, labelSelector, fieldSelector);
    });
  for (const item of list.items ?? []) {
    const object = typed(resource, item);
    yield () =>
      Promise.resolve({
        resource,
        namespace: object.metadata?.namespace,
        name: object.metadata?.name ?? '',
        object,
        source: undefined,
      });
  }
}

/** A bad request or a missing resource, told with what was asked for (resource.Selector). */
export function listRefusal(
  error: unknown,
  { group, version, plural }: DiscoveredResource,
  labelSelector: string,
  fieldSelector: string,
): unknown {
  if (!isStatus(error, 'BadRequest') && !isStatus(error, 'NotFound')) return error;
  const { status } = error as StatusError;
  const what = JSON.stringify(`${group}/${version}, Resource=${plural}`);
  const asked =
    labelSelector === '' && fieldSelector === ''
      ? `list ${what}`
      : `find ${what} that match label selector ${JSON.stringify(labelSelector)}, field selector ${JSON.stringify(fieldSelector)}`;
  return new StatusError({ ...status, message: `Unable to ${asked}: ${status.message ?? ''}` });
}

async function fromName(
  { kubectl }: Invocation,
  resource: DiscoveredResource,
  name: string,
  selection: Selection,
): Promise<Selected> {
  const namespace = resource.namespaced ? kubectl.namespace : undefined;
  const object =
    selection.unfetched === true
      ? typed(resource, {
          metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
        } as AnyObject)
      : await fetchObject(kubectl, resource, namespace, name);
  return { resource, namespace, name, object, source: undefined };
}

/** Items of a list carry no type of their own. */
export function typed(resource: DiscoveredResource, object: AnyObject): AnyObject {
  return {
    ...object,
    apiVersion: object.apiVersion ?? apiVersionOf(resource),
    kind: object.kind ?? resource.kind,
  } as AnyObject;
}

export function apiVersionOf({ group, version }: Pick<DiscoveredResource, 'group' | 'version'>): string {
  return group === '' ? version : `${group}/${version}`;
}

/** One object. A missing one in a missing namespace is told as the latter (Info.Get). Throws StatusError. */
export async function fetchObject(
  kubectl: Invocation['kubectl'],
  resource: DiscoveredResource,
  namespace: string | undefined,
  name: string,
  subresource?: string,
): Promise<AnyObject> {
  try {
    return await kubectl.api.json<AnyObject>({
      method: 'GET',
      path: pathOf(resource, namespace, name, subresource),
    });
  } catch (error) {
    if (isStatus(error, 'NotFound') && namespace !== undefined && namespace !== 'default')
      await requireNamespace(kubectl, namespace);
    throw error;
  }
}

export async function requireNamespace(kubectl: Invocation['kubectl'], namespace: string): Promise<void> {
  try {
    await kubectl.api.json({ method: 'GET', path: `/api/v1/namespaces/${namespace}` });
  } catch (error) {
    if (isStatus(error, 'NotFound')) throw error;
    if (!(error instanceof StatusError)) throw error; // A refusal leaves the first answer standing.
  }
}

function text(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}
