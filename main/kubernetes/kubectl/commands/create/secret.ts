// kubectl create secret: generic, docker-registry, tls.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { ErrnoError } from '../../../../network/index.ts';
import type { Command, Invocation } from '../../frame/command.ts';
import { CommandError } from '../../frame/command-error.ts';
import type { AnyObject } from '../../rest/builder.ts';
import { withContentHash } from '../../rest/content-hash.ts';
import { dataSources } from '../../rest/data-sources.ts';
import { generator, metadata } from './generator.ts';

export const createSecret: Command = {
  name: 'secret',
  commands: [
    generator('docker-registry', { failure: 'secret docker-registry' }, (invocation, name) => {
      const { flags } = invocation;
      if (flags.list('from-file').length > 0) {
        const bytes = dataSources(invocation)[0]!.bytes;
        return secret(invocation, name, 'kubernetes.io/dockerconfigjson', { '.dockerconfigjson': bytes });
      }
      const username = flags.string('docker-username');
      const password = flags.string('docker-password');
      const server = flags.string('docker-server');
      if (username === '' || password === '' || server === '') {
        throw new CommandError(
          'either --from-file or the combination of --docker-username, --docker-password and --docker-server is required',
        );
      }
      const email = flags.string('docker-email');
      const auth = Buffer.from(`${username}:${password}`).toString('base64');
      const config = {
        auths: { [server]: { username, password, ...(email === '' ? {} : { email }), auth } },
      };
      return secret(invocation, name, 'kubernetes.io/dockerconfigjson', {
        '.dockerconfigjson': Buffer.from(JSON.stringify(config)),
      });
    }),
    generator('generic', { failure: 'secret' }, (invocation, name) => {
      const data: Record<string, Uint8Array> = {};
      for (const { key, bytes } of dataSources(invocation)) {
        if (data[key] !== undefined)
          throw new CommandError(`cannot add key ${key}, another key by that name already exists`);
        data[key] = bytes;
      }
      return secret(invocation, name, invocation.flags.string('type'), data);
    }),
    generator('tls', { failure: 'secret tls' }, (invocation, name) => {
      const { flags } = invocation;
      if (flags.string('key') === '' || flags.string('cert') === '')
        throw new CommandError('key and cert must be specified');
      const certificate = read(invocation, flags.string('cert'));
      const key = read(invocation, flags.string('key'));
      requirePair(certificate, key);
      return secret(invocation, name, 'kubernetes.io/tls', { 'tls.crt': certificate, 'tls.key': key });
    }),
  ],
};

function secret(
  { flags }: Invocation,
  name: string,
  type: string,
  data: Readonly<Record<string, Uint8Array>>,
): AnyObject {
  const encoded = Object.fromEntries(
    Object.entries(data).map(([key, bytes]) => [key, Buffer.from(bytes).toString('base64')]),
  );
  const object = {
    apiVersion: 'v1',
    ...(Object.keys(encoded).length > 0 ? { data: encoded } : {}),
    kind: 'Secret',
    metadata: metadata(name),
    ...(type === '' ? {} : { type }),
  } as unknown as AnyObject;
  return flags.bool('append-hash') ? withContentHash(object) : object;
}

function read({ proc }: Invocation, path: string): Uint8Array {
  try {
    return proc.fs.readFile(path);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new CommandError(`Cannot read file ${path}, open ${path}: ${error.message.toLowerCase()}`);
  }
}

/** Throws CommandError in crypto/tls's words for a certificate and key that don't belong together. */
function requirePair(certificate: Uint8Array, key: Uint8Array): void {
  const certificateText = Buffer.from(certificate).toString('utf8');
  if (!certificateText.includes('-----BEGIN CERTIFICATE-----'))
    throw new CommandError('tls: failed to find any PEM data in certificate input');
  if (!Buffer.from(key).toString('utf8').includes('PRIVATE KEY-----'))
    throw new CommandError('tls: failed to find any PEM data in key input');
  if (!new X509Certificate(certificateText).checkPrivateKey(createPrivateKey(Buffer.from(key)))) {
    throw new CommandError('tls: private key does not match public key');
  }
}
