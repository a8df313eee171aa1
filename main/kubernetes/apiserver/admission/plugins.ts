// The admission plugins that are on, in upstream's order.
import type { AdmissionPlugin } from './admission.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { defaultTolerationSeconds, priority } from './pod-plugins.ts';
import { serviceAccount } from './service-account.ts';

export function defaultPlugins(): AdmissionPlugin[] {
  return [namespaceLifecycle, serviceAccount, priority, defaultTolerationSeconds];
}
