// What crictl's commands share: how they find, filter and print.
import type { Container, ImageRecord, Sandbox } from '../../../containerd/index.ts';
import { CrictlError, findByPrefix, printValue, type CrictlWorld } from './words.ts';
import { makeTemplate } from '../docker/template.ts';

export const STATES = {
  created: 'CONTAINER_CREATED',
  running: 'CONTAINER_RUNNING',
  exited: 'CONTAINER_EXITED',
} as const;
export const SHOWN = { created: 'Created', running: 'Running', exited: 'Exited' } as const;
const DAY_NS = 1_000_000;

export function nanos(ms: number | undefined): string {
  return ms === undefined ? '0' : String(BigInt(Math.floor(ms * 1000)) * 1000n);
}

export function stamp(ms: number | undefined): string {
  return ms === undefined
    ? '0001-01-01T00:00:00Z'
    : `${new Date(Math.floor(ms)).toISOString().slice(0, 23)}${String(Math.floor((ms % 1) * DAY_NS)).padStart(6, '0')}Z`;
}

export function labelsFit(labels: Readonly<Record<string, string>>, wanted: readonly string[]): boolean {
  return wanted.every((each) => {
    const [key = '', value = ''] = each.split(/=(.*)/s);
    return labels[key] === value;
  });
}

export function limitTo<T>(world: CrictlWorld, items: readonly T[]): readonly T[] {
  const { words } = world;
  const last = words.value('last');
  return words.has('latest') ? items.slice(0, 1) : last === undefined ? items : items.slice(0, Number(last));
}

/** Prints as -q or -o say; false: the caller prints its table. */
export async function printedOtherwise(
  world: CrictlWorld,
  ids: readonly string[],
  value: unknown,
): Promise<boolean> {
  const { words } = world;
  const format = words.value('output') ?? 'table';
  if (words.has('quiet')) await world.print(ids.map((id) => `${id}\n`).join(''));
  else if (format === 'json' || format === 'yaml') await printValue(world, value);
  else if (format === 'go-template')
    await world.print(`${makeTemplate(words.value('template') ?? '')(value)}\n`);
  else if (format !== 'table') throw new CrictlError(`unsupported output format "${format}"`);
  else return false;
  return true;
}

export function metadataOf({ spec }: Sandbox): unknown {
  return { attempt: spec.attempt, name: spec.podName, namespace: spec.podNamespace, uid: spec.podUid };
}

export function isPinned({ repoTags }: ImageRecord): boolean {
  return repoTags.some((tag) => /\/pause:/.test(tag));
}

export function requireContainer({ runtime }: CrictlWorld, id: string, doing: string): Container {
  const found = findByPrefix(runtime.listContainers(), id);
  if (found === undefined)
    throw new CrictlError(
      `${doing}rpc error: code = NotFound desc = an error occurred when try to find container "${id}": not found`,
    );
  return found;
}

export function requireSandbox({ runtime }: CrictlWorld, id: string, doing: string): Sandbox {
  const found = findByPrefix(runtime.listSandboxes(), id);
  if (found === undefined)
    throw new CrictlError(
      `${doing}rpc error: code = NotFound desc = an error occurred when try to find sandbox "${id}": not found`,
    );
  return found;
}

export function needIds(world: CrictlWorld, what = 'ID'): readonly string[] {
  if (world.words.operands.length === 0) throw new CrictlError(`${what} cannot be empty`);
  return world.words.operands;
}

export async function printInspected(world: CrictlWorld, value: unknown): Promise<void> {
  const format = world.words.value('output') ?? 'json';
  if (format === 'go-template')
    await world.print(`${makeTemplate(world.words.value('template') ?? '')(value)}\n`);
  else await printValue(world, value);
}
