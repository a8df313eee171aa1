// The client's side of a session: connecting, the host's key, and the refusals.
import { ErrnoError, type TcpSocket } from '../../../network/index.ts';
import type { Process } from '../../kernel/index.ts';
import { userName } from '../frame/accounts.ts';
import { lookupHost } from '../../libc/index.ts';
import { askSecret } from '../system/passwords.ts';
import {
  Channel,
  fingerprint,
  ProtocolError,
  SSH_PORT,
  type ServerHello,
  type SessionRequest,
} from './channel.ts';
import { identityFiles, publicKeys, readConfig } from './config.ts';

const PASSWORD_TRIES = 3;

/** ssh gives up with this text and status 255. */
export class SshError extends Error {}

export interface Target {
  /** As typed. */
  readonly host: string;
  readonly user: string;
  readonly port: number;
  /** What ~/.ssh/config says of it, by lower-case name. */
  readonly config: ReadonlyMap<string, string>;
}

export interface ConnectOptions {
  /** `-o` settings by lower-case name. */
  readonly settings: ReadonlyMap<string, string>;
  readonly command: string | undefined;
  readonly terminal: SessionRequest['terminal'];
  /** -i */
  readonly identities?: readonly string[];
}

/** Splits `user@host`; the user is whoever runs it unless said, here or in ~/.ssh/config. */
export function parseTarget(proc: Process, text: string, login?: string, port?: string): Target {
  const at = text.lastIndexOf('@');
  const host = text.slice(at + 1);
  const config = readConfig(proc, host);
  const user = login ?? config.get('user') ?? userName(proc, proc.credentials.uid);
  return {
    host: config.get('hostname')?.replaceAll('%h', host) ?? host,
    user: at < 0 ? user : text.slice(0, at),
    port: Number(port ?? config.get('port') ?? SSH_PORT),
    config,
  };
}

/** A session that the server has accepted. Throws SshError. */
export async function openSession(
  proc: Process,
  target: Target,
  given: ConnectOptions,
): Promise<{ readonly channel: Channel; readonly socket: TcpSocket }> {
  const { host, user, port } = target;
  const options: ConnectOptions = { ...given, settings: new Map([...target.config, ...given.settings]) };
  const [address] = (await lookupHost(proc, host)).addresses;
  if (address === undefined)
    throw new SshError(`ssh: Could not resolve hostname ${host}: Name or service not known`);
  const socket = await connect(proc, host, address, port, options.settings);
  const channel = new Channel(socket);
  try {
    await proc.interruptible(channel.greet());
    const hello = await proc.interruptible(channel.receive());
    if (hello?.kind !== 'hello') throw new ProtocolError('Connection closed by remote host');
    await checkHostKey(
      proc,
      target,
      address,
      (JSON.parse(hello.content.toString()) as ServerHello).hostKey,
      options,
    );
    await channel.send('request', {
      user,
      clientUser: userName(proc, proc.credentials.uid),
      clientUid: proc.credentials.uid,
      keys: publicKeys(proc, identityFiles(proc, options)),
      command: options.command,
      terminal: options.terminal,
    } satisfies SessionRequest);
    if (!(await login(proc, channel, target, options)))
      throw new SshError(
        `${user}@${host}: Permission denied (publickey,gssapi-keyex,gssapi-with-mic,password).`,
      );
    return { channel, socket };
  } catch (error) {
    socket.close();
    if (error instanceof ProtocolError) throw new SshError(error.message, { cause: error });
    if (error instanceof ErrnoError && error.code !== 'EINTR')
      throw new SshError(`kex_exchange_identification: read: ${error.message}`, { cause: error });
    throw error;
  }
}

/** Whether the server lets us in, by key or by a password that is asked for. */
async function login(
  proc: Process,
  channel: Channel,
  { host, user }: Target,
  { settings }: ConnectOptions,
): Promise<boolean> {
  for (let tries = 0; ; tries++) {
    const answer = await proc.interruptible(channel.receive());
    if (answer?.kind === 'accepted') return true;
    if (answer?.kind !== 'refused' || tries === PASSWORD_TRIES) return false;
    const mayAsk = proc.tty !== undefined && settings.get('batchmode')?.toLowerCase() !== 'yes';
    if (!mayAsk || settings.get('passwordauthentication')?.toLowerCase() === 'no') return false;
    if (tries > 0) await proc.stderr.write('Permission denied, please try again.\n');
    const password = await askSecret(proc, `${user}@${host}'s password: `, 'terminal');
    if (password === undefined) return false;
    await channel.send('password', Buffer.from(password));
  }
}

async function connect(
  proc: Process,
  host: string,
  address: string,
  port: number,
  settings: ReadonlyMap<string, string>,
): Promise<TcpSocket> {
  const limit = Number(settings.get('connecttimeout') ?? 0);
  const stop = new AbortController();
  const timer =
    limit === 0 ? undefined : proc.clock.after(limit * 1000, () => stop.abort(new ErrnoError('ETIMEDOUT')));
  try {
    return await proc.interruptible(
      proc.net.sockets.connectTcp({ address, port }, { owner: proc.socketOwner, signal: stop.signal }),
    );
  } catch (error) {
    if (!(error instanceof ErrnoError) || error.code === 'EINTR') throw error;
    const reason = stop.signal.aborted ? 'Connection timed out' : error.message;
    throw new SshError(`ssh: connect to host ${host} port ${port}: ${reason}`, { cause: error });
  } finally {
    timer?.[Symbol.dispose]();
  }
}

/** known_hosts: asks about a host that is new, and refuses one whose key has changed. */
async function checkHostKey(
  proc: Process,
  { host, port }: Target,
  address: string,
  key: string,
  { settings }: ConnectOptions,
): Promise<void> {
  const home = proc.env.get('HOME') ?? '/';
  const path = settings.get('userknownhostsfile') ?? `${home}/.ssh/known_hosts`;
  const name = port === SSH_PORT ? host : `[${host}]:${port}`;
  const known = (proc.fs.exists(path) ? proc.fs.readText(path) : '')
    .split('\n')
    .map((line) => line.split(' '));
  const strict = settings.get('stricthostkeychecking')?.toLowerCase() ?? 'ask';
  const row = known.findIndex(([names = '']) => names.split(',').includes(name));
  if (row >= 0) {
    if (known[row]![2] === key) return;
    await proc.stderr.write(changedText(host, key, path, row + 1));
    if (strict === 'no' || strict === 'off') return;
    throw new SshError('Host key verification failed.');
  }
  if (strict === 'yes') {
    await proc.stderr.write(
      `No ED25519 host key is known for ${name} and you have requested strict checking.\n`,
    );
    throw new SshError('Host key verification failed.');
  }
  if (strict === 'ask' && !(await confirm(proc, host, address, key)))
    throw new SshError('Host key verification failed.');
  if (path !== '/dev/null') {
    const folder = path.slice(0, path.lastIndexOf('/'));
    if (!proc.fs.exists(folder)) proc.fs.mkdir(folder, { mode: 0o700 });
    const before = proc.fs.exists(path) ? proc.fs.readText(path) : '';
    proc.fs.writeFile(path, `${before}${name} ssh-ed25519 ${key}\n`, { mode: 0o600 });
  }
  await proc.stderr.write(`Warning: Permanently added '${name}' (ED25519) to the list of known hosts.\n`);
}

async function confirm(proc: Process, host: string, address: string, key: string): Promise<boolean> {
  const tty = proc.tty;
  if (tty === undefined) return false;
  const terminal = proc.fs.open(tty.path, { read: true, write: true });
  const shown = `'${host} (${address})'`;
  await proc.stderr.write(
    `The authenticity of host ${shown} can't be established.\nED25519 key fingerprint is ${fingerprint(key)}.\nThis key is not known by any other names\nAre you sure you want to continue connecting (yes/no/[fingerprint])? `,
  );
  for (;;) {
    const bytes = await terminal.read();
    if (bytes.length === 0) return false;
    const answer = Buffer.from(bytes).toString().trim();
    if (answer === 'yes' || answer === fingerprint(key)) return true;
    if (answer === 'no') return false;
    await proc.stderr.write("Please type 'yes', 'no' or the fingerprint: ");
  }
}

function changedText(host: string, key: string, path: string, line: number): string {
  const bar = '@'.repeat(59);
  return `${bar}\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n${bar}\nIT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!\nSomeone could be eavesdropping on you right now (man-in-the-middle attack)!\nIt is also possible that a host key has just been changed.\nThe fingerprint for the ED25519 key sent by the remote host is\n${fingerprint(key)}.\nPlease contact your system administrator.\nAdd correct host key in ${path} to get rid of this message.\nOffending ED25519 key in ${path}:${line}\nHost key for ${host} has changed and you have requested strict checking.\n`;
}
