// Unique numbers from a range: cluster IPs and node ports (pkg/registry/core/service/ipallocator, portallocator).
import type { Random } from '../../../simulation/index.ts';

/** Dotted address → number. */
function ipv4Number(address: string): number {
  return address.split('.').reduce((value, part) => value * 256 + Number(part), 0);
}

function ipv4Text(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}

export function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

/** An IPv4 range; the first and last addresses aren't given out. */
export interface AddressRange {
  readonly text: string;
  readonly first: number;
  readonly size: number;
}

export function parseRange(cidr: string): AddressRange {
  const [address = '', bits = ''] = cidr.split('/');
  const size = 2 ** (32 - Number(bits));
  const base = ipv4Number(address);
  return { text: cidr, first: base - (base % size), size };
}

/** The first address that is given out, which the kubernetes Service has. */
export function firstAddress(range: AddressRange): string {
  return ipv4Text(range.first + 1);
}

/** The address of the range itself. */
export function networkAddress(range: AddressRange): string {
  return ipv4Text(range.first);
}

/** Whether an address belongs to a range at all, be it one that isn't given out. */
export function isInside(range: AddressRange, address: string): boolean {
  const value = ipv4Number(address);
  return value >= range.first && value < range.first + range.size;
}

export function inRange(range: AddressRange, address: string): boolean {
  const value = ipv4Number(address);
  return value > range.first && value < range.first + range.size - 1;
}

/** Dynamic addresses come from above this offset first, so that low ones may be picked by hand (KEP-3070). */
function dynamicOffset(size: number): number {
  if (size <= 16) return 0;
  return Math.min(256, Math.max(16, Math.floor(size / 16)));
}

/** A free address, or undefined when all are taken. */
export function pickAddress(
  range: AddressRange,
  isTaken: (address: string) => boolean,
  random: Random,
): string | undefined {
  const usable = range.size - 2;
  const offset = Math.min(dynamicOffset(range.size), usable);
  return (
    pick(range.first + 1 + offset, usable - offset, (value) => isTaken(ipv4Text(value)), random, ipv4Text) ??
    pick(range.first + 1, offset, (value) => isTaken(ipv4Text(value)), random, ipv4Text)
  );
}

/** A free port of `first`–`last`, or undefined. */
export function pickPort(
  first: number,
  last: number,
  isTaken: (port: number) => boolean,
  random: Random,
): number | undefined {
  const size = last - first + 1;
  const offset = Math.min(128, Math.max(16, Math.floor(size / 32)));
  return (
    pick(first + offset, size - offset, isTaken, random, (value) => value) ??
    pick(first, offset, isTaken, random, (value) => value)
  );
}

function pick<T>(
  first: number,
  size: number,
  isTaken: (value: number) => boolean,
  random: Random,
  make: (value: number) => T,
): T | undefined {
  if (size <= 0) return undefined;
  const start = random.integer(size);
  for (let step = 0; step < size; step++) {
    const value = first + ((start + step) % size);
    if (!isTaken(value)) return make(value);
  }
  return undefined;
}
