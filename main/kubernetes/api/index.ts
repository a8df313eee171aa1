// The vocabulary of the Kubernetes API: kinds, resources, metadata, Status, selectors and quantities.
// What a server does with them is apiserver/'s; how to ask for them is client/'s.
export { minorOf } from './api-versions.ts';
export {
  apiVersionOf,
  keyOf,
  type KubernetesObject,
  type List,
  type ObjectKey,
  type ObjectMeta,
  type OwnerReference,
  type Resource,
  type Stored,
} from './meta.ts';
export {
  addQuantities,
  formatQuantity,
  canonicalQuantity,
  compareQuantities,
  parseQuantity,
  quantityMilliValue,
  quantityValue,
  requireQuantity,
} from './quantity.ts';
export { builtInResources, resources } from './resources.ts';
export {
  type LabelSelector,
  type LabelSelectorSpec,
  formatLabelSelector,
  labelSelectorOf,
  labelsSelector,
  parseFieldSelector,
  parseLabelSelector,
} from './selector.ts';
export { podStatusText } from './pod-status.ts';
export { isStatus, StatusError, type Status } from './status.ts';
export type * from './types.ts';
export { verbOfMethod } from './verbs.ts';
