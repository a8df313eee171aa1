// Bootstrap tokens: signs cluster-info for those who join with one, and deletes expired ones (pkg/controller/bootstrap).
import { createHmac } from 'node:crypto';
import { isStatus, resources, type ConfigMap, type Secret, type Stored } from '../api/index.ts';
import { makeController, type Controller, type ControllerContext } from './controller.ts';

const TYPE = 'bootstrap.kubernetes.io/token';
const TOKENS = 'kube-system';
const CLUSTER_INFO = 'kube-public/cluster-info';
const SIGNATURE_PREFIX = 'jws-kubeconfig-';
const KUBECONFIG = 'kubeconfig';

/** Makes the controller that keeps a signature of the kubeconfig in cluster-info for each token. */
export function makeBootstrapSigner(context: ControllerContext): Controller {
  return makeController(context, {
    name: 'bootstrap-signer-controller',
    component: 'bootstrap-signer',
    workers: 1,
    setUp(run) {
      const maps = run.informer<ConfigMap>(resources.configmaps);
      const secrets = run.informer<Secret>(resources.secrets);
      const onMap = ({ metadata }: Stored<ConfigMap>): void => {
        if (`${metadata.namespace}/${metadata.name}` === CLUSTER_INFO) run.queue.add(CLUSTER_INFO);
      };
      const onSecret = (secret: Stored<Secret>): void => {
        if (isToken(secret)) run.queue.add(CLUSTER_INFO);
      };
      run.on(maps, { add: onMap, update: onMap });
      run.on(secrets, { add: onSecret, update: onSecret, delete: onSecret });
      return async function sync() {
        const map = maps.lister.get(CLUSTER_INFO);
        const kubeconfig = map?.data?.[KUBECONFIG];
        if (map === undefined || kubeconfig === undefined) return;
        const data: Record<string, string> = {};
        for (const [key, value] of Object.entries(map.data ?? {}))
          if (!key.startsWith(SIGNATURE_PREFIX)) data[key] = value;
        for (const secret of secrets.lister.list(TOKENS)) {
          if (!isToken(secret)) continue;
          const { id, secret: key, maySign } = tokenOf(secret, run.clock.now());
          if (maySign) data[`${SIGNATURE_PREFIX}${id}`] = detachedSignature(kubeconfig, id, key);
        }
        const before = map.data ?? {};
        const isSame =
          Object.keys(before).length === Object.keys(data).length &&
          Object.entries(data).every(([key, value]) => before[key] === value);
        if (isSame) return;
        const { namespace } = map.metadata;
        await run.client.update<ConfigMap>(resources.configmaps, { ...map, data }, { namespace });
      };
    },
  });
}

/** Makes the controller that deletes tokens at their time. */
export function makeTokenCleaner(context: ControllerContext): Controller {
  return makeController(context, {
    name: 'token-cleaner-controller',
    component: 'token-cleaner',
    workers: 1,
    setUp(run) {
      const secrets = run.informer<Secret>(resources.secrets);
      const seen = (secret: Stored<Secret>): void => {
        if (isToken(secret)) run.enqueue(secret);
      };
      run.on(secrets, { add: seen, update: seen });
      return async function sync(key) {
        const secret = secrets.lister.get(key);
        if (secret === undefined) return;
        const { expiresMs } = tokenOf(secret, run.clock.now());
        if (expiresMs === undefined) return;
        const leftMs = expiresMs - run.clock.now();
        if (leftMs > 0) return run.queue.addAfter(key, leftMs);
        const { name, namespace, uid } = secret.metadata;
        try {
          await run.client.delete(resources.secrets, name, { namespace, uid });
        } catch (error) {
          if (!isStatus(error, 'NotFound')) throw error;
        }
      };
    },
  });
}

function isToken(secret: Stored<Secret>): boolean {
  return secret.type === TYPE && secret.metadata.namespace === TOKENS;
}

interface Token {
  readonly id: string;
  readonly secret: string;
  readonly maySign: boolean;
  /** Undefined: never. */
  readonly expiresMs: number | undefined;
}

function tokenOf({ data = {}, metadata }: Stored<Secret>, nowMs: number): Token {
  const field = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString('utf8');
  const id = field('token-id');
  const expiration = field('expiration');
  const expiresMs = expiration === '' ? undefined : Date.parse(expiration);
  const isGood =
    metadata.name === `bootstrap-token-${id}` &&
    /^[a-z0-9]{6}$/.test(id) &&
    /^[a-z0-9]{16}$/.test(field('token-secret')) &&
    (expiresMs === undefined || expiresMs > nowMs);
  return {
    id,
    secret: field('token-secret'),
    maySign: isGood && field('usage-bootstrap-signing') === 'true',
    expiresMs: expiresMs !== undefined && Number.isNaN(expiresMs) ? 0 : expiresMs,
  };
}

/** A JWS (RFC 7515) without the content that it signs. */
function detachedSignature(content: string, id: string, secret: string): string {
  const head = Buffer.from(JSON.stringify({ alg: 'HS256', kid: id })).toString('base64url');
  const payload = Buffer.from(content).toString('base64url');
  const signature = createHmac('sha256', secret).update(`${head}.${payload}`).digest('base64url');
  return `${head}..${signature}`;
}
