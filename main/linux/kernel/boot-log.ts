// What the kernel says while it boots: the machine's own figures in the words of dmesg(1).

export interface BootFacts {
  readonly release: string;
  readonly version: string;
  readonly commandLine: string;
  readonly memoryBytes: number;
  readonly cpuCount: number;
  readonly diskBytes: number;
  readonly rootType: string;
}

/** The share of memory that the kernel leaves to others. */
const AVAILABLE_SHARE = 0.92;
const SECTOR_BYTES = 512;

/** The lines in order. */
export function bootLines(facts: BootFacts): string[] {
  const { release, version, commandLine, memoryBytes, cpuCount, diskBytes, rootType } = facts;
  const kilobytes = Math.floor(memoryBytes / 1024);
  const available = Math.floor(kilobytes * AVAILABLE_SHARE);
  const lastByte = (memoryBytes - 1).toString(16).padStart(16, '0');
  const sectors = Math.floor(diskBytes / SECTOR_BYTES);
  const bogoMips = (cpuCount * 4190.15).toFixed(2);
  return [
    `Linux version ${release} (mockbuild@kbuilder) ${version}`,
    `Command line: ${commandLine}`,
    'BIOS-provided physical RAM map:',
    'BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable',
    `BIOS-e820: [mem 0x0000000000100000-0x${lastByte}] usable`,
    'NX (Execute Disable) protection: active',
    'SMBIOS 2.8 present.',
    'DMI: Red Hat KVM, BIOS 1.16.0-4.el9 04/01/2014',
    'Hypervisor detected: KVM',
    'kvm-clock: Using msrs 4b564d01 and 4b564d00',
    'tsc: Detected 2095.078 MHz processor',
    `Kernel command line: ${commandLine}`,
    `Memory: ${available}K/${kilobytes}K available`,
    `SLUB: HWalign=64, Order=0-3, MinObjects=0, CPUs=${cpuCount}, Nodes=1`,
    'rcu: Hierarchical RCU implementation.',
    'Console: colour VGA+ 80x25',
    'printk: console [tty0] enabled',
    `smp: Brought up 1 node, ${cpuCount} CPU${cpuCount === 1 ? '' : 's'}`,
    `smpboot: Total of ${cpuCount} processors activated (${bogoMips} BogoMIPS)`,
    'devtmpfs: initialized',
    'NET: Registered PF_NETLINK/PF_ROUTE protocol family',
    'NET: Registered PF_INET protocol family',
    'NET: Registered PF_UNIX/PF_LOCAL protocol family',
    'NET: Registered PF_INET6 protocol family',
    'NET: Registered PF_PACKET protocol family',
    `sd 0:0:0:0: [sda] ${sectors} 512-byte logical blocks: (${(diskBytes / 1e9).toFixed(1)} GB/${Math.round(diskBytes / 1024 ** 3)} GiB)`,
    ' sda: sda1',
    'sd 0:0:0:0: [sda] Attached SCSI disk',
    ...(rootType === 'xfs' ? ['XFS (sda1): Mounting V5 Filesystem', 'XFS (sda1): Ending clean mount'] : []),
    'systemd[1]: Detected virtualization kvm.',
    'systemd[1]: Detected architecture x86-64.',
  ];
}
