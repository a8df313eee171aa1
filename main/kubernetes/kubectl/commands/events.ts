// kubectl events.
import { CommandError } from '../frame/command-error.ts';
import type { Command, Invocation } from '../frame/command.ts';
import { resultPrinter } from '../output/result.ts';
import { formatTable } from '../output/table.ts';
import { parseTargets } from '../rest/builder.ts';
import { intervalText, sortEvents, type EventObject } from './describe/events.ts';

export const events: Command = { name: 'events', run: runEvents };

async function runEvents(invocation: Invocation): Promise<number> {
  const { kubectl, flags, args, path } = invocation;
  if (args.length > 0)
    throw new CommandError(
      `unexpected arguments: [${args.join(' ')}]\nSee '${path} -h' for help and examples`,
    );
  if (flags.bool('watch')) throw new CommandError("drydock: events --watch isn't simulated", 'plain');
  const all = flags.bool('all-namespaces');
  const fields: string[] = [];
  if (flags.string('for') !== '') {
    const [target] = await parseTargets(kubectl, [flags.string('for')]);
    fields.push(`involvedObject.kind=${target!.resource.kind}`, `involvedObject.name=${target!.name}`);
  }
  const { items } = await kubectl.api.json<{ items: EventObject[] | null }>({
    method: 'GET',
    path: all ? '/api/v1/events' : `/api/v1/namespaces/${kubectl.namespace}/events`,
    query: { limit: '500', fieldSelector: fields.length > 0 ? fields.join(',') : undefined },
  });
  const types = flags.list('types').map((type) => type.toLowerCase());
  const found = sortEvents(items ?? []).filter(
    ({ type = '' }) => types.length === 0 || types.includes(type.toLowerCase()),
  );
  if (flags.string('output') !== '') {
    const resource = (await kubectl.mapper()).require('events');
    await resultPrinter(invocation)(
      resource,
      { apiVersion: 'v1', items: found, kind: 'List', metadata: { resourceVersion: '' } } as never,
      '',
    );
    return 0;
  }
  if (found.length === 0) {
    await kubectl.err(all ? 'No events found.\n' : `No events found in ${kubectl.namespace} namespace.\n`);
    return 0;
  }
  const rows = found.map((event) => [
    ...(all ? [event.metadata?.namespace ?? ''] : []),
    intervalText(kubectl, event),
    event.type ?? '',
    event.reason ?? '',
    `${event.involvedObject?.kind ?? ''}/${event.involvedObject?.name ?? ''}`,
    (event.message ?? '').trim(),
  ]);
  await kubectl.out(
    formatTable(
      flags.bool('no-headers')
        ? undefined
        : [...(all ? ['NAMESPACE'] : []), 'LAST SEEN', 'TYPE', 'REASON', 'OBJECT', 'MESSAGE'],
      rows,
    ),
  );
  return 0;
}
