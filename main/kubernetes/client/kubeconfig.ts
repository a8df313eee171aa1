// Kubeconfig files: where they are, what they hold, and what a client makes of them (client-go tools/clientcmd).
import { parse } from 'yaml';
import { ErrnoError } from '../../network/index.ts';

/** The part of a process that reading a kubeconfig needs. */
export interface KubeconfigHost {
  readonly env: ReadonlyMap<string, string>;
  readonly fs: { readText(path: string): string; exists(path: string): boolean };
}

export interface KubeconfigCluster {
  server?: string;
  'certificate-authority'?: string;
  'certificate-authority-data'?: string;
  'insecure-skip-tls-verify'?: boolean;
  'tls-server-name'?: string;
}

export interface KubeconfigUser {
  'client-certificate'?: string;
  'client-certificate-data'?: string;
  'client-key'?: string;
  'client-key-data'?: string;
  token?: string;
  tokenFile?: string;
  username?: string;
  password?: string;
  as?: string;
}

export interface KubeconfigContext {
  cluster?: string;
  user?: string;
  namespace?: string;
}

/** A kubeconfig, or several merged: by name, the first file that has it wins. */
export interface Kubeconfig {
  currentContext: string;
  clusters: Map<string, KubeconfigCluster>;
  users: Map<string, KubeconfigUser>;
  contexts: Map<string, KubeconfigContext>;
  /** The files it came from, in order; those that aren't there included. */
  readonly files: readonly string[];
}

/** What a client needs to ask. */
export interface RestConfig {
  /** Such as `https://192.168.10.10:6443`. */
  readonly server: string;
  readonly namespace: string;
  /** PEM. */
  readonly certificateAuthority?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  readonly token?: string;
  /** Where the token is from, if from a file: what stands there now. Kubelets renew those of pods. Throws ErrnoError. */
  readonly readToken?: () => string;
  readonly username?: string;
  readonly password?: string;
  readonly insecureSkipTlsVerify: boolean;
  readonly tlsServerName?: string;
  readonly impersonate?: { readonly user: string; readonly groups: readonly string[] };
}

/** What flags put over a kubeconfig. Absent members change nothing. */
export interface Overrides {
  readonly context?: string;
  readonly cluster?: string;
  readonly user?: string;
  readonly server?: string;
  readonly token?: string;
  readonly namespace?: string;
  readonly certificateAuthority?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  readonly insecureSkipTlsVerify?: boolean;
  readonly impersonate?: { readonly user: string; readonly groups: readonly string[] };
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
/** clientcmd's fallback when nothing is configured. */
const FALLBACK_SERVER = 'http://localhost:8080';

/** Reads `explicit`, or the files of $KUBECONFIG, or ~/.kube/config. Throws Error in clientcmd's words; ENOENT only for an explicit file. */
export function loadKubeconfig(host: KubeconfigHost, explicit = ''): Kubeconfig {
  const files = explicit !== '' ? [explicit] : kubeconfigFiles(host);
  const merged: Kubeconfig = {
    currentContext: '',
    clusters: new Map(),
    users: new Map(),
    contexts: new Map(),
    files,
  };
  for (const file of files) {
    let text: string;
    try {
      text = host.fs.readText(file);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      if (error.code === 'ENOENT' && explicit === '') continue;
      throw new Error(`error loading config file "${file}": open ${file}: ${error.message.toLowerCase()}`, {
        cause: error,
      });
    }
    mergeInto(merged, text, file);
  }
  return merged;
}

function kubeconfigFiles({ env }: KubeconfigHost): string[] {
  const listed = (env.get('KUBECONFIG') ?? '').split(':').filter((file) => file !== '');
  return listed.length > 0 ? listed : [`${env.get('HOME') ?? ''}/.kube/config`];
}

function mergeInto(merged: Kubeconfig, text: string, file: string): void {
  const raw = (parse(text) ?? {}) as {
    'current-context'?: string;
    clusters?: { name: string; cluster: KubeconfigCluster }[] | null;
    users?: { name: string; user: KubeconfigUser }[] | null;
    contexts?: { name: string; context: KubeconfigContext }[] | null;
  };
  const folder = file.slice(0, file.lastIndexOf('/') + 1);
  const absolute = (path: string | undefined): string | undefined =>
    path === undefined || path === '' || path.startsWith('/') ? path : folder + path;
  merged.currentContext ||= raw['current-context'] ?? '';
  for (const { name, cluster } of raw.clusters ?? []) {
    if (merged.clusters.has(name)) continue;
    merged.clusters.set(name, {
      ...cluster,
      ...defined('certificate-authority', absolute(cluster['certificate-authority'])),
    });
  }
  for (const { name, user } of raw.users ?? []) {
    if (merged.users.has(name)) continue;
    merged.users.set(name, {
      ...user,
      ...defined('client-certificate', absolute(user['client-certificate'])),
      ...defined('client-key', absolute(user['client-key'])),
      ...defined('tokenFile', absolute(user.tokenFile)),
    });
  }
  for (const { name, context } of raw.contexts ?? [])
    if (!merged.contexts.has(name)) merged.contexts.set(name, context);
}

/** What to ask, of whom, as whom. Throws Error in clientcmd's words. */
export function restConfig(host: KubeconfigHost, config: Kubeconfig, overrides: Overrides = {}): RestConfig {
  const contextName = overrides.context ?? config.currentContext;
  const context = config.contexts.get(contextName);
  if (context === undefined && contextName !== '') {
    throw new Error(
      overrides.context === undefined
        ? `context was not found for specified context: ${contextName}`
        : `context "${contextName}" does not exist`,
    );
  }
  if (config.clusters.size === 0 && overrides.server === undefined) {
    const inside = inClusterConfig(host, overrides);
    if (inside !== undefined) return inside;
  }
  const cluster = config.clusters.get(overrides.cluster ?? context?.cluster ?? '') ?? {};
  const userName = overrides.user ?? context?.user ?? '';
  if (overrides.user !== undefined && !config.users.has(overrides.user))
    throw new Error(`auth info "${overrides.user}" does not exist`);
  if (overrides.cluster !== undefined && !config.clusters.has(overrides.cluster)) {
    throw new Error(`cluster "${overrides.cluster}" does not exist`);
  }
  const user = config.users.get(userName) ?? {};
  const read = (path: string | undefined, data: string | undefined): string | undefined =>
    data !== undefined && data !== ''
      ? Buffer.from(data, 'base64').toString('utf8')
      : path === undefined || path === ''
        ? undefined
        : host.fs.readText(path);
  const server = (overrides.server ?? cluster.server ?? FALLBACK_SERVER).replace(/\/$/, '');
  return {
    server: server.includes('://') ? server : `http://${server}`,
    namespace: overrides.namespace ?? context?.namespace ?? 'default',
    insecureSkipTlsVerify: overrides.insecureSkipTlsVerify ?? cluster['insecure-skip-tls-verify'] ?? false,
    ...defined(
      'certificateAuthority',
      read(
        overrides.certificateAuthority ?? cluster['certificate-authority'],
        overrides.certificateAuthority === undefined ? cluster['certificate-authority-data'] : undefined,
      ),
    ),
    ...defined(
      'clientCertificate',
      read(
        overrides.clientCertificate ?? user['client-certificate'],
        overrides.clientCertificate === undefined ? user['client-certificate-data'] : undefined,
      ),
    ),
    ...defined(
      'clientKey',
      read(
        overrides.clientKey ?? user['client-key'],
        overrides.clientKey === undefined ? user['client-key-data'] : undefined,
      ),
    ),
    ...defined(
      'token',
      overrides.token ??
        user.token ??
        (user.tokenFile === undefined ? undefined : host.fs.readText(user.tokenFile).trim()),
    ),
    ...defined(
      'readToken',
      (overrides.token ?? user.token) !== undefined || user.tokenFile === undefined
        ? undefined
        : tokenReader(host, user.tokenFile),
    ),
    ...defined('username', user.username),
    ...defined('password', user.password),
    ...defined('tlsServerName', cluster['tls-server-name']),
    ...defined('impersonate', overrides.impersonate),
  };
}

/** What a pod's service account gives; undefined outside a pod (rest.InClusterConfig). */
export function inClusterConfig(host: KubeconfigHost, overrides: Overrides = {}): RestConfig | undefined {
  const address = host.env.get('KUBERNETES_SERVICE_HOST');
  const port = host.env.get('KUBERNETES_SERVICE_PORT');
  if (address === undefined || port === undefined || !host.fs.exists(`${SERVICE_ACCOUNT}/token`))
    return undefined;
  const optional = (name: string): string | undefined =>
    host.fs.exists(`${SERVICE_ACCOUNT}/${name}`) ? host.fs.readText(`${SERVICE_ACCOUNT}/${name}`) : undefined;
  return {
    server: `https://${address}:${port}`,
    namespace: overrides.namespace ?? optional('namespace')?.trim() ?? 'default',
    token: overrides.token ?? host.fs.readText(`${SERVICE_ACCOUNT}/token`).trim(),
    ...(overrides.token === undefined ? { readToken: tokenReader(host, `${SERVICE_ACCOUNT}/token`) } : {}),
    insecureSkipTlsVerify: overrides.insecureSkipTlsVerify ?? false,
    ...defined('certificateAuthority', optional('ca.crt')),
    ...defined('impersonate', overrides.impersonate),
  };
}

function tokenReader(host: KubeconfigHost, path: string): () => string {
  return () => host.fs.readText(path).trim();
}

function defined<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { [K in Key]: Value });
}
