// kubectl apply view-last-applied, set-last-applied and edit-last-applied: the annotation that apply keeps.
import { ErrnoError } from '../../../network/index.ts';
import { CommandError, UsageError } from '../frame/command-error.ts';
import type { Command, Invocation } from '../frame/command.ts';
import { dryRunOf, dryRunQuery } from '../frame/dry-run.ts';
import { toCompactJson, toJson } from '../output/json.ts';
import { resultPrinter } from '../output/result.ts';
import { toYaml } from '../output/yaml.ts';
import type { AnyObject } from '../rest/builder.ts';
import { readFiles } from '../rest/read-manifests.ts';
import { pathOf, type DiscoveredResource } from '../rest/discovery.ts';
import { LAST_APPLIED } from '../rest/last-applied.ts';
import { fetchObject, selectObjects, visitObjects } from '../rest/selection.ts';
import { oneObject, runEditor, temporaryFile, withoutComments } from './edit.ts';

const EDIT_HEADER = `# Please edit the 'last-applied-configuration' annotations below.
# Lines beginning with a '#' will be ignored, and an empty file will abort the edit.
#
`;

export const lastAppliedCommands: readonly Command[] = [
  { name: 'edit-last-applied', run: runEdit },
  { name: 'set-last-applied', run: runSet },
  { name: 'view-last-applied', run: runView },
];

async function runView(invocation: Invocation): Promise<number> {
  const { kubectl, args, flags, path } = invocation;
  const format = flags.string('output');
  if (format !== '' && format !== 'json' && format !== 'yaml')
    throw new UsageError(
      `Unexpected -o output mode: ${format}, the flag 'output' must be one of yaml|json`,
      path,
    );
  if (flags.bool('all')) throw new CommandError("setting 'all' parameter but found a non empty selector.");
  const isOneType = args.length === 1 && !args[0]!.includes('/');
  const selection = { args, all: isOneType, labelSelector: flags.string('selector') };
  await visitObjects(invocation, selection, async ({ object }) => {
    const text = object.metadata?.annotations?.[LAST_APPLIED];
    if (text === undefined) return;
    const applied = JSON.parse(text) as object;
    await kubectl.out(format === 'json' ? toJson(applied) : toYaml(applied));
  });
  return 0;
}

async function runSet(invocation: Invocation): Promise<number> {
  const { kubectl, flags } = invocation;
  const dryRun = dryRunOf(flags);
  const files = flags.list('filename');
  if (files.length === 0) {
    await selectObjects(invocation, { args: [] }); // Says what must be given.
    return 1;
  }
  const print = resultPrinter(invocation, dryRun);
  const mapper = await kubectl.mapper();
  for (const { object, source } of await readFiles(kubectl, files, false)) {
    const resource = mapper.forObject(object, source);
    const namespace = resource.namespaced ? kubectl.namespaceOf(object) : undefined;
    const name = object.metadata?.name ?? '';
    const current = await fetchObject(kubectl, resource, namespace, name);
    const before = current.metadata?.annotations?.[LAST_APPLIED];
    if (before === undefined && !flags.bool('create-annotation'))
      throw new CommandError(
        `no last-applied-configuration annotation found on resource: ${name}, to create the annotation, run the command with --create-annotation`,
      );
    const after = textOf(
      namespace === undefined ? object : { ...object, metadata: { ...object.metadata, namespace } },
    );
    if (after === before) {
      await kubectl.out(`set-last-applied ${name}: no changes required.\n`);
      continue;
    }
    const changed = dryRun === 'client' ? current : await annotate(invocation, resource, current, after);
    await print(resource, changed, 'configured');
  }
  return 0;
}

/** The object as apply writes it down, the annotation itself left out. */
function textOf(object: AnyObject): string {
  const { annotations, ...metadata } = (object.metadata ?? {}) as Record<string, unknown>;
  const { [LAST_APPLIED]: _, ...others } = (annotations ?? {}) as Record<string, string>;
  const kept = Object.keys(others).length === 0 ? metadata : { ...metadata, annotations: others };
  return `${toCompactJson({ ...object, metadata: kept })}\n`;
}

function annotate(
  { kubectl, flags }: Invocation,
  resource: DiscoveredResource,
  { metadata }: AnyObject,
  text: string,
): Promise<AnyObject> {
  return kubectl.api.json<AnyObject>({
    method: 'PATCH',
    path: pathOf(resource, metadata?.namespace, metadata?.name ?? ''),
    query: {
      ...(flags.string('field-manager') === '' ? {} : { fieldManager: flags.string('field-manager') }),
      ...dryRunQuery(dryRunOf(flags)),
    },
    contentType: 'application/merge-patch+json',
    body: { metadata: { annotations: { [LAST_APPLIED]: text } } },
  });
}

async function runEdit(invocation: Invocation): Promise<number> {
  const { kubectl, proc, flags, args } = invocation;
  const format = flags.string('output') === 'json' ? 'json' : 'yaml';
  const found = await selectObjects(invocation, { args });
  const known = found.filter(({ object }) => object.metadata?.annotations?.[LAST_APPLIED] !== undefined);
  if (known.length === 0)
    throw new CommandError(
      'no last-applied-configuration annotation found on resources, to create the annotation, use command `kubectl apply set-last-applied --create-annotation`',
    );
  for (const { resource, object } of known) {
    const original = JSON.parse(object.metadata!.annotations![LAST_APPLIED]!) as AnyObject;
    const plain = JSON.parse(textOf(original)) as AnyObject;
    const shown = format === 'json' ? toJson(plain) : EDIT_HEADER + toYaml(plain);
    const path = temporaryFile(proc, format);
    proc.fs.writeFile(path, shown, { mode: 0o600 });
    await runEditor(proc, path);
    const edited = proc.fs.readText(path);
    forget(proc.fs, path);
    if (withoutComments(edited) === withoutComments(shown)) {
      await kubectl.err('Edit cancelled, no changes made.\n');
      continue;
    }
    if (edited.trim() === '') {
      await kubectl.err('Edit cancelled, saved file was empty.\n');
      continue;
    }
    const changed = await annotate(invocation, resource, object, textOf(oneObject(withoutComments(edited))));
    await resultPrinter(invocation)(resource, changed, 'edited');
  }
  return 0;
}

function forget(fs: Invocation['proc']['fs'], path: string): void {
  try {
    fs.unlink(path);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error; // The editor has removed it.
  }
}
