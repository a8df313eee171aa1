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
  type ExecOptions,
  type ImageFile,
  type ImageRecord,
  type ImageRegistry,
  type Sandbox,
  type SandboxSpec,
} from './containerd.ts';
export { cgroupOf } from './cgroup.ts';
export {
  changesOf,
  configOf,
  extendOrigin,
  imageOfOrigin,
  originOf,
  type ChangedFile,
  type FileChange,
  type ImageConfig,
  type ImageOrigin,
} from './derived-image.ts';
export { ImageStore } from './image-store.ts';
export { parseReference } from './reference.ts';
export {
  containerFiles,
  runContainer,
  type ContainerPlan,
  type RunningContainer,
} from './running-container.ts';
export type { Cni, CniResult, PodInfo, PortMapping } from './cni.ts';
export { makeContainerd, type ContainerdDaemon } from './runtime.ts';
