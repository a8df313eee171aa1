// RSA keys made from seeded bytes, so that the same seed gives the same keys (FIPS 186-5, appendix A.1.3 in spirit).
import { checkPrimeSync } from 'node:crypto';
import type { Random } from '../../simulation/index.ts';
import { integer, sequence } from './der.ts';

const EXPONENT = 65_537n;
/** Odd numbers tried after a random start before starting anew. */
const STEPS_MAX = 4096;
const SMALL_PRIMES = smallPrimes(2000);

/** RSAPrivateKey (RFC 8017, A.1.2) of a modulus of so many bits, in DER. Told of each prime's progress as openssl's dots are. */
export function makeRsaKey(random: Random, bits: number, onStep?: (mark: '.' | '+') => void): Buffer {
  for (;;) {
    const half = Math.ceil(bits / 2);
    const [one, two] = [prime(random, half, onStep), prime(random, bits - half, onStep)];
    const [p, q] = one > two ? [one, two] : [two, one];
    const n = p * q;
    if (p === q || n.toString(2).length !== bits) continue;
    const d = inverse(EXPONENT, (p - 1n) * (q - 1n));
    return sequence(
      integer(Buffer.of(0)),
      ...[n, EXPONENT, d, p, q, d % (p - 1n), d % (q - 1n), inverse(q, p)].map((each) =>
        integer(bytesOf(each)),
      ),
    );
  }
}

/** A prime of so many bits with its two highest set, for which 65537 is a fit exponent. */
function prime(random: Random, bits: number, onStep: ((mark: '.' | '+') => void) | undefined): bigint {
  for (;;) {
    const bytes = random.bytes(Math.ceil(bits / 8));
    let start = BigInt(`0x${Buffer.from(bytes).toString('hex')}`) & ((1n << BigInt(bits)) - 1n);
    start |= (3n << BigInt(bits - 2)) | 1n;
    const rests = SMALL_PRIMES.map((small) => Number(start % BigInt(small)));
    for (let step = 0; step < STEPS_MAX; step += 2) {
      if (SMALL_PRIMES.some((small, index) => (rests[index]! + step) % small === 0)) continue;
      const candidate = start + BigInt(step);
      if (candidate >> BigInt(bits) !== 0n) break;
      if ((candidate - 1n) % EXPONENT === 0n) continue;
      onStep?.('.');
      if (!checkPrimeSync(candidate)) continue;
      onStep?.('+');
      return candidate;
    }
  }
}

function smallPrimes(below: number): number[] {
  const found: number[] = [];
  for (let n = 3; n < below; n += 2) if (found.every((each) => n % each !== 0)) found.push(n);
  return found;
}

/** a⁻¹ modulo m, by Euclid. */
export function inverse(a: bigint, m: bigint): bigint {
  let [rest, next] = [m, ((a % m) + m) % m];
  let [x, y] = [0n, 1n];
  while (next !== 0n) {
    const quotient = rest / next;
    [rest, next] = [next, rest - quotient * next];
    [x, y] = [y, x - quotient * y];
  }
  return ((x % m) + m) % m;
}

/** Big-endian, without leading zeros. */
export function bytesOf(value: bigint): Buffer {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}
