// PodDisruptionBudget of policy/v1beta1, whose empty selector matches nothing (pkg/apis/policy/v1beta1/conversion.go).
import { isTree, mapMember, type Conversion, type Tree } from './tree.ts';

/** A label that no pod has: an expression on it says what a plain empty selector can't in the other version. */
const MARK = 'pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match';

const MATCH_NONE = 'Exists';
const MATCH_ALL = 'DoesNotExist';

export const disruptionBudget: Conversion = {
  toStored: (object) => mapSelector(object, MATCH_NONE, MATCH_ALL),
  fromStored: (object) => mapSelector(object, MATCH_ALL, MATCH_NONE),
};

/** An empty selector becomes the marked one of `empty`; the one marked `plain` becomes empty. */
function mapSelector(object: Tree, empty: string, plain: string): Tree {
  return mapMember(object, 'spec', (spec) =>
    mapMember(spec, 'selector', (selector) => {
      if (isEmpty(selector)) return { matchExpressions: [{ key: MARK, operator: empty }] };
      return markOf(selector) === plain ? {} : selector;
    }),
  );
}

function isEmpty({ matchLabels, matchExpressions }: Tree): boolean {
  return (
    (!isTree(matchLabels) || Object.keys(matchLabels).length === 0) &&
    (!Array.isArray(matchExpressions) || matchExpressions.length === 0)
  );
}

/** The operator of a selector that is the mark and nothing else. */
function markOf({ matchLabels, matchExpressions }: Tree): unknown {
  if (isTree(matchLabels) && Object.keys(matchLabels).length > 0) return undefined;
  if (!Array.isArray(matchExpressions) || matchExpressions.length !== 1) return undefined;
  const [expression] = matchExpressions as Tree[];
  return expression?.['key'] === MARK ? expression['operator'] : undefined;
}
