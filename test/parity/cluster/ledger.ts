// The transcripts of an area that don't agree, or need not, each with its reason.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Transcripts by their number, with one reason. */
interface Listed {
  readonly reason: string;
  readonly transcripts: readonly string[];
}

interface Ledger {
  readonly differs: readonly Listed[];
  readonly varies: readonly Listed[];
  readonly excluded: readonly Listed[];
}

/** Numbers such as `04`. */
export interface Listing {
  /** Say what Drydock doesn't. Like those left out, these may only become fewer: what has come to agree is taken off. */
  readonly differs: ReadonlySet<string>;
  /** Depend on chance or on how fast the two machines are, not on the server alone: they may agree or not; not counted. */
  readonly varies: ReadonlySet<string>;
  /** Don't depend on the server alone, but on the recorded machine or on what else ran there; not counted. */
  readonly excluded: ReadonlySet<string>;
}

/** What known-differences/AREA.json lists. */
export function listingOf(area: string): Listing {
  const file = path.join(import.meta.dirname, 'known-differences', `${area}.json`);
  const ledger: Partial<Ledger> = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Ledger) : {};
  const numbers = (lists: readonly Listed[] = []): Set<string> =>
    new Set(lists.flatMap(({ transcripts }) => transcripts));
  return {
    differs: numbers(ledger.differs),
    varies: numbers(ledger.varies),
    excluded: numbers(ledger.excluded),
  };
}

/** The number that a transcript's file name begins with. */
export function numberOf(file: string): string {
  return file.split('-', 1)[0]!;
}
