// openssl(1): the subcommands people use for keys, requests, certificates, hashes and a look at a TLS server.
import type { Process, Program } from '../../../kernel/index.ts';
import { DIGESTS, OpensslError } from './arguments.ts';
import { dgst, enc, passwd, rand } from './digest.ts';
import { ecparam, genpkey, genrsa, pkey } from './keys.ts';
import { req } from './req.ts';
import { sClient } from './s-client.ts';
import { verify } from './verify.ts';
import { x509 } from './x509.ts';

const VERSION = 'OpenSSL 3.0.22 25 Aug 2026';
const CIPHERS =
  'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:DHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:DHE-RSA-AES256-SHA256:ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:DHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:DHE-RSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:DHE-RSA-AES128-SHA:RSA-PSK-AES256-GCM-SHA384:DHE-PSK-AES256-GCM-SHA384:RSA-PSK-CHACHA20-POLY1305:DHE-PSK-CHACHA20-POLY1305:ECDHE-PSK-CHACHA20-POLY1305:AES256-GCM-SHA384:PSK-AES256-GCM-SHA384:PSK-CHACHA20-POLY1305:RSA-PSK-AES128-GCM-SHA256:DHE-PSK-AES128-GCM-SHA256:AES128-GCM-SHA256:PSK-AES128-GCM-SHA256:AES256-SHA256:AES128-SHA256:ECDHE-PSK-AES256-CBC-SHA384:ECDHE-PSK-AES256-CBC-SHA:SRP-RSA-AES-256-CBC-SHA:SRP-AES-256-CBC-SHA:RSA-PSK-AES256-CBC-SHA384:DHE-PSK-AES256-CBC-SHA384:RSA-PSK-AES256-CBC-SHA:DHE-PSK-AES256-CBC-SHA:AES256-SHA:PSK-AES256-CBC-SHA384:PSK-AES256-CBC-SHA:ECDHE-PSK-AES128-CBC-SHA256:ECDHE-PSK-AES128-CBC-SHA:SRP-RSA-AES-128-CBC-SHA:SRP-AES-128-CBC-SHA:RSA-PSK-AES128-CBC-SHA256:DHE-PSK-AES128-CBC-SHA256:RSA-PSK-AES128-CBC-SHA:DHE-PSK-AES128-CBC-SHA:AES128-SHA:PSK-AES128-CBC-SHA256:PSK-AES128-CBC-SHA';

/** Subcommands of the real openssl that this one doesn't have. */
const NOT_SIMULATED = new Set(
  'asn1parse ca cmp cms crl crl2pkcs7 dhparam dsa dsaparam engine errstr fipsinstall gendsa info kdf list mac nseq ocsp pkcs12 pkcs7 pkcs8 pkeyparam pkeyutl prime rehash rsautl s_server s_time sess_id smime speed spkac srp storeutl ts'.split(
    ' ',
  ),
);

type Subcommand = (proc: Process, args: readonly string[]) => Promise<number>;

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  genrsa,
  genpkey,
  ecparam,
  rsa: (proc, args) => pkey(proc, 'rsa', args),
  ec: (proc, args) => pkey(proc, 'ec', args),
  pkey: (proc, args) => pkey(proc, 'pkey', args),
  req,
  x509,
  verify,
  s_client: sClient,
  dgst: (proc, args) => dgst(proc, args),
  enc: (proc, args) => enc(proc, args),
  base64: (proc, args) => enc(proc, args, 'base64'),
  rand,
  passwd,
  version: async (proc, args) => {
    const all = args.includes('-a');
    await proc.stdout.write(`${VERSION} (Library: ${VERSION})\n`);
    if (all || args.includes('-b')) await proc.stdout.write('built on: Wed Oct 21 09:54:24 2026 UTC\n');
    if (all || args.includes('-p')) await proc.stdout.write('platform: debian-amd64\n');
    if (all || args.includes('-d')) await proc.stdout.write('OPENSSLDIR: "/usr/lib/ssl"\n');
    return 0;
  },
  ciphers: async (proc, args) => {
    if (args.some((word) => word.startsWith('-')) || args.length > 0)
      throw new OpensslError("drydock: openssl ciphers with arguments isn't simulated\n");
    await proc.stdout.write(`${CIPHERS}\n`);
    return 0;
  },
  help: async (proc) => {
    const names = Object.keys(SUBCOMMANDS).toSorted();
    let text = 'help:\n\nStandard commands\n';
    for (let at = 0; at < names.length; at += 4)
      text += `${names
        .slice(at, at + 4)
        .map((name) => name.padEnd(18))
        .join('')}\n`;
    await proc.stderr.write(text);
    return 0;
  },
};

/** openssl(1) */
export const openssl: Program = async (proc) => {
  const [, name = 'help', ...args] = proc.argv;
  try {
    if (DIGESTS.has(name)) return await dgst(proc, args, name);
    if (/^aes-\d+-(?:cbc|ctr|ecb)$/.test(name)) return await enc(proc, args, name);
    const run = SUBCOMMANDS[name];
    if (run !== undefined) return await run(proc, args);
    if (NOT_SIMULATED.has(name)) throw new OpensslError(`drydock: openssl ${name} isn't simulated\n`);
    await proc.stderr.write(`Invalid command '${name}'; type "help" for a list.\n`);
    return 1;
  } catch (error) {
    if (!(error instanceof OpensslError)) throw error;
    await proc.stderr.write(error.message);
    return error.status;
  }
};
