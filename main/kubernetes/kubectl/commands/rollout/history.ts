// kubectl rollout history.
import { CommandError } from '../../frame/command-error.ts';
import type { Command, Invocation } from '../../frame/command.ts';
import { formatTable } from '../../output/table.ts';
import { resultPrinter } from '../../output/result.ts';
import { qualifiedName } from '../../rest/builder.ts';
import { visitObjects } from '../../rest/selection.ts';
import { writePodTemplate, type PodTemplate } from '../describe/containers.ts';
import { DescribeWriter } from '../describe/writer.ts';
import { revisionsOf } from './revisions.ts';

export const rolloutHistory: Command = { name: 'history', run: runHistory };

async function runHistory(invocation: Invocation): Promise<number> {
  const { kubectl, flags, args } = invocation;
  if (args.length === 0 && flags.list('filename').length === 0)
    throw new CommandError('required resource not specified');
  const wanted = flags.int('revision');
  if (wanted < 0) throw new CommandError(`revision must be a positive integer: ${wanted}`);
  const print = flags.string('output') === '' ? undefined : resultPrinter(invocation);
  await visitObjects(
    invocation,
    { args, labelSelector: flags.string('selector'), continueOnError: true },
    async (selected) => {
      const { resource, name } = selected;
      if (!['Deployment', 'DaemonSet', 'StatefulSet'].includes(resource.kind))
        throw new CommandError(
          `no history viewer has been implemented for {"${resource.group}" "${resource.kind}"}`,
        );
      const revisions = await revisionsOf(kubectl, selected);
      const one = wanted === 0 ? undefined : revisions.find(({ number }) => number === wanted);
      if (wanted > 0 && one === undefined) throw new CommandError('unable to find the specified revision');
      if (print !== undefined) {
        for (const revision of one === undefined ? revisions : [one])
          await print(resource, revision.object, '');
        return;
      }
      const text =
        one === undefined
          ? `${formatTable(
              ['REVISION', 'CHANGE-CAUSE'],
              revisions.map(({ number, changeCause }) => [String(number), changeCause]),
            ).replace(/^(\S+)\s+/gm, (_, first: string) => first.padEnd(10))}`
          : `${templateText(one.template)}`;
      await kubectl.out(
        `${qualifiedName(resource, name)} ${one === undefined ? '' : `with revision #${wanted}`}\n${text}\n`,
      );
    },
  );
  return 0;
}

/** A template as history and dry runs show it: without alignment across nested blocks, tabs of eight. */
export function templateText(template: PodTemplate): string {
  const w = new DescribeWriter();
  writePodTemplate(w, template);
  return w.rawText();
}
