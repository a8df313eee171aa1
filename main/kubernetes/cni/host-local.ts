// host-local IPAM: addresses of one node's subnet, each a file in /var/lib/cni/networks (containernetworking/plugins).
import { formatIpv4, parseCidr } from '../../network/index.ts';
import type { FileSystemView } from '../../linux/kernel/index.ts';

const FOLDER = '/var/lib/cni/networks';
const LAST = 'last_reserved_ip.0';

export interface Lease {
  readonly address: string;
  readonly gateway: string;
  readonly prefixLength: number;
}

/** The addresses of one network on one machine. */
export class HostLocal {
  private readonly files: FileSystemView;
  private readonly folder: string;
  private readonly subnet: string;

  constructor(files: FileSystemView, network: string, subnet: string) {
    this.files = files;
    this.folder = `${FOLDER}/${network}`;
    this.subnet = subnet;
  }

  /** Reserves the wished address if it is free, else the next after the last one given. Throws in the plugin's words. */
  reserve(containerId: string, wished?: string): Lease {
    const { files, folder } = this;
    const range = parseCidr(this.subnet);
    if (range === undefined) throw new Error(`invalid CIDR address: ${this.subnet}`);
    files.mkdir(folder, { recursive: true });
    const first = range.address + 2; // The first is the gateway's.
    const last = range.address + 2 ** (32 - range.prefixLength) - 2;
    const gateway = formatIpv4(range.address + 1);
    const lease = (address: string): Lease => {
      files.writeFile(`${folder}/${address}`, `${containerId}\r\neth0`);
      files.writeFile(`${folder}/${LAST}`, address);
      return { address, gateway, prefixLength: range.prefixLength };
    };
    if (wished !== undefined && !files.exists(`${folder}/${wished}`)) return lease(wished);
    const taken = new Set(files.readdir(folder).map(({ name }) => name));
    const start = this.lastReserved(range.address, first - 1);
    const count = last - first + 1;
    for (let step = 1; step <= count; step++) {
      const address = formatIpv4(first + ((start - first + step + count) % count));
      if (!taken.has(address)) return lease(address);
    }
    throw new Error(
      `failed to allocate for range 0: no IP addresses available in range set: ${formatIpv4(range.address + 1)}-${formatIpv4(last)}`,
    );
  }

  /** Gives back what a container holds. */
  release(containerId: string): void {
    const { files, folder } = this;
    if (!files.exists(folder)) return;
    for (const { name } of files.readdir(folder)) {
      if (name !== LAST && files.readText(`${folder}/${name}`).startsWith(containerId))
        files.unlink(`${folder}/${name}`);
    }
  }

  private lastReserved(network: number, otherwise: number): number {
    const path = `${this.folder}/${LAST}`;
    if (!this.files.exists(path)) return otherwise;
    const range = parseCidr(`${this.files.readText(path).trim()}/32`);
    return range === undefined || range.address < network ? otherwise : range.address;
  }
}
