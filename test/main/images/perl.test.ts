// perl's π: right to the last digit, which is rounded.
import { expect, test } from 'vitest';
import { piDigits } from '../../../main/images/perl.ts';
import { makeImageMachine } from '../../support/image-machine.ts';

test.each([
  [1, '3'],
  [7, '3.141593'],
  [30, '3.14159265358979323846264338328'],
])('%d digits', (count, text) => {
  expect(piDigits(count)).toBe(text);
});

test('the Job of the documentation prints 2,000 digits', async () => {
  const { stdout, status } = await makeImageMachine().run('perl:5.34.0', {
    command: ['perl', '-Mbignum=bpi', '-wle', 'print bpi(2000)'],
  });
  expect(status).toBe(0);
  expect(stdout).toHaveLength(2002);
  expect(stdout).toMatch(/^3\.14159265358979.*661119590921642019\d{2,}\n$/);
});

test('another script is not run', async () => {
  const { stderr, status } = await makeImageMachine().run('perl', { command: ['perl', '-e', 'print 1'] });
  expect(stderr).toContain("perl isn't simulated beyond");
  expect(status).toBe(255);
});
