// scp(1): copies files between machines with the old protocol of rcp, which `scp -t` and `scp -f` speak at the other end.
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import type { Channel } from './channel.ts';
import { openSession, parseTarget, SshError } from './client.ts';
import { settingsOf } from './ssh.ts';

const USAGE = `usage: scp [-346ABCOpqRrsTv] [-c cipher] [-D sftp_server_path] [-F ssh_config]
           [-i identity_file] [-J destination] [-l limit]
           [-o ssh_option] [-P port] [-S program] source ... target
`;
const OK = Buffer.from([0]);

/** Two-way bytes to the other scp. */
interface Wire {
  read(): Promise<Uint8Array | undefined>;
  write(bytes: Uint8Array): Promise<void>;
}

/** scp(1) */
export const scp: Program = command(
  {
    short: '346ABCOpqRrsTvtfd1c:D:F:i:J:l:o:P:S:',
    hint: () => USAGE,
    usage: '[-346ABCOpqRrsTv] source ... target',
  },
  async (it) => {
    const { proc, options, operands } = it;
    if (options.has('t') || options.has('f')) return remoteEnd(it);
    const target = operands.at(-1);
    if (target === undefined || operands.length < 2) {
      await proc.stderr.write(USAGE);
      return 1;
    }
    for (const source of operands.slice(0, -1)) {
      const [from, to] = [remotePath(source), remotePath(target)];
      try {
        if (from !== undefined && to !== undefined)
          throw new Failure("drydock: scp between two other machines isn't simulated");
        if (from === undefined && to === undefined)
          throw new Failure('drydock: use cp for files of one machine');
        if (to !== undefined) await upload(it, source, to);
        else await download(it, from!, target);
      } catch (error) {
        if (!(error instanceof SshError)) throw error;
        await proc.stderr.write(`${error.message}\nscp: Connection closed\n`);
        return 255;
      }
    }
    return it.exitCode;
  },
);

/** `host:path`; a slash before the colon makes it a local name. */
function remotePath(text: string): { readonly host: string; readonly path: string } | undefined {
  const [, host, path] = /^([^/:]+):(.*)$/s.exec(text) ?? [];
  return host === undefined ? undefined : { host, path: path === '' || path === undefined ? '.' : path };
}

async function connect(it: Invocation, host: string, remote: string): Promise<Wire & Disposable> {
  const { proc, options } = it;
  const { channel, socket } = await openSession(
    proc,
    parseTarget(proc, host, undefined, options.value('P')),
    {
      settings: settingsOf(options),
      identities: options.values('i'),
      command: remote,
      terminal: undefined,
    },
  );
  return {
    read: () => proc.interruptible(nextOutput(it, channel)),
    write: (bytes) => channel.send('stdin', bytes),
    [Symbol.dispose]: () => socket.close(),
  };
}

/** What the other end says next; its complaints go through. */
async function nextOutput(it: Invocation, channel: Channel): Promise<Uint8Array | undefined> {
  for (;;) {
    const record = await channel.receive();
    if (record === undefined || record.kind === 'exit') return undefined;
    if (record.kind === 'stdout') return record.content;
    if (record.kind === 'stderr') await it.proc.stderr.write(record.content);
  }
}

function flags(it: Invocation): string {
  return `${it.options.has('r') ? ' -r' : ''}${it.options.has('p') ? ' -p' : ''}`;
}

async function upload(
  it: Invocation,
  source: string,
  to: { readonly host: string; readonly path: string },
): Promise<void> {
  if (!it.proc.fs.exists(source)) return it.warn(`stat local "${source}": No such file or directory`);
  using wire = await connect(it, to.host, `scp${flags(it)} -t ${to.path}`);
  const reader = new WireReader(wire);
  await reader.acknowledged();
  await send(it, wire, reader, source);
}

async function download(
  it: Invocation,
  from: { readonly host: string; readonly path: string },
  target: string,
): Promise<void> {
  using wire = await connect(it, from.host, `scp${flags(it)} -f ${from.path}`);
  await receive(it, wire, target);
}

/** What sshd's shell runs: `scp -t` takes, `scp -f` gives. */
async function remoteEnd(it: Invocation): Promise<number> {
  const { proc, operands, options } = it;
  const wire: Wire = {
    async read() {
      const bytes = await proc.stdin.read(65_536);
      return bytes.length === 0 ? undefined : bytes;
    },
    write: (bytes) => proc.stdout.write(bytes),
  };
  if (options.has('t')) {
    await receive(it, wire, operands[0] ?? '.');
    return it.exitCode;
  }
  const reader = new WireReader(wire);
  await reader.acknowledged();
  for (const path of operands) {
    if (proc.fs.exists(path)) await send(it, wire, reader, path);
    else await wire.write(Buffer.from(`\u0001scp: ${path}: No such file or directory\n`));
  }
  return it.exitCode;
}

class WireReader {
  private readonly wire: Wire;
  private pending = Buffer.alloc(0);

  constructor(wire: Wire) {
    this.wire = wire;
  }

  /** At most so many bytes; undefined at the end. */
  async take(sizeMax: number): Promise<Buffer | undefined> {
    if (this.pending.length === 0) {
      const bytes = await this.wire.read();
      if (bytes === undefined) return undefined;
      this.pending = Buffer.from(bytes);
    }
    const taken = this.pending.subarray(0, sizeMax);
    this.pending = this.pending.subarray(taken.length);
    return taken;
  }

  async line(): Promise<string | undefined> {
    const parts: Buffer[] = [];
    for (;;) {
      const byte = await this.take(1);
      if (byte === undefined) return undefined;
      if (byte[0] === 10) return Buffer.concat(parts).toString();
      parts.push(byte);
    }
  }

  /** Reads a 0; a 1 or 2 comes with a complaint, which becomes a Failure. */
  async acknowledged(): Promise<void> {
    const byte = await this.take(1);
    if (byte === undefined) throw new Failure('Connection closed', 255);
    if (byte[0] === 0) return;
    throw new Failure(((await this.line()) ?? '').replace(/^scp: /, ''));
  }
}

async function send(it: Invocation, wire: Wire, reader: WireReader, path: string): Promise<void> {
  const { proc, options } = it;
  const stat = proc.fs.stat(path);
  const name = path.replace(/\/+$/, '').replace(/^.*\//, '');
  const mode = stat.mode.toString(8).padStart(4, '0').slice(-4);
  const tell = async (text: string): Promise<void> => {
    await wire.write(Buffer.from(text));
    await reader.acknowledged();
  };
  if (stat.type === 'directory' && !options.has('r')) {
    if (options.has('f')) await wire.write(Buffer.from(`\u0001scp: ${path}: not a regular file\n`));
    else await it.warn(`local "${path}" is not a regular file`);
    return;
  }
  if (options.has('p'))
    await tell(`T${Math.floor(stat.modifyMs / 1000)} 0 ${Math.floor(stat.accessMs / 1000)} 0\n`);
  if (stat.type === 'directory') {
    await tell(`D${mode} 0 ${name}\n`);
    for (const entry of proc.fs.readdir(path)) await send(it, wire, reader, `${path}/${entry.name}`);
    return tell('E\n');
  }
  const startMs = proc.clock.now();
  const content = proc.fs.readFile(path);
  await tell(`C${mode} ${content.length} ${name}\n`);
  for (let at = 0; at < content.length; at += 32_768) await wire.write(content.subarray(at, at + 32_768));
  await wire.write(OK);
  await reader.acknowledged();
  if (!options.has('f')) await showProgress(it, name, content.length, startMs);
}

/** Takes what a sender offers: C a file, D and E a directory, T times. */
async function receive(it: Invocation, wire: Wire, target: string): Promise<void> {
  const { proc } = it;
  const reader = new WireReader(wire);
  await wire.write(OK);
  const isDirectory = proc.fs.exists(target) && proc.fs.stat(target).type === 'directory';
  const folders: string[] = [];
  const place = (name: string): string => {
    const folder = folders.at(-1);
    if (folder !== undefined) return `${folder}/${name}`;
    return isDirectory ? `${target.replace(/\/$/, '')}/${name}` : target;
  };
  let times: [modifyMs: number, accessMs: number] | undefined;
  for (;;) {
    const line = await reader.line();
    if (line === undefined) return;
    if (line.startsWith('\u0001') || line.startsWith('\u0002')) {
      await proc.stderr.write(`${line.slice(1)}\n`);
      it.exitCode = 1;
      continue;
    }
    const [, kind, mode = '', size = '', name = ''] = /^([CD])(\d{4}) (\d+) ([^/]+)$/.exec(line) ?? [];
    if (line.startsWith('T')) {
      const [modify = 0, , access = 0] = line.slice(1).split(' ').map(Number);
      times = [modify * 1000, access * 1000];
    } else if (line === 'E') folders.pop();
    else if (kind === undefined || name === '..') {
      await wire.write(Buffer.from('\u0002scp: protocol error: unexpected record\n'));
      throw new Failure('protocol error: unexpected record');
    } else {
      const path = place(name);
      try {
        if (kind === 'D') {
          if (!proc.fs.exists(path)) proc.fs.mkdir(path, { mode: Number.parseInt(mode, 8) });
          folders.push(path);
        } else
          await receiveFile(it, wire, reader, path, {
            mode: Number.parseInt(mode, 8),
            size: Number(size),
            name,
          });
        if (times !== undefined) proc.fs.utimes(path, times[1], times[0]);
      } catch (error) {
        if (!(error instanceof ErrnoError) || error.code === 'EINTR') throw error;
        await wire.write(Buffer.from(`\u0001scp: ${path}: ${error.message}\n`));
        if (!it.options.has('t')) await it.warn(`${path}: ${error.message}`);
        it.exitCode = 1;
        return;
      }
      times = undefined;
    }
    await wire.write(OK);
  }
}

async function receiveFile(
  it: Invocation,
  wire: Wire,
  reader: WireReader,
  path: string,
  { mode, size, name }: { mode: number; size: number; name: string },
): Promise<void> {
  const { proc } = it;
  const startMs = proc.clock.now();
  const file = proc.fs.open(path, { write: true, create: true, truncate: true }, mode & ~proc.umask);
  await wire.write(OK);
  for (let left = size; left > 0;) {
    const bytes = await reader.take(left);
    if (bytes === undefined) throw new Failure('Connection closed', 255);
    await file.write(bytes);
    left -= bytes.length;
  }
  await reader.acknowledged();
  if (!it.options.has('t')) await showProgress(it, name, size, startMs);
}

/** The finished line of the progress meter, on a terminal. */
async function showProgress(
  { proc, options }: Invocation,
  name: string,
  size: number,
  startMs: number,
): Promise<void> {
  if (proc.stdout.tty === undefined || options.has('q')) return;
  const seconds = Math.max(0.001, (proc.clock.now() - startMs) / 1000);
  const rate = `${(size / 1024 / seconds).toFixed(1)}KB/s`;
  const width = Math.max(20, proc.stdout.tty.size.columns - 40);
  await proc.stdout.write(
    `${name.slice(0, width).padEnd(width)} 100% ${shortSize(size).padStart(4)}  ${rate.padStart(9)}   00:00    \n`,
  );
}

function shortSize(bytes: number): string {
  const units = ['', 'KB', 'MB', 'GB'];
  let [value, unit] = [bytes, 0];
  while (value >= 10_000 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Math.floor(value)}${units[unit]}`;
}
