// Pod networks: what containerd calls to connect a pod. The flannel daemon, which prepares the node, is an image.
export { makeCni, type CniOptions } from './cni.ts';
