// kubectl diff: what apply would change, as the machine's diff program tells it.
import { ErrnoError } from '../../../network/index.ts';
import type { Process } from '../../../linux/kernel/index.ts';
import { isStatus, StatusError } from '../../api/index.ts';
import { CommandError } from '../frame/command-error.ts';
import type { Command, Invocation } from '../frame/command.ts';
import { explain } from '../frame/explain.ts';
import { toYaml } from '../output/yaml.ts';
import type { AnyObject } from '../rest/builder.ts';
import { readManifests } from '../rest/read-manifests.ts';
import { pathOf, type DiscoveredResource } from '../rest/discovery.ts';
import { LAST_APPLIED } from '../rest/last-applied.ts';
import { threeWayPatch } from '../rest/three-way.ts';

/** Statuses above 1 are failures: 1 says that there are differences. */
const FAILED = 2;
const MASK = '***';

export const diff: Command = {
  name: 'diff',
  flags: [{ name: 'force-conflicts', kind: 'bool' }],
  run: runDiff,
};

async function runDiff(invocation: Invocation): Promise<number> {
  try {
    return await compare(invocation);
  } catch (error) {
    const { text } = explain(error);
    throw new CommandError(text, 'plain', FAILED);
  }
}

async function compare(invocation: Invocation): Promise<number> {
  const { kubectl, flags, proc, args } = invocation;
  if (args.length > 0) throw new CommandError(`unknown command "${args[0]}" for "kubectl diff"`);
  const objects = await readManifests(invocation);
  if (objects === undefined) throw new CommandError('must specify one of -f and -k');
  if (flags.bool('prune')) throw new CommandError("drydock: diff --prune isn't simulated", 'plain');
  const mapper = await kubectl.mapper();
  const live = temporaryFolder(proc, 'LIVE');
  const merged = temporaryFolder(proc, 'MERGED');
  try {
    for (const { object, source } of objects) {
      const resource = mapper.forObject(object, source);
      const placed = resource.namespaced
        ? { ...object, metadata: { ...object.metadata, namespace: kubectl.namespaceOf(object) } }
        : object;
      const before = await currentOf(invocation, resource, placed);
      const after = await appliedOf(invocation, resource, placed, before, source);
      const name = fileName(resource, placed);
      const [from, to] = shown(flags.bool('show-managed-fields'), before, after);
      proc.fs.writeFile(`${live}/${name}`, from === undefined ? '' : toYaml(from));
      proc.fs.writeFile(`${merged}/${name}`, toYaml(to!));
    }
    return await runProgram(proc, live, merged);
  } finally {
    for (const folder of [live, merged]) removeFolder(proc, folder);
  }
}

function fileName({ group, version, kind }: DiscoveredResource, { metadata }: AnyObject): string {
  const prefix = group === '' ? '' : `${group}.`;
  return `${prefix}${version}.${kind}.${metadata?.namespace ?? ''}.${metadata?.name ?? ''}`;
}

async function currentOf(
  { kubectl }: Invocation,
  resource: DiscoveredResource,
  { metadata }: AnyObject,
): Promise<AnyObject | undefined> {
  try {
    return await kubectl.api.json<AnyObject>({
      method: 'GET',
      path: pathOf(resource, metadata?.namespace, metadata?.name ?? ''),
    });
  } catch (error) {
    if (isStatus(error, 'NotFound')) return undefined;
    throw error;
  }
}

/** The object as the server says it would be. */
async function appliedOf(
  { kubectl, flags }: Invocation,
  resource: DiscoveredResource,
  object: AnyObject,
  before: AnyObject | undefined,
  source: string,
): Promise<AnyObject> {
  const { namespace, name = '' } = object.metadata ?? {};
  const isServerSide = flags.bool('server-side');
  const manager = flags.changed('field-manager')
    ? flags.string('field-manager')
    : isServerSide
      ? 'kubectl'
      : 'kubectl-client-side-apply';
  const query = { dryRun: 'All', fieldManager: manager };
  if (isServerSide) {
    return kubectl.api.json<AnyObject>({
      method: 'PATCH',
      path: pathOf(resource, namespace, name),
      query: { ...query, force: String(flags.bool('force-conflicts')) },
      contentType: 'application/apply-patch+yaml',
      body: object,
    });
  }
  if (before === undefined)
    return kubectl.api.json<AnyObject>({
      method: 'POST',
      path: pathOf(resource, namespace),
      query,
      body: object,
    });
  const schemas = await kubectl.openApi.schemas(resource.group, resource.version);
  const schema = schemas.forKind(resource);
  const last = before.metadata?.annotations?.[LAST_APPLIED];
  const original = last === undefined ? {} : (JSON.parse(last) as AnyObject);
  // As apply writes objects down: with annotations, even if there are none.
  const wanted = {
    ...object,
    metadata: { ...object.metadata, annotations: { ...object.metadata?.annotations } },
  };
  const patch = threeWayPatch(original, wanted, before, schemas, schema);
  try {
    return await kubectl.api.json<AnyObject>({
      method: 'PATCH',
      path: pathOf(resource, namespace, name),
      query,
      contentType:
        schema === undefined ? 'application/merge-patch+json' : 'application/strategic-merge-patch+json',
      body: patch,
    });
  } catch (error) {
    if (!(error instanceof StatusError) || error.reason === 'Invalid') throw error;
    throw new StatusError({
      ...error.status,
      message: `error when applying patch to "${source}": ${error.message}`,
    });
  }
}

/** Without managed fields; a Secret's values masked, those that differ told apart. */
function shown(
  keepManaged: boolean,
  before: AnyObject | undefined,
  after: AnyObject,
): [AnyObject | undefined, AnyObject] {
  const bare = (object: AnyObject): AnyObject => {
    if (keepManaged) return object;
    const { managedFields: _, ...metadata } = object.metadata as Record<string, unknown>;
    return { ...object, metadata } as AnyObject;
  };
  const [from, to] = [before === undefined ? undefined : bare(before), bare(after)];
  return to.kind === 'Secret' && to.apiVersion === 'v1' ? masked(from, to) : [from, to];
}

function masked(from: AnyObject | undefined, to: AnyObject): [AnyObject | undefined, AnyObject] {
  const [old, fresh] = [from?.['data'], to['data']] as (Record<string, string> | undefined)[];
  const words = (values: Record<string, string>, others: Record<string, string>, word: string) =>
    Object.fromEntries(
      Object.entries(values).map(([key, value]) => [
        key,
        others[key] === undefined || others[key] === value ? MASK : `${MASK} (${word})`,
      ]),
    );
  const hide = (
    object: AnyObject,
    values: Record<string, string> | undefined,
    others: Record<string, string> | undefined,
    word: string,
  ): AnyObject => (values === undefined ? object : { ...object, data: words(values, others ?? {}, word) });
  return [from === undefined ? undefined : hide(from, old, fresh, 'before'), hide(to, fresh, old, 'after')];
}

/** `diff -u -N`, or what $KUBECTL_EXTERNAL_DIFF says, as far as its words are plain. */
async function runProgram(proc: Process, live: string, merged: string): Promise<number> {
  const [program = 'diff', ...options] = (proc.env.get('KUBECTL_EXTERNAL_DIFF') || 'diff -u -N').split(' ');
  const plain = options.filter((word) => /^[a-zA-Z0-9-=]+$/.test(word));
  try {
    const status = await proc.spawn({ argv: [program, ...plain, live, merged] }).wait();
    const exitCode = status.kind === 'exited' ? status.exitCode : FAILED;
    if (exitCode > 1)
      throw new CommandError(`failed to run ${JSON.stringify(program)}: exit status ${exitCode}`);
    return exitCode;
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    const why = program.includes('/')
      ? `fork/exec ${program}: no such file or directory`
      : 'executable file not found in $PATH';
    throw new CommandError(`failed to run ${JSON.stringify(program)}: ${why}`);
  }
}

function temporaryFolder({ fs, env, random }: Process, word: string): string {
  const path = `${env.get('TMPDIR') || '/tmp'}/${word}-${Buffer.from(random.bytes(4)).readUInt32BE(0)}`;
  fs.mkdir(path, { mode: 0o700 });
  return path;
}

function removeFolder({ fs }: Process, path: string): void {
  for (const { name } of fs.readdir(path)) fs.unlink(`${path}/${name}`);
  fs.rmdir(path);
}
