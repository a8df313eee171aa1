// The info strings of code blocks.
import { expect, test } from 'vitest';

import { parseFence } from '../../../renderer/guide/fence.ts';

test('a block with a machine and run can be typed there', () => {
  expect(parseFence('bash {machine=master1 run}')).toEqual({
    language: 'bash',
    machine: 'master1',
    run: true,
    output: false,
  });
});

test('a block without run is only shown', () => {
  expect(parseFence('bash {machine=worker1}').run).toBe(false);
  expect(parseFence('bash')).toEqual({ language: 'bash', run: false, output: false });
});

test('a block may be the content of a file, whose path may be quoted', () => {
  expect(parseFence('yaml {file=/root/web.yaml machine=master1}')).toMatchObject({
    language: 'yaml',
    file: '/root/web.yaml',
    machine: 'master1',
  });
  expect(parseFence('yaml {file="/root/my web.yaml"}').file).toBe('/root/my web.yaml');
  expect(parseFence("yaml {file='/root/a b'}").file).toBe('/root/a b');
});

test('a block of output needs no language', () => {
  expect(parseFence('{output}')).toEqual({ language: '', run: false, output: true });
  expect(parseFence('text {output}').output).toBe(true);
});

test('attributes from another version, empty ones and broken braces do no harm', () => {
  expect(parseFence('bash {machine= run colour=red')).toEqual({ language: 'bash', run: true, output: false });
  expect(parseFence('')).toEqual({ language: '', run: false, output: false });
});
