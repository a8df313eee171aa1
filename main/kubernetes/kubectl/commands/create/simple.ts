// kubectl create namespace, serviceaccount, quota, poddisruptionbudget and priorityclass.
import { CommandError } from '../../frame/command-error.ts';
import type { Command } from '../../frame/command.ts';
import type { AnyObject } from '../../rest/builder.ts';
import { generator, metadata } from './generator.ts';

export const createNamespace: Command = generator(
  'namespace',
  { aliases: ['ns'], clusterScoped: true },
  (_, name) =>
    ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: metadata(name),
      spec: {},
      status: {},
    }) as unknown as AnyObject,
);

export const createServiceAccount: Command = generator(
  'serviceaccount',
  { aliases: ['sa'], failure: 'serviceaccount' },
  (_, name) =>
    ({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: metadata(name) }) as unknown as AnyObject,
);

export const createQuota: Command = generator(
  'quota',
  { aliases: ['resourcequota'], failure: 'quota' },
  ({ flags }, name) => {
    const hard = Object.fromEntries(
      flags
        .string('hard')
        .split(',')
        .filter((pair) => pair !== '')
        .map((pair) => {
          const parts = pair.split('=');
          if (parts.length !== 2)
            throw new CommandError(`Invalid argument syntax ${pair}, expected <resource>=<value>`);
          return parts as [string, string];
        }),
    );
    const scopes = flags
      .string('scopes')
      .split(',')
      .filter((scope) => scope !== '');
    const spec = {
      ...(Object.keys(hard).length > 0 ? { hard } : {}),
      ...(scopes.length > 0 ? { scopes } : {}),
    };
    return {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: metadata(name),
      spec,
      status: {},
    } as unknown as AnyObject;
  },
);

export const createPodDisruptionBudget: Command = generator(
  'poddisruptionbudget',
  { aliases: ['pdb'], failure: 'poddisruptionbudgets' },
  ({ flags }, name) => {
    const [min, max, selector] = [
      flags.string('min-available'),
      flags.string('max-unavailable'),
      flags.string('selector'),
    ];
    if (selector === '') throw new CommandError('a selector must be specified');
    if (min === '' && max === '')
      throw new CommandError('one of min-available or max-unavailable must be specified');
    if (min !== '' && max !== '')
      throw new CommandError('min-available and max-unavailable cannot be both specified');
    const matchLabels = Object.fromEntries(
      selector.split(',').map((pair) => pair.split(/==?/) as [string, string]),
    );
    const amount =
      min === '' ? { maxUnavailable: countOrPercent(max) } : { minAvailable: countOrPercent(min) };
    return {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: metadata(name),
      spec: { ...amount, selector: { matchLabels } },
      status: { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 },
    } as unknown as AnyObject;
  },
);

export const createPriorityClass: Command = generator(
  'priorityclass',
  { aliases: ['pc'], failure: 'priorityclass', clusterScoped: true },
  ({ flags }, name) => {
    const description = flags.string('description');
    return {
      apiVersion: 'scheduling.k8s.io/v1',
      ...(description === '' ? {} : { description }),
      ...(flags.bool('global-default') ? { globalDefault: true } : {}),
      kind: 'PriorityClass',
      metadata: metadata(name),
      preemptionPolicy: flags.string('preemption-policy'),
      value: flags.int('value'),
    } as unknown as AnyObject;
  },
);

function countOrPercent(text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text;
}
