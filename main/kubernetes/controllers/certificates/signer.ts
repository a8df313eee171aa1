// Signs approved CertificateSigningRequests with the cluster's authority (pkg/controller/certificates/signer).
import { issueX509, parseCertificates, type Identity } from '../../../network/tls/index.ts';
import { rfc3339 } from '../../../simulation/index.ts';
import { resources } from '../../api/index.ts';
import { makeController, type Controller, type ControllerContext } from '../controller.ts';
import { writeStatus } from '../status.ts';
import { contentOf, hasCondition, SIGNER, signerProblem, type CertificateSigningRequest } from './request.ts';

/** --cluster-signing-duration. */
const VALID_MS = 365 * 24 * 3_600_000;
/** The least that is granted, and what a certificate is dated back for clocks that are slow. */
const VALID_MIN_MS = 600_000;
const BACKDATE_MS = 300_000;
const SERIAL_BYTES = 16;

/** Makes the signing controller of all four built-in signers, which kubeadm gives one authority. */
export function makeCertificateSigner(context: ControllerContext, authority: Identity): Controller {
  return makeController(context, {
    name: 'certificatesigningrequest-signing-controller',
    component: 'certificate-controller',
    workers: 5,
    setUp(run) {
      const requests = run.informer<CertificateSigningRequest>(resources.certificatesigningrequests);
      const random = run.random.fork('certificates/serial');
      run.enqueueOn(requests);
      return async function sync(key) {
        const request = requests.lister.get(key);
        if (request === undefined || (request.status?.certificate ?? '') !== '') return;
        const { signerName, usages = [], expirationSeconds } = request.spec!;
        const isOurs = Object.values<string>(SIGNER).includes(signerName);
        if (!isOurs || !hasCondition(request, 'Approved') || hasCondition(request, 'Failed')) return;
        const content = contentOf(request);
        const problem = signerProblem(signerName, content, usages);
        const nowMs = run.clock.now();
        if (problem !== undefined) {
          const failed = {
            type: 'Failed',
            status: 'True',
            reason: 'SignerValidationFailure',
            message: problem,
            lastUpdateTime: rfc3339(nowMs),
            lastTransitionTime: rfc3339(nowMs),
          };
          const conditions = [...(request.status?.conditions ?? []), failed];
          await write({ ...request.status, conditions });
          return;
        }
        const [issuer] = parseCertificates(authority.certificate);
        const askedMs = expirationSeconds === undefined ? VALID_MS : expirationSeconds * 1000;
        const validMs = Math.min(VALID_MS, Math.max(VALID_MIN_MS, askedMs));
        const serial = random.bytes(SERIAL_BYTES);
        serial[0]! &= 0x7f;
        const pem = issueX509(
          {
            request: content,
            usages,
            notBeforeMs: nowMs - BACKDATE_MS,
            notAfterMs: Math.min(nowMs - BACKDATE_MS + validMs, issuer?.notAfterMs ?? Infinity),
            serial,
          },
          authority,
          issuer?.commonName ?? 'kubernetes',
        );
        await write({ ...request.status, certificate: Buffer.from(pem).toString('base64') });

        async function write(status: CertificateSigningRequest['status']): Promise<void> {
          await writeStatus<CertificateSigningRequest>(
            run.client,
            resources.certificatesigningrequests,
            request!,
            status,
          );
        }
      };
    },
  });
}
