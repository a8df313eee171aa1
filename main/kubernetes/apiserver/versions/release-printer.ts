// The columns that a release prints: those of today without what came later (pkg/printers/internalversion of each).
import type { Cell, Column, Printer } from '../kinds/kind.ts';
import { ageOf } from '../table/duration.ts';
import { printers } from '../table/kind-printers.ts';
import { DEFAULT_COLUMNS } from '../table/printers.ts';

/** By plural: column → first release that has it. */
const COLUMNS_SINCE: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  certificatesigningrequests: { SignerName: 19, RequestedDuration: 22 },
  clusterrolebindings: { Role: 18 },
  cronjobs: { Timezone: 30 },
  ingresses: { Class: 18 },
  jobs: { Status: 31 },
  persistentvolumeclaims: { VolumeAttributesClass: 29 },
  persistentvolumes: { VolumeAttributesClass: 29 },
  priorityclasses: { PreemptionPolicy: 31 },
  rolebindings: { Role: 18 },
  storageclasses: { ReclaimPolicy: 18, VolumeBindingMode: 18, AllowVolumeExpansion: 18 },
};

/** Cells that were shorter before a release. */
const SHORTER: Readonly<
  Record<string, { readonly column: string; readonly until: number; readonly cut: (text: string) => string }>
> = {
  // The time of the last restart.
  pods: { column: 'Restarts', until: 22, cut: (text) => text.replace(/ \(.* ago\)$/, '') },
  // The name of the resource before its figures.
  horizontalpodautoscalers: { column: 'Targets', until: 30, cut: (text) => text.replace(/\bcpu: /, '') },
};

const [NAME, AGE] = DEFAULT_COLUMNS as readonly [Column, Column];

/** Names and ages, before roles were printed with the time of their creation. */
const namesAndAges: Printer = {
  columns: [NAME, AGE],
  row: ({ metadata }, nowMs) => [metadata.name, ageOf(metadata.creationTimestamp, nowMs)],
};

/** How many Secrets an account has; of interest while tokens were in them. */
const accountsWithSecrets: Printer = {
  columns: [
    NAME,
    {
      name: 'Secrets',
      type: 'string',
      format: '',
      description:
        'Secrets is a list of the secrets in the same namespace that pods running using this ServiceAccount are allowed to use.',
      priority: 0,
    },
    AGE,
  ],
  row: ({ metadata, secrets }, nowMs) => [
    metadata.name,
    Array.isArray(secrets) ? secrets.length : 0,
    ageOf(metadata.creationTimestamp, nowMs),
  ],
};

/** Printers that were others before a release. */
const FORMER: Readonly<Record<string, { readonly until: number; readonly printer: Printer }>> = {
  clusterroles: { until: 19, printer: namesAndAges },
  roles: { until: 19, printer: namesAndAges },
  serviceaccounts: { until: 34, printer: accountsWithSecrets },
};

/** The printer that a release has of its own for a plural; undefined where it is today's. */
export function releasePrinter(minor: number, plural: string): Printer | undefined {
  const former = FORMER[plural];
  if (former !== undefined && minor < former.until) return former.printer;
  const today = printers[plural];
  if (today === undefined) return undefined;
  const since = COLUMNS_SINCE[plural] ?? {};
  const kept = today.columns.map(({ name }) => minor >= (since[name] ?? 0));
  const shorter = SHORTER[plural];
  const cut = shorter !== undefined && minor < shorter.until ? shorter : undefined;
  if (cut === undefined && kept.every(Boolean)) return undefined;
  const at = today.columns.findIndex(({ name }) => name === cut?.column);
  const shorten = (cell: Cell): Cell =>
    typeof cell === 'string' && cut !== undefined ? cut.cut(cell) : cell;
  return {
    columns: today.columns.filter((_column, index) => kept[index]),
    row: (object, nowMs) =>
      today
        .row(object, nowMs)
        .map((cell, index) => (index === at ? shorten(cell) : cell))
        .filter((_cell, index) => kept[index]),
  };
}
