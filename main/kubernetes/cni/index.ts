// Pod networks: the CNI plugins that a machine's conf files name. Everything they decide stands in the machine's files,
// devices and tables; nothing else carries packets. The daemons that connect nodes are programs of images.
export { makeCni } from './cni.ts';
