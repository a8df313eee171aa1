// The admission plugins that are on, in upstream's order.
import type { AdmissionPlugin } from './admission.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';

export function defaultPlugins(): AdmissionPlugin[] {
  return [namespaceLifecycle];
}
