import { expect, test } from 'vitest';
import { resources, type Event } from '../../../../main/kubernetes/api/index.ts';
import { makeEventRecorder } from '../../../../main/kubernetes/client/index.ts';
import { makeApi } from '../../../support/make-api.ts';

test('an event goes an hour after it was last written', async () => {
  using api = makeApi();
  const { client, clock, random } = api;
  const recorder = makeEventRecorder({ client, clock, random, component: 'kubelet' });
  const web = { apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'web', uid: 'u' };
  const reasons = async (): Promise<(string | undefined)[]> =>
    (await client.list<Event>(resources.events, { namespace: 'default' })).items.map(({ reason }) => reason);
  recorder.event(web, 'Normal', 'Once', 'x');
  recorder.event(web, 'Normal', 'Again', 'x');
  await clock.advance({ minutes: 40 });
  recorder.event(web, 'Normal', 'Again', 'x');
  await clock.advance({ minutes: 25 });
  expect(await reasons()).toEqual(['Again']);
  await clock.advance({ minutes: 40 });
  expect(await reasons()).toEqual([]);
  expect(api.faults).toEqual([]);
});
