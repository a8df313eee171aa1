// IP addresses and ranges as texts: what is wrong with them (apimachinery util/validation/ip.go, k8s.io/utils/net).

/** An address by its bytes, four or sixteen. */
export interface Address {
  readonly version: 4 | 6;
  readonly bytes: readonly number[];
}

/** A network and how many of its bits count. */
export interface AddressRange {
  readonly address: Address;
  readonly bits: number;
}

function parseIpv4(text: string): number[] | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255))
    return undefined;
  return parts.map(Number);
}

/** The 16-bit groups of one side of an IPv6 address; a dotted end counts as two. */
function groupsOf(text: string): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (part.includes('.') && index === parts.length - 1) {
      const bytes = parseIpv4(part);
      if (bytes === undefined) return undefined;
      groups.push(bytes[0]! * 256 + bytes[1]!, bytes[2]! * 256 + bytes[3]!);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

function parseIpv6(text: string): number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map(groupsOf);
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups =
    halves.length === 2 ? [...head, ...Array.from({ length: missing }, () => 0), ...tail!] : head;
  return groups.flatMap((group) => [group >> 8, group & 0xff]);
}

/** Reads an address, leading zeros or not; undefined if it isn't one. */
export function parseAddress(text: string): Address | undefined {
  if (!text.includes(':')) {
    const bytes = parseIpv4(text);
    return bytes === undefined ? undefined : { version: 4, bytes };
  }
  const bytes = parseIpv6(text);
  return bytes === undefined ? undefined : { version: 6, bytes };
}

const hasLeadingZero = (text: string): boolean => text.split('.').some((part) => /^0\d/.test(part));

/** What is wrong with an address (IsValidIPForLegacyField and what strict parsing adds). */
export function addressProblems(text: string): string[] {
  const address = parseAddress(text);
  if (address === undefined) return ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'];
  return address.version === 4 && hasLeadingZero(text) ? ['must not have leading 0s'] : [];
}

/** Reads `10.9.8.0/24`; undefined if it isn't a range. */
export function parseRange(text: string): AddressRange | undefined {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  const address = match === null ? undefined : parseAddress(match[1]!);
  const bits = Number(match?.[2]);
  if (address === undefined || bits > address.bytes.length * 8) return undefined;
  return { address, bits };
}

export function rangeProblems(text: string): string[] {
  return parseRange(text) === undefined
    ? ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)']
    : [];
}

/** Whether every address of `inner` is in `outer`. */
export function containsRange(outer: AddressRange, inner: AddressRange): boolean {
  if (outer.address.version !== inner.address.version || inner.bits < outer.bits) return false;
  for (let bit = 0; bit < outer.bits; bit++) {
    const mask = 0x80 >> (bit % 8);
    const index = Math.floor(bit / 8);
    if ((outer.address.bytes[index]! & mask) !== (inner.address.bytes[index]! & mask)) return false;
  }
  return true;
}
