// Approves the client certificates that kubelets ask for, as far as RBAC lets them (pkg/controller/certificates/approver).
import { rfc3339 } from '../../../simulation/index.ts';
import { resources, type KubernetesObject, type Stored } from '../../api/index.ts';
import {
  makeController,
  type Controller,
  type ControllerContext,
  type ControllerRun,
} from '../controller.ts';
import { contentOf, hasCondition, SIGNER, signerProblem, type CertificateSigningRequest } from './request.ts';

interface AccessReview extends KubernetesObject {
  readonly spec?: unknown;
  readonly status?: { readonly allowed?: boolean };
}

/** By the subresource that RBAC must allow, in the order of trying. */
const RULES = [
  {
    subresource: 'selfnodeclient',
    message: 'Auto approving self kubelet client certificate after SubjectAccessReview.',
    isSelf: true,
  },
  {
    subresource: 'nodeclient',
    message: 'Auto approving kubelet client certificate after SubjectAccessReview.',
    isSelf: false,
  },
] as const;

/** Makes the approving controller. */
export function makeCertificateApprover(context: ControllerContext): Controller {
  return makeController(context, {
    name: 'certificatesigningrequest-approving-controller',
    component: 'certificate-controller',
    workers: 5,
    setUp(run) {
      const requests = run.informer<CertificateSigningRequest>(resources.certificatesigningrequests);
      run.enqueueOn(requests);
      return async function sync(key) {
        const request = requests.lister.get(key);
        if (request === undefined || (request.status?.certificate ?? '') !== '') return;
        if (hasCondition(request, 'Approved') || hasCondition(request, 'Denied')) return;
        const { signerName, usages = [], username = '' } = request.spec!;
        if (signerName !== SIGNER.kubeletClient) return;
        const content = contentOf(request);
        if (signerProblem(signerName, content, usages) !== undefined) return;
        for (const { subresource, message, isSelf } of RULES) {
          if (isSelf && username !== content.commonName) continue;
          if (await isAllowed(run, request, subresource)) return approve(run, request, message);
        }
        // Somebody else may approve it, or grant the right: it is tried again.
        throw new Error(
          `recognized csr "${request.metadata.name}" as [selfnodeclient nodeclient] but subject access review was not approved`,
        );
      };
    },
  });
}

async function isAllowed(
  run: ControllerRun,
  { spec }: Stored<CertificateSigningRequest>,
  subresource: string,
): Promise<boolean> {
  const review = await run.client.create<AccessReview>(resources.subjectaccessreviews, {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: spec!.username,
      uid: spec!.uid,
      groups: spec!.groups,
      extra: spec!.extra,
      resourceAttributes: {
        group: 'certificates.k8s.io',
        resource: 'certificatesigningrequests',
        verb: 'create',
        subresource,
      },
    },
  });
  return review.status?.allowed === true;
}

async function approve(
  run: ControllerRun,
  request: Stored<CertificateSigningRequest>,
  message: string,
): Promise<void> {
  const time = rfc3339(run.clock.now());
  const approved = {
    type: 'Approved',
    status: 'True',
    reason: 'AutoApproved',
    message,
    lastUpdateTime: time,
    lastTransitionTime: time,
  };
  const conditions = [...(request.status?.conditions ?? []), approved];
  await run.client.update<CertificateSigningRequest>(
    resources.certificatesigningrequests,
    { ...request, status: { ...request.status, conditions } },
    { subresource: 'approval' },
  );
}
