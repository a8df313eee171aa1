// kubectl delete: by files, names, selectors; waits until the objects are gone.
import { isStatus, StatusError } from '../../api/index.ts';
import { CommandError, throwGathered } from '../frame/command-error.ts';
import type { Command, Invocation } from '../frame/command.ts';
import { dryRunOf, dryRunSuffix, type DryRun } from '../frame/dry-run.ts';
import { qualifiedName } from '../rest/builder.ts';
import { pathOf } from '../rest/discovery.ts';
import { selectObjects, type Selected } from '../rest/selection.ts';
import { withSource } from '../rest/source-error.ts';
import { TimedOut, waitForObject } from '../rest/wait-for.ts';

/** How long delete waits without --timeout: as good as for ever. */
const WAIT_MS = 168 * 3_600_000;

export const deleteCommand: Command = {
  name: 'delete',
  run: runDelete,
};

async function runDelete(invocation: Invocation): Promise<number> {
  const { kubectl, flags, args } = invocation;
  const output = flags.string('output');
  if (output !== '' && output !== 'name')
    throw new CommandError(`unexpected -o output mode: ${output}. We only support '-o name'`);
  if (flags.changed('raw')) {
    await kubectl.out(await kubectl.api.text({ method: 'DELETE', path: flags.string('raw') }));
    return 0;
  }
  const plan = planOf(invocation);
  const selector = flags.string('selector');
  if (flags.bool('all') && selector !== '')
    throw new CommandError("setting 'all' parameter but found a non empty selector. ");
  if (plan.isImmediate) {
    await kubectl.err(
      'Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.\n',
    );
  }
  const found = await selectObjects(invocation, {
    args,
    all: flags.bool('all'),
    labelSelector: selector,
    fieldSelector: flags.string('field-selector'),
    allNamespaces: flags.bool('all-namespaces'),
    unfetched: true,
    continueOnError: true,
  });
  if (found.length === 0) {
    await kubectl.out('No resources found\n');
    return 0;
  }
  if (flags.bool('interactive') && !(await isConfirmed(invocation, found))) return 0;
  const errors: unknown[] = [];
  const gone: { selected: Selected; uid: string | undefined }[] = [];
  for (const selected of found) {
    try {
      const uid = await deleteOne(invocation, selected, plan);
      if (plan.dryRun === 'none') gone.push({ selected, uid });
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      if (flags.bool('ignore-not-found') && isStatus(error, 'NotFound')) continue;
      errors.push(withSource(error, 'deleting', selected.source));
    }
  }
  throwGathered(errors);
  if (plan.waits) for (const { selected, uid } of gone) await waitUntilGone(invocation, selected, uid);
  return 0;
}

interface Plan {
  readonly dryRun: DryRun;
  readonly gracePeriod: number;
  readonly propagation: string;
  readonly waits: boolean;
  readonly isImmediate: boolean;
}

/** What --now, --force, --grace-period, --cascade and --wait come to. */
function planOf({ flags }: Invocation): Plan {
  const cascade = flags.string('cascade');
  const propagation = {
    true: 'Background',
    background: 'Background',
    foreground: 'Foreground',
    orphan: 'Orphan',
    false: 'Orphan',
  }[cascade];
  if (propagation === undefined)
    throw new CommandError(
      `invalid cascade value (${cascade}). Must be "background", "foreground", or "orphan"`,
    );
  const forced = flags.bool('force');
  const now = flags.bool('now');
  let gracePeriod = flags.int('grace-period');
  let waits = flags.bool('wait');
  if (now && gracePeriod !== -1)
    throw new CommandError('--now and --grace-period cannot be specified together');
  if (now) gracePeriod = 1;
  if (forced && gracePeriod < 0) gracePeriod = 0;
  if (forced && gracePeriod > 0)
    throw new CommandError('--force and --grace-period greater than 0 cannot be specified together');
  if (gracePeriod === 0 && !forced) {
    // A grace of nothing is only for those who force it; others wait.
    gracePeriod = 1;
    waits = true;
  }
  if (forced && !flags.changed('wait')) waits = false;
  return {
    dryRun: dryRunOf(flags),
    gracePeriod,
    propagation,
    waits,
    isImmediate: forced && gracePeriod === 0,
  };
}

async function isConfirmed({ kubectl, proc }: Invocation, found: readonly Selected[]): Promise<boolean> {
  const names = found.map(({ resource, name }) => `${qualifiedName(resource, name)}\n`).join('');
  await kubectl.out(
    `You are about to delete the following ${found.length} resource(s):\n${names}Do you want to continue? (y/n): `,
  );
  for await (const line of proc.stdin.lines()) {
    if (/^y(es)?$/i.test(line.trim())) return true;
    break;
  }
  await kubectl.out('deletion is cancelled\n');
  return false;
}

/** Asks for one deletion and says so. Returns the uid of what is going. */
async function deleteOne(
  { kubectl, flags }: Invocation,
  { resource, namespace, name }: Selected,
  plan: Plan,
): Promise<string | undefined> {
  let uid: string | undefined;
  if (!resource.namespaced && kubectl.enforceNamespace) {
    await kubectl.err('Warning: deleting cluster-scoped resources, not scoped to the provided namespace\n');
  }
  if (plan.dryRun !== 'client') {
    const answer = await kubectl.api.json<{
      kind: string;
      metadata?: { uid?: string };
      details?: { uid?: string };
    }>({
      method: 'DELETE',
      path: pathOf(resource, namespace, name),
      ...(plan.dryRun === 'server' ? { query: { dryRun: 'All' } } : {}),
      body: {
        kind: 'DeleteOptions',
        apiVersion: 'v1',
        ...(plan.gracePeriod >= 0 ? { gracePeriodSeconds: plan.gracePeriod } : {}),
        propagationPolicy: plan.propagation,
        ...(plan.dryRun === 'server' ? { dryRun: ['All'] } : {}),
      },
    });
    uid = answer.metadata?.uid ?? answer.details?.uid;
  }
  if (flags.string('output') === 'name') await kubectl.out(`${qualifiedName(resource, name)}\n`);
  else {
    const kind = `${resource.singular || resource.kind.toLowerCase()}${resource.group === '' ? '' : `.${resource.group}`}`;
    await kubectl.out(
      `${kind} "${name}" ${plan.isImmediate ? 'force deleted' : 'deleted'}${dryRunSuffix(plan.dryRun)}\n`,
    );
  }
  return uid;
}

async function waitUntilGone(
  { kubectl, flags }: Invocation,
  { resource, namespace, name }: Selected,
  uid: string | undefined,
): Promise<void> {
  const timeoutMs = flags.durationMs('timeout') === 0 ? WAIT_MS : flags.durationMs('timeout');
  try {
    await waitForObject(kubectl, { resource, namespace, name }, timeoutMs, (object) => {
      if (object === undefined) return true;
      const current = (object.metadata as { uid?: string } | undefined)?.uid;
      return uid !== undefined && current !== uid; // Another one by the same name.
    });
  } catch (error) {
    if (!(error instanceof TimedOut)) {
      // Whoever may delete but not read doesn't wait.
      if (isStatus(error, 'Forbidden') || isStatus(error, 'MethodNotAllowed')) return;
      throw error;
    }
    throw new CommandError(`timed out waiting for the condition on ${resource.plural}/${name}`);
  }
}
