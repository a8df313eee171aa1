// kubectl wait: for conditions, fields, creation and deletion.
import { isStatus } from '../../api/index.ts';
import { CommandError, ManyErrors } from '../frame/command-error.ts';
import type { Command, Invocation } from '../frame/command.ts';
import { parseJsonPath, relaxedJsonPath, JsonPathError } from '../output/jsonpath.ts';
import { resultPrinter } from '../output/result.ts';
import { parseTargets, type AnyObject } from '../rest/builder.ts';
import { selectObjects, type Selected } from '../rest/selection.ts';
import { TimedOut, waitForObject } from '../rest/wait-for.ts';

/** A negative timeout means a week. */
const WEEK_MS = 7 * 24 * 3_600_000;

type IsMet = (object: AnyObject | undefined) => boolean;

export const wait: Command = { name: 'wait', run: runWait };

async function runWait(invocation: Invocation): Promise<number> {
  const { kubectl, flags, proc } = invocation;
  const condition = flags.string('for');
  const isMet = conditionOf(condition);
  const print = resultPrinter(invocation);
  const given = flags.durationMs('timeout');
  const timeoutMs = given < 0 ? WEEK_MS : given;
  const until = proc.clock.now() + timeoutMs;
  const found = await targetsOf(invocation, condition, until);
  if (found.length === 0) {
    if (condition === 'delete') return 0;
    throw new CommandError('no matching resources found');
  }
  const errors: unknown[] = [];
  for (const selected of found) {
    const { resource, namespace, name } = selected;
    let last = selected.object;
    try {
      const left = Math.max(until - proc.clock.now(), 0.001);
      await waitForObject(
        kubectl,
        { resource, namespace, name },
        timeoutMs === 0 ? 0.001 : left,
        (object) => {
          if (object !== undefined) last = object;
          else if (condition !== 'delete') throw new CommandError(`${resource.plural} "${name}" not found`);
          return isMet(object);
        },
      );
      await print(resource, last, 'condition met');
    } catch (error) {
      if (!(error instanceof TimedOut)) throw error;
      errors.push(new CommandError(`timed out waiting for the condition on ${resource.plural}/${name}`));
    }
  }
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new ManyErrors(errors);
  return 0;
}

async function targetsOf(invocation: Invocation, condition: string, until: number): Promise<Selected[]> {
  const { flags, args, kubectl, proc } = invocation;
  const selection = {
    args,
    all: flags.bool('all'),
    labelSelector: flags.string('selector'),
    fieldSelector: flags.string('field-selector'),
    allNamespaces: flags.bool('all-namespaces'),
  };
  for (;;) {
    try {
      return await selectObjects(invocation, selection);
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
      if (condition === 'delete') return [];
      if (condition !== 'create') throw error;
      if (proc.clock.now() >= until) throw new CommandError('timed out waiting for the condition');
      await parseTargets(kubectl, args);
      await proc.sleep(Math.min(1000, Math.max(until - proc.clock.now(), 1)));
    }
  }
}

/** What --for says. Throws CommandError. */
function conditionOf(text: string): IsMet {
  const lower = text.toLowerCase();
  if (lower === 'delete') return (object) => object === undefined;
  if (lower === 'create') return (object) => object !== undefined;
  if (text.startsWith('condition=')) {
    const [name = '', wanted = 'true'] = text.slice('condition='.length).split('=');
    return (object) => hasCondition(object, name, wanted);
  }
  if (text.startsWith('jsonpath=')) return jsonPathCondition(text.slice('jsonpath='.length));
  throw new CommandError(`unrecognized condition: ${JSON.stringify(text)}`);
}

function hasCondition(object: AnyObject | undefined, name: string, wanted: string): boolean {
  const status = (object?.['status'] ?? {}) as {
    conditions?: readonly { type: string; status: string; observedGeneration?: number }[];
    observedGeneration?: number;
  };
  const condition = status.conditions?.find(({ type }) => type.toLowerCase() === name.toLowerCase());
  if (condition === undefined) return false;
  const generation = (object?.metadata as { generation?: number } | undefined)?.generation ?? 0;
  const observed = condition.observedGeneration ?? status.observedGeneration;
  if (observed !== undefined && observed < generation) return false;
  return condition.status.toLowerCase() === wanted.toLowerCase();
}

function jsonPathCondition(text: string): IsMet {
  const match = /^('?)(\{.*\}|[^=]*)\1(?:==?(.*))?$/s.exec(text);
  const expression = match?.[2] ?? text;
  const wanted = match?.[3]?.replace(/^(["'])(.*)\1$/s, '$2');
  if (wanted === '') throw new CommandError('jsonpath wait value cannot be empty');
  try {
    const path = parseJsonPath(relaxedJsonPath(expression));
    return (object) => {
      if (object === undefined) return false;
      const values = path.find(object, true);
      if (wanted === undefined) return values.length > 0;
      if (values.length > 1) throw new CommandError('given jsonpath expression matches more than one value');
      const [value] = values;
      if (typeof value === 'object' && value !== null)
        throw new CommandError('jsonpath leads to a nested object or list which is not supported');
      return value !== undefined && String(value as string | number | boolean) === wanted;
    };
  } catch (error) {
    if (!(error instanceof JsonPathError)) throw error;
    throw new CommandError(error.message);
  }
}
