// Clears away CertificateSigningRequests that nobody needs any more (pkg/controller/certificates/cleaner).
import { parseX509Validity } from '../../../network/tls/index.ts';
import { isStatus, resources, type Stored } from '../../api/index.ts';
import { makeController, type Controller, type ControllerContext } from '../controller.ts';
import { instant } from '../pod-state.ts';
import type { CertificateSigningRequest } from './request.ts';

const HOUR_MS = 3_600_000;
/** How often all are looked at. */
const PERIOD_MS = HOUR_MS;
/** How long one is kept: after it was decided, and when nobody decides. */
const KEPT_MS = { Approved: HOUR_MS, Denied: HOUR_MS, Failed: HOUR_MS, pending: 24 * HOUR_MS };

/** Makes the cleaner. */
export function makeCertificateCleaner(context: ControllerContext): Controller {
  return makeController(context, {
    name: 'certificatesigningrequest-cleaner-controller',
    component: 'certificate-controller',
    workers: 1,
    setUp(run) {
      const requests = run.informer<CertificateSigningRequest>(resources.certificatesigningrequests);
      run.every(PERIOD_MS, () => requests.lister.list().forEach(run.enqueue));
      return async function sync(key) {
        const request = requests.lister.get(key);
        if (request === undefined || !isStale(request, run.clock.now())) return;
        const { name, uid } = request.metadata;
        try {
          await run.client.delete(resources.certificatesigningrequests, name, { uid });
        } catch (error) {
          if (!isStatus(error, 'NotFound')) throw error;
        }
      };
    },
  });
}

function isStale({ metadata, status }: Stored<CertificateSigningRequest>, nowMs: number): boolean {
  const { conditions = [], certificate = '' } = status ?? {};
  if (certificate !== '') {
    const pem = Buffer.from(certificate, 'base64').toString('utf8');
    if (parseX509Validity(pem).notAfterMs < nowMs) return true;
  }
  if (conditions.length === 0) return instant(metadata.creationTimestamp) + KEPT_MS.pending < nowMs;
  return conditions.some(({ type, lastUpdateTime }) => {
    if (type !== 'Approved' && type !== 'Denied' && type !== 'Failed') return false;
    // What is approved and not yet issued may still be.
    if (type === 'Approved' && certificate === '') return false;
    return instant(lastUpdateTime ?? metadata.creationTimestamp) + KEPT_MS[type] < nowMs;
  });
}
