// The recorded areas, and which of them can run at the same time.

/** Everything recorded, in the order in which it was. */
export const AREAS: readonly string[] = [
  'pods',
  'kinds',
  'describe',
  'output',
  'discovery',
  'create',
  'apply',
  'change',
  'podops',
  'errors',
  'validation',
  'quota',
  'auth',
  'events',
  'inpod',
  'versions',
  'wide',
  'nodes',
];

/** The areas that need what `setup` makes run after it; each chain keeps its order, the chains of a stage run together. */
const STAGES: readonly (readonly (readonly string[])[])[] = [
  [['setup']],
  [
    ['kinds', 'describe', 'output', 'discovery'],
    ['create', 'apply', 'quota'],
    ['pods'],
    ['errors', 'auth'],
    ['podops', 'inpod'],
  ],
  [['change'], ['events'], ['validation']],
  [['versions', 'wide']],
  [['nodes']],
];

/** What to run, stage after stage, for these areas: `setup` always, and `kinds` before those that look at what it leaves. */
export function chainsOf(areas: readonly string[]): string[][][] {
  const needsKinds = ['describe', 'output', 'discovery', 'versions', 'wide'];
  const wanted = new Set(['setup', ...areas]);
  if (areas.some((area) => needsKinds.includes(area))) wanted.add('kinds');
  return STAGES.map((stage) =>
    stage.map((chain) => chain.filter((area) => wanted.has(area))).filter((chain) => chain.length > 0),
  ).filter((stage) => stage.length > 0);
}
