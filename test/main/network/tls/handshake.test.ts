import { expect, test } from 'vitest';
import type { ByteStream } from '../../../../main/network/index.ts';
import {
  acceptTls,
  connectTls,
  issueCertificate,
  makeKeyPair,
  type Identity,
  type TlsStream,
} from '../../../../main/network/tls/index.ts';
import { makeRandom } from '../../../../main/simulation/index.ts';

const random = makeRandom('tls');
const day = 24 * 3600_000;
const nowMs = Date.UTC(2026, 0, 1);

function identity(name: string, issuer?: Identity, extra: object = {}): Identity {
  const { privateKey } = makeKeyPair(random);
  const fields = {
    commonName: name,
    notBeforeMs: nowMs - day,
    notAfterMs: nowMs + day,
    serial: '01',
    ...extra,
  };
  return { privateKey, certificate: issueCertificate(fields, privateKey, issuer) };
}

const authority = identity('kubernetes', undefined, { isAuthority: true });
const server = identity('kube-apiserver', authority, {
  dnsNames: ['kubernetes', '*.lab.test'],
  ipAddresses: ['192.168.10.10'],
});
const admin = identity('kubernetes-admin', authority, { organizations: ['kubeadm:cluster-admins'] });

/** Two ends of one wire. */
function wire(): [ByteStream, ByteStream] {
  const make = (): {
    queue: Uint8Array[];
    waiting: ((bytes: Uint8Array | undefined) => void) | undefined;
    closed: boolean;
  } => ({
    queue: [],
    waiting: undefined,
    closed: false,
  });
  const [a, b] = [make(), make()];
  const end = (own: typeof a, other: typeof a): ByteStream => {
    const close = (): void => {
      other.closed = true;
      other.waiting?.(undefined);
    };
    return {
      read: () => {
        const bytes = own.queue.shift();
        if (bytes !== undefined) return Promise.resolve(bytes);
        if (own.closed) return Promise.resolve(undefined);
        return new Promise((resolve) => (own.waiting = resolve));
      },
      write: (bytes) => {
        const { waiting } = other;
        other.waiting = undefined;
        if (waiting === undefined) other.queue.push(bytes);
        else waiting(bytes);
        return Promise.resolve();
      },
      end: close,
      close,
    };
  };
  return [end(a, b), end(b, a)];
}

function shake(
  client: Partial<Parameters<typeof connectTls>[1]>,
  serverIdentity = server,
): [Promise<TlsStream>, Promise<TlsStream>] {
  const [left, right] = wire();
  const accepted = acceptTls(right, {
    identity: serverIdentity,
    clientAuthorities: authority.certificate,
    nowMs,
    random,
  });
  accepted.catch(() => undefined);
  return [
    connectTls(left, {
      serverName: '192.168.10.10',
      authorities: authority.certificate,
      nowMs,
      random,
      ...client,
    }),
    accepted,
  ];
}

test('both sides learn who the other is, and then bytes pass', async () => {
  const [connecting, accepting] = shake({ identity: admin });
  const [client, accepted] = await Promise.all([connecting, accepting]);
  expect(client.peerCertificate?.commonName).toBe('kube-apiserver');
  expect(accepted.peerCertificate?.organizations).toEqual(['kubeadm:cluster-admins']);
  expect(accepted.serverName).toBeUndefined(); // RFC 6066, 3: addresses don't go out as a name.
  await client.write(Buffer.from('hello'));
  expect(Buffer.from((await accepted.read())!).toString()).toBe('hello');
});

test('a client without a certificate is let in as nobody', async () => {
  const [connecting, accepting] = shake({});
  await connecting;
  expect((await accepting).peerCertificate).toBeUndefined();
});

test('wildcards match one label', async () => {
  await expect(shake({ serverName: 'web.lab.test' })[0]).resolves.toBeDefined();
  await expect(shake({ serverName: 'a.web.lab.test' })[0]).rejects.toMatchObject({ code: 'name-mismatch' });
});

test('strangers, the expired and the self-signed are refused, unless verification is waived', async () => {
  const other = identity('elsewhere', undefined, { isAuthority: true });
  await expect(shake({ authorities: other.certificate })[0]).rejects.toMatchObject({
    code: 'unknown-authority',
  });
  await expect(shake({ nowMs: nowMs + 2 * day })[0]).rejects.toMatchObject({ code: 'expired' });
  const selfSigned = identity('kube-apiserver', undefined, { ipAddresses: ['192.168.10.10'] });
  await expect(shake({}, selfSigned)[0]).rejects.toMatchObject({ code: 'self-signed' });
  await expect(shake({ insecure: true }, selfSigned)[0]).resolves.toBeDefined();
});

test('somebody else’s certificate without its key proves nothing', async () => {
  const [connecting, accepting] = shake({
    identity: { certificate: admin.certificate, privateKey: makeKeyPair(random).privateKey },
  });
  await connecting;
  expect((await accepting).peerCertificate).toBeUndefined();
});

test('plain HTTP on a TLS port is recognised at its first byte', async () => {
  const [left, right] = wire();
  const accepted = acceptTls(right, { identity: server, nowMs, random });
  await left.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
  await expect(accepted).rejects.toMatchObject({ code: 'not-tls' });
});

test('a record that comes in pieces is put together', async () => {
  const [left, right] = wire();
  const pieces: Uint8Array[] = [];
  const slow: ByteStream = {
    ...left,
    read: async () => {
      if (pieces.length === 0) {
        const bytes = await left.read();
        if (bytes === undefined) return undefined;
        for (let at = 0; at < bytes.length; at += 100) pieces.push(bytes.subarray(at, at + 100));
      }
      return pieces.shift();
    },
  };
  const accepting = acceptTls(right, { identity: server, nowMs, random });
  const client = await connectTls(slow, {
    serverName: 'kubernetes',
    authorities: authority.certificate,
    protocols: ['h2', 'http/1.1'],
    nowMs,
    random,
  });
  expect(client.version).toBe('TLSv1.3');
  expect(client.protocol).toBeUndefined();
  await accepting;
});

test('versions, protocols and an identity by name are agreed on', async () => {
  const other = identity('other', authority, { dnsNames: ['other.test'] });
  const [left, right] = wire();
  const accepting = acceptTls(right, {
    identity: server,
    identityFor: (name) => (name === 'other.test' ? other : undefined),
    protocols: ['h2', 'http/1.1'],
    versions: ['TLSv1.2'],
    nowMs,
    random,
  });
  const client = await connectTls(left, {
    serverName: 'other.test',
    authorities: authority.certificate,
    protocols: ['http/1.1'],
    nowMs,
    random,
  });
  expect(client).toMatchObject({ version: 'TLSv1.2', protocol: 'http/1.1' });
  expect(client.peerCertificate?.commonName).toBe('other');
  await accepting;
});
