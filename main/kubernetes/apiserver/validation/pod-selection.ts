// Selectors and templates of what keeps pods running (pkg/apis/apps/validation ValidatePodTemplateSpecForReplicaSet and its siblings).
import { labelSelectorOf, type LabelSelectorSpec } from '../../api/selector.ts';
import type { PodTemplateSpec } from '../../api/types.ts';
import { required } from '../refusals.ts';
import { checkLabelSelector, type Faults, isUsable } from './checks.ts';
import { labelsForm, selectorForm } from './internal-form.ts';
import { checkTemplate } from './pod-spec.ts';

export interface Selecting {
  readonly selector?: unknown;
  readonly template?: unknown;
}

export const sizeOf = (selector: LabelSelectorSpec): number =>
  Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length;

/** A workload's selector; `kind` is for the message about an empty one. Returns whether it can be used. */
function checkSelector(faults: Faults, selector: LabelSelectorSpec | undefined, kind: string): boolean {
  if (selector === undefined) {
    faults.add(required('spec.selector'));
    return true;
  }
  checkLabelSelector(faults, 'spec.selector', selector);
  if (sizeOf(selector) === 0)
    faults.invalid('spec.selector', selectorForm(selector), `empty selector is invalid for ${kind}`);
  if (isUsable(selector)) return true;
  faults.invalid('spec.selector', selectorForm(selector), 'invalid label selector');
  return false;
}

/** The template of something that keeps pods running: its labels, and pods that always restart. */
export function checkRunningTemplate(
  faults: Faults,
  template: PodTemplateSpec | undefined,
  matches: (labels: Readonly<Record<string, string>> | undefined) => boolean,
  kind: string,
): void {
  const labels = template?.metadata?.labels;
  if (!matches(labels))
    faults.invalid(
      'spec.template.metadata.labels',
      labelsForm(labels),
      '`selector` does not match template `labels`',
    );
  checkTemplate(faults, 'spec.template', template);
  const { restartPolicy, activeDeadlineSeconds } = template?.spec ?? {};
  if (restartPolicy !== undefined && restartPolicy !== 'Always')
    faults.unsupported('spec.template.spec.restartPolicy', restartPolicy, ['Always']);
  if (activeDeadlineSeconds !== undefined)
    faults.forbidden(
      'spec.template.spec.activeDeadlineSeconds',
      `activeDeadlineSeconds in ${kind} is not Supported`,
    );
}

/** Selector and template of an apps/v1 workload. */
export function checkSelected(faults: Faults, spec: Selecting | undefined, kind: string): void {
  const selector = spec?.selector as LabelSelectorSpec | undefined;
  if (!checkSelector(faults, selector, kind)) return;
  const matches = (labels: Readonly<Record<string, string>> | undefined): boolean =>
    selector !== undefined && (sizeOf(selector) === 0 || labelSelectorOf(selector).matches(labels));
  checkRunningTemplate(faults, spec?.template as PodTemplateSpec, matches, KIND_NAMES[kind] ?? kind);
}

const KIND_NAMES: Readonly<Record<string, string>> = {
  deployment: 'ReplicaSet',
  replicaset: 'ReplicaSet',
  daemonset: 'DaemonSet',
  statefulset: 'StatefulSet',
};
