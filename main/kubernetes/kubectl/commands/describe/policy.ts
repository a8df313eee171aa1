// Describes ResourceQuotas and PodDisruptionBudgets.
import { formatLabelSelector, labelSelectorOf, type LabelSelectorSpec } from '../../../api/index.ts';
import { member, writeOwnEvents, type Describer } from './describer.ts';

interface QuotaStatus {
  readonly hard: Readonly<Record<string, string>>;
  readonly used: Readonly<Record<string, string>>;
}

export const describeQuota: Describer = ({ w, object }) => {
  const { scopes = [] } = member<{ scopes: readonly string[] }>(object, 'spec');
  const { hard = {}, used = {} } = member<QuotaStatus>(object, 'status');
  w.write(0, `Name:\t${object.metadata?.name}\nNamespace:\t${object.metadata?.namespace}\n`);
  if (scopes.length > 0) w.write(0, `Scopes:\t${scopes.toSorted().join(', ')}\n`);
  w.write(0, 'Resource\tUsed\tHard\n--------\t----\t----\n');
  for (const name of Object.keys(hard).sort()) w.write(0, `${name}\t${used[name] ?? '0'}\t${hard[name]}\n`);
};

interface BudgetSpec {
  readonly minAvailable: number | string;
  readonly maxUnavailable: number | string;
  readonly selector: LabelSelectorSpec;
}

interface BudgetStatus {
  readonly disruptionsAllowed: number;
  readonly currentHealthy: number;
  readonly desiredHealthy: number;
  readonly expectedPods: number;
}

export const describeBudget: Describer = async (describing) => {
  const { w, object } = describing;
  const { minAvailable, maxUnavailable, selector } = member<BudgetSpec>(object, 'spec');
  const status = member<BudgetStatus>(object, 'status');
  w.write(0, `Name:\t${object.metadata?.name}\nNamespace:\t${object.metadata?.namespace}\n`);
  if (minAvailable !== undefined) w.write(0, `Min available:\t${minAvailable}\n`);
  else if (maxUnavailable !== undefined) w.write(0, `Max unavailable:\t${maxUnavailable}\n`);
  const pods = selector === undefined ? '<unset>' : formatLabelSelector(labelSelectorOf(selector));
  w.write(0, `Selector:\t${pods}\nStatus:\n`);
  w.write(2, `Allowed disruptions:\t${status.disruptionsAllowed ?? 0}\n`);
  w.write(2, `Current:\t${status.currentHealthy ?? 0}\n`);
  w.write(2, `Desired:\t${status.desiredHealthy ?? 0}\n`);
  w.write(2, `Total:\t${status.expectedPods ?? 0}\n`);
  await writeOwnEvents(describing);
};
