// Where a sandbox's and its containers' processes are among the machine's control groups, as runc names the groups.

/** The group of one container, or of a sandbox's own process, below that of its pod. */
export function cgroupOf(parent: string, id: string): string {
  // The systemd driver makes scopes of containers; the cgroupfs driver plain directories.
  return parent.endsWith('.slice') ? `${parent}/cri-containerd-${id}.scope` : `${parent}/${id}`;
}

/** cpu.weight for cpu.shares: runc, libcontainer/cgroups/utils.go, ConvertCPUSharesToCgroupV2Value. */
export function cpuWeight(shares: number): number {
  return 1 + Math.floor(((Math.min(Math.max(shares, 2), 262_144) - 2) * 9999) / 262_142);
}
