// kubectl create job and cronjob.
import { CommandError } from '../../frame/command-error.ts';
import type { Command, Invocation } from '../../frame/command.ts';
import { parseTargets, type AnyObject } from '../../rest/builder.ts';
import { fetchObject } from '../../rest/selection.ts';
import { generator, metadata } from './generator.ts';

export const createJob: Command = generator(
  'job',
  { failure: 'job', more: true },
  async (invocation, name) => {
    const { flags } = invocation;
    const image = flags.string('image');
    const from = flags.string('from');
    if ((image === '') === (from === ''))
      throw new CommandError('either --image or --from must be specified');
    const command = commandOf(invocation);
    if (from === '') {
      return {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: metadata(name),
        spec: { template: podTemplate(name, image, command, 'Never') },
        status: {},
      } as unknown as AnyObject;
    }
    if (command.length > 0) throw new CommandError('cannot specify --from and command');
    return fromCronJob(invocation, name, from);
  },
);

export const createCronJob: Command = generator(
  'cronjob',
  { aliases: ['cj'], failure: 'cronjob', required: ['image', 'schedule'], more: true },
  (invocation, name) => {
    const { flags } = invocation;
    const restart = flags.string('restart') === '' ? 'OnFailure' : flags.string('restart');
    return {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: metadata(name),
      spec: {
        jobTemplate: {
          metadata: metadata(name),
          spec: { template: podTemplate(name, flags.string('image'), commandOf(invocation), restart) },
        },
        schedule: flags.string('schedule'),
      },
      status: {},
    } as unknown as AnyObject;
  },
);

function commandOf({ args, dash }: Invocation): string[] {
  return dash === -1 ? args.slice(1) : args.slice(dash);
}

function podTemplate(
  name: string,
  image: string,
  command: readonly string[],
  restartPolicy: string,
): unknown {
  const container = { ...(command.length > 0 ? { command } : {}), image, name, resources: {} };
  return { metadata: { creationTimestamp: null }, spec: { containers: [container], restartPolicy } };
}

async function fromCronJob(invocation: Invocation, name: string, from: string): Promise<AnyObject> {
  const { kubectl } = invocation;
  const [target] = await parseTargets(kubectl, [from]);
  if (target?.name === undefined) throw new CommandError('from must be an existing cronjob');
  const cronJob = await fetchObject(kubectl, target.resource, kubectl.namespace, target.name);
  if (cronJob.kind !== 'CronJob') throw new CommandError(`unknown object type *v1.${cronJob.kind}`);
  const { jobTemplate } = cronJob['spec'] as {
    jobTemplate: { metadata?: { labels?: object; annotations?: object }; spec: object };
  };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: metadata(name, {
      annotations: { 'cronjob.kubernetes.io/instantiate': 'manual', ...jobTemplate.metadata?.annotations },
      ...(jobTemplate.metadata?.labels === undefined ? {} : { labels: jobTemplate.metadata.labels }),
      ownerReferences: [
        {
          apiVersion: 'batch/v1',
          controller: true,
          kind: 'CronJob',
          name: cronJob.metadata?.name,
          uid: (cronJob.metadata as { uid?: string }).uid,
        },
      ],
    }),
    spec: jobTemplate.spec,
    status: {},
  } as unknown as AnyObject;
}
