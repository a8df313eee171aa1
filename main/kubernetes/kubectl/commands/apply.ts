// kubectl apply: brings the cluster's objects to what files say, remembering what was applied last.
import { isStatus, parseLabelSelector, StatusError } from '../../api/index.ts';
import { CommandError } from '../frame/command-error.ts';
import type { Command, Invocation } from '../frame/command.ts';
import { dryRunOf, dryRunQuery, dryRunSuffix, type DryRun } from '../frame/dry-run.ts';
import { toCompactJson } from '../output/json.ts';
import { objectPrinter } from '../output/printer.ts';
import { qualifiedName, type AnyObject, type FileObject } from '../rest/builder.ts';
import { readManifests } from '../rest/read-manifests.ts';
import { LAST_APPLIED, withLastApplied } from '../rest/last-applied.ts';
import { validationOf } from '../frame/validation.ts';
import { pathOf, type DiscoveredResource } from '../rest/discovery.ts';
import { OpenApi } from '../rest/open-api.ts';
import { threeWayPatch } from '../rest/three-way.ts';
import { statusText } from '../frame/explain.ts';
import { kindsToPrune, prune, requirePruneFlags } from './prune.ts';
import { lastAppliedCommands } from './last-applied.ts';

export const apply: Command = {
  name: 'apply',
  commands: lastAppliedCommands,
  flags: [{ name: 'force-conflicts', kind: 'bool' }],
  run: runApply,
};

async function runApply(invocation: Invocation): Promise<number> {
  const { kubectl, flags } = invocation;
  const dryRun = dryRunOf(flags);
  const files = await readManifests(invocation);
  if (files === undefined) throw new CommandError('must specify one of -f and -k');
  requirePruneFlags(invocation);
  const selector = parseLabelSelector(flags.string('selector'));
  const objects = files.filter(({ object }) => selector.matches(object.metadata?.labels));
  if (objects.length === 0) throw new CommandError('no objects passed to apply');
  const mapper = await kubectl.mapper();
  const openApi = new OpenApi(kubectl.api);
  const pruned = flags.bool('prune') ? await kindsToPrune(invocation) : undefined;
  const applied: AnyObject[] = [];
  let exitCode = 0;
  for (const file of objects) {
    try {
      const resource = mapper.forObject(file.object, file.source);
      const object = placed(invocation, resource, file.object);
      const result = flags.bool('server-side')
        ? await applyServerSide(invocation, resource, object, dryRun)
        : await applyClientSide(invocation, openApi, resource, object, file, dryRun);
      applied.push(result.object);
      await report(invocation, resource, result, dryRun);
    } catch (error) {
      if (objects.length === 1) throw error;
      if (error instanceof StatusError) await kubectl.err(`${statusText(error)}\n`);
      else if (error instanceof CommandError) await kubectl.err(`error: ${error.message}\n`);
      else throw error;
      exitCode = 1;
    }
  }
  if (pruned !== undefined && exitCode === 0) await prune(invocation, pruned, applied, dryRun);
  return exitCode;
}

interface Applied {
  readonly object: AnyObject;
  readonly what: 'created' | 'configured' | 'unchanged' | 'serverside-applied';
}

/** The object in the namespace it goes to. Throws CommandError when file and flag disagree. */
function placed({ kubectl }: Invocation, resource: DiscoveredResource, object: AnyObject): AnyObject {
  if (!resource.namespaced) return object;
  return { ...object, metadata: { ...object.metadata, namespace: kubectl.namespaceOf(object) } };
}

async function applyClientSide(
  invocation: Invocation,
  openApi: OpenApi,
  resource: DiscoveredResource,
  object: AnyObject,
  file: FileObject,
  dryRun: DryRun,
): Promise<Applied> {
  const { kubectl, flags } = invocation;
  const namespace = object.metadata?.namespace;
  const name = object.metadata?.name ?? '';
  const wanted = withLastApplied(object);
  const query = {
    fieldManager: flags.string('field-manager'),
    fieldValidation: validationOf(flags.string('validate')),
    ...dryRunQuery(dryRun),
  };
  let current: AnyObject;
  try {
    current = await kubectl.api.json<AnyObject>({ method: 'GET', path: pathOf(resource, namespace, name) });
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw retrieving(error, resource, name, namespace, file);
    if (dryRun === 'client') return { object: wanted, what: 'created' };
    try {
      const created = await kubectl.api.json<AnyObject>({
        method: 'POST',
        path: pathOf(resource, namespace),
        query,
        body: wanted,
      });
      return { object: created, what: 'created' };
    } catch (refused) {
      throw whileDoing('creating', refused, file);
    }
  }
  // Without asking the server there is no telling what would come of it: what is, is told.
  if (dryRun === 'client') return { object: current, what: 'configured' };
  const last = current.metadata?.annotations?.[LAST_APPLIED];
  if (last === undefined) {
    await kubectl.err(
      `Warning: resource ${qualifiedName(resource, name).replace(/^([^/]+)\//, (_, type: string) => `${resource.plural}${type.slice(resource.singular.length)}/`)} is missing the ${LAST_APPLIED} annotation which is required by kubectl apply. kubectl apply should only be used on resources created declaratively by either kubectl create --save-config or kubectl apply. The missing annotation will be patched automatically.\n`,
    );
  }
  const schemas = await openApi.schemas(resource.group, resource.version);
  const schema = schemas.forKind(resource);
  const original = last === undefined ? {} : (JSON.parse(last) as AnyObject);
  const patch = threeWayPatch(original, wanted, current as Record<string, unknown>, schemas, schema);
  if (Object.keys(patch).length === 0) return { object: current, what: 'unchanged' };
  try {
    const patched = await kubectl.api.json<AnyObject>({
      method: 'PATCH',
      path: pathOf(resource, namespace, name),
      query,
      contentType:
        schema === undefined ? 'application/merge-patch+json' : 'application/strategic-merge-patch+json',
      body: patch,
    });
    return { object: patched, what: 'configured' };
  } catch (refused) {
    throw whileDoing(
      `applying patch:\n${toCompactJson(patch)}\nto:\nResource: "${groupVersionResource(resource)}", GroupVersionKind: "${groupVersionKind(resource)}"\nName: "${name}", Namespace: "${namespace ?? ''}"\nfor`,
      refused,
      file,
    );
  }
}

const CONFLICT_ADVICE = `Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the \`--force-conflicts\` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts`;

async function applyServerSide(
  { kubectl, flags }: Invocation,
  resource: DiscoveredResource,
  object: AnyObject,
  dryRun: DryRun,
): Promise<Applied> {
  const manager = flags.changed('field-manager') ? flags.string('field-manager') : 'kubectl';
  const applied = await kubectl.api
    .json<AnyObject>({
      method: 'PATCH',
      path: pathOf(resource, object.metadata?.namespace, object.metadata?.name ?? ''),
      query: {
        fieldManager: manager,
        fieldValidation: validationOf(flags.string('validate')),
        force: String(flags.bool('force-conflicts')),
        ...dryRunQuery(dryRun),
      },
      contentType: 'application/apply-patch+yaml',
      body: object,
    })
    .catch((error: unknown) => {
      if (!isStatus(error, 'Conflict')) throw error;
      throw new CommandError(`${error.message}\n${CONFLICT_ADVICE}`);
    });
  return { object: applied, what: 'serverside-applied' };
}

function whileDoing(doing: string, error: unknown, { source }: FileObject): unknown {
  if (!(error instanceof StatusError)) return error;
  if (error.reason === 'Invalid') return error;
  return new StatusError({
    ...error.status,
    message:
      `error when ${doing.startsWith('applying') ? doing : doing} ${doing.startsWith('applying') ? ': ' : ''}"${source}": ${error.message}`.replace(
        'for : ',
        'for: ',
      ),
  });
}

function retrieving(
  error: unknown,
  resource: DiscoveredResource,
  name: string,
  namespace: string | undefined,
  { source }: FileObject,
): unknown {
  if (!(error instanceof StatusError)) return error;
  return new StatusError({
    ...error.status,
    message: `error when retrieving current configuration of:\nResource: "${groupVersionResource(resource)}", GroupVersionKind: "${groupVersionKind(resource)}"\nName: "${name}", Namespace: "${namespace ?? ''}"\nfrom server for: "${source}": ${error.message}`,
  });
}

function groupVersionResource({ group, version, plural }: DiscoveredResource): string {
  return `${group === '' ? '' : `${group}/`}${version}, Resource=${plural}`;
}

function groupVersionKind({ group, version, kind }: DiscoveredResource): string {
  return `${group === '' ? '' : `${group}/`}${version}, Kind=${kind}`;
}

async function report(
  { kubectl, flags, proc }: Invocation,
  resource: DiscoveredResource,
  { object, what }: Applied,
  dryRun: DryRun,
): Promise<void> {
  const format = flags.string('output');
  if (format === '')
    await kubectl.out(
      `${qualifiedName(resource, object.metadata?.name ?? '')} ${what}${dryRunSuffix(dryRun)}\n`,
    );
  else if (format === 'name') await kubectl.out(`${qualifiedName(resource, object.metadata?.name ?? '')}\n`);
  else {
    const print = objectPrinter(format, flags, proc);
    if (print === undefined)
      throw new CommandError(
        `unable to match a printer suitable for the output format "${format}", allowed formats are: go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,name,template,templatefile,yaml`,
      );
    await kubectl.out(print(object));
  }
}
