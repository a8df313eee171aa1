// jsonpath templates print what the real kubectl prints.
import { expect, test } from 'vitest';
import { JsonPathError, parseJsonPath } from '../../../../../main/kubernetes/kubectl/output/jsonpath.ts';
import { JSONPATH_CASES } from './jsonpath-cases.ts';
import { SAMPLE_POD } from './sample-pod.ts';

/** What is printed, undefined where it fails. */
function printed(template: string): string | undefined {
  try {
    return parseJsonPath(template).print(SAMPLE_POD, true);
  } catch (error) {
    if (error instanceof JsonPathError) return undefined;
    throw error;
  }
}

test.each(JSONPATH_CASES)('%s prints %j', (template, expected) => {
  expect(printed(template)).toBe(expected);
});
