// The kubelet: runs on each node, brings pods bound to it to life through containerd, and tells the API server.
// What containers run in is linux/containerd's; how their network is made is cni/'s.
export { connectKubelets, makeKubelet, type Kubelet } from './kubelet.ts';
export { defaultKubeletConfig, readKubeletConfig, type KubeletConfig } from './config.ts';
