// The hash that names ReplicaSets and controller revisions after their template.
import { NAME_ALPHABET } from '../../simulation/index.ts';

/**
 * FNV-1a (32 bits) over the canonical JSON of `value`, spelled as pod-template-hash is: each decimal digit mapped
 * into the safe alphabet (apimachinery util/rand's SafeEncodeString).
 * Differs: the real one hashes a dump of Go's structs, so its values depend on Kubernetes' build; only the form is kept.
 */
export function templateHash(value: unknown, collisionCount?: number): string {
  const text = canonicalJson(value) + (collisionCount === undefined ? '' : `#${collisionCount}`);
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return Array.from(
    String(hash >>> 0),
    (digit) => NAME_ALPHABET[digit.charCodeAt(0) % NAME_ALPHABET.length],
  ).join('');
}

/** JSON with sorted keys and without undefined values: equal objects give equal texts. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (part === null || typeof part !== 'object' || Array.isArray(part)) return part;
    const entries = Object.entries(part).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return Object.fromEntries(entries);
  });
}
