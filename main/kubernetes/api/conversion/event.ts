// Event of events.k8s.io, the same object as the core one under other names (pkg/apis/core/v1, events/v1 conversion).
import { present, without, type Conversion } from './tree.ts';

export const event: Conversion = {
  fromStored(object) {
    const { involvedObject, message, firstTimestamp, lastTimestamp, count, source, reportingComponent } =
      object;
    return {
      ...without(
        object,
        'involvedObject',
        'message',
        'firstTimestamp',
        'lastTimestamp',
        'count',
        'source',
        'reportingComponent',
      ),
      reportingController: reportingComponent ?? '',
      ...present({ regarding: involvedObject, note: message }),
      deprecatedSource: source ?? {},
      deprecatedFirstTimestamp: firstTimestamp ?? null,
      deprecatedLastTimestamp: lastTimestamp ?? null,
      ...present({ deprecatedCount: count }),
    };
  },
  toStored(object) {
    return {
      ...without(
        object,
        'regarding',
        'note',
        'deprecatedFirstTimestamp',
        'deprecatedLastTimestamp',
        'deprecatedCount',
        'deprecatedSource',
        'reportingController',
      ),
      involvedObject: object['regarding'] ?? {},
      ...present({ message: object['note'] }),
      source: object['deprecatedSource'] ?? {},
      firstTimestamp: object['deprecatedFirstTimestamp'] ?? null,
      lastTimestamp: object['deprecatedLastTimestamp'] ?? null,
      eventTime: object['eventTime'] ?? null,
      ...present({ count: object['deprecatedCount'] }),
      reportingComponent: object['reportingController'] ?? '',
      reportingInstance: object['reportingInstance'] ?? '',
    };
  },
};
