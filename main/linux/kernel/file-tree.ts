// A tree of inodes that can be mounted; what a block device, an overlay or a tmpfs holds.

/** Opaque to all but the kernel: made by the functions of `linux/kernel` (makeTmpfs, makeOverlay, openMachineDisk …). */
export interface FileSystemTree {
  readonly id: string;
  /** Bytes used by what was written to it. */
  readonly usedBytes: number;
}
