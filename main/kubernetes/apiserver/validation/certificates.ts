// Decisions about CertificateSigningRequests (pkg/apis/certificates/validation ValidateCertificateSigningRequestApprovalUpdate).
import type { ApiObject } from '../object.ts';
import { required } from '../refusals.ts';
import { certificateRequestProblems } from './certificate-request.ts';
import type { Faults } from './checks.ts';
import { validator, type Validator } from './validator.ts';

interface Condition {
  readonly type?: string;
  readonly status?: string;
}

interface SigningRequest {
  readonly status?: { readonly conditions?: readonly Condition[]; readonly certificate?: string };
}

function checkConditions(faults: Faults, conditions: readonly Condition[]): void {
  const types = conditions.map(({ type = '' }) => type);
  for (const [index, { type = '', status = '' }] of conditions.entries()) {
    const at = `status.conditions[${index}]`;
    if (type === '') faults.add(required(`${at}.type`));
    if (status === '') faults.add(required(`${at}.status`));
    else if (['Approved', 'Denied', 'Failed'].includes(type)) faults.word(`${at}.status`, status, ['True']);
    else faults.word(`${at}.status`, status, ['False', 'True', 'Unknown']);
    if (types.indexOf(type) < index) faults.duplicate(`${at}.type`, type);
  }
  if (types.includes('Approved') && types.includes('Denied'))
    faults.invalid(
      `status.conditions[${types.indexOf('Denied')}].type`,
      'Denied',
      'Approved and Denied conditions are mutually exclusive',
    );
}

/** A decision stands, and a certificate once given isn't changed. */
function checkDecision(faults: Faults, now: SigningRequest, old: SigningRequest): void {
  const [conditions, before] = [now.status?.conditions ?? [], old.status?.conditions ?? []];
  checkConditions(faults, conditions);
  for (const type of ['Approved', 'Denied', 'Failed'])
    if (before.some((each) => each.type === type) && !conditions.some((each) => each.type === type))
      faults.forbidden(
        'status.conditions',
        `updates may not remove a condition of type ${JSON.stringify(type)}`,
      );
  const [certificate, had] = [now.status?.certificate ?? '', old.status?.certificate ?? ''];
  if (had !== '' && certificate !== had)
    faults.forbidden('status.certificate', 'updates may not modify existing certificate content');
}

export const certificateValidators: Readonly<Record<string, Validator>> = {
  certificatesigningrequests: validator<SigningRequest>({
    create: (faults, request) => faults.add(...certificateRequestProblems(request as ApiObject)),
    update: checkDecision,
    status: checkDecision,
  }),
};
