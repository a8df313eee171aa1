// Cells that several kinds show: selectors, containers of a template, modes.
import {
  type LabelSelectorSpec,
  formatLabelSelector,
  labelSelectorOf,
  labelsSelector,
} from '../../api/selector.ts';
import { NONE } from './columns.ts';

export const CORE = 'io.k8s.api.core.v1';

export function labelsText(labels: Readonly<Record<string, string>> | undefined): string {
  return Object.keys(labels ?? {}).length === 0 ? NONE : formatLabelSelector(labelsSelector(labels));
}

export function selectorText(selector: unknown): string {
  if (selector === undefined) return NONE;
  const text = formatLabelSelector(labelSelectorOf(selector as LabelSelectorSpec));
  return text === '' ? NONE : text;
}

/** Addresses and ports, at most three, with how many more there are. */
export function limited(items: readonly string[], most: number): string {
  if (items.length === 0) return NONE;
  const text = items.slice(0, most).join(',');
  return items.length > most ? `${text} + ${items.length - most} more...` : text;
}
