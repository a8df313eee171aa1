// What is in container images: files, and the programs that run from them. Which images a cluster's nodes can pull is
// the catalogue's word; how containers run is linux/containerd's.
export { makeCatalogue } from './catalogue.ts';
export type { OwnImage } from './own-images.ts';
