// CertificateSigningRequests as the three controllers of certificates see them.
import type { KubernetesObject, Stored } from '../../api/index.ts';
import { parseSigningRequest, type SigningRequest } from '../../../network/tls/index.ts';

export interface CertificateSigningRequest extends KubernetesObject {
  readonly spec?: {
    /** PEM, base64. */
    readonly request: string;
    readonly signerName: string;
    readonly usages?: readonly string[];
    readonly expirationSeconds?: number;
    readonly username?: string;
    readonly uid?: string;
    readonly groups?: readonly string[];
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
  readonly status?: {
    readonly conditions?: readonly CertificateCondition[];
    /** PEM, base64. */
    readonly certificate?: string;
  };
}

export interface CertificateCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastUpdateTime?: string | null;
  readonly lastTransitionTime?: string | null;
}

export const SIGNER = {
  client: 'kubernetes.io/kube-apiserver-client',
  kubeletClient: 'kubernetes.io/kube-apiserver-client-kubelet',
  kubeletServing: 'kubernetes.io/kubelet-serving',
  legacy: 'kubernetes.io/legacy-unknown',
} as const;

export function hasCondition({ status }: CertificateSigningRequest, type: string): boolean {
  return status?.conditions?.some((condition) => condition.type === type) === true;
}

/** Throws DerError. */
export function contentOf(request: Stored<CertificateSigningRequest>): SigningRequest {
  return parseSigningRequest(Buffer.from(request.spec!.request, 'base64').toString('utf8'));
}

/**
 * Why a signer doesn't sign this, in the words of kubernetes pkg/apis/certificates/helpers.go and of the signer;
 * undefined if it does.
 */
export function signerProblem(
  signerName: string,
  content: SigningRequest,
  usages: readonly string[],
): string | undefined {
  switch (signerName) {
    case SIGNER.client:
      return clientProblem(usages);
    case SIGNER.kubeletClient:
      return kubeletClientProblem(content, usages);
    case SIGNER.kubeletServing:
      return kubeletServingProblem(content, usages);
    default:
      return undefined;
  }
}

function clientProblem(usages: readonly string[]): string | undefined {
  const strange = usages.find(
    (usage) => !['digital signature', 'key encipherment', 'client auth'].includes(usage),
  );
  if (strange !== undefined) return `invalid usage for client certificate: ${strange}`;
  return usages.includes('client auth')
    ? undefined
    : 'missing required usage for client certificate: client auth';
}

function kubeletClientProblem(content: SigningRequest, usages: readonly string[]): string | undefined {
  const { organizations, dnsNames, emailAddresses, ipAddresses, uris, commonName } = content;
  if (organizations.join() !== 'system:nodes') return 'subject organization is not system:nodes';
  if (dnsNames.length > 0) return 'DNS subjectAltNames are not allowed';
  if (emailAddresses.length > 0) return 'Email subjectAltNames are not allowed';
  if (ipAddresses.length > 0) return 'IP subjectAltNames are not allowed';
  if (uris.length > 0) return 'URI subjectAltNames are not allowed';
  if (!commonName.startsWith('system:node:')) return 'subject common name does not begin with system:node:';
  return usageProblem(usages, ['client auth', 'digital signature', 'key encipherment']);
}

function kubeletServingProblem(content: SigningRequest, usages: readonly string[]): string | undefined {
  const { organizations, dnsNames, emailAddresses, ipAddresses, uris, commonName } = content;
  if (organizations.join() !== 'system:nodes') return 'subject organization is not system:nodes';
  if (dnsNames.length === 0 && ipAddresses.length === 0) return 'DNS or IP subjectAltName is required';
  if (emailAddresses.length > 0) return 'Email subjectAltNames are not allowed';
  if (uris.length > 0) return 'URI subjectAltNames are not allowed';
  if (!commonName.startsWith('system:node:')) return 'subject common name does not begin with system:node:';
  return usageProblem(usages, ['digital signature', 'key encipherment', 'server auth']);
}

/** Keys that aren't RSA need no key encipherment. */
function usageProblem(usages: readonly string[], wanted: readonly string[]): string | undefined {
  const given = [...new Set(usages)].sort().join();
  const isFine =
    given === wanted.join() || given === wanted.filter((usage) => usage !== 'key encipherment').join();
  return isFine ? undefined : `usages did not match [${wanted.join(' ')}]`;
}
