// PKCS #10 certificate signing requests, as openssl and Go make them: real ones, in DER (RFC 2986).
import { createPublicKey, verify } from 'node:crypto';
import { DerError, inside, oidText, readAll, TAG, type DerValue } from './der.ts';

/** What a request asks to be certified. */
export interface SigningRequest {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly emailAddresses: readonly string[];
  readonly uris: readonly string[];
  /** DER of the subject's Name. */
  readonly subject: Buffer;
  /** DER of SubjectPublicKeyInfo. */
  readonly publicKey: Buffer;
  /** DER of the subjectAltName extension's value, if one was asked for. */
  readonly alternativeNames: Buffer | undefined;
}

const OID = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  extensionRequest: '1.2.840.113549.1.9.14',
  subjectAltName: '2.5.29.17',
} as const;

/** Digests by signature algorithm; undefined for algorithms that have their own. */
const DIGESTS: Readonly<Record<string, string | null>> = {
  '1.2.840.113549.1.1.5': 'sha1',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.3.101.112': null,
};

/** Tags of GeneralName (RFC 5280, 4.2.1.6). */
const GENERAL_NAME = { email: 0x81, dns: 0x82, uri: 0x86, address: 0x87 } as const;

/** Reads a PEM block `CERTIFICATE REQUEST`. Throws DerError for text that is none, or that its key didn't sign. */
export function parseSigningRequest(pem: string): SigningRequest {
  const base64 = /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([A-Za-z0-9+/=\s]+)-----END/.exec(pem)?.[1];
  if (base64 === undefined) throw new DerError('PEM block type must be CERTIFICATE REQUEST');
  const [request] = readAll(Buffer.from(base64, 'base64'));
  const [info, algorithm, signature] = inside(request);
  const [, subject, publicKey, ...attributes] = inside(info);
  if (info === undefined || subject === undefined || publicKey === undefined || signature === undefined)
    throw new DerError('a certificate request without subject or key');
  checkSignature(info.whole, publicKey.whole, oidText(inside(algorithm)[0]!), signature);
  const alternatives = attributes
    .filter(({ tag }) => tag === 0xa0)
    .flatMap(({ content }) => readAll(content))
    .flatMap(alternativeNamesOf);
  const names = alternatives.flatMap((value) => inside(readAll(value)[0]));
  const texts = (tag: number): string[] =>
    names.filter((name) => name.tag === tag).map(({ content }) => content.toString('utf8'));
  return {
    commonName: partsOf(subject, OID.commonName).at(-1) ?? '',
    organizations: partsOf(subject, OID.organization),
    dnsNames: texts(GENERAL_NAME.dns),
    emailAddresses: texts(GENERAL_NAME.email),
    uris: texts(GENERAL_NAME.uri),
    ipAddresses: names
      .filter(({ tag }) => tag === GENERAL_NAME.address)
      .map(({ content }) => [...content].join('.')),
    subject: subject.whole,
    publicKey: publicKey.whole,
    alternativeNames: alternatives[0],
  };
}

function checkSignature(body: Buffer, publicKey: Buffer, algorithm: string, signature: DerValue): void {
  const digest = DIGESTS[algorithm];
  if (digest === undefined)
    throw new DerError(`x509: cannot verify signature: algorithm ${algorithm} unimplemented`);
  const key = createPublicKey({ key: publicKey, format: 'der', type: 'spki' });
  // The first byte of a BIT STRING counts its unused bits.
  if (!verify(digest, body, key, signature.content.subarray(1)))
    throw new DerError('x509: the request is not signed by its own key');
}

/** The attributes of a Name with this type, in order. */
function partsOf(name: DerValue, type: string): string[] {
  return inside(name)
    .flatMap((set) => inside(set, TAG.set))
    .map((attribute) => inside(attribute))
    .filter(([attributeType]) => oidText(attributeType!) === type)
    .map(([, value]) => value!.content.toString('utf8'));
}

/** Values of subjectAltName among the extensions that an attribute asks for. */
function alternativeNamesOf(attribute: DerValue): Buffer[] {
  const [type, values] = inside(attribute);
  if (oidText(type!) !== OID.extensionRequest) return [];
  return inside(values, TAG.set)
    .flatMap((extensions) => inside(extensions))
    .map((extension) => inside(extension))
    .filter(([id]) => oidText(id!) === OID.subjectAltName)
    .map((parts) => parts.at(-1)!.content);
}
