// IPv4 addresses and prefixes: as unsigned 32-bit numbers on the packets' way, as dotted text at the edges.

/** Parses `a.b.c.d` (no short forms); undefined if it isn't one. */
export function parseIpv4(text: string): number | undefined {
  let value = 0;
  let octet = -1;
  let dots = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 46) {
      if (octet < 0 || ++dots > 3) return undefined;
      value = value * 256 + octet;
      octet = -1;
    } else {
      if (code < 48 || code > 57) return undefined;
      octet = octet < 0 ? code - 48 : octet * 10 + code - 48;
      if (octet > 255) return undefined;
    }
  }
  return dots === 3 && octet >= 0 ? value * 256 + octet : undefined;
}

const TEXT_CACHE_MAX = 65536;
const texts = new Map<number, string>();

/** The dotted text of an address. */
export function formatIpv4(address: number): string {
  let text = texts.get(address);
  if (text === undefined) {
    text = `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
    if (texts.size >= TEXT_CACHE_MAX) texts.clear();
    texts.set(address, text);
  }
  return text;
}

/** The netmask of a prefix length, as a number. */
export function maskOf(prefixLength: number): number {
  return prefixLength === 0 ? 0 : (0xffffffff << (32 - prefixLength)) >>> 0;
}

/** The prefix length of a contiguous netmask, else undefined. */
export function prefixLengthOf(mask: number): number | undefined {
  for (let length = 0; length <= 32; length++) if (maskOf(length) === mask) return length;
  return undefined;
}

/** An IPv4 prefix with its host bits cleared. */
export interface Cidr {
  readonly address: number;
  readonly prefixLength: number;
  readonly mask: number;
}

/** Parses `a.b.c.d`, `a.b.c.d/len` or `a.b.c.d/mask`; host bits are cleared. */
export function parseCidr(text: string): Cidr | undefined {
  const [host = '', suffix] = text.split('/');
  const address = parseIpv4(host);
  if (address === undefined) return undefined;
  let prefixLength: number | undefined = 32;
  if (suffix !== undefined) {
    if (/^\d{1,2}$/.test(suffix)) prefixLength = Number(suffix);
    else {
      const mask = parseIpv4(suffix);
      prefixLength = mask === undefined ? undefined : prefixLengthOf(mask);
    }
  }
  if (prefixLength === undefined || prefixLength > 32) return undefined;
  const mask = maskOf(prefixLength);
  return { address: (address & mask) >>> 0, prefixLength, mask };
}

/** `a.b.c.d/len`. */
export function formatCidr(cidr: Cidr): string {
  return `${formatIpv4(cidr.address)}/${cidr.prefixLength}`;
}

export function cidrContains(cidr: Cidr, address: number): boolean {
  return (address & cidr.mask) >>> 0 === cidr.address;
}

export function isMulticast(address: number): boolean {
  return address >>> 28 === 14;
}

export function isLoopback(address: number): boolean {
  return address >>> 24 === 127;
}
