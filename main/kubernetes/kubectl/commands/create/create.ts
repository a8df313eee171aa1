// kubectl create: objects from files; its subcommands make them from flags.
import { StatusError } from '../../../api/index.ts';
import { CommandError, throwGathered, UsageError } from '../../frame/command-error.ts';
import type { Command, Invocation } from '../../frame/command.ts';
import { dryRunOf, dryRunQuery } from '../../frame/dry-run.ts';
import { validationOf } from '../../frame/validation.ts';
import { resultPrinter } from '../../output/result.ts';
import type { AnyObject } from '../../rest/builder.ts';
import { readManifests } from '../../rest/read-manifests.ts';
import { pathOf } from '../../rest/discovery.ts';
import { withSource } from '../../rest/source-error.ts';
import { withLastApplied } from '../../rest/last-applied.ts';
import { generators } from './generators.ts';

export const create: Command = {
  name: 'create',
  commands: generators,
  run: runCreate,
};

async function runCreate(invocation: Invocation): Promise<number> {
  const { kubectl, flags, args, path } = invocation;
  if (args.length > 0) throw new UsageError(`Unexpected args: [${args.join(' ')}]`, path);
  if (flags.list('filename').length === 0 && flags.string('kustomize') === '')
    throw new CommandError('must specify one of -f and -k');
  if (args.length > 0) throw new UsageError(`Unexpected args: [${args.join(' ')}]`, path);
  if (flags.changed('raw')) return createRaw(invocation);
  if (flags.bool('edit')) throw new CommandError("drydock: create --edit isn't simulated", 'plain');
  const dryRun = dryRunOf(flags);
  const print = resultPrinter(invocation, dryRun);
  const files = (await readManifests(invocation)) ?? [];
  if (files.length === 0) throw new CommandError('no objects passed to create');
  const mapper = await kubectl.mapper();
  const errors: unknown[] = [];
  for (const { object: given, source } of files) {
    try {
      const resource = mapper.forObject(given, source);
      const namespace = resource.namespaced ? kubectl.namespaceOf(given) : undefined;
      const placed =
        namespace === undefined
          ? given
          : ({ ...given, metadata: { ...given.metadata, namespace } } as AnyObject);
      const object = flags.bool('save-config') ? withLastApplied(placed) : placed;
      const created =
        dryRun === 'client'
          ? object
          : await kubectl.api.json<AnyObject>({
              method: 'POST',
              path: pathOf(resource, namespace),
              query: {
                fieldManager: flags.string('field-manager'),
                fieldValidation: validationOf(flags.string('validate')),
                ...dryRunQuery(dryRun),
              },
              body: object,
            });
      await print(resource, created, 'created');
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      errors.push(withSource(error, 'creating', source));
    }
  }
  throwGathered(errors);
  return 0;
}

async function createRaw({ kubectl, flags, proc }: Invocation): Promise<number> {
  const [file = '-'] = flags.list('filename');
  const body = file === '-' ? await proc.stdin.readText() : proc.fs.readText(file);
  await kubectl.out(await kubectl.api.text({ method: 'POST', path: flags.string('raw'), body }));
  return 0;
}
