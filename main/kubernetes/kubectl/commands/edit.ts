// kubectl edit: objects in an editor, sent back as a patch; what was refused is opened again with the reasons on top.
import { StatusError } from '../../api/index.ts';
import { ErrnoError } from '../../../network/index.ts';
import type { Process } from '../../../linux/kernel/index.ts';
import { CommandError } from '../frame/command-error.ts';
import type { Command, Invocation } from '../frame/command.ts';
import { validationOf } from '../frame/validation.ts';
import { resultPrinter } from '../output/result.ts';
import { toJson } from '../output/json.ts';
import { toYaml } from '../output/yaml.ts';
import { parseManifest, type AnyObject } from '../rest/builder.ts';
import { pathOf } from '../rest/discovery.ts';
import { withLastAppliedKept } from '../rest/last-applied.ts';
import { selectObjects, type Selected } from '../rest/selection.ts';
import { threeWayPatch } from '../rest/three-way.ts';

const HEADER = `# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
`;

export const edit: Command = { name: 'edit', run: runEdit };

async function runEdit(invocation: Invocation): Promise<number> {
  const { args, flags } = invocation;
  const format = flags.string('output') === 'json' ? 'json' : 'yaml';
  const found = await selectObjects(invocation, { args, labelSelector: '', continueOnError: false });
  for (const selected of found) {
    const exitCode = await editOne(invocation, selected, format);
    if (exitCode !== 0) return exitCode;
  }
  return 0;
}

async function editOne(invocation: Invocation, selected: Selected, format: 'json' | 'yaml'): Promise<number> {
  const { kubectl, proc, flags } = invocation;
  const { resource, namespace, name, object } = selected;
  const original = flags.bool('show-managed-fields') ? object : withoutManagedFields(object);
  const text = format === 'json' ? toJson(original) : toYaml(original);
  const path = temporaryFile(proc, format);
  const label = `${resource.plural}${resource.group === '' ? '' : `.${resource.group}`} "${name}"`;
  let reasons: readonly string[] = [];
  let body = text;
  for (;;) {
    const head =
      format === 'json'
        ? ''
        : reasons.length === 0
          ? HEADER
          : `${HEADER}# ${label} was not valid:\n${reasons.map((reason) => `# * ${reason}\n`).join('')}#\n`;
    const shown = head + body;
    proc.fs.writeFile(path, shown, { mode: 0o600 });
    await runEditor(proc, path);
    const edited = proc.fs.readText(path);
    const content = withoutComments(edited);
    if (reasons.length > 0 && edited === shown)
      return givenUp(kubectl, path, 'Edit cancelled, no valid changes were saved.');
    if (reasons.length === 0 && content === withoutComments(shown)) {
      proc.fs.unlink(path);
      await kubectl.err('Edit cancelled, no changes made.\n');
      return 0;
    }
    if (reasons.length === 0 && content.trim() === '' && edited.trim() === '') {
      proc.fs.unlink(path);
      await kubectl.err('Edit cancelled, saved file was empty.\n');
      return 0;
    }
    body = content;
    try {
      const wanted = oneObject(content);
      if (
        wanted.kind !== original.kind ||
        wanted.apiVersion !== original.apiVersion ||
        wanted.metadata?.name !== name
      ) {
        return await givenUp(kubectl, path, 'At least one of apiVersion, kind and name was changed');
      }
      const desired = withLastAppliedKept(wanted, flags.bool('save-config'));
      const schemas = await kubectl.openApi.schemas(resource.group, resource.version);
      const schema = schemas.forKind(resource);
      const patch = threeWayPatch(
        original as Record<string, unknown>,
        desired as Record<string, unknown>,
        original as Record<string, unknown>,
        schemas,
        schema,
      );
      const answer = await kubectl.api.json<AnyObject>({
        method: 'PATCH',
        path: pathOf(
          resource,
          namespace,
          name,
          flags.string('subresource') === '' ? undefined : flags.string('subresource'),
        ),
        query: {
          fieldManager: flags.string('field-manager'),
          fieldValidation: validationOf(flags.string('validate')),
        },
        contentType:
          schema === undefined ? 'application/merge-patch+json' : 'application/strategic-merge-patch+json',
        body: patch,
      });
      proc.fs.unlink(path);
      await resultPrinter(withoutOutput(invocation))(resource, answer, 'edited');
      return 0;
    } catch (error) {
      reasons = reasonsOf(error);
      await kubectl.err(`error: ${label} is invalid\n`);
    }
  }
}

/** -o says in which form to edit, not how to tell of the result. */
function withoutOutput(invocation: Invocation): Invocation {
  const flags = Object.create(invocation.flags) as Invocation['flags'];
  flags.string = (name) => (name === 'output' ? '' : invocation.flags.string(name));
  return { ...invocation, flags };
}

function reasonsOf(error: unknown): string[] {
  if (error instanceof StatusError) {
    const causes = error.status.details?.causes ?? [];
    if (error.reason === 'Invalid' && causes.length > 0)
      return causes.map(
        ({ field, message = '' }) => `${field === undefined || field === '' ? '' : `${field}: `}${message}`,
      );
    return [error.message];
  }
  if (error instanceof CommandError) return [error.message];
  throw error;
}

async function givenUp(kubectl: Invocation['kubectl'], path: string, message: string): Promise<number> {
  await kubectl.err(`A copy of your changes has been stored to "${path}"\nerror: ${message}\n`);
  return 1;
}

/** Throws CommandError when there is none. */
export function oneObject(text: string): AnyObject {
  const [first] = parseManifest(text, 'edited-file');
  if (first === undefined) throw new CommandError('The edited file failed validation: no object in it');
  return first.object;
}

/** Without the lines that begin with `#`. */
export function withoutComments(text: string): string {
  return text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n');
}

function withoutManagedFields(object: AnyObject): AnyObject {
  const { managedFields: _, ...metadata } = (object.metadata ?? {}) as Record<string, unknown>;
  return { ...object, metadata } as AnyObject;
}

/** A name for the file to edit. */
export function temporaryFile({ env, random }: Process, format: string): string {
  return `${env.get('TMPDIR') ?? '/tmp'}/kubectl-edit-${Buffer.from(random.bytes(4)).readUInt32BE(0)}.${format}`;
}

/** $KUBE_EDITOR, $EDITOR or vi; through the shell when it has words of its own. Throws CommandError. */
export async function runEditor(proc: Process, path: string): Promise<void> {
  const editor = proc.env.get('KUBE_EDITOR') || proc.env.get('EDITOR') || 'vi';
  const needsShell = /[ "']/.test(editor);
  const shell = proc.env.get('SHELL') ?? '/bin/bash';
  const argv = needsShell ? [shell, '-c', `${editor} '${path}'`] : [editor, path];
  try {
    const child = proc.spawn({ argv });
    const status = await child.wait();
    if (status.kind === 'exited' && status.exitCode === 0) return;
    throw new CommandError(`there was a problem with the editor ${JSON.stringify(editor)}`);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    if (error.code === 'ENOENT')
      throw new CommandError(
        editor.includes('/')
          ? `there was a problem with the editor ${JSON.stringify(editor)}`
          : `unable to launch the editor ${JSON.stringify(editor)}`,
      );
    throw new CommandError(`there was a problem with the editor ${JSON.stringify(editor)}`);
  }
}
