// The vocabulary of the Kubernetes API: kinds, resources, metadata, Status, selectors and quantities.
// What a server does with them is apiserver/'s; how to ask for them is client/'s.
export {
  apiVersionOf,
  keyOf,
  type KubernetesObject,
  type List,
  type ManagedFieldsEntry,
  type ObjectKey,
  type ObjectMeta,
  type OwnerReference,
  type Resource,
  type Stored,
  type StoredMeta,
} from './meta.ts';
export {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  quantityMilliValue,
  quantityValue,
  requireQuantity,
  type Quantity,
} from './quantity.ts';
export { builtInResources, resources, type ResourceInfo, type Subresource } from './resources.ts';
export {
  formatLabelSelector,
  labelSelectorOf,
  labelsSelector,
  parseFieldSelector,
  parseLabelSelector,
  SelectorError,
  type FieldRequirement,
  type LabelSelector,
  type LabelSelectorSpec,
} from './selector.ts';
export { podStatusText } from './pod-status-text.ts';
export { isStatus, StatusError, type Status, type StatusCause } from './status.ts';
export type * from './types.ts';
