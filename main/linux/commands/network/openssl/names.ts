// Distinguished names and object identifiers as openssl writes and reads them.
import { der, x509 } from '../../../../network/tls/index.ts';
import { OpensslError } from './arguments.ts';

/** Short and long names of attributes. */
const ATTRIBUTES: readonly (readonly [id: string, short: string, long: string])[] = [
  ['2.5.4.3', 'CN', 'commonName'],
  ['2.5.4.4', 'SN', 'surname'],
  ['2.5.4.5', 'serialNumber', 'serialNumber'],
  ['2.5.4.6', 'C', 'countryName'],
  ['2.5.4.7', 'L', 'localityName'],
  ['2.5.4.8', 'ST', 'stateOrProvinceName'],
  ['2.5.4.9', 'street', 'streetAddress'],
  ['2.5.4.10', 'O', 'organizationName'],
  ['2.5.4.11', 'OU', 'organizationalUnitName'],
  ['2.5.4.12', 'title', 'title'],
  ['2.5.4.42', 'GN', 'givenName'],
  ['1.2.840.113549.1.9.1', 'emailAddress', 'emailAddress'],
  ['0.9.2342.19200300.100.1.25', 'DC', 'domainComponent'],
  ['0.9.2342.19200300.100.1.1', 'UID', 'userId'],
];

/** The object identifier behind a name of an attribute; undefined for none. */
export function attributeId(name: string): string | undefined {
  return ATTRIBUTES.find(([, short, long]) => short === name || long === name)?.[0];
}

export type NameStyle = 'oneline' | 'rfc2253' | 'compat' | 'multiline';

/** A Name (DER value) as text. */
export function nameText(name: der.DerValue, style: NameStyle = 'oneline'): string {
  const sets = der.inside(name).map((set) =>
    der.inside(set, der.TAG.set).map((attribute) => {
      const [type, value] = der.inside(attribute);
      const id = der.oidText(type!);
      const short = ATTRIBUTES.find(([each]) => each === id)?.[1] ?? id;
      const long = ATTRIBUTES.find(([each]) => each === id)?.[2] ?? id;
      return { short, long, text: stringOf(value!) };
    }),
  );
  if (style === 'compat')
    return sets.map((set) => set.map(({ short, text }) => `/${short}=${text}`).join('+')).join('');
  if (style === 'multiline')
    return sets
      .map((set) => set.map(({ long, text }) => `\n    ${long.padEnd(26)}= ${text}`).join(''))
      .join('');
  if (style === 'rfc2253')
    return sets
      .toReversed()
      .map((set) => set.map(({ short, text }) => `${short}=${escapeBackslash(text)}`).join('+'))
      .join(',');
  return sets
    .map((set) => set.map(({ short, text }) => `${short} = ${escapeQuoted(text)}`).join(' + '))
    .join(', ');
}

function stringOf({ tag, content }: der.DerValue): string {
  if (tag === 0x1e) return Buffer.from(content).swap16().toString('utf16le'); // BMPString
  return content.toString(tag === der.TAG.utf8String ? 'utf8' : 'latin1');
}

function hexed(text: string): string {
  return text.replaceAll(/[^\u0020-\u007e]/gu, (char) =>
    [...Buffer.from(char)].map((byte) => `\\${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}

function escapeQuoted(text: string): string {
  const inner = hexed(text.replaceAll(/[\\"]/g, '\\$&'));
  return /[,+<>;]|^[ #]| $/.test(text) ? `"${inner}"` : inner;
}

function escapeBackslash(text: string): string {
  return hexed(
    text
      .replaceAll(/[,+"\\<>;]/g, '\\$&')
      .replace(/^([ #])/, '\\$1')
      .replace(/ $/, '\\ '),
  );
}

/** `-subj /C=CN/CN=web` as a Name in DER. Throws OpensslError. */
export function parseSubject(text: string): Buffer {
  if (!text.startsWith('/'))
    throw new OpensslError(
      `name is expected to be in the format /type0=value0/type1=value1/type2=... where characters may be escaped by \\. This name is not in that format: '${text}'\nError making certificate request\n`,
    );
  const parts: { type: string; value: string }[] = [];
  for (const word of text.slice(1).match(/(?:\\.|[^/])+/g) ?? []) {
    const equals = word.indexOf('=');
    const key = word.slice(0, Math.max(0, equals)).trim();
    const value = word.slice(equals + 1).replaceAll(/\\(.)/g, '$1');
    const id = attributeId(key);
    if (id === undefined || value === '') continue; // openssl warns and passes it over.
    parts.push({ type: id, value });
  }
  return x509.nameBytes(parts);
}
