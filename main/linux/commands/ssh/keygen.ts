// ssh-keygen(1), ssh-copy-id(1), ssh-keyscan(1)
import { createHash } from 'node:crypto';

import { ErrnoError } from '../../../network/index.ts';
import type { Process, Program } from '../../kernel/index.ts';
import { userName } from '../frame/accounts.ts';
import { runChild, statusNumber } from '../frame/child.ts';
import { OptionError, parseOptions, type Options } from '../frame/options.ts';
import { lookupHost } from '../../libc/index.ts';
import { askSecret } from '../system/passwords.ts';
import { Channel, fingerprint, SSH_PORT, type ServerHello } from './channel.ts';

interface KeyType {
  readonly algorithm: string;
  readonly file: string;
  readonly label: string;
  readonly bits: number;
}

const TYPES: Readonly<Record<string, KeyType>> = {
  rsa: { algorithm: 'ssh-rsa', file: 'id_rsa', label: 'RSA', bits: 3072 },
  ed25519: { algorithm: 'ssh-ed25519', file: 'id_ed25519', label: 'ED25519', bits: 256 },
  ecdsa: { algorithm: 'ecdsa-sha2-nistp256', file: 'id_ecdsa', label: 'ECDSA', bits: 256 },
};

function field(bytes: Uint8Array | string): Buffer {
  const content = Buffer.from(bytes as string);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(content.length);
  return Buffer.concat([head, content]);
}

/** The public half as it travels. Differs: its numbers are random bytes, which nobody computes with. */
function publicBlob(proc: Process, { algorithm }: KeyType, bits: number): Buffer {
  const random = (count: number): Uint8Array => proc.random.bytes(count);
  if (algorithm === 'ssh-rsa')
    return Buffer.concat([
      field(algorithm),
      field(Buffer.from([1, 0, 1])),
      field(Buffer.concat([Buffer.from([0, 0x80 | random(1)[0]!]), random(bits / 8 - 1)])),
    ]);
  if (algorithm === 'ssh-ed25519') return Buffer.concat([field(algorithm), field(random(32))]);
  return Buffer.concat([
    field(algorithm),
    field('nistp256'),
    field(Buffer.concat([Buffer.from([4]), random(64)])),
  ]);
}

/** ssh-keygen(1): keys, -l, -R, -F, -y. */
export const sshKeygen: Program = async (proc) => {
  let options: Options;
  try {
    options = parseOptions(proc.argv.slice(1), { short: 'qt:b:N:f:C:lR:F:yE:P:pAam:o', permute: true });
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    await proc.stderr.write(
      `${error.message}\nusage: ssh-keygen [-q] [-a rounds] [-b bits] [-C comment] [-f output_keyfile]\n                  [-N new_passphrase] [-t dsa | ecdsa | ed25519 | rsa]\n`,
    );
    return 1;
  }
  if (options.has('R') || options.has('F')) return knownHosts(proc, options);
  if (options.has('l') || options.has('y')) return showKey(proc, options);
  if (options.has('A')) return 0;
  return generate(proc, options);
};

async function generate(proc: Process, options: Options): Promise<number> {
  const { fs } = proc;
  const type = TYPES[options.value('t') ?? 'rsa'];
  if (type === undefined) {
    await proc.stderr.write(`unknown key type ${options.value('t')}\n`);
    return 1;
  }
  const quiet = options.has('q');
  const say = async (text: string): Promise<void> => {
    if (!quiet) await proc.stdout.write(text);
  };
  await say(`Generating public/private ${options.value('t') ?? 'rsa'} key pair.\n`);
  const usual = `${proc.env.get('HOME') ?? ''}/.ssh/${type.file}`;
  const path =
    options.value('f') ?? ((await ask(proc, `Enter file in which to save the key (${usual}): `)) || usual);
  if (fs.exists(path)) {
    const answer = await ask(proc, `${path} already exists.\nOverwrite (y/n)? `);
    if (!/^y/i.test(answer ?? '')) return 1;
  }
  if (!options.has('N')) {
    const first = await askSecret(proc, 'Enter passphrase (empty for no passphrase): ');
    const second = await askSecret(proc, 'Enter same passphrase again: ');
    if (first !== second) {
      await proc.stdout.write('Passphrases do not match.  Try again.\n');
      return 1;
    }
  }
  const bits = type.algorithm === 'ssh-rsa' ? Number(options.value('b') ?? type.bits) : type.bits;
  const blob = publicBlob(proc, type, bits);
  const comment = options.value('C') ?? `${userName(proc, proc.credentials.uid)}@${proc.kernel.hostname}`;
  const body = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    field('none'),
    field('none'),
    field(''),
    Buffer.from([0, 0, 0, 1]),
    field(blob),
    field(proc.random.bytes(96)),
  ]);
  const lines = body.toString('base64').replaceAll(/(.{70})(?=.)/g, '$1\n');
  try {
    const folder = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '.';
    if (!fs.exists(folder) && folder.endsWith('/.ssh')) {
      fs.mkdir(folder, { mode: 0o700 });
      await say(`Created directory '${folder}'.\n`);
    }
    fs.writeFile(path, `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----\n`, {
      mode: 0o600,
    });
    fs.writeFile(`${path}.pub`, `${type.algorithm} ${blob.toString('base64')} ${comment}\n`, { mode: 0o644 });
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    await proc.stderr.write(`Saving key "${path}" failed: ${error.message}\n`);
    return 1;
  }
  await say(
    `Your identification has been saved in ${path}\nYour public key has been saved in ${path}.pub\nThe key fingerprint is:\n${fingerprint(blob.toString('base64'))} ${comment}\nThe key's randomart image is:\n${randomArt(blob, `${type.label} ${bits}`)}`,
  );
  return 0;
}

async function ask(proc: Process, prompt: string): Promise<string | undefined> {
  await proc.stdout.write(prompt);
  const bytes: number[] = [];
  for (;;) {
    const [byte] = await proc.stdin.read(1);
    if (byte === undefined && bytes.length === 0) return undefined;
    if (byte === undefined || byte === 10) return Buffer.from(bytes).toString();
    bytes.push(byte);
  }
}

/** The drunken bishop's walk over 17 by 9 squares. */
function randomArt(blob: Uint8Array, label: string): string {
  const [width, height, symbols] = [17, 9, ' .o+=*BOX@%&#/^SE'];
  const squares = new Map<number, number>();
  let [x, y] = [8, 4];
  for (const byte of createHash('sha256').update(blob).digest())
    for (let step = 0; step < 4; step++) {
      const move = (byte >> (2 * step)) & 3;
      x = Math.max(0, Math.min(width - 1, x + ((move & 1) === 1 ? 1 : -1)));
      y = Math.max(0, Math.min(height - 1, y + ((move & 2) === 2 ? 1 : -1)));
      squares.set(y * width + x, Math.min(14, (squares.get(y * width + x) ?? 0) + 1));
    }
  squares.set(4 * width + 8, 15);
  squares.set(y * width + x, 16);
  const edge = (text: string): string => {
    const left = Math.floor((width - text.length) / 2);
    return `+${'-'.repeat(left)}${text}${'-'.repeat(width - text.length - left)}+\n`;
  };
  const rows = Array.from(
    { length: height },
    (_, row) =>
      `|${Array.from({ length: width }, (__, column) => symbols[squares.get(row * width + column) ?? 0]).join('')}|\n`,
  );
  return `${edge(`[${label}]`)}${rows.join('')}${edge('[SHA256]')}`;
}

async function showKey(proc: Process, options: Options): Promise<number> {
  const path = options.value('f') ?? `${proc.env.get('HOME') ?? ''}/.ssh/id_rsa`;
  const file = path.endsWith('.pub') ? path : `${path}.pub`;
  if (!proc.fs.exists(file)) {
    await proc.stderr.write(`${path}: No such file or directory\n`);
    return 255;
  }
  const [algorithm = '', key = '', comment = ''] = proc.fs.readText(file).trim().split(' ');
  if (options.has('y')) await proc.stdout.write(`${algorithm} ${key} ${comment}\n`);
  else {
    const type = Object.values(TYPES).find((one) => one.algorithm === algorithm);
    const bits = algorithm === 'ssh-rsa' ? (Buffer.from(key, 'base64').length - 23) * 8 : 256;
    await proc.stdout.write(`${bits} ${fingerprint(key)} ${comment} (${type?.label ?? algorithm})\n`);
  }
  return 0;
}

async function knownHosts(proc: Process, options: Options): Promise<number> {
  const path = options.value('f') ?? `${proc.env.get('HOME') ?? ''}/.ssh/known_hosts`;
  const host = options.value('R') ?? options.value('F') ?? '';
  if (!proc.fs.exists(path)) {
    await proc.stderr.write(`Cannot stat ${path}: No such file or directory\n`);
    return 255;
  }
  const lines = proc.fs
    .readText(path)
    .split('\n')
    .filter((line) => line !== '');
  const own = (line: string): boolean => (line.split(' ')[0] ?? '').split(',').includes(host);
  if (options.has('F')) {
    for (const [index, line] of lines.entries())
      if (own(line)) await proc.stdout.write(`# Host ${host} found: line ${index + 1} \n${line}\n`);
    return lines.some(own) ? 0 : 1;
  }
  if (!lines.some(own)) {
    await proc.stderr.write(`Host ${host} not found in ${path}\n`);
    return 0;
  }
  for (const [index, line] of lines.entries())
    if (own(line)) await proc.stdout.write(`# Host ${host} found: line ${index + 1}\n`);
  proc.fs.writeFile(`${path}.old`, lines.map((line) => `${line}\n`).join(''), { mode: 0o600 });
  proc.fs.writeFile(
    path,
    lines
      .filter((line) => !own(line))
      .map((line) => `${line}\n`)
      .join(''),
  );
  await proc.stdout.write(`${path} updated.\nOriginal contents retained as ${path}.old\n`);
  return 0;
}

/** ssh-copy-id(1): adds a public key to the other side's authorized_keys, through ssh. */
export const sshCopyId: Program = async (proc) => {
  const self = '/usr/bin/ssh-copy-id';
  let options: Options;
  try {
    options = parseOptions(proc.argv.slice(1), { short: 'i:p:o:fnh', permute: true });
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    await proc.stderr.write(`${self}: ERROR: ${error.message}\n`);
    return 1;
  }
  const [target] = options.operands;
  if (target === undefined) {
    await proc.stderr.write(
      `Usage: ${self} [-h|-?|-f|-n] [-i [identity_file]] [-p port] [[-o <ssh -o options>] ...] [user@]hostname\n`,
    );
    return 1;
  }
  const home = proc.env.get('HOME') ?? '';
  const given = options.value('i');
  const candidates =
    given === undefined
      ? ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => `${home}/.ssh/${name}.pub`)
      : [given.endsWith('.pub') ? given : `${given}.pub`];
  const file = candidates.find((path) => proc.fs.exists(path));
  if (file === undefined) {
    await proc.stderr.write(
      `\n${self}: ERROR: ${given === undefined ? 'No identities found' : `failed to open ID file '${candidates[0]}': No such file`}\n`,
    );
    return 1;
  }
  await proc.stderr.write(`${self}: INFO: Source of key(s) to be installed: "${file}"\n`);
  const key = proc.fs.readText(file).trim();
  const base = [
    'ssh',
    ...options.values('o').flatMap((text) => ['-o', text]),
    ...(options.has('p') ? ['-p', options.value('p')!] : []),
  ];
  const remote = `umask 077; mkdir -p .ssh; grep -qF '${key.split(' ')[1]}' .ssh/authorized_keys 2>/dev/null && exit 42; cat >> .ssh/authorized_keys`;
  await proc.stderr.write(
    `${self}: INFO: attempting to log in with the new key(s), to filter out any that are already installed\n${self}: INFO: 1 key(s) remain to be installed -- if you are prompted now it is to install the new keys\n`,
  );
  const { reader, writer } = proc.kernel.pipe();
  void writer.write(`${key}\n`).then(
    () => proc.kernel.closeFile(writer),
    () => undefined,
  ); // ssh may end before it reads.
  const status = statusNumber(await runChild(proc, { argv: [...base, target, remote], stdin: reader }));
  if (status === 42) {
    await proc.stderr.write(
      `\n${self}: WARNING: All keys were skipped because they already exist on the remote system.\n\t\t(if you think this is a mistake, you may want to use -f option)\n\n`,
    );
    return 0;
  }
  if (status !== 0) return 1;
  await proc.stdout.write(
    `\nNumber of key(s) added: 1\n\nNow try logging into the machine, with:   "ssh '${target}'"\nand check to make sure that only the key(s) you wanted were added.\n\n`,
  );
  return 0;
};

/** ssh-keyscan(1) */
export const sshKeyscan: Program = async (proc) => {
  const options = parseOptions(proc.argv.slice(1), { short: '46cDHvp:T:t:f:', permute: true });
  const port = Number(options.value('p') ?? SSH_PORT);
  let status = 0;
  for (const host of options.operands) {
    const [address] = (await lookupHost(proc, host)).addresses;
    if (address === undefined) {
      await proc.stderr.write(`getaddrinfo ${host}: Name or service not known\n`);
      status = 1;
      continue;
    }
    try {
      const socket = await proc.interruptible(
        proc.net.sockets.connectTcp({ address, port }, { owner: proc.socketOwner }),
      );
      const channel = new Channel(socket);
      await channel.greet();
      const hello = await proc.interruptible(channel.receive());
      socket.close();
      if (hello?.kind !== 'hello') continue;
      const { hostKey } = JSON.parse(hello.content.toString()) as ServerHello;
      await proc.stderr.write(`# ${host}:${port} SSH-2.0-OpenSSH_8.7\n`);
      await proc.stdout.write(`${port === SSH_PORT ? host : `[${host}]:${port}`} ssh-ed25519 ${hostKey}\n`);
    } catch (error) {
      if (!(error instanceof ErrnoError) || error.code === 'EINTR') throw error;
      status = 1; // Says nothing of hosts that don't answer.
    }
  }
  return status;
};
