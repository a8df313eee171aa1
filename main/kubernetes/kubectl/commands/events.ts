// kubectl events.
import type { ApiRequest } from '../../client/http-client.ts';
import { CommandError } from '../frame/command-error.ts';
import type { Command, Invocation } from '../frame/command.ts';
import { resultPrinter } from '../output/result.ts';
import { formatTable } from '../output/table.ts';
import { parseTargets } from '../rest/builder.ts';
import { typed } from '../rest/selection.ts';
import { watchEvents } from '../rest/watch.ts';
import { intervalText, sortEvents, type EventObject } from './describe/events.ts';

export const events: Command = { name: 'events', run: runEvents };

async function runEvents(invocation: Invocation): Promise<number> {
  const { kubectl, flags, args, path } = invocation;
  if (args.length > 0)
    throw new CommandError(
      `unexpected arguments: [${args.join(' ')}]\nSee '${path} -h' for help and examples`,
    );
  const all = flags.bool('all-namespaces');
  const types = typesOf(flags.list('types'));
  const fields: string[] = [];
  if (flags.string('for') !== '') {
    const [target] = await parseTargets(kubectl, [flags.string('for')]);
    fields.push(`involvedObject.kind=${target!.resource.kind}`, `involvedObject.name=${target!.name}`);
  }
  const request = {
    method: 'GET',
    path: all ? '/api/v1/events' : `/api/v1/namespaces/${kubectl.namespace}/events`,
    query: { limit: '500', fieldSelector: fields.length > 0 ? fields.join(',') : undefined },
  };
  if (flags.bool('watch')) return watch(invocation, request, types);
  const { items } = await kubectl.api.json<{ items: EventObject[] | null }>(request);
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
  await kubectl.out(
    formatTable(
      headersOf(flags),
      found.map((event) => rowOf(invocation, event)),
    ),
  );
  return 0;
}

/** Tells of each event as it comes, those that there are first. Ends with the server or the process. */
async function watch(invocation: Invocation, request: ApiRequest, types: readonly string[]): Promise<number> {
  const { kubectl, flags, proc } = invocation;
  const widths: number[] = [];
  const print = flags.string('output') === '' ? undefined : resultPrinter(invocation);
  const resource = (await kubectl.mapper()).require('events');
  let headers = headersOf(flags);
  for await (const { type, object } of watchEvents<EventObject>(kubectl.api, {
    ...request,
    signal: proc.signal,
  })) {
    if (type === 'BOOKMARK' || type === 'DELETED') continue;
    if (type === 'ERROR') break; // The server forgot that revision.
    if (types.length > 0 && !types.includes((object.type ?? '').toLowerCase())) continue;
    if (print !== undefined) await print(resource, typed(resource, object), '');
    else await kubectl.out(formatTable(headers, [rowOf(invocation, object)], widths));
    headers = undefined;
  }
  return 0;
}

/** Throws CommandError for what is no type of event. */
function typesOf(given: readonly string[]): readonly string[] {
  const types = given.map((type) => type.toLowerCase());
  if (types.some((type) => type !== 'normal' && type !== 'warning'))
    throw new CommandError('valid --types are Normal or Warning');
  return types;
}

function headersOf(flags: Invocation['flags']): readonly string[] | undefined {
  if (flags.bool('no-headers')) return undefined;
  const all = flags.bool('all-namespaces') ? ['NAMESPACE'] : [];
  return [...all, 'LAST SEEN', 'TYPE', 'REASON', 'OBJECT', 'MESSAGE'];
}

function rowOf({ kubectl, flags }: Invocation, event: EventObject): string[] {
  return [
    ...(flags.bool('all-namespaces') ? [event.metadata?.namespace ?? ''] : []),
    intervalText(kubectl, event),
    event.type ?? '',
    event.reason ?? '',
    `${event.involvedObject?.kind ?? ''}/${event.involvedObject?.name ?? ''}`,
    (event.message ?? '').trim(),
  ];
}
