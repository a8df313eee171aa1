// The one source of chance: a seeded generator that forks into independent named streams.

/** Seeded chance. One seed gives one sequence; a fork's sequence depends on its name, not on draws made elsewhere. */
export interface Random {
  /** A fraction in [0, 1). */
  fraction(): number;
  /** An integer in [0, below). */
  integer(below: number): number;
  /** One element of a list that is not empty. */
  pick<T>(items: readonly T[]): T;
  /** `sizeBytes` random bytes. */
  bytes(sizeBytes: number): Uint8Array;
  /** A random (version 4) UUID, RFC 9562. */
  uuid(): string;
  /** `length` characters of `alphabet`. */
  string(length: number, alphabet: string): string;
  /** An independent stream for the component called `name`. */
  fork(name: string): Random;
}

/** The alphabet of Kubernetes' generated names: no vowels, no digits that look like letters (apimachinery util/rand). */
export const NAME_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** Makes the generator for a seed: sfc32 by Chris Doty-Humphrey (PractRand), 128 bits of state. */
export function makeRandom(seed: number | string): Random {
  const next = sfc32(String(seed));

  const random: Random = {
    fraction: () => next() / 2 ** 32,
    integer(below) {
      if (!(below > 0)) throw new RangeError(`integer(${below}): the bound must be positive`);
      return Math.floor((next() / 2 ** 32) * below);
    },
    pick(items) {
      if (items.length === 0) throw new RangeError('pick() from an empty list');
      return items[random.integer(items.length)]!;
    },
    bytes(sizeBytes) {
      const bytes = new Uint8Array(sizeBytes);
      for (let i = 0; i < sizeBytes; i++) bytes[i] = next() & 0xff;
      return bytes;
    },
    uuid() {
      const bytes = random.bytes(16);
      bytes[6] = (bytes[6]! & 0x0f) | 0x40;
      bytes[8] = (bytes[8]! & 0x3f) | 0x80;
      const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
    },
    string(length, alphabet) {
      let text = '';
      for (let i = 0; i < length; i++) text += alphabet[random.integer(alphabet.length)];
      return text;
    },
    fork: (name) => makeRandom(`${seed}/${name}`),
  };
  return random;
}

function sfc32(seed: string): () => number {
  let a = fnv1a(seed, 0x811c9dc5);
  let b = fnv1a(seed, 0x9e3779b9);
  let c = fnv1a(seed, 0x85ebca6b);
  let counter = 1;
  const next = (): number => {
    const sum = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 12; i++) next();
  return next;
}

function fnv1a(text: string, basis: number): number {
  let hash = basis;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash | 0;
}
