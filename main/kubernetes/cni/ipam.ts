// The host-local plugin: one address per container, remembered in files under /var/lib/cni/networks.
import type { FileSystemView } from '../../linux/kernel/index.ts';

const FOLDER = '/var/lib/cni/networks';

/** The addresses of one network on one machine. */
export class HostLocal {
  private readonly fs: FileSystemView;
  private readonly folder: string;
  private readonly first: number;
  private readonly last: number;
  readonly gateway: string;
  readonly prefixLength: number;

  /** `subnet` in CIDR form; its first address is the gateway's. */
  constructor(fs: FileSystemView, network: string, subnet: string) {
    const [base = '', prefix = '24'] = subnet.split('/');
    this.fs = fs;
    this.folder = `${FOLDER}/${network}`;
    this.prefixLength = Number(prefix);
    const size = 2 ** (32 - this.prefixLength);
    const start = Math.floor(toNumber(base) / size) * size;
    this.gateway = toText(start + 1);
    this.first = start + 2;
    this.last = start + size - 2;
  }

  /** The address of a container: the one asked for, or the next that is free. Throws the plugin's error when none is. */
  allocate(containerId: string, wanted: string | undefined): string {
    const { fs } = this;
    if (!fs.exists(this.folder)) fs.mkdir(this.folder, { recursive: true, mode: 0o755 });
    if (wanted !== undefined) {
      const owner = this.ownerOf(wanted);
      if (owner === containerId) return wanted;
      if (owner === undefined) return this.reserve(wanted, containerId);
    }
    const lastPath = `${this.folder}/last_reserved_ip.0`;
    const previous = fs.exists(lastPath) ? toNumber(fs.readText(lastPath).trim()) : this.first - 1;
    const size = this.last - this.first + 1;
    for (let step = 0; step < size; step++) {
      const candidate = toText(this.first + ((previous + 1 - this.first + step + size) % size));
      if (!fs.exists(`${this.folder}/${candidate}`)) return this.reserve(candidate, containerId);
    }
    const range = `${toText(this.first - 1)}-${toText(this.last)}`;
    throw new Error(`no IP addresses available in range set: ${range}`);
  }

  /** Gives back what a container holds; `address` is where to look first. */
  release(containerId: string, address: string | undefined): void {
    const held =
      address !== undefined && this.ownerOf(address) === containerId ? [address] : this.heldBy(containerId);
    for (const each of held) this.fs.unlink(`${this.folder}/${each}`);
  }

  private reserve(address: string, containerId: string): string {
    this.fs.writeFile(`${this.folder}/${address}`, `${containerId}\r\neth0`, { mode: 0o600 });
    this.fs.writeFile(`${this.folder}/last_reserved_ip.0`, address, { mode: 0o600 });
    return address;
  }

  private heldBy(containerId: string): string[] {
    if (!this.fs.exists(this.folder)) return [];
    const names = this.fs.readdir(this.folder).map(({ name }) => name);
    return names.filter((name) => /^[\d.]+$/.test(name) && this.ownerOf(name) === containerId);
  }

  /** The container that has an address. */
  private ownerOf(address: string): string | undefined {
    const path = `${this.folder}/${address}`;
    return this.fs.exists(path) ? this.fs.readText(path).split('\r\n')[0] : undefined;
  }
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

function toText(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}
