// Selectors of nodes: of pods' affinity and of volumes (pkg/apis/core/validation ValidateNodeSelector).
import { labelKeyProblems, labelValueProblems } from '../../api/selector.ts';
import { required } from '../refusals.ts';
import type { Faults } from './checks.ts';

interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

export interface NodeSelectorTerm {
  readonly matchExpressions?: readonly Requirement[];
  readonly matchFields?: readonly Requirement[];
}

interface NodeSelector {
  readonly nodeSelectorTerms?: readonly NodeSelectorTerm[];
}

export function checkNodeSelector(faults: Faults, at: string, selector: NodeSelector): void {
  const terms = selector.nodeSelectorTerms ?? [];
  if (terms.length === 0)
    faults.add(required(`${at}.nodeSelectorTerms`, 'must have at least one node selector term'));
  for (const [index, term] of terms.entries())
    checkNodeSelectorTerm(faults, `${at}.nodeSelectorTerms[${index}]`, term);
}

export function checkNodeSelectorTerm(faults: Faults, at: string, term: NodeSelectorTerm): void {
  for (const [index, requirement] of (term.matchExpressions ?? []).entries())
    checkExpression(faults, `${at}.matchExpressions[${index}]`, requirement);
  for (const [index, requirement] of (term.matchFields ?? []).entries())
    checkField(faults, `${at}.matchFields[${index}]`, requirement);
}

function checkExpression(faults: Faults, at: string, { key, operator, values = [] }: Requirement): void {
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0)
      faults.add(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0)
      faults.forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
  } else if (operator === 'Gt' || operator === 'Lt') {
    if (values.length !== 1)
      faults.add(required(`${at}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
  } else faults.invalid(`${at}.operator`, operator, 'not a valid selector operator');
  faults.problems(`${at}.key`, key, labelKeyProblems(key));
  for (const [index, value] of values.entries())
    faults.problems(`${at}.values[${index}]`, value, labelValueProblems(value));
}

/** Nodes are only found by their name. */
function checkField(faults: Faults, at: string, { key, operator, values = [] }: Requirement): void {
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length !== 1)
      faults.add(
        required(
          `${at}.values`,
          "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
        ),
      );
  } else faults.invalid(`${at}.operator`, operator, 'not a valid selector operator');
  if (key !== 'metadata.name') faults.invalid(`${at}.key`, key, 'not a valid field selector key');
  else for (const [index, value] of values.entries()) faults.subdomain(`${at}.values[${index}]`, value);
}
