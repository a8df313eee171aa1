// Reads a configuration from a machine's files, looks up its names and loads its certificates, as nginx does at its start.
import { Resolver, ResolveError } from '../../network/dns/index.ts';
import { ErrnoError } from '../../network/index.ts';
import { publicKeyPem, type Identity } from '../../network/tls/index.ts';
import type { Process } from '../../linux/kernel/index.ts';
import { toBytes } from './bytes.ts';
import { ConfigError, type Directive, type ReadFiles } from './config.ts';
import { readConfig, type Config } from './known-configs.ts';
import type { NginxSettings, ServerTls } from './settings.ts';
import { plainText } from './template.ts';

export interface Loaded extends Config {
  /** Addresses of the names that proxy_pass and upstreams have. */
  readonly addresses: ReadonlyMap<string, readonly string[]>;
  /** By path, for the ssl_certificate directives without variables. */
  readonly identities: ReadonlyMap<string, Identity>;
}

/** The configuration of the flags, compiled. Throws ConfigError. */
export function readAll(proc: Process, flags: { readonly config: string; readonly globals: string }): Config {
  return readConfig(flags.config, flags.globals, filesOf(proc));
}

/** Reads the configuration and what it names. Rejects with ConfigError. */
export async function load(
  proc: Process,
  flags: { readonly config: string; readonly globals: string },
): Promise<Loaded> {
  const config = readAll(proc, flags);
  return {
    ...config,
    addresses: await lookUp(proc, config),
    identities: loadIdentities(proc, config.settings),
  };
}

/** A resolver that reads the machine's own files, or asks given servers. */
export function makeResolver(proc: Process, nameservers?: readonly string[]): Resolver {
  const read = (path: string): string | undefined =>
    proc.fs.exists(path) ? proc.fs.readText(path) : undefined;
  return new Resolver({
    sockets: proc.net.sockets,
    clock: proc.clock,
    random: proc.random.fork('nginx'),
    hosts: () => (nameservers === undefined ? read('/etc/hosts') : undefined),
    resolvConf: () =>
      nameservers === undefined
        ? read('/etc/resolv.conf')
        : nameservers.map((each) => `nameserver ${each.replace(/:\d+$/, '')}\n`).join(''),
  });
}

async function lookUp(proc: Process, { settings, directives }: Config): Promise<Map<string, string[]>> {
  const resolver = makeResolver(proc);
  const addresses = new Map<string, string[]>();
  const upstreams = new Set([...settings.upstreams.keys(), ...settings.streamUpstreams.keys()]);
  for (const { name, file, line } of hostsIn(directives, upstreams)) {
    if (addresses.has(name)) continue;
    try {
      addresses.set(name, [...(await resolver.resolve(name)).addresses]);
    } catch (error) {
      if (!(error instanceof ResolveError || error instanceof ErrnoError)) throw error;
      throw new ConfigError(`host not found in upstream "${name}" in ${file}:${line}`, { cause: error });
    }
  }
  return addresses;
}

/** Names (not addresses, not variables, not upstreams) that requests may be passed to. */
function hostsIn(
  directives: readonly Directive[],
  upstreams: ReadonlySet<string>,
  isUpstream = false,
): { name: string; file: string; line: number }[] {
  return directives.flatMap(({ name, args, block, file, line }) => {
    const [first = ''] = args;
    const target =
      name === 'proxy_pass' && !first.includes('$')
        ? first
            .replace(/^https?:\/\//, '')
            .replace(/\/.*$/, '')
            .replace(/:\d+$/, '')
        : isUpstream && name === 'server'
          ? first.replace(/:\d+$/, '')
          : undefined;
    const isName =
      target !== undefined && target !== '' && !upstreams.has(target) && !/^[\d.]+$|^unix|^\[/.test(target);
    return [
      ...(isName ? [{ name: target, file, line }] : []),
      ...hostsIn(block ?? [], upstreams, name === 'upstream'),
    ];
  });
}

/** Reads the files that a pattern names, by name. */
function filesOf(proc: Process): ReadFiles {
  const { fs } = proc;
  const read = (path: string): { path: string; text: string } => ({
    path,
    text: toBytes(fs.readText(path)),
  });
  return (pattern) => {
    try {
      if (!/[*?[]/.test(pattern)) return [read(pattern)];
      return expand(proc, pattern).map(read);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      if (error.code === 'EISDIR')
        return { error: `read() "${error.path ?? pattern}" failed (21: ${error.message})` };
      const number = error.code === 'EACCES' ? 13 : 2;
      return { error: `open() "${error.path ?? pattern}" failed (${number}: ${error.message})` };
    }
  };
}

/** glob(3), a folder at a time. */
function expand({ fs }: Process, pattern: string): string[] {
  let paths = [''];
  const parts = pattern.split('/').slice(1);
  for (const part of parts) {
    if (!/[*?[]/.test(part)) {
      paths = paths.map((path) => `${path}/${part}`).filter((path) => fs.exists(path));
      continue;
    }
    const expression = new RegExp(
      `^${part
        .replaceAll(/[.+^${}()|\\]/g, '\\$&')
        .replaceAll('*', '[^/]*')
        .replaceAll('?', '[^/]')}$`,
    );
    paths = paths.flatMap((path) =>
      fs.exists(path === '' ? '/' : path)
        ? fs
            .readdir(path === '' ? '/' : path)
            .filter(({ name }) => expression.test(name) && (!name.startsWith('.') || part.startsWith('.')))
            .map(({ name }) => `${path}/${name}`)
            .toSorted()
        : [],
    );
  }
  return paths;
}

/** Loads certificates and keys, and checks that they belong together. Throws ConfigError in OpenSSL's words. */
function loadIdentities(proc: Process, settings: NginxSettings): Map<string, Identity> {
  const identities = new Map<string, Identity>();
  const all: ServerTls[] = [...settings.servers, ...settings.streamServers].map(({ tls }) => tls);
  for (const { certificates, clientCertificate } of all) {
    for (const { certificate, key } of certificates) {
      const [path, keyPath] = [plainText(certificate), plainText(key)];
      if (path === undefined || keyPath === undefined) continue;
      identities.set(path, readIdentity(proc, path, keyPath));
    }
    if (clientCertificate !== undefined && !proc.fs.exists(clientCertificate))
      throw new ConfigError(
        `SSL_CTX_load_verify_locations("${clientCertificate}") failed (SSL: error:80000002:system library::No such file or directory:calling fopen(${clientCertificate}, r) error:10000080:BIO routines::no such file)`,
      );
  }
  return identities;
}

function readIdentity(proc: Process, path: string, keyPath: string): Identity {
  const certificate = readPem(proc, path, 'certificate');
  const privateKey = readPem(proc, keyPath, 'certificate key');
  if (
    !certificate.includes('-----BEGIN CERTIFICATE-----') &&
    !certificate.includes('-----BEGIN TRUSTED CERTIFICATE-----')
  )
    throw new ConfigError(
      `cannot load certificate "${path}": PEM_read_bio_X509_AUX() failed (SSL: error:0480006C:PEM routines::no start line:Expecting: TRUSTED CERTIFICATE)`,
    );
  if (!/-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/.test(privateKey))
    throw new ConfigError(
      `cannot load certificate key "${keyPath}": PEM_read_bio_PrivateKey() failed (SSL: error:1E08010C:DECODER routines::unsupported:No supported data to decode. Input type: PEM)`,
    );
  const [ofCertificate, ofKey] = publicKeyPem(certificate, privateKey);
  if (ofCertificate === undefined)
    throw new ConfigError(
      `cannot load certificate "${path}": PEM_read_bio_X509_AUX() failed (SSL: error:068000A8:asn1 encoding routines::wrong tag error:0688010A:asn1 encoding routines::nested asn1 error:Type=X509 error:0488000D:PEM routines::ASN1 lib)`,
    );
  if (ofCertificate !== ofKey)
    throw new ConfigError(
      `SSL_CTX_use_PrivateKey("${keyPath}") failed (SSL: error:05800074:x509 certificate routines::key values mismatch)`,
    );
  return { certificate, privateKey };
}

function readPem(proc: Process, path: string, what: string): string {
  try {
    return proc.fs.readText(path);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    const [number, library] =
      error.code === 'EACCES'
        ? ['8000000D', '10080002:BIO routines::system lib']
        : ['80000002', '10000080:BIO routines::no such file'];
    throw new ConfigError(
      `cannot load ${what} "${path}": BIO_new_file() failed (SSL: error:${number}:system library::${error.message}:calling fopen(${path}, r) error:${library})`,
    );
  }
}
