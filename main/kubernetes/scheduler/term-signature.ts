// One text for each meaning of a label selector, so that equal selectors share their counts.
import { formatLabelSelector, labelSelectorOf, type LabelSelectorSpec } from '../api/index.ts';

/** The canonical text; what selects nothing and what selects everything differ. */
export function canonicalLabelSelector(spec: LabelSelectorSpec | undefined): string {
  return spec === undefined ? '<none>' : formatLabelSelector(labelSelectorOf(spec));
}
