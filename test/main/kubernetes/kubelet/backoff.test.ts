import { expect, test } from 'vitest';
import { Backoff } from '../../../../main/kubernetes/kubelet/backoff.ts';
import { makeApi } from '../../../support/make-api.ts';

const MINUTE_MS = 60_000;

test('a back-off doubles up to its limit, and is forgotten after twice that', async () => {
  using api = makeApi();
  const backoff = new Backoff(api.clock, 10_000, 5 * MINUTE_MS);
  const delays: number[] = [];
  for (let failure = 0; failure < 7; failure++) {
    backoff.next('pod/c', api.clock.now());
    delays.push(backoff.get('pod/c') / 1000);
  }
  expect(delays).toEqual([10, 20, 40, 80, 160, 300, 300]);
  await api.clock.advance({ minutes: 9 });
  expect(backoff.left('pod/c')).toBe(0);
  backoff.next('pod/c', api.clock.now());
  expect(backoff.get('pod/c')).toBe(300_000);
  await api.clock.advance({ minutes: 11 });
  backoff.next('pod/c', api.clock.now());
  expect(backoff.get('pod/c')).toBe(10_000);
});

test('what is left of a delay counts from the event', async () => {
  using api = makeApi();
  const backoff = new Backoff(api.clock, 10_000, 5 * MINUTE_MS);
  const failedMs = api.clock.now();
  backoff.next('pod/c', failedMs);
  await api.clock.advance({ seconds: 4 });
  expect(backoff.leftSince('pod/c', failedMs)).toBe(6000);
  expect(backoff.leftSince('pod/other', failedMs)).toBe(0);
  backoff.forget('pod/');
  expect(backoff.leftSince('pod/c', failedMs)).toBe(0);
});
