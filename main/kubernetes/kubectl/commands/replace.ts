// kubectl replace: puts files in the place of objects; with --force by deleting them first.
import { isStatus } from '../../api/index.ts';
import { CommandError } from '../frame/command-error.ts';
import type { Command, Invocation } from '../frame/command.ts';
import { dryRunOf, dryRunQuery } from '../frame/dry-run.ts';
import { validationOf } from '../frame/validation.ts';
import { resultPrinter } from '../output/result.ts';
import type { AnyObject } from '../rest/builder.ts';
import { pathOf } from '../rest/discovery.ts';
import { withLastAppliedKept } from '../rest/last-applied.ts';
import { visitObjects } from '../rest/selection.ts';
import { withSource } from '../rest/source-error.ts';
import { waitForObject } from '../rest/wait-for.ts';

export const replace: Command = { name: 'replace', run: runReplace };

async function runReplace(invocation: Invocation): Promise<number> {
  const { kubectl, flags, args } = invocation;
  if (flags.int('grace-period') >= 0 && !flags.bool('force'))
    throw new CommandError('--grace-period must have --force specified');
  if (flags.durationMs('timeout') !== 0 && !flags.bool('force'))
    throw new CommandError('--timeout must have --force specified');
  if (flags.list('filename').length === 0 && flags.string('kustomize') === '')
    throw new CommandError(
      'Must specify --filename to replace'
        .replace('Must', 'must')
        .replace('--filename to replace', 'one of -f and -k'),
    );
  const dryRun = dryRunOf(flags);
  const print = resultPrinter(invocation, dryRun);
  const isForced = flags.bool('force');
  const count = await visitObjects(
    invocation,
    { args, unfetched: true, continueOnError: true },
    async ({ resource, namespace, name, object, source }) => {
      const placed = {
        ...object,
        metadata: { ...object.metadata, ...(namespace === undefined ? {} : { namespace }) },
      } as AnyObject;
      const body = withLastAppliedKept(placed, flags.bool('save-config'));
      const query = {
        fieldManager: flags.string('field-manager'),
        fieldValidation: validationOf(flags.string('validate')),
        ...dryRunQuery(dryRun),
      };
      if (dryRun === 'client') return print(resource, object, 'replaced');
      if (isForced) {
        const grace = flags.int('grace-period');
        try {
          await kubectl.api.json({
            method: 'DELETE',
            path: pathOf(resource, namespace, name),
            body: {
              kind: 'DeleteOptions',
              apiVersion: 'v1',
              ...(grace >= 0 ? { gracePeriodSeconds: grace } : {}),
              propagationPolicy: 'Background',
            },
          });
          await kubectl.out(
            `${resource.singular || resource.kind.toLowerCase()}${resource.group === '' ? '' : `.${resource.group}`} "${name}" deleted\n`,
          );
        } catch (error) {
          if (!isStatus(error, 'NotFound')) throw error;
        }
        await waitForObject(
          kubectl,
          { resource, namespace, name },
          flags.durationMs('timeout'),
          (current) => current === undefined,
        );
      }
      try {
        const stored = await kubectl.api.json<AnyObject>(
          isForced
            ? { method: 'POST', path: pathOf(resource, namespace), query, body }
            : {
                method: 'PUT',
                path: pathOf(resource, namespace, name),
                query,
                body: await withVersion(invocation, body, pathOf(resource, namespace, name)),
              },
        );
        await print(resource, stored, 'replaced');
      } catch (error) {
        throw withSource(error, 'replacing', source);
      }
    },
  );
  if (count === 0) throw new CommandError('no objects passed to replace');
  return 0;
}

/** A file that names no resourceVersion replaces whatever there is (Helper.Replace). */
async function withVersion({ kubectl }: Invocation, object: AnyObject, path: string): Promise<AnyObject> {
  if ((object.metadata as { resourceVersion?: string }).resourceVersion !== undefined) return object;
  const current = await kubectl.api.json<AnyObject>({ method: 'GET', path });
  return {
    ...object,
    metadata: {
      ...object.metadata,
      resourceVersion: (current.metadata as { resourceVersion?: string }).resourceVersion,
    },
  } as AnyObject;
}
