// kubectl autoscale: a HorizontalPodAutoscaler for a workload.
import { CommandError } from '../frame/command-error.ts';
import type { Command, Invocation } from '../frame/command.ts';
import { dryRunOf, dryRunQuery } from '../frame/dry-run.ts';
import { resultPrinter } from '../output/result.ts';
import type { AnyObject } from '../rest/builder.ts';
import { pathOf } from '../rest/discovery.ts';
import { apiVersionOf, visitObjects } from '../rest/selection.ts';

export const autoscale: Command = { name: 'autoscale', required: ['max'], run: runAutoscale };

async function runAutoscale(invocation: Invocation): Promise<number> {
  const { kubectl, flags, args } = invocation;
  const [min, max, cpu] = [flags.int('min'), flags.int('max'), flags.int('cpu-percent')];
  if (max < 1) throw new CommandError(`--max=MAXPODS is required and must be at least 1, max: ${max}`);
  if (max < min)
    throw new CommandError(
      `--max=MAXPODS must be larger or equal to --min=MINPODS, max: ${max}, min: ${min}`,
    );
  const dryRun = dryRunOf(flags);
  const print = resultPrinter(invocation, dryRun);
  const autoscalers = (await kubectl.mapper()).require('horizontalpodautoscalers');
  await visitObjects(invocation, { args, continueOnError: true }, async ({ resource, namespace, name }) => {
    if (!resource.subresources.includes('scale'))
      throw new CommandError(
        `cannot autoscale a ${resource.kind}: could not find scale subresource for ${resource.group}/${resource.version}, Resource=${resource.plural} in discovery information`,
      );
    const object = {
      apiVersion: 'autoscaling/v1',
      kind: 'HorizontalPodAutoscaler',
      metadata: { creationTimestamp: null, name: flags.string('name') || name },
      spec: {
        maxReplicas: max,
        ...(min > 0 ? { minReplicas: min } : {}),
        scaleTargetRef: { apiVersion: apiVersionOf(resource), kind: resource.kind, name },
        ...(cpu >= 0 ? { targetCPUUtilizationPercentage: cpu } : {}),
      },
      status: { currentReplicas: 0, desiredReplicas: 0 },
    } as unknown as AnyObject;
    const {
      metadata: { creationTimestamp: _, ...metadata },
      status: __,
      ...body
    } = object as unknown as { metadata: Record<string, unknown>; status: unknown };
    const stored =
      dryRun === 'client'
        ? object
        : await kubectl.api.json<AnyObject>({
            method: 'POST',
            path: pathOf({ ...autoscalers, version: 'v1' }, namespace),
            query: { fieldManager: flags.string('field-manager'), ...dryRunQuery(dryRun) },
            body: { ...body, metadata },
          });
    await print(autoscalers, stored, 'autoscaled');
  });
  return 0;
}
