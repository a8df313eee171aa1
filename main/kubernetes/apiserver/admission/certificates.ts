// Who may approve and sign certificate requests of a signer, and whom none are made for (plugin/pkg/admission/certificates).
import { parseSigningRequest } from '../../../network/tls/index.ts';
import type { AccessCheck } from '../cel/library/authorizer.ts';
import { equalTrees, type ApiObject } from '../object.ts';
import { forbidden } from '../refusals.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts';

const GROUP = 'certificates.k8s.io';
const CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client';
/** Bound to every right by the server itself, so that RBAC could never take it back. */
const MASTERS = 'system:masters';

interface Request extends ApiObject {
  readonly spec?: { readonly request?: string; readonly signerName?: string };
  readonly status?: { readonly certificate?: string; readonly conditions?: readonly unknown[] };
}

/** CertificateApproval. */
export function certificateApproval(check: AccessCheck): AdmissionPlugin {
  return {
    name: 'CertificateApproval',
    validate(request) {
      if (!concerns(request, 'UPDATE', 'approval')) return;
      requireRight(check, request, 'approve');
    },
  };
}

/** CertificateSigning. */
export function certificateSigning(check: AccessCheck): AdmissionPlugin {
  return {
    name: 'CertificateSigning',
    validate(request) {
      if (!concerns(request, 'UPDATE', 'status')) return;
      const [before, after] = [request.old as Request | undefined, request.object as Request];
      const isSame =
        (before?.status?.certificate ?? '') === (after.status?.certificate ?? '') &&
        equalTrees(before?.status?.conditions ?? [], after.status?.conditions ?? []);
      if (!isSame) requireRight(check, request, 'sign');
    },
  };
}

export const certificateSubjectRestriction: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  validate(request) {
    if (!concerns(request, 'CREATE', '')) return;
    const { spec } = request.object as Request;
    if (spec?.signerName !== CLIENT_SIGNER) return;
    const pem = Buffer.from(spec.request ?? '', 'base64').toString('utf8');
    if (!organizationsOf(request, pem).includes(MASTERS)) return;
    throw refusal(request, `use of ${CLIENT_SIGNER} signer with ${MASTERS} group is not allowed`);
  },
};

function organizationsOf(request: AdmissionRequest, pem: string): readonly string[] {
  try {
    return parseSigningRequest(pem).organizations;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw refusal(request, `failed to parse CSR: ${error.message}`);
  }
}

function concerns(
  { operation, served, context }: AdmissionRequest,
  wanted: 'CREATE' | 'UPDATE',
  subresource: string,
): boolean {
  const { group, plural } = served.resource;
  return (
    operation === wanted &&
    group === GROUP &&
    plural === 'certificatesigningrequests' &&
    context.subresource === subresource
  );
}

/** By the signer's name, or for all signers of its domain. */
function requireRight(check: AccessCheck, request: AdmissionRequest, verb: 'approve' | 'sign'): void {
  const signerName = (request.old as Request | undefined)?.spec?.signerName ?? '';
  const [domain = ''] = signerName.split('/');
  const isAllowed = [signerName, `${domain}/*`].some(
    (name) =>
      check({
        user: request.context.user,
        verb,
        group: GROUP,
        version: '*',
        resource: 'signers',
        subresource: '',
        namespace: '',
        name,
      }).allowed,
  );
  if (!isAllowed)
    throw refusal(
      request,
      `user not permitted to ${verb} requests with signerName ${JSON.stringify(signerName)}`,
    );
}

function refusal({ served, object }: AdmissionRequest, why: string): Error {
  return forbidden(served.resource, object?.metadata?.name ?? '', why);
}
