// Kubernetes' value types in CEL: quantities, semantic versions, addresses and ranges, name formats (apiserver pkg/cel/library).
import { EvaluationError, Optional, type Environment } from '@marcbachmann/cel-js';
import { parseQuantity, type Quantity } from '../../../api/quantity.ts';
import { labelProblems, subdomainProblems } from '../../kinds/names.ts';
import { labelKeyProblems, labelValueProblems } from '../../../api/selector.ts';
import {
  containsRange,
  parseAddress,
  parseRange,
  type Address,
  type AddressRange,
} from '../../validation/addresses.ts';
import { namespace } from './text.ts';

export function registerValues(environment: Environment): void {
  registerQuantities(environment);
  registerVersions(environment);
  registerAddresses(environment);
  registerRanges(environment);
  registerFormats(environment);
}

const NANO = 1_000_000_000n;
const QUANTITY = 'kubernetes.Quantity';

class CelQuantity {
  readonly nano: bigint;
  constructor(nano: bigint) {
    this.nano = nano;
  }
}

function isQuantityText(text: string): Quantity | undefined {
  return text === '' ? undefined : parseQuantity(text);
}

function registerQuantities(environment: Environment): void {
  environment.registerType(QUANTITY, CelQuantity);
  environment.registerFunction(
    'isQuantity(string): bool',
    (text: string) => isQuantityText(text) !== undefined,
  );
  environment.registerFunction(`quantity(string): ${QUANTITY}`, (text: string) => {
    const parsed = isQuantityText(text);
    if (parsed === undefined)
      throw new EvaluationError(
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
      );
    return new CelQuantity(parsed.nano);
  });
  const method = <T>(signature: string, read: (self: CelQuantity, other: T) => unknown): void => {
    environment.registerFunction(`${QUANTITY}.${signature}`, read);
  };
  const sign = (value: bigint): bigint => (value < 0n ? -1n : value > 0n ? 1n : 0n);
  method('sign(): int', ({ nano }) => sign(nano));
  method('isInteger(): bool', ({ nano }) => nano % NANO === 0n && isInt64(nano / NANO));
  method('asInteger(): int', ({ nano }) => {
    if (nano % NANO !== 0n || !isInt64(nano / NANO))
      throw new EvaluationError('cannot convert value to integer');
    return nano / NANO;
  });
  method('asApproximateFloat(): double', ({ nano }) => Number(nano) / Number(NANO));
  for (const [name, factor] of [
    ['add', 1n],
    ['sub', -1n],
  ] as const) {
    method<CelQuantity>(
      `${name}(${QUANTITY}): ${QUANTITY}`,
      (a, b) => new CelQuantity(a.nano + factor * b.nano),
    );
    method<bigint>(`${name}(int): ${QUANTITY}`, (a, b) => new CelQuantity(a.nano + factor * b * NANO));
  }
  method<CelQuantity>(`compareTo(${QUANTITY}): int`, (a, b) => sign(a.nano - b.nano));
  method<CelQuantity>(`isGreaterThan(${QUANTITY}): bool`, (a, b) => a.nano > b.nano);
  method<CelQuantity>(`isLessThan(${QUANTITY}): bool`, (a, b) => a.nano < b.nano);
  environment.registerOperator(
    `${QUANTITY} == ${QUANTITY}`,
    (a: CelQuantity, b: CelQuantity) => a.nano === b.nano,
  );
}

function isInt64(value: bigint): boolean {
  return BigInt.asIntN(64, value) === value;
}

const VERSION = 'kubernetes.Semver';
const VERSION_PATTERN =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/;

class CelVersion {
  readonly numbers: readonly bigint[];
  readonly pre: readonly string[];
  constructor(numbers: readonly bigint[], pre: readonly string[]) {
    this.numbers = numbers;
    this.pre = pre;
  }
}

/** Reads a semantic version; a normalized one may leave parts out, begin with v and have leading zeros. */
function readVersion(given: string, normalize: boolean): CelVersion | undefined {
  let text = given;
  if (normalize) {
    const [core, rest] = splitAt(text.replace(/^v/, ''), /[-+]/);
    const parts = core.split('.').map((part) => part.replace(/^0+(?=\d)/, ''));
    while (parts.length < 3) parts.push('0');
    text = parts.join('.') + rest;
  }
  const match = VERSION_PATTERN.exec(text);
  if (match === null) return undefined;
  const [, major = '', minor = '', patch = '', pre = ''] = match;
  return new CelVersion([major, minor, patch].map(BigInt), pre === '' ? [] : pre.split('.'));
}

function splitAt(text: string, pattern: RegExp): [string, string] {
  const at = text.search(pattern);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at)];
}

/** Semantic Versioning 2.0.0, 11. */
function compareVersions(a: CelVersion, b: CelVersion): bigint {
  for (let index = 0; index < 3; index++) {
    const [left, right] = [a.numbers[index]!, b.numbers[index]!];
    if (left !== right) return left < right ? -1n : 1n;
  }
  if (a.pre.length === 0 || b.pre.length === 0) return BigInt(b.pre.length > 0) - BigInt(a.pre.length > 0);
  for (let index = 0; index < Math.max(a.pre.length, b.pre.length); index++) {
    const [left, right] = [a.pre[index], b.pre[index]];
    if (left === undefined || right === undefined) return left === undefined ? -1n : 1n;
    if (left === right) continue;
    const [leftNumber, rightNumber] = [/^\d+$/.test(left), /^\d+$/.test(right)];
    if (leftNumber !== rightNumber) return leftNumber ? -1n : 1n;
    const isLess = leftNumber ? BigInt(left) < BigInt(right) : left < right;
    return isLess ? -1n : 1n;
  }
  return 0n;
}

function registerVersions(environment: Environment): void {
  environment.registerType(VERSION, CelVersion);
  const make = (text: string, normalize = false): CelVersion => {
    const version = readVersion(text, normalize);
    if (version === undefined) throw new EvaluationError('No Major.Minor.Patch elements found');
    return version;
  };
  environment.registerFunction(
    'isSemver(string): bool',
    (text: string) => readVersion(text, false) !== undefined,
  );
  environment.registerFunction(
    'isSemver(string, bool): bool',
    (text: string, normalize: boolean) => readVersion(text, normalize) !== undefined,
  );
  environment.registerFunction(`semver(string): ${VERSION}`, (text: string) => make(text));
  environment.registerFunction(`semver(string, bool): ${VERSION}`, (text: string, normalize: boolean) =>
    make(text, normalize),
  );
  for (const [index, name] of ['major', 'minor', 'patch'].entries())
    environment.registerFunction(`${VERSION}.${name}(): int`, ({ numbers }: CelVersion) => numbers[index]);
  const method = (signature: string, read: (a: CelVersion, b: CelVersion) => unknown): void => {
    environment.registerFunction(`${VERSION}.${signature}`, read);
  };
  method(`compareTo(${VERSION}): int`, compareVersions);
  method(`isGreaterThan(${VERSION}): bool`, (a, b) => compareVersions(a, b) > 0n);
  method(`isLessThan(${VERSION}): bool`, (a, b) => compareVersions(a, b) < 0n);
  environment.registerOperator(
    `${VERSION} == ${VERSION}`,
    (a: CelVersion, b: CelVersion) => compareVersions(a, b) === 0n,
  );
}

const ADDRESS = 'net.IP';

class CelAddress {
  readonly address: Address;
  constructor(address: Address) {
    this.address = address;
  }
  toString(): string {
    return addressText(this.address);
  }
}

/** As netip.ParseAddr and apiserver's library read it: no leading zeros, no zone, no IPv4 inside IPv6. */
function readAddress(text: string): Address | undefined {
  if (text.split('.').some((part) => /^0\d/.test(part)) || text.includes('%')) return undefined;
  const address = parseAddress(text);
  if (address === undefined || address.version === 4) return address;
  const { bytes } = address;
  const isMapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  return isMapped ? undefined : address;
}

/** RFC 5952 for IPv6. */
function addressText({ version, bytes }: Address): string {
  if (version === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, index) => (bytes[index * 2]! << 8) | bytes[index * 2 + 1]!);
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && groups[end] === 0) end++;
    if (end - start > best.length) best = { start, length: end - start };
  }
  const text = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  if (best.start < 0) return text(groups);
  return `${text(groups.slice(0, best.start))}::${text(groups.slice(best.start + best.length))}`;
}

function requireAddress(text: string): CelAddress {
  const address = readAddress(text);
  if (address === undefined)
    throw new EvaluationError(
      `IP Address ${JSON.stringify(text)} parse error during conversion from string: ParseAddr(${JSON.stringify(text)}): unable to parse IP`,
    );
  return new CelAddress(address);
}

function registerAddresses(environment: Environment): void {
  environment.registerType(ADDRESS, CelAddress);
  environment.registerFunction('isIP(string): bool', (text: string) => readAddress(text) !== undefined);
  environment.registerFunction(`ip(string): ${ADDRESS}`, requireAddress);
  environment.registerFunction(`string(${ADDRESS}): string`, (self: CelAddress) => self.toString());
  namespace(environment, 'ip', 'IpNamespace');
  environment.registerFunction(
    'IpNamespace.isCanonical(string): bool',
    (_self: unknown, text: string) => requireAddress(text).toString() === text,
  );
  const is = (name: string, test: (bytes: readonly number[], isV4: boolean) => boolean): void => {
    environment.registerFunction(`${ADDRESS}.${name}(): bool`, ({ address }: CelAddress) =>
      test(address.bytes, address.version === 4),
    );
  };
  environment.registerFunction(`${ADDRESS}.family(): int`, ({ address }: CelAddress) =>
    BigInt(address.version),
  );
  const isUnspecified = (bytes: readonly number[]): boolean => bytes.every((byte) => byte === 0);
  const isLoopback = (bytes: readonly number[], isV4: boolean): boolean =>
    isV4 ? bytes[0] === 127 : bytes.every((byte, index) => byte === (index === 15 ? 1 : 0));
  const isLinkLocal = (bytes: readonly number[], isV4: boolean): boolean =>
    isV4 ? bytes[0] === 169 && bytes[1] === 254 : bytes[0] === 0xfe && (bytes[1]! & 0xc0) === 0x80;
  const isMulticast = (bytes: readonly number[], isV4: boolean): boolean =>
    isV4 ? (bytes[0]! & 0xf0) === 0xe0 : bytes[0] === 0xff;
  is('isUnspecified', isUnspecified);
  is('isLoopback', isLoopback);
  is('isLinkLocalUnicast', isLinkLocal);
  is('isLinkLocalMulticast', (bytes, isV4) =>
    isV4
      ? bytes[0] === 224 && bytes[1] === 0 && bytes[2] === 0
      : bytes[0] === 0xff && (bytes[1]! & 0x0f) === 2,
  );
  is(
    'isGlobalUnicast',
    (bytes, isV4) =>
      !isUnspecified(bytes) &&
      !isLoopback(bytes, isV4) &&
      !isMulticast(bytes, isV4) &&
      !isLinkLocal(bytes, isV4) &&
      !(isV4 && bytes.every((byte) => byte === 255)),
  );
  environment.registerOperator(
    `${ADDRESS} == ${ADDRESS}`,
    (a: CelAddress, b: CelAddress) => a.toString() === b.toString(),
  );
}

const RANGE = 'net.CIDR';

class CelRange {
  readonly range: AddressRange;
  constructor(range: AddressRange) {
    this.range = range;
  }
  toString(): string {
    return `${addressText(this.range.address)}/${this.range.bits}`;
  }
}

function readRange(text: string): AddressRange | undefined {
  const [address = ''] = text.split('/');
  return readAddress(address) === undefined || /\/0\d/.test(text) ? undefined : parseRange(text);
}

function requireRange(text: string): CelRange {
  const range = readRange(text);
  if (range === undefined)
    throw new EvaluationError(
      `network address parse error during conversion from string: netip.ParsePrefix(${JSON.stringify(text)}): no '/'`,
    );
  return new CelRange(range);
}

function registerRanges(environment: Environment): void {
  environment.registerType(RANGE, CelRange);
  environment.registerFunction('isCIDR(string): bool', (text: string) => readRange(text) !== undefined);
  environment.registerFunction(`cidr(string): ${RANGE}`, requireRange);
  environment.registerFunction(`string(${RANGE}): string`, (self: CelRange) => self.toString());
  const method = <T>(signature: string, read: (self: CelRange, other: T) => unknown): void => {
    environment.registerFunction(`${RANGE}.${signature}`, read);
  };
  const holds = ({ range }: CelRange, { address }: CelAddress): boolean =>
    containsRange(range, { address, bits: address.bytes.length * 8 });
  method<CelAddress>(`containsIP(${ADDRESS}): bool`, holds);
  method<string>('containsIP(string): bool', (self, text) => holds(self, requireAddress(text)));
  method<CelRange>(`containsCIDR(${RANGE}): bool`, (self, other) => containsRange(self.range, other.range));
  method<string>('containsCIDR(string): bool', (self, text) =>
    containsRange(self.range, requireRange(text).range),
  );
  method(`ip(): ${ADDRESS}`, ({ range }) => new CelAddress(range.address));
  method(`masked(): ${RANGE}`, ({ range }) => new CelRange(masked(range)));
  method('prefixLength(): int', ({ range }) => BigInt(range.bits));
  environment.registerOperator(
    `${RANGE} == ${RANGE}`,
    (a: CelRange, b: CelRange) => a.toString() === b.toString(),
  );
}

function masked({ address, bits }: AddressRange): AddressRange {
  const bytes = address.bytes.map((byte, index) => {
    const kept = Math.min(8, Math.max(0, bits - index * 8));
    return byte & (0xff << (8 - kept)) & 0xff;
  });
  return { address: { ...address, bytes }, bits };
}

const FORMAT = 'kubernetes.NamedFormat';

class CelFormat {
  readonly problems: (text: string) => string[];
  constructor(problems: (text: string) => string[]) {
    this.problems = problems;
  }
}

const test =
  (pattern: RegExp, why: string) =>
  (text: string): string[] =>
    pattern.test(text) ? [] : [why];

/** The formats by their names in `format.named` (KEP-4358). */
const FORMATS: Readonly<Record<string, CelFormat>> = {
  dns1123Label: new CelFormat((text) => labelProblems(text)),
  dns1123Subdomain: new CelFormat((text) => subdomainProblems(text)),
  dns1035Label: new CelFormat(
    test(
      /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/,
      "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
    ),
  ),
  dns1123LabelPrefix: new CelFormat((text) => labelProblems(text, true)),
  dns1123SubdomainPrefix: new CelFormat((text) => subdomainProblems(text, true)),
  dns1035LabelPrefix: new CelFormat(
    test(/^[a-z]([-a-z0-9]{0,61}[-a-z0-9])?$/, 'a DNS-1035 label must start with an alphabetic character'),
  ),
  qualifiedName: new CelFormat((text) => labelKeyProblems(text)),
  labelValue: new CelFormat((text) => labelValueProblems(text)),
  uri: new CelFormat((text) => (URL.canParse(text) || text.startsWith('/') ? [] : ['invalid URI'])),
  uuid: new CelFormat(
    test(
      /^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}$/,
      'does not match the UUID format',
    ),
  ),
  byte: new CelFormat(
    test(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, 'invalid base64'),
  ),
  date: new CelFormat((text) =>
    /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) ? [] : ['invalid date'],
  ),
  datetime: new CelFormat((text) =>
    /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(text) ? [] : ['invalid datetime'],
  ),
};

function registerFormats(environment: Environment): void {
  environment.registerType(FORMAT, CelFormat);
  namespace(environment, 'format', 'FormatNamespace');
  environment.registerFunction(
    `FormatNamespace.named(string): optional<${FORMAT}>`,
    (_self: unknown, name: string) => {
      const found = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined;
      return found === undefined ? Optional.none() : Optional.of(found);
    },
  );
  for (const [name, made] of Object.entries(FORMATS))
    environment.registerFunction(`FormatNamespace.${name}(): ${FORMAT}`, () => made);
  environment.registerFunction(
    `${FORMAT}.validate(string): optional<list<string>>`,
    ({ problems }: CelFormat, text: string) => {
      const found = problems(text);
      return found.length === 0 ? Optional.none() : Optional.of(found);
    },
  );
}
