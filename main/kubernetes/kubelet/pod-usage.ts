// What a pod uses of its node: memory and processes by its control groups, disk by its folders and layers.
import { cgroupOf, type Containerd } from '../../linux/containerd/index.ts';
import type { FileSystemView, Kernel } from '../../linux/kernel/index.ts';
import { LOG_FOLDER } from './container-starter.ts';
import type { KnownPod } from './pod-facts.ts';
import type { RuntimeCache } from './runtime-cache.ts';
import type { VolumeManager } from './volumes.ts';

export interface PodUsageWorld {
  readonly kernel: Kernel;
  readonly containerd: Containerd;
  readonly fs: FileSystemView;
  readonly runtime: RuntimeCache;
  readonly volumes: VolumeManager;
}

export interface ContainerUse {
  readonly name: string;
  readonly memoryBytes: number;
  readonly processes: number;
  /** Its writable layer and its logs. */
  readonly diskBytes: number;
}

/** By container; only what runs counts. */
export function usageOf(world: PodUsageWorld, pod: KnownPod): ContainerUse[] {
  const { sandboxes, containers } = world.runtime.get(pod.metadata.uid);
  return containers.flatMap((container) => {
    const sandbox = sandboxes.find(({ id }) => id === container.sandboxId);
    if (container.state !== 'running' || sandbox === undefined) return [];
    const usage = world.kernel.cgroupUsage(cgroupOf(sandbox.spec.cgroupParent, container.id));
    const { namespace, name, uid } = pod.metadata;
    const logs = `${LOG_FOLDER}/${namespace}_${name}_${uid}/${container.spec.name}`;
    return {
      name: container.spec.name,
      memoryBytes: usage?.memoryBytes ?? 0,
      processes: usage?.processes ?? 0,
      diskBytes: world.containerd.layerBytes(container.id) + folderBytes(world.fs, logs),
    };
  });
}

/** What the files of a pod's emptyDir volumes take, by volume; those in memory aren't on the disk. */
export function emptyDirBytes(world: PodUsageWorld, pod: KnownPod): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { name, emptyDir } of pod.spec.volumes ?? []) {
    const isOnDisk = emptyDir !== undefined && emptyDir.medium !== 'Memory';
    const path = !isOnDisk ? undefined : world.volumes.pathOf(pod, name);
    if (path !== undefined) sizes.set(name, folderBytes(world.fs, path));
  }
  return sizes;
}

/** As du(1) adds it up. */
function folderBytes(fs: FileSystemView, path: string): number {
  if (!fs.exists(path)) return 0;
  let bytes = 0;
  for (const entry of fs.readdir(path)) {
    const at = `${path}/${entry.name}`;
    if (entry.type === 'directory') bytes += folderBytes(fs, at);
    else if (entry.type === 'file') bytes += fs.stat(at).sizeBytes;
  }
  return bytes;
}
