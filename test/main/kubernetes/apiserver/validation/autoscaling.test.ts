import { expect, test } from 'vitest';
import { faultsOf } from '../../../../support/judged.ts';

const autoscaler = (spec: object): object => ({
  spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' }, maxReplicas: 3, ...spec },
});
const target = { type: 'AverageValue', averageValue: '1' };

test.each([
  [
    { maxReplicas: 0 },
    [
      'spec.maxReplicas: Required value: must be set and greater than 0',
      'spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`',
    ],
  ],
  [
    { maxReplicas: -1, minReplicas: undefined },
    [
      'spec.maxReplicas: Invalid value: -1: must be greater than 0',
      'spec.maxReplicas: Invalid value: -1: must be greater than or equal to `minReplicas`',
    ],
  ],
  [
    { metrics: [{ type: 'X' }] },
    'spec.metrics[0].type: Unsupported value: "X": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"',
  ],
  [
    { metrics: [{ type: 'Pods', pods: { metric: { name: 'm' }, target: { type: 'Value', value: '1' } } }] },
    'spec.metrics[0].pods.target.averageValue: Required value: must specify a positive target averageValue',
  ],
  [
    { metrics: [{ type: 'External', external: { metric: { name: 'm' }, target: { type: 'Value' } } }] },
    'spec.metrics[0].external.target.averageValue: Required value: must set either a target value for metric or a per-pod target',
  ],
  [
    {
      metrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'Sum', averageValue: '0', averageUtilization: 5 } },
        },
      ],
    },
    [
      'spec.metrics[0].resource.target.type: Invalid value: "Sum": must be either Utilization, Value, or AverageValue',
      'spec.metrics[0].resource.target.averageValue: Invalid value: "0": must be positive',
      'spec.metrics[0].resource.target.averageValue: Forbidden: may not set both a target raw value and a target utilization',
    ],
  ],
  [
    {
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target }, pods: { metric: { name: 'm' }, target } },
      ],
    },
    'spec.metrics[0].pods: Forbidden: must populate the given metric source only',
  ],
  [
    { metrics: [{ type: 'ContainerResource', containerResource: { name: 'cpu', container: '', target } }] },
    'spec.metrics[0].containerResource.container: Required value: must specify a container',
  ],
  [
    {
      behavior: {
        scaleUp: {
          stabilizationWindowSeconds: 3601,
          policies: [{ type: 'X', value: 0, periodSeconds: 1801 }],
        },
      },
    },
    [
      'spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600',
      'spec.behavior.scaleUp.policies[0].type: Unsupported value: "X": supported values: "Percent", "Pods"',
      'spec.behavior.scaleUp.policies[0].value: Invalid value: 0: must be greater than zero',
      'spec.behavior.scaleUp.policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800',
    ],
  ],
  [
    { behavior: { scaleDown: { policies: [] } } },
    'spec.behavior.scaleDown.policies: Required value: must specify at least one Policy',
  ],
])('of an autoscaler with %j it says what is wrong', (spec, expected) => {
  expect(faultsOf('horizontalpodautoscalers', autoscaler(spec))).toEqual([expected].flat());
});

test('a ReplicationController has no group to name', () => {
  const scaleTargetRef = { apiVersion: 'v1', kind: 'ReplicationController', name: 'r' };
  expect(faultsOf('horizontalpodautoscalers', autoscaler({ scaleTargetRef }))).toEqual([]);
});

test('nothing wakes from zero without a metric from outside', () => {
  const metrics = [{ type: 'External', external: { metric: { name: 'm' }, target } }];
  expect(faultsOf('horizontalpodautoscalers', autoscaler({ minReplicas: 0, metrics }))).toEqual([
    'spec.minReplicas: Invalid value: 0: must be greater than or equal to 1',
  ]);
});
