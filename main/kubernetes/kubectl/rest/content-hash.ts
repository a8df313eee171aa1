// --append-hash: a name that changes with the content (kubectl util/hash).
import { createHash } from 'node:crypto';
import { toCompactJson } from '../output/json.ts';
import type { AnyObject } from './builder.ts';

const LETTERS: Readonly<Record<string, string>> = { '0': 'g', '1': 'h', '3': 'k', a: 'm', e: 't' };

/** The object with ten letters of its content's SHA-256 behind its name. */
export function withContentHash(object: AnyObject): AnyObject {
  const name = object.metadata?.name ?? '';
  return { ...object, metadata: { ...object.metadata, name: `${name}-${contentHash(object, name)}` } };
}

/** The ten letters; `name` is what the content goes by. */
export function contentHash(object: AnyObject, name: string): string {
  const { kind } = object;
  const content: Record<string, unknown> = {
    data: object['data'] ?? (kind === 'Secret' ? null : ''),
    kind,
    name,
  };
  if (kind === 'Secret') content['type'] = object['type'] ?? '';
  if (object['binaryData'] !== undefined) content['binaryData'] = object['binaryData'];
  const digest = createHash('sha256').update(toCompactJson(content)).digest('hex');
  return Array.from(digest.slice(0, 10), (letter) => LETTERS[letter] ?? letter).join('');
}
