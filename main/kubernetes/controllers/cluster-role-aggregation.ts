// Fills ClusterRoles that have an aggregationRule with the rules of those it selects (pkg/controller/clusterroleaggregation).
import {
  labelSelectorOf,
  resources,
  type ClusterRole,
  type LabelSelectorSpec,
  type PolicyRule,
  type Stored,
} from '../api/index.ts';
import { makeController, type Controller, type ControllerContext } from './controller.ts';
import { sameJson } from './status.ts';
import { canonicalJson } from './template-hash.ts';

const AGGREGATED_INDEX = 'aggregated';
/** Roles that aggregate each other may change for ever; time must go on meanwhile. */
const GATHER_MS = 10;

/** Makes the controller. */
export function makeClusterRoleAggregationController(context: ControllerContext): Controller {
  return makeController(context, {
    name: 'clusterrole-aggregation-controller',
    component: 'clusterrole-aggregation-controller',
    workers: 5,
    setUp(run) {
      const roles = run.informer<ClusterRole>(resources.clusterroles);
      roles.indexer.addIndex(AGGREGATED_INDEX, (role) => (selectorsOf(role).length > 0 ? [''] : []));
      // Any role may be part of any aggregated one; of these there are few.
      const changed = (): void => {
        for (const { metadata } of roles.lister.byIndex(AGGREGATED_INDEX, ''))
          run.queue.addAfter(metadata.name, GATHER_MS);
      };
      run.on(roles, {
        add: changed,
        update: (role, old) => {
          if (role.metadata.resourceVersion !== old.metadata.resourceVersion) changed();
        },
        delete: changed,
      });
      return async function sync(name) {
        const role = roles.lister.get(name);
        if (role === undefined) return;
        const selectors = selectorsOf(role).map((spec) => labelSelectorOf(spec));
        if (selectors.length === 0) return;
        const rules: PolicyRule[] = [];
        const known = new Set<string>();
        // By selector, and for each by name, as upstream adds them up.
        const byName = roles.lister.list().sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
        for (const selector of selectors) {
          for (const part of byName) {
            if (part.metadata.name === name || !selector.matches(part.metadata.labels)) continue;
            for (const rule of part.rules ?? []) {
              const key = canonicalJson(rule);
              if (!known.has(key)) rules.push(rule);
              known.add(key);
            }
          }
        }
        if (sameJson(role.rules ?? [], rules)) return;
        await run.client.update<ClusterRole>(resources.clusterroles, { ...role, rules });
      };
    },
  });
}

function selectorsOf(role: Stored<ClusterRole>): readonly LabelSelectorSpec[] {
  const { aggregationRule } = role as { aggregationRule?: { clusterRoleSelectors?: LabelSelectorSpec[] } };
  return aggregationRule?.clusterRoleSelectors ?? [];
}
