// Tokens in Secrets: what such a Secret still lacks is filled in, it goes with its account, and releases before 1.24 make
// one for every account (pkg/controller/serviceaccount/tokens_controller.go).
import { NAME_ALPHABET } from '../../simulation/index.ts';
import { isStatus, keyOf, resources, type Secret, type ServiceAccount, type Stored } from '../api/index.ts';
import { makeController, type Controller, type ControllerContext } from './controller.ts';
import { isNamespaceTerminating } from './pod-control.ts';

const TYPE = 'kubernetes.io/service-account-token';
const NAME = 'kubernetes.io/service-account.name';
const UID = 'kubernetes.io/service-account.uid';

export interface ServiceAccountTokensOptions {
  /** The cluster's root certificate in PEM. */
  readonly rootCa: string;
  /** Signs a token. */
  readonly sign: (holder: { namespace: string; secret: string; account: string; uid: string }) => string;
  /** Whether every account gets a Secret unasked. */
  readonly forEveryAccount: boolean;
}

/** Makes the controller. Its keys are `account/NAMESPACE/NAME`, `secret/NAMESPACE/NAME`, `reference/NAMESPACE/ACCOUNT/SECRET`. */
export function makeServiceAccountTokensController(
  context: ControllerContext,
  { rootCa, sign, forEveryAccount }: ServiceAccountTokensOptions,
): Controller {
  return makeController(context, {
    name: 'serviceaccount-token-controller',
    component: 'serviceaccount-token-controller',
    workers: 1,
    setUp(run) {
      const accounts = run.informer<ServiceAccount>(resources.serviceaccounts);
      const secrets = run.informer<Secret>(resources.secrets);
      const seen = (secret: Stored<Secret>): void => {
        if (secret.type === TYPE) run.queue.add(`secret/${keyOf(secret)}`);
      };
      const accountSeen = (account: Stored<ServiceAccount>): void =>
        run.queue.add(`account/${keyOf(account)}`);
      const secretGone = ({ type, metadata }: Stored<Secret>): void => {
        const account = metadata.annotations?.[NAME];
        if (type === TYPE && account !== undefined)
          run.queue.add(`reference/${metadata.namespace}/${account}/${metadata.name}`);
      };
      run.on(secrets, { add: seen, update: seen, delete: secretGone });
      run.on(accounts, { add: accountSeen, update: accountSeen, delete: accountSeen });

      const accountOf = (secret: Stored<Secret>): Stored<ServiceAccount> | undefined => {
        const { annotations, namespace } = secret.metadata;
        const account = accounts.lister.get(`${namespace}/${annotations?.[NAME] ?? ''}`);
        const uid = annotations?.[UID] ?? '';
        return uid === '' || uid === account?.metadata.uid ? account : undefined;
      };
      const contentsFor = (account: Stored<ServiceAccount>, secret: string): Record<string, string> => {
        const { namespace = '', name, uid } = account.metadata;
        return {
          'ca.crt': base64(rootCa),
          namespace: base64(namespace),
          token: base64(sign({ namespace, secret, account: name, uid })),
        };
      };

      const syncSecret = async (key: string): Promise<void> => {
        const secret = secrets.lister.get(key);
        if (secret?.type !== TYPE) return;
        const { namespace = '', name } = secret.metadata;
        const account = accountOf(secret);
        if (account === undefined) {
          await unlessGone(
            run.client.delete(resources.secrets, name, { namespace, uid: secret.metadata.uid }),
          );
          return;
        }
        const { data = {} } = secret;
        const annotations = { ...secret.metadata.annotations, [UID]: account.metadata.uid };
        const isComplete = ['ca.crt', 'namespace', 'token'].every((field) => (data[field] ?? '') !== '');
        if (isComplete && secret.metadata.annotations?.[UID] !== undefined) return;
        await run.client.update<Secret>(
          resources.secrets,
          {
            ...secret,
            metadata: { ...secret.metadata, annotations },
            data: { ...contentsFor(account, name), ...data },
          },
          { namespace },
        );
      };

      const syncAccount = async (key: string): Promise<void> => {
        const account = accounts.lister.get(key);
        if (account === undefined) {
          const [namespace, name] = key.split('/');
          for (const secret of secrets.lister.list()) {
            const { metadata, type } = secret;
            if (type === TYPE && metadata.namespace === namespace && metadata.annotations?.[NAME] === name)
              run.queue.add(`secret/${keyOf(secret)}`);
          }
          return;
        }
        if (!forEveryAccount || account.metadata.deletionTimestamp !== undefined) return;
        const { namespace = '', name, uid } = account.metadata;
        // Asked of the server: the cache may not know yet what the last sync has written.
        const latest = await run.client.get<ServiceAccount>(resources.serviceaccounts, name, { namespace });
        if (latest.metadata.uid !== uid) return;
        if (
          (latest.secrets ?? []).some((ref) =>
            isToken(secrets.lister.get(`${namespace}/${ref.name}`), ref.name),
          )
        )
          return;
        const secret = `${name}-token-${run.random.string(5, NAME_ALPHABET)}`;
        await run.client.create<Secret>(
          resources.secrets,
          {
            apiVersion: 'v1',
            kind: 'Secret',
            metadata: { name: secret, namespace, annotations: { [NAME]: name, [UID]: uid } },
            type: TYPE,
            data: contentsFor(account, secret),
          },
          { namespace },
        );
        try {
          await run.client.update<ServiceAccount>(
            resources.serviceaccounts,
            { ...latest, secrets: [...(latest.secrets ?? []), { name: secret }] },
            { namespace },
          );
        } catch (error) {
          // Nobody refers to it; the next try makes another.
          await unlessGone(run.client.delete(resources.secrets, secret, { namespace }));
          throw error;
        }
      };

      /** A Secret that went is no longer named by its account, which then gets another. */
      const dropReference = async (key: string): Promise<void> => {
        const [namespace = '', name = '', secret] = key.split('/');
        const account = await run.client.get<ServiceAccount>(resources.serviceaccounts, name, { namespace });
        const kept = (account.secrets ?? []).filter((ref) => ref.name !== secret);
        if (kept.length === (account.secrets ?? []).length) return;
        await run.client.update<ServiceAccount>(
          resources.serviceaccounts,
          { ...account, secrets: kept },
          { namespace },
        );
      };

      const syncs: Readonly<Record<string, (key: string) => Promise<void>>> = {
        account: syncAccount,
        secret: syncSecret,
        reference: dropReference,
      };
      return async function sync(key) {
        const slash = key.indexOf('/');
        const rest = key.slice(slash + 1);
        await unlessGone(syncs[key.slice(0, slash)]!(rest));
      };
    },
  });
}

/** A Secret that the account names and that isn't in the cache yet counts when it is called like a token. */
function isToken(secret: Stored<Secret> | undefined, name: string | undefined): boolean {
  return secret === undefined ? /-token-[a-z0-9]{5}$/.test(name ?? '') : secret.type === TYPE;
}

async function unlessGone(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isStatus(error, 'NotFound') && !isNamespaceTerminating(error)) throw error;
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
