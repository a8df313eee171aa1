// YAML is quoted, folded and sorted as the real kubectl does.
import { expect, test } from 'vitest';
import { toYaml } from '../../../../../main/kubernetes/kubectl/output/yaml.ts';
import { YAML_OBJECT, YAML_TEXT } from './yaml-cases.ts';

test('texts of every awkward kind are printed as by the real kubectl', () => {
  expect(toYaml(YAML_OBJECT)).toBe(YAML_TEXT);
});
