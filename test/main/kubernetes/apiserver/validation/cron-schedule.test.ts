import { expect, test } from 'vitest';
import { scheduleProblem } from '../../../../../main/kubernetes/apiserver/validation/cron-schedule.ts';

test.each(['* * * * *', '*/5 0-6/2 1,15 jan-MAR mon', '@hourly', '@every 1h', '? ? ? ? ?', '5/10 * * * *'])(
  '%s is a schedule',
  (schedule) => {
    expect(scheduleProblem(schedule)).toBeUndefined();
  },
);

test.each([
  ['bad', 'expected exactly 5 fields, found 1: [bad]'],
  ['61 * * * *', 'end of range (61) above maximum (59): 61'],
  ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
  ['* 9-5 * * *', 'beginning of range (9) beyond end of range (5): 9-5'],
  ['*/0 * * * *', 'step of range should be a positive number: */0'],
  ['x * * * *', 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
  ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
  ['1/2/3 * * * *', 'too many slashes: 1/2/3'],
  ['* * * * 7', 'end of range (7) above maximum (6): 7'],
  ['@daily2', 'unrecognized descriptor: @daily2'],
])('%s is not: %s', (schedule, problem) => {
  expect(scheduleProblem(schedule)).toBe(problem);
});
