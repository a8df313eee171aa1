import { expect, test } from 'vitest';
import { nextTime, parseSchedule } from '../../../../../main/kubernetes/controllers/job/schedule.ts';

function next(schedule: string, after: string, timeZone?: string): string | undefined {
  const ms = nextTime(parseSchedule(schedule)!, Date.parse(after), timeZone);
  return ms === undefined ? undefined : new Date(ms).toISOString();
}

test.each([
  ['* * * * *', '2026-01-05T08:00:30Z', '2026-01-05T08:01:00.000Z'],
  ['*/15 * * * *', '2026-01-05T08:00:00Z', '2026-01-05T08:15:00.000Z'],
  ['0 3 * * 1-5', '2026-01-09T04:00:00Z', '2026-01-12T03:00:00.000Z'],
  ['0 0 1 * *', '2026-01-05T08:00:00Z', '2026-02-01T00:00:00.000Z'],
  ['0 0 13 * 5', '2026-01-05T08:00:00Z', '2026-01-09T00:00:00.000Z'],
  ['30 12 * dec sun', '2026-01-05T08:00:00Z', '2026-12-06T12:30:00.000Z'],
  ['@hourly', '2026-01-05T08:00:00Z', '2026-01-05T09:00:00.000Z'],
])('%s after %s is %s', (schedule, after, expected) => {
  expect(next(schedule, after)).toBe(expected);
});

test('a time zone moves the moment, summer time included', () => {
  expect(next('0 3 * * *', '2026-01-05T08:00:00Z', 'Europe/Berlin')).toBe('2026-01-06T02:00:00.000Z');
  expect(next('0 3 * * *', '2026-07-05T08:00:00Z', 'Europe/Berlin')).toBe('2026-07-06T01:00:00.000Z');
});

test('a day that never comes has no next moment', () => {
  expect(next('0 0 30 2 *', '2026-01-05T08:00:00Z')).toBeUndefined();
});

test.each(['', '* * * *', '60 * * * *', '* * * * * *', '*/0 * * * *', 'a * * * *', '5-1 * * * *'])(
  '%j is no schedule',
  (text) => {
    expect(parseSchedule(text)).toBeUndefined();
  },
);
