// What is wrong with a CertificateSigningRequest (pkg/apis/certificates/validation).
import type { ApiObject } from '../object.ts';
import { invalidValue, required, tooLong, unsupported, type FieldError } from '../refusals.ts';

const SIGNER_BYTES_MAX = 571;
const USAGES = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
];
/** Shortest life that may be asked for, in seconds. */
const EXPIRATION_SECONDS_MIN = 600;

interface RequestSpec {
  readonly request?: string;
  readonly signerName?: string;
  readonly usages?: readonly string[];
  readonly expirationSeconds?: number;
}

export function certificateRequestProblems(object: ApiObject): FieldError[] {
  const spec = (object['spec'] ?? {}) as RequestSpec;
  const errors: FieldError[] = [];
  const why = requestProblem(spec.request ?? '');
  if (why !== undefined) errors.push(invalidValue('spec.request', spec.request ?? '', why));
  if ((spec.usages ?? []).length === 0) errors.push(required('spec.usages'));
  for (const [index, usage] of (spec.usages ?? []).entries()) {
    if (!USAGES.includes(usage)) errors.push(unsupported(`spec.usages[${index}]`, usage, USAGES));
    if (spec.usages!.indexOf(usage) < index)
      errors.push({
        type: 'Duplicate',
        field: `spec.usages[${index}]`,
        body: `Duplicate value: ${JSON.stringify(usage)}`,
      });
  }
  errors.push(...signerProblems(spec.signerName ?? ''));
  if (spec.expirationSeconds !== undefined && spec.expirationSeconds < EXPIRATION_SECONDS_MIN) {
    errors.push(
      invalidValue(
        'spec.expirationSeconds',
        spec.expirationSeconds,
        'may not specify a duration less than 600 seconds (10 minutes)',
      ),
    );
  }
  return errors;
}

/** Differs: that it is a PEM block is checked, the request inside is left to who signs it. */
function requestProblem(encoded: string): string | undefined {
  const text = Buffer.from(encoded, 'base64').toString('latin1');
  const block = /^-----BEGIN ([A-Z0-9 ]+)-----\r?\n[\s\S]*?-----END \1-----/m.exec(text);
  return block?.[1] === 'CERTIFICATE REQUEST' ? undefined : 'PEM block type must be CERTIFICATE REQUEST';
}

function signerProblems(name: string): FieldError[] {
  const field = 'spec.signerName';
  if (name === '') return [required(field)];
  const parts = name.split('/');
  if (parts.length !== 2)
    return [
      invalidValue(
        field,
        name,
        "must be a fully qualified domain and path of the form 'example.com/signer-name'",
      ),
    ];
  const errors: FieldError[] = [];
  if (name.length > SIGNER_BYTES_MAX) errors.push(tooLong(field, SIGNER_BYTES_MAX));
  const [domain = '', path = ''] = parts;
  if (domain.split('.').length < 2)
    errors.push(
      invalidValue(field, domain, 'should be a domain with at least two segments separated by dots'),
    );
  if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(path))
    errors.push(
      invalidValue(
        field,
        path,
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      ),
    );
  return errors;
}
