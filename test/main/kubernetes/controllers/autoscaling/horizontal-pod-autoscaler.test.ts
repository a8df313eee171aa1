import { expect, test } from 'vitest';
import {
  resources,
  type Deployment,
  type HorizontalPodAutoscaler,
  type KubernetesObject,
  type Pod,
} from '../../../../../main/kubernetes/api/index.ts';
import { rfc3339 } from '../../../../../main/simulation/index.ts';
import {
  deployment,
  makeControlPlane,
  type TestControlPlane,
} from '../../../../support/make-control-plane.ts';

type Spec = NonNullable<HorizontalPodAutoscaler['spec']>;

function autoscaler(spec: Partial<Spec> = {}): HorizontalPodAutoscaler {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      minReplicas: 1,
      maxReplicas: 10,
      metrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
        },
      ],
      ...spec,
    },
  };
}

/** A control plane where every pod uses `load.milli` of CPU and 20 Mi, or is silent. */
async function makeScaled(
  load: { milli: number | undefined; silent?: ReadonlySet<string> },
  spec: Partial<Spec> = {},
) {
  let pods: readonly Pod[] = [];
  const plane: TestControlPlane = await makeControlPlane({
    podMetrics: () =>
      load.milli === undefined
        ? undefined
        : pods
            .filter(({ metadata }) => load.silent?.has(metadata!.name!) !== true)
            .map(
              ({ metadata }) =>
                ({
                  metadata: { name: metadata!.name, namespace: 'default' },
                  timestamp: rfc3339(plane.api.clock.now()),
                  window: '15s',
                  containers: [{ name: 'nginx', usage: { cpu: `${load.milli}m`, memory: '20Mi' } }],
                }) as KubernetesObject,
            ),
  });
  const resourcesOf = { resources: { requests: { cpu: '200m', memory: '64Mi' } } };
  await plane.create(resources.deployments, deployment('web', 2, resourcesOf));
  await plane.settle();
  await plane.create(resources.horizontalpodautoscalers, autoscaler(spec));
  const run = async (seconds: number): Promise<void> => {
    for (let past = 0; past < seconds; past += 5) {
      pods = await plane.list<Pod>(resources.pods, 'default');
      await plane.settle({ seconds: 5 });
    }
  };
  const size = async (): Promise<number> =>
    (await plane.get<Deployment>(resources.deployments, 'web')).spec!.replicas!;
  const conditions = async (): Promise<string[]> => {
    const { status } = await plane.get<HorizontalPodAutoscaler>(resources.horizontalpodautoscalers, 'web');
    return status!.conditions!.map(({ type, status: is, reason }) => `${type} ${is} ${reason}`);
  };
  return { plane, run, size, conditions };
}

test('pods above their target make more of them, at most twice as many or four at a time', async () => {
  const load = { milli: 400 };
  const { plane, run, size, conditions } = await makeScaled(load);
  using _plane = plane;
  await run(20);
  expect(await size()).toBe(4);
  expect(await plane.events('web')).toContain(
    'SuccessfulRescale: New size: 4; reason: cpu resource utilization (percentage of request) above target',
  );
  expect(await conditions()).toEqual([
    'AbleToScale True SucceededRescale',
    'ScalingActive True ValidMetricFound',
    'ScalingLimited True ScaleUpLimit',
  ]);
  await run(120);
  expect(await size()).toBe(10);
  expect(await conditions()).toContain('ScalingLimited True TooManyReplicas');
  expect(plane.errors).toEqual([]);
});

test('fewer pods come only after five minutes of less load', async () => {
  const load = { milli: 100 };
  const { plane, run, size, conditions } = await makeScaled(load);
  using _plane = plane;
  await run(60);
  expect(await size()).toBe(2);
  load.milli = 10;
  await run(240);
  expect(await size()).toBe(2);
  expect(await conditions()).toContain('AbleToScale True ScaleDownStabilized');
  await run(120);
  expect(await size()).toBe(1);
  expect(await plane.events('web')).toContain(
    'SuccessfulRescale: New size: 1; reason: All metrics below target',
  );
});

test('a load within a tenth of the target changes nothing', async () => {
  const { plane, run, size, conditions } = await makeScaled({ milli: 109 });
  using _plane = plane;
  await run(60);
  expect(await size()).toBe(2);
  expect(await conditions()).toContain('AbleToScale True ReadyForNewScale');
  expect(await conditions()).toContain('ScalingLimited False DesiredWithinRange');
});

test('policies say how fast it goes, and Disabled that it does not', async () => {
  const load = { milli: 400 };
  const slow: NonNullable<Spec['behavior']> = {
    scaleUp: {
      stabilizationWindowSeconds: 0,
      selectPolicy: 'Max',
      policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }],
    },
    scaleDown: {
      stabilizationWindowSeconds: 0,
      selectPolicy: 'Disabled',
      policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
    },
  };
  const { plane, run, size, conditions } = await makeScaled(load, { behavior: slow });
  using _plane = plane;
  await run(40);
  expect(await size()).toBe(3);
  await run(60);
  expect(await size()).toBe(4);
  expect(await conditions()).toContain('ScalingLimited True ScaleUpLimit');
  load.milli = 1;
  await run(120);
  expect(await size()).toBeGreaterThanOrEqual(4);
  expect(await conditions()).toContain('ScalingLimited True ScaleDownLimit');
});

test('pods without metrics count as fully used when others would go', async () => {
  const load: { milli: number; silent: Set<string> } = { milli: 60, silent: new Set() };
  const { plane, run, size } = await makeScaled(load);
  using _plane = plane;
  load.silent.add((await plane.list<Pod>(resources.pods, 'default'))[0]!.metadata.name);
  await run(400);
  expect(await size()).toBe(2);
});

test('without the metrics API it says what is missing', async () => {
  const { plane, run, size, conditions } = await makeScaled({ milli: undefined });
  using _plane = plane;
  await run(40);
  expect(await size()).toBe(2);
  const words =
    'failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)';
  expect(await conditions()).toEqual([
    'AbleToScale True SucceededGetScale',
    'ScalingActive False FailedGetResourceMetric',
  ]);
  const events = (await plane.events('web')).map((event) => event.replace(/ \(x\d+\)$/, ''));
  expect(events).toContain(`FailedGetResourceMetric: ${words}`);
  expect(events).toContain(
    `FailedComputeMetricsReplicas: invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: ${words}`,
  );
  const { status } = await plane.get<HorizontalPodAutoscaler>(resources.horizontalpodautoscalers, 'web');
  expect(status).toMatchObject({ currentReplicas: 2, desiredReplicas: 0, currentMetrics: [{ type: '' }] });
});

test('a target that is not there is named', async () => {
  const { plane, run, conditions } = await makeScaled(
    { milli: 1 },
    { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'absent' } },
  );
  using _plane = plane;
  await run(20);
  expect(await conditions()).toEqual(['AbleToScale False FailedGetScale']);
  expect(await plane.events('web')).toContain('FailedGetScale: deployments.apps "absent" not found');
});

test('a size of zero turns it off, and sizes outside the bounds are brought in', async () => {
  const { plane, run, size, conditions } = await makeScaled({ milli: 100 }, { minReplicas: 3 });
  using _plane = plane;
  await run(20);
  expect(await size()).toBe(3);
  expect(await plane.events('web')).toContain(
    'SuccessfulRescale: New size: 3; reason: Current number of replicas below Spec.MinReplicas',
  );
  await plane.api.client.patch(
    resources.deployments,
    'web',
    'application/merge-patch+json',
    { spec: { replicas: 0 } },
    { namespace: 'default' },
  );
  await run(20);
  expect(await size()).toBe(0);
  expect(await conditions()).toContain('ScalingActive False ScalingDisabled');
});

test('an amount per pod is a target too', async () => {
  const load = { milli: 100 };
  const { plane, run, size } = await makeScaled(load, {
    metrics: [
      {
        type: 'Resource',
        resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '10Mi' } },
      },
    ],
  });
  using _plane = plane;
  await run(20);
  expect(await size()).toBe(4);
  const { status } = await plane.get<HorizontalPodAutoscaler>(resources.horizontalpodautoscalers, 'web');
  expect(status!.currentMetrics).toEqual([
    { type: 'Resource', resource: { name: 'memory', current: { averageValue: '20971520' } } },
  ]);
});

test('metrics of other APIs say which API is missing', async () => {
  const { plane, run } = await makeScaled(
    { milli: 100 },
    {
      metrics: [
        {
          type: 'Pods',
          pods: { metric: { name: 'requests' }, target: { type: 'AverageValue', averageValue: '10' } },
        },
      ],
    },
  );
  using _plane = plane;
  await run(20);
  expect((await plane.events('web')).join('\n')).toContain(
    'FailedGetPodsMetric: unable to get metric requests: unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered',
  );
});
