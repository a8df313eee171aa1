// Printers of the built-in kinds, by plural (pkg/printers/internalversion).
import type { Printer } from '../kinds/kind.ts';
import { clusterPrinters } from './cluster-printers.ts';
import { devicePrinters } from './device-printers.ts';
import { networkPrinters } from './network-printers.ts';
import { policyPrinters } from './policy-printers.ts';
import { storagePrinters } from './storage-printers.ts';
import { workloadPrinters } from './workload-printers.ts';

export const printers: Readonly<Record<string, Printer>> = {
  ...workloadPrinters,
  ...networkPrinters,
  ...storagePrinters,
  ...policyPrinters,
  ...clusterPrinters,
  ...devicePrinters,
};
