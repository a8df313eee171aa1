// The place of work: a dock with the guide, the cluster's picture and the terminals, in an arrangement that is remembered.
export { Workbench } from './Workbench.tsx';
