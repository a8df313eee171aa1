// jsonpath templates print what the real kubectl prints.
import { expect, test } from 'vitest';
import { parseJsonPath } from '../../../../../main/kubernetes/kubectl/output/jsonpath.ts';
import { JSONPATH_CASES } from './jsonpath-cases.ts';
import { SAMPLE_POD } from './sample-pod.ts';

test.each(JSONPATH_CASES)('%s prints %j', (template, printed) => {
  const run = (): string => parseJsonPath(template).print(SAMPLE_POD, true);
  if (printed === undefined) expect(run).toThrow();
  else expect(run()).toBe(printed);
});
