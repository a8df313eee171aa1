// HorizontalPodAutoscaler of autoscaling/v1 and v2beta1 (pkg/apis/autoscaling/{v1,v2beta1}/conversion.go, annotations.go).
import {
  annotationOf,
  isTree,
  listAt,
  mapMember,
  present,
  treeAt,
  withAnnotations,
  without,
  type Conversion,
  type Tree,
} from './tree.ts';

const ANNOTATIONS = {
  metrics: 'autoscaling.alpha.kubernetes.io/metrics',
  currentMetrics: 'autoscaling.alpha.kubernetes.io/current-metrics',
  conditions: 'autoscaling.alpha.kubernetes.io/conditions',
  behavior: 'autoscaling.alpha.kubernetes.io/behavior',
} as const;

/** autoscaling/v2beta1: every target has a name of its own, and `behavior` isn't there yet. */
export const autoscalerV2beta1: Conversion = {
  toStored: (object) =>
    behaviorToStored(
      mapMember(
        mapMember(object, 'spec', (spec) => mapMetrics(spec, 'metrics', specToStored)),
        'status',
        (status) => mapMetrics(status, 'currentMetrics', statusToStored),
      ),
    ),
  fromStored: (object) =>
    mapMember(
      mapMember(behaviorFromStored(object), 'spec', (spec) => mapMetrics(spec, 'metrics', specFromStored)),
      'status',
      (status) => mapMetrics(status, 'currentMetrics', statusFromStored),
    ),
};

/** autoscaling/v1: the CPU's utilisation is a field, everything else of v2 is kept in annotations. */
export const autoscalerV1: Conversion = {
  toStored(object) {
    const { targetCPUUtilizationPercentage: percent, ...kept } = treeAt(object, 'spec');
    const cpu = percent === undefined ? [] : [cpuMetric(percent)];
    const metrics = [...jsonList(object, ANNOTATIONS.metrics).map(specToStored), ...cpu];
    const status = isTree(object['status']) ? object['status'] : { desiredReplicas: 0 };
    const currentMetrics = jsonList(object, ANNOTATIONS.currentMetrics).map(statusToStored);
    const conditions = jsonList(object, ANNOTATIONS.conditions);
    return withAnnotations(
      behaviorToStored({
        ...object,
        spec: { ...kept, ...(metrics.length === 0 ? {} : { metrics }) },
        status: {
          currentMetrics: currentMetrics.length === 0 ? null : currentMetrics,
          ...without(status, 'currentCPUUtilizationPercentage'),
          ...(conditions.length === 0 ? {} : { conditions }),
        },
      }),
      {
        [ANNOTATIONS.metrics]: undefined,
        [ANNOTATIONS.currentMetrics]: undefined,
        [ANNOTATIONS.conditions]: undefined,
      },
    );
  },
  fromStored(object) {
    const { metrics: _metrics, ...spec } = treeAt(object, 'spec');
    const { currentMetrics: _current, conditions: _conditions, ...status } = treeAt(object, 'status');
    const metrics = listAt(treeAt(object, 'spec'), 'metrics');
    const currentMetrics = listAt(treeAt(object, 'status'), 'currentMetrics');
    const conditions = listAt(treeAt(object, 'status'), 'conditions');
    const cpu = metrics.find(isCpuUtilization);
    const others = metrics.filter((metric) => metric !== cpu).map(specFromStored);
    return withAnnotations(
      behaviorFromStored({
        ...object,
        spec: { ...spec, ...present({ targetCPUUtilizationPercentage: utilizationOf(cpu, 'target') }) },
        status: {
          currentReplicas: 0,
          ...status,
          ...present({
            currentCPUUtilizationPercentage: utilizationOf(
              currentMetrics.find((metric) => treeAt(metric, 'resource')['name'] === 'cpu'),
              'current',
            ),
          }),
        },
      }),
      {
        [ANNOTATIONS.metrics]: jsonOf(others),
        [ANNOTATIONS.currentMetrics]: jsonOf(currentMetrics.map(statusFromStored)),
        [ANNOTATIONS.conditions]: jsonOf(
          conditions.map(({ type, status: is, lastTransitionTime, reason, message }) =>
            present({ type, status: is, lastTransitionTime, reason, message }),
          ),
        ),
      },
    );
  },
};

function jsonOf(list: readonly Tree[]): string | undefined {
  return list.length === 0 ? undefined : JSON.stringify(list);
}

/** What an annotation holds; nothing, if it isn't a list in JSON. */
function jsonList(object: Tree, annotation: string): Tree[] {
  const value = parsed(annotationOf(object, annotation));
  return Array.isArray(value) && value.every(isTree) ? value : [];
}

function parsed(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // As upstream: what can't be read is ignored.
    throw error;
  }
}

function behaviorToStored(object: Tree): Tree {
  const behavior = parsed(annotationOf(object, ANNOTATIONS.behavior));
  if (!isTree(behavior)) return object;
  return withAnnotations(
    { ...object, spec: { ...treeAt(object, 'spec'), behavior } },
    { [ANNOTATIONS.behavior]: undefined },
  );
}

function behaviorFromStored(object: Tree): Tree {
  const { behavior, ...spec } = treeAt(object, 'spec');
  if (!isTree(behavior)) return object;
  return withAnnotations({ ...object, spec }, { [ANNOTATIONS.behavior]: JSON.stringify(behavior) });
}

function cpuMetric(averageUtilization: unknown): Tree {
  return { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } };
}

function isCpuUtilization(metric: Tree): boolean {
  const resource = treeAt(metric, 'resource');
  return resource['name'] === 'cpu' && treeAt(resource, 'target')['averageUtilization'] !== undefined;
}

function utilizationOf(metric: Tree | undefined, member: 'target' | 'current'): unknown {
  return metric === undefined ? undefined : treeAt(treeAt(metric, 'resource'), member)['averageUtilization'];
}

function mapMetrics(tree: Tree, member: string, change: (metric: Tree) => Tree): Tree {
  return Array.isArray(tree[member]) ? { ...tree, [member]: listAt(tree, member).map(change) } : tree;
}

/** A metric's members in the order that Go writes them, each source converted. */
function metric(from: Tree, sources: Readonly<Record<string, (source: Tree) => Tree>>): Tree {
  const converted = ['object', 'pods', 'resource', 'containerResource', 'external'].map(
    (name) => [name, isTree(from[name]) ? sources[name]!(from[name]) : undefined] as const,
  );
  return present({ type: from['type'], ...Object.fromEntries(converted) });
}

function specToStored(from: Tree): Tree {
  return metric(from, {
    object: ({ target, metricName, targetValue, selector, averageValue }) =>
      present({
        describedObject: target,
        target: averageValue === undefined ? { type: 'Value', value: targetValue } : average(averageValue),
        metric: present({ name: metricName, selector }),
      }),
    pods: ({ metricName, targetAverageValue, selector }) => ({
      metric: present({ name: metricName, selector }),
      target: average(targetAverageValue),
    }),
    resource: ({ name, targetAverageUtilization, targetAverageValue }) => ({
      name,
      target: resourceTarget(targetAverageUtilization, targetAverageValue),
    }),
    containerResource: ({ name, container, targetAverageUtilization, targetAverageValue }) => ({
      name,
      target: resourceTarget(targetAverageUtilization, targetAverageValue),
      container,
    }),
    external: ({ metricName, metricSelector, targetValue, targetAverageValue }) => ({
      metric: present({ name: metricName, selector: metricSelector }),
      target:
        targetAverageValue === undefined
          ? { type: 'Value', value: targetValue }
          : average(targetAverageValue),
    }),
  });
}

function average(averageValue: unknown): Tree {
  return { type: 'AverageValue', averageValue };
}

function resourceTarget(averageUtilization: unknown, averageValue: unknown): Tree {
  return averageUtilization === undefined
    ? average(averageValue)
    : { type: 'Utilization', averageUtilization };
}

function specFromStored(from: Tree): Tree {
  return metric(from, {
    object: (source) => {
      const { name: metricName, selector } = treeAt(source, 'metric');
      const { value, averageValue } = treeAt(source, 'target');
      // The field is required; a target by average has a value of nothing beside it.
      return present({
        target: source['describedObject'],
        metricName,
        targetValue: value ?? '0',
        selector,
        averageValue,
      });
    },
    pods: (source) => {
      const { name: metricName, selector } = treeAt(source, 'metric');
      return present({ metricName, targetAverageValue: treeAt(source, 'target')['averageValue'], selector });
    },
    resource: (source) => {
      const { averageUtilization, averageValue } = treeAt(source, 'target');
      return present({
        name: source['name'],
        targetAverageUtilization: averageUtilization,
        targetAverageValue: averageValue,
      });
    },
    containerResource: (source) => {
      const { averageUtilization, averageValue } = treeAt(source, 'target');
      return present({
        name: source['name'],
        targetAverageUtilization: averageUtilization,
        targetAverageValue: averageValue,
        container: source['container'],
      });
    },
    external: (source) => {
      const { name: metricName, selector } = treeAt(source, 'metric');
      const { value, averageValue } = treeAt(source, 'target');
      return present({
        metricName,
        metricSelector: selector,
        targetValue: value,
        targetAverageValue: averageValue,
      });
    },
  });
}

function statusToStored(from: Tree): Tree {
  return metric(from, {
    object: ({ target, metricName, currentValue, selector, averageValue }) => ({
      metric: present({ name: metricName, selector }),
      current: present({ value: averageValue === undefined ? currentValue : undefined, averageValue }),
      describedObject: target,
    }),
    pods: ({ metricName, currentAverageValue, selector }) => ({
      metric: present({ name: metricName, selector }),
      current: present({ averageValue: currentAverageValue }),
    }),
    resource: ({ name, currentAverageUtilization, currentAverageValue }) => ({
      name,
      current: present({ averageValue: currentAverageValue, averageUtilization: currentAverageUtilization }),
    }),
    containerResource: ({ name, container, currentAverageUtilization, currentAverageValue }) => ({
      name,
      current: present({ averageValue: currentAverageValue, averageUtilization: currentAverageUtilization }),
      container,
    }),
    external: ({ metricName, metricSelector, currentValue, currentAverageValue }) => ({
      metric: present({ name: metricName, selector: metricSelector }),
      current: present({
        value: currentAverageValue === undefined ? currentValue : undefined,
        averageValue: currentAverageValue,
      }),
    }),
  });
}

function statusFromStored(from: Tree): Tree {
  return metric(from, {
    object: (source) => {
      const { name: metricName, selector } = treeAt(source, 'metric');
      const { value, averageValue } = treeAt(source, 'current');
      return present({
        target: source['describedObject'],
        metricName,
        currentValue: value ?? '0',
        selector,
        averageValue,
      });
    },
    pods: (source) => {
      const { name: metricName, selector } = treeAt(source, 'metric');
      return present({
        metricName,
        currentAverageValue: treeAt(source, 'current')['averageValue'],
        selector,
      });
    },
    resource: (source) => {
      const { averageUtilization, averageValue } = treeAt(source, 'current');
      return present({
        name: source['name'],
        currentAverageUtilization: averageUtilization,
        currentAverageValue: averageValue,
      });
    },
    containerResource: (source) => {
      const { averageUtilization, averageValue } = treeAt(source, 'current');
      return present({
        name: source['name'],
        currentAverageUtilization: averageUtilization,
        currentAverageValue: averageValue,
        container: source['container'],
      });
    },
    external: (source) => {
      const { name: metricName, selector } = treeAt(source, 'metric');
      const { value, averageValue } = treeAt(source, 'current');
      return present({
        metricName,
        metricSelector: selector,
        currentValue: value ?? '0',
        currentAverageValue: averageValue,
      });
    },
  });
}
