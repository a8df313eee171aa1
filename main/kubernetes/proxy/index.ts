// kube-proxy: turns Services and EndpointSlices into kernel tables, in iptables or ipvs mode. Knows no images and no kubelet.
export { makeKubeProxy } from './kube-proxy.ts';
