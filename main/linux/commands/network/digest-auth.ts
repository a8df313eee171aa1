// HTTP Digest authentication, a client's side (RFC 7616).
import { createHash } from 'node:crypto';
import type { Random } from '../../../simulation/index.ts';

/** The Authorization field that answers a Digest challenge; undefined where there is none that can be answered. */
export function answerDigest(
  challenge: string,
  request: {
    readonly method: string;
    readonly path: string;
    readonly user: string;
    readonly password: string;
  },
  random: Random,
): string | undefined {
  const rest = /^Digest\s+(.*)$/i.exec(challenge.trim())?.[1];
  if (rest === undefined) return undefined;
  const fields = new Map<string, string>();
  for (const [, name = '', quoted, plain] of rest.matchAll(/(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/g))
    fields.set(name.toLowerCase(), quoted ?? plain ?? '');
  const algorithm = fields.get('algorithm') ?? 'MD5';
  const name = { md5: 'md5', 'md5-sess': 'md5', 'sha-256': 'sha256', 'sha-256-sess': 'sha256' }[
    algorithm.toLowerCase()
  ];
  if (name === undefined) return undefined;
  const hash = (text: string): string => createHash(name).update(text).digest('hex');
  const [realm, nonce] = [fields.get('realm') ?? '', fields.get('nonce') ?? ''];
  const qop = fields
    .get('qop')
    ?.split(',')
    .map((each) => each.trim())
    .find((each) => each === 'auth');
  const cnonce = Buffer.from(random.bytes(24)).toString('base64');
  let first = hash(`${request.user}:${realm}:${request.password}`);
  if (algorithm.toLowerCase().endsWith('-sess')) first = hash(`${first}:${nonce}:${cnonce}`);
  const second = hash(`${request.method}:${request.path}`);
  const count = '00000001';
  const response = hash(
    qop === undefined
      ? `${first}:${nonce}:${second}`
      : `${first}:${nonce}:${count}:${cnonce}:${qop}:${second}`,
  );
  const opaque = fields.get('opaque');
  return (
    `Digest username="${request.user}", realm="${realm}", nonce="${nonce}", uri="${request.path}", ` +
    (qop === undefined ? '' : `cnonce="${cnonce}", nc=${count}, qop=${qop}, `) +
    `response="${response}"` +
    (opaque === undefined ? '' : `, opaque="${opaque}"`) +
    (fields.has('algorithm') ? `, algorithm=${algorithm}` : '')
  );
}
