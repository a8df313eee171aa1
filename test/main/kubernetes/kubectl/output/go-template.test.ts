// go-templates print what the real kubectl prints.
import { expect, test } from 'vitest';
import { parseGoTemplate, TemplateError } from '../../../../../main/kubernetes/kubectl/output/go-template.ts';
import { GO_TEMPLATE_CASES } from './go-template-cases.ts';
import { SAMPLE_POD } from './sample-pod.ts';

/** What is printed, undefined where it fails. */
function printed(template: string): string | undefined {
  try {
    return parseGoTemplate(template, true)(SAMPLE_POD);
  } catch (error) {
    if (error instanceof TemplateError) return undefined;
    throw error;
  }
}

test.each(GO_TEMPLATE_CASES)('%s prints %j', (template, expected) => {
  expect(printed(template)).toBe(expected);
});

test('a missing key is an error when it is not allowed', () => {
  expect(() => parseGoTemplate('{{.nope}}', false)(SAMPLE_POD)).toThrow('map has no entry for key "nope"');
});
