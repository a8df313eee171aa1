// Rules that must be in built-in chains: put in front when missing, as kube-proxy's EnsureRule(Prepend) does.
import type { Netfilter, TableName } from '../../network/index.ts';

export interface JumpRule {
  readonly table: TableName;
  readonly from: string;
  readonly to: string;
  readonly comment?: string;
  /** Before the comment, such as `-m conntrack --ctstate NEW`. */
  readonly match?: string;
}

/** Sees that each chain and jump is there. The last of the list ends up first in its chain. */
export function ensureJumps(netfilter: Netfilter, jumps: readonly JumpRule[]): void {
  for (const table of new Set(jumps.map((jump) => jump.table))) {
    const present = new Set(netfilter.save({ table }).split('\n'));
    for (const jump of jumps) {
      if (jump.table !== table) continue;
      const comment = jump.comment === undefined ? '' : ` -m comment --comment "${jump.comment}"`;
      const match = jump.match === undefined ? '' : ` ${jump.match}`;
      const rule = `${jump.from}${match}${comment} -j ${jump.to}`;
      if (netfilter.table(table).chain(jump.to) === undefined) netfilter.table(table).newChain(jump.to);
      if (!present.has(`-A ${rule}`)) netfilter.restore(`*${table}\n-I ${rule}\nCOMMIT\n`, { noFlush: true });
    }
  }
}
