// kubectl certificate approve and deny: decides over CertificateSigningRequests.
import { rfc3339 } from '../../../simulation/index.ts';
import { CommandError } from '../frame/command-error.ts';
import type { Command, Invocation } from '../frame/command.ts';
import { resultPrinter } from '../output/result.ts';
import type { AnyObject } from '../rest/builder.ts';
import { readFiles } from '../rest/read-manifests.ts';
import { pathOf } from '../rest/discovery.ts';

interface Decision {
  readonly type: 'Approved' | 'Denied';
  readonly reason: string;
  readonly message: string;
  readonly word: string;
}

interface Condition {
  readonly type: string;
}

const APPROVAL: Decision = {
  type: 'Approved',
  reason: 'KubectlApprove',
  message: 'This CSR was approved by kubectl certificate approve.',
  word: 'approved',
};
const DENIAL: Decision = {
  type: 'Denied',
  reason: 'KubectlDeny',
  message: 'This CSR was denied by kubectl certificate deny.',
  word: 'denied',
};

export const certificate: Command = {
  name: 'certificate',
  commands: [
    { name: 'approve', run: (invocation) => decide(invocation, APPROVAL) },
    { name: 'deny', run: (invocation) => decide(invocation, DENIAL) },
  ],
};

async function decide(invocation: Invocation, decision: Decision): Promise<number> {
  const { kubectl, flags, args } = invocation;
  const files = await readFiles(kubectl, flags.list('filename'), flags.bool('recursive'));
  const names = [...files.map(({ object }) => object.metadata?.name ?? ''), ...args];
  if (names.length === 0)
    throw new CommandError('one or more CSRs must be specified as <name> or -f <filename>');
  const resource = (await kubectl.mapper()).require('certificatesigningrequests');
  const print = resultPrinter(invocation);
  for (const name of names) {
    const path = pathOf(resource, '', name);
    const found = await kubectl.api.json<AnyObject>({ method: 'GET', path });
    const decided = withDecision(found, decision, flags.bool('force'), invocation.proc.clock.now());
    const object =
      decided === found
        ? found
        : await kubectl.api.json<AnyObject>({
            method: 'PUT',
            path: pathOf(resource, '', name, 'approval'),
            body: decided,
          });
    await print(resource, object, decision.word);
  }
  return 0;
}

/** The same object if it was decided so already. Throws CommandError if it was decided otherwise. */
function withDecision(request: AnyObject, decision: Decision, force: boolean, nowMs: number): AnyObject {
  const status = (request['status'] ?? {}) as { conditions?: readonly Condition[] };
  const conditions = status.conditions ?? [];
  const opposite = decision.type === 'Approved' ? 'Denied' : 'Approved';
  if (conditions.some(({ type }) => type === opposite)) {
    const name = request.metadata?.name ?? '';
    throw new CommandError(`certificate signing request ${JSON.stringify(name)} is already ${opposite}`);
  }
  if (!force && conditions.some(({ type }) => type === decision.type)) return request;
  const { type, reason, message } = decision;
  const condition = { type, status: 'True', reason, message, lastUpdateTime: rfc3339(nowMs) };
  const others = conditions.filter((known) => known.type !== type);
  return { ...request, status: { ...status, conditions: [...others, condition] } };
}
