// The container runtime of a machine: images, sandboxes and containers over the kernel, as CRI names them.
// What a pod is, and which network it gets, is decided by the kubelet and by the Cni that is passed in.
export {
  containerdSocket,
  RuntimeError,
  type Container,
  type Containerd,
  type ContainerImage,
  type ContainerMount,
  type ContainerSpec,
  type ImageFile,
  type ImageRecord,
  type ImageRegistry,
  type Sandbox,
  type SandboxSpec,
} from './containerd.ts';
export { cgroupOf } from './cgroup.ts';
export type { Cni, CniResult, PodInfo, PortMapping } from './cni.ts';
export { makeContainerd, type ContainerdDaemon } from './runtime.ts';
