import { expect, test } from 'vitest';
import { resources, type Event } from '../../../../main/kubernetes/api/index.ts';
import { makeEventRecorder, type EventRecorder } from '../../../../main/kubernetes/client/index.ts';
import { makeApi, type TestApi } from '../../../support/make-api.ts';

const web = {
  apiVersion: 'v1',
  kind: 'Pod',
  namespace: 'default',
  name: 'web',
  uid: '82b999b7-8db6-4e30-8668-1da190d8f4a6',
};

function recorderOf({ client, clock, random }: TestApi): EventRecorder {
  return makeEventRecorder({ client, clock, random, component: 'default-scheduler' });
}

async function eventsOf(api: TestApi): Promise<Event[]> {
  await api.clock.advance({ ms: 10 });
  return (await api.client.list<Event>(resources.events, { namespace: 'default' })).items;
}

test('an event says of what, why, who and when', async () => {
  using api = makeApi();
  recorderOf(api).event(web, 'Warning', 'FailedScheduling', 'no room');
  const [event, ...others] = await eventsOf(api);
  expect(others).toEqual([]);
  expect(event!.metadata!.name).toMatch(/^web\.1[0-9a-f]{15}$/);
  expect(event).toMatchObject({
    involvedObject: web,
    type: 'Warning',
    reason: 'FailedScheduling',
    message: 'no room',
    count: 1,
    source: { component: 'default-scheduler' },
    reportingComponent: 'default-scheduler',
    firstTimestamp: '2026-01-05T08:00:00Z',
    lastTimestamp: '2026-01-05T08:00:00Z',
  });
});

test('the same again is counted in the same event', async () => {
  using api = makeApi();
  const recorder = recorderOf(api);
  for (let i = 0; i < 3; i++) {
    recorder.event(web, 'Warning', 'FailedScheduling', 'no room');
    await api.clock.advance({ seconds: 30 });
  }
  expect(await eventsOf(api)).toMatchObject([
    { count: 3, firstTimestamp: '2026-01-05T08:00:00Z', lastTimestamp: '2026-01-05T08:01:00Z' },
  ]);
});

test('events that follow at once are counted too, though the first is still being written', async () => {
  using api = makeApi();
  const recorder = recorderOf(api);
  for (let i = 0; i < 5; i++) recorder.event(web, 'Warning', 'BackOff', 'again');
  expect(await eventsOf(api)).toMatchObject([{ count: 5 }]);
});

test('from the tenth different message on they are combined', async () => {
  using api = makeApi();
  const recorder = recorderOf(api);
  for (let i = 1; i <= 12; i++) recorder.event(web, 'Normal', 'SuccessfulCreate', `Created job n-${i}`);
  const events = await eventsOf(api);
  expect(events).toHaveLength(10);
  const combined = events.filter(({ message }) => message?.startsWith('(combined from similar events): '));
  expect(combined).toMatchObject([
    { message: '(combined from similar events): Created job n-12', count: 3, reportingComponent: '' },
  ]);
});

test('one object may cause 25 events at once and then one in five minutes', async () => {
  using api = makeApi();
  const recorder = recorderOf(api);
  for (let i = 0; i < 60; i++) recorder.event(web, 'Normal', `Reason${i}`, 'x');
  expect(await eventsOf(api)).toHaveLength(25);
  await api.clock.advance({ minutes: 5 });
  recorder.event(web, 'Normal', 'Later', 'x');
  recorder.event(web, 'Normal', 'Even later', 'x');
  expect(await eventsOf(api)).toHaveLength(26);
});

test('containers of one pod share its budget, though each has its own records', async () => {
  using api = makeApi();
  const recorder = recorderOf(api);
  for (let i = 0; i < 20; i++) {
    recorder.event({ ...web, fieldPath: 'spec.containers{a}' }, 'Normal', `Reason${i}`, 'x');
    recorder.event({ ...web, fieldPath: 'spec.containers{b}' }, 'Normal', `Reason${i}`, 'x');
  }
  expect(await eventsOf(api)).toHaveLength(25);
});
