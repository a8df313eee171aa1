// go-templates print what the real kubectl prints.
import { expect, test } from 'vitest';
import { parseGoTemplate } from '../../../../../main/kubernetes/kubectl/output/go-template.ts';
import { GO_TEMPLATE_CASES } from './go-template-cases.ts';
import { SAMPLE_POD } from './sample-pod.ts';

test.each(GO_TEMPLATE_CASES)('%s prints %j', (template, printed) => {
  const run = (): string => parseGoTemplate(template, true)(SAMPLE_POD);
  if (printed === undefined) expect(run).toThrow();
  else expect(run()).toBe(printed);
});

test('a missing key is an error when it is not allowed', () => {
  expect(() => parseGoTemplate('{{.nope}}', false)(SAMPLE_POD)).toThrow('map has no entry for key "nope"');
});
