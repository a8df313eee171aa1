// kubectl patch: strategic, merge and JSON patches.
import { parse } from 'yaml';
import { ErrnoError } from '../../../network/index.ts';
import { StatusError } from '../../api/index.ts';
import { CommandError } from '../frame/command-error.ts';
import type { Command, Invocation } from '../frame/command.ts';
import { dryRunOf, dryRunQuery } from '../frame/dry-run.ts';
import { resultPrinter } from '../output/result.ts';
import { jsonPatch, mergePatch, strategicPatch } from '../rest/apply-patch.ts';
import type { AnyObject } from '../rest/builder.ts';
import { pathOf } from '../rest/discovery.ts';
import { apiVersionOf, visitObjects, type Selected } from '../rest/selection.ts';

const TYPES: Readonly<Record<string, string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
};

export const patch: Command = { name: 'patch', run: runPatch };

async function runPatch(invocation: Invocation): Promise<number> {
  const { kubectl, flags, args } = invocation;
  const type = flags.string('type').toLowerCase();
  if (flags.string('patch') !== '' && flags.string('patch-file') !== '')
    throw new CommandError('cannot specify --patch and --patch-file together');
  if (flags.string('patch') === '' && flags.string('patch-file') === '') {
    throw new CommandError('must specify --patch or --patch-file containing the contents of the patch');
  }
  if (TYPES[type] === undefined)
    throw new CommandError(`--type must be one of [json merge strategic], not "${flags.string('type')}"`);
  const body = patchBody(invocation);
  const dryRun = dryRunOf(flags);
  const isLocal = flags.bool('local');
  if (isLocal && dryRun === 'server')
    throw new CommandError('cannot specify --local and --dry-run=server - did you mean --dry-run=client?');
  const print = resultPrinter(invocation, dryRun);
  const count = await visitObjects(
    invocation,
    { args, continueOnError: true, unfetched: isLocal },
    async (selected) => {
      const { resource, namespace, name, object } = selected;
      if (isLocal || dryRun === 'client') {
        const patched = await patchHere(invocation, selected, type, body);
        await print(
          resource,
          patched,
          JSON.stringify(patched) === JSON.stringify(object) ? 'patched (no change)' : 'patched',
        );
        return;
      }
      const subresource = flags.string('subresource') === '' ? undefined : flags.string('subresource');
      try {
        const patched = await kubectl.api.json<AnyObject>({
          method: 'PATCH',
          path: pathOf(resource, namespace, name, subresource),
          query: { fieldManager: flags.string('field-manager'), ...dryRunQuery(dryRun) },
          contentType: TYPES[type]!,
          body,
        });
        const answered =
          patched.kind === resource.kind
            ? resource
            : (await kubectl.mapper()).findKind(patched.apiVersion ?? '', patched.kind ?? '');
        const shown = answered ?? {
          ...resource,
          group: (patched.apiVersion ?? '').split('/')[0]!,
          kind: patched.kind ?? '',
          singular: (patched.kind ?? '').toLowerCase(),
        };
        await print(shown, patched, isChanged(object, patched) ? 'patched' : 'patched (no change)');
      } catch (error) {
        if (error instanceof StatusError && error.code === 415) {
          throw new CommandError(
            `${TYPES[type]!} is not supported by ${apiVersionOf(resource)}, Kind=${resource.kind}: ${error.message}`,
          );
        }
        throw error;
      }
    },
  );
  if (count === 0) throw new CommandError('no objects passed to patch');
  return 0;
}

/** As JSON text: what isn't JSON is read as YAML, and sent as it is when it is neither. */
function patchBody({ flags, proc }: Invocation): string {
  let text = flags.string('patch');
  const file = flags.string('patch-file');
  if (file !== '') {
    try {
      text = proc.fs.readText(file);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      throw new CommandError(`unable to read patch file: open ${file}: ${error.message.toLowerCase()}`);
    }
  }
  if (/^\s*[{[]/.test(text)) return text;
  try {
    return JSON.stringify(parse(text, { version: '1.1' }));
  } catch (error) {
    throw new CommandError(
      `unable to parse "${text}": ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

async function patchHere(
  { kubectl, flags }: Invocation,
  { resource, object }: Selected,
  type: string,
  body: string,
): Promise<AnyObject> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new CommandError('Invalid JSON Patch');
  }
  if (type === 'json') return jsonPatch(object, parsed as Parameters<typeof jsonPatch>[1]);
  if (type === 'merge' || flags.bool('local')) return mergePatch(object, parsed) as AnyObject;
  const schemas = await kubectl.openApi.schemas(resource.group, resource.version);
  return strategicPatch(object, parsed, schemas, schemas.forKind(resource)) as AnyObject;
}

function isChanged(before: AnyObject, after: AnyObject): boolean {
  const strip = ({ metadata, ...rest }: AnyObject): string => {
    const { managedFields: _, ...kept } = (metadata ?? {}) as Record<string, unknown>;
    return JSON.stringify({ ...rest, kept });
  };
  return strip(before) !== strip(after);
}
