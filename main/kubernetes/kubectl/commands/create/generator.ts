// What the subcommands of create share: a name, an object made from flags, and its creation.
import type { Command, Invocation } from '../../frame/command.ts';
import { CommandError, UsageError } from '../../frame/command-error.ts';
import { dryRunOf, dryRunQuery } from '../../frame/dry-run.ts';
import { validationOf } from '../../frame/validation.ts';
import { resultPrinter } from '../../output/result.ts';
import type { AnyObject } from '../../rest/builder.ts';
import { asOfRelease } from '../../rest/release.ts';
import { pathOf } from '../../rest/discovery.ts';
import { withLastApplied } from '../../rest/last-applied.ts';
import { StatusError } from '../../../api/index.ts';

/** An object as its Go type is printed: `creationTimestamp: null` and empty statuses included. */
export type Generate = (invocation: Invocation, name: string) => Promise<AnyObject> | AnyObject;

export interface GeneratorOptions extends Pick<Command, 'aliases' | 'required' | 'flags'> {
  /** `failed to create deployment: …` rather than the server's refusal as it is. */
  readonly failure?: string;
  /** Arguments behind the name, such as a command, are allowed. */
  readonly more?: boolean;
  readonly clusterScoped?: boolean;
}

/** A subcommand of create. */
export function generator(name: string, options: GeneratorOptions, generate: Generate): Command {
  const { failure, more, clusterScoped, ...facts } = options;
  return {
    name,
    ...facts,
    run: async (invocation) => {
      const object = await generate(invocation, nameOf(invocation, more === true));
      try {
        await createObject(invocation, object, clusterScoped === true);
      } catch (error) {
        if (failure === undefined || !(error instanceof StatusError)) throw error;
        throw new CommandError(`failed to create ${failure}: ${error.message}`);
      }
      return 0;
    },
  };
}

function nameOf({ args, path, dash }: Invocation, more: boolean): string {
  const names = more && dash !== -1 ? args.slice(0, dash) : args;
  const [name] = names;
  const isOne = more ? names.length >= 1 : names.length === 1;
  if (!isOne || name === undefined)
    throw new UsageError(`exactly one NAME is required, got ${args.length}`, path);
  return name;
}

/** Sends an object, unless --dry-run=client, and prints it. */
async function createObject(invocation: Invocation, given: AnyObject, clusterScoped = false): Promise<void> {
  const { kubectl, flags } = invocation;
  const dryRun = dryRunOf(flags);
  const print = resultPrinter(invocation, dryRun);
  const namespace = kubectl.enforceNamespace && !clusterScoped ? kubectl.namespace : undefined;
  const placed = {
    ...given,
    metadata: { ...given.metadata, ...(namespace === undefined ? {} : { namespace }) },
  } as AnyObject;
  const made = asOfRelease(kubectl.version, placed);
  const object = flags.bool('save-config') ? withLastApplied(withoutNulls(made)) : made;
  const [group, version] = (object.apiVersion ?? '').includes('/')
    ? (object.apiVersion!.split('/') as [string, string])
    : ['', object.apiVersion ?? ''];
  if (dryRun === 'client') {
    const known = { group, version, kind: object.kind ?? '', singular: (object.kind ?? '').toLowerCase() };
    await print(
      {
        ...known,
        plural: '',
        namespaced: !clusterScoped,
        shortNames: [],
        categories: [],
        verbs: [],
        subresources: [],
      },
      object,
      'created',
    );
    return;
  }
  const mapper = await kubectl.mapper();
  const resource = mapper.forObject(object, '');
  const created = await kubectl.api.json<AnyObject>({
    method: 'POST',
    path: pathOf(resource, resource.namespaced ? kubectl.namespace : undefined),
    query: {
      fieldManager: flags.string('field-manager'),
      fieldValidation: validationOf(flags.string('validate')),
      ...dryRunQuery(dryRun),
    },
    body: withoutNulls(object),
  });
  await print(resource, created, 'created');
}

/** The wire has no `creationTimestamp: null`. */
function withoutNulls(object: AnyObject): AnyObject {
  return JSON.parse(
    JSON.stringify(object, (_, value: unknown) => (value === null ? undefined : value)),
  ) as AnyObject;
}

/** Metadata as Go prints it. */
export function metadata(name: string, more: Record<string, unknown> = {}): AnyObject['metadata'] {
  return { creationTimestamp: null, name, ...more } as unknown as AnyObject['metadata'];
}
