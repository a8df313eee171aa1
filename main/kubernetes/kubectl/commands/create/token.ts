// kubectl create token: asks for a service account's token (TokenRequest).
import { StatusError } from '../../../api/index.ts';
import { CommandError, UsageError } from '../../frame/command-error.ts';
import type { Command, Invocation } from '../../frame/command.ts';
import { resultPrinter } from '../../output/result.ts';
import type { AnyObject } from '../../rest/builder.ts';

export const createToken: Command = { name: 'token', run: runCreateToken };

async function runCreateToken(invocation: Invocation): Promise<number> {
  const { kubectl, flags, args, path } = invocation;
  const [name] = args;
  if (name === undefined || args.length !== 1)
    throw new UsageError(`exactly one NAME is required, got ${args.length}`, path);
  const durationMs = flags.durationMs('duration');
  if (durationMs < 0) throw new CommandError('--duration must be greater than or equal to 0');
  if (durationMs % 1000 !== 0)
    throw new CommandError('--duration cannot be expressed in units less than seconds');
  const boundKind = flags.string('bound-object-kind');
  const bound =
    boundKind === ''
      ? undefined
      : {
          kind: boundKind,
          apiVersion: 'v1',
          name: flags.string('bound-object-name'),
          ...(flags.string('bound-object-uid') === '' ? {} : { uid: flags.string('bound-object-uid') }),
        };
  const audiences = flags.list('audience');
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: {
      audiences: audiences.length > 0 ? audiences : null,
      ...(durationMs === 0 ? {} : { expirationSeconds: durationMs / 1000 }),
      ...(bound === undefined ? {} : { boundObjectRef: bound }),
    },
  };
  let answer: AnyObject;
  try {
    answer = await kubectl.api.json<AnyObject>({
      method: 'POST',
      path: `/api/v1/namespaces/${kubectl.namespace}/serviceaccounts/${name}/token`,
      body,
    });
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    throw new CommandError(`failed to create token: ${error.message}`);
  }
  if (flags.string('output') === '') await kubectl.out(`${(answer['status'] as { token: string }).token}\n`);
  else {
    const mapper = await kubectl.mapper();
    await resultPrinter(invocation)(mapper.require('serviceaccounts'), answer, '');
  }
  return 0;
}
