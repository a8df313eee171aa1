// sshd(8): lets people of other machines in, on a terminal or with a command.
import { ErrnoError, type TcpSocket } from '../../../network/index.ts';
import {
  ProcessExit,
  SIGNAL_NUMBERS,
  type Process,
  type Program,
  type Task,
  type TtyMaster,
} from '../../kernel/index.ts';
import { listGroups, userByName, type User } from '../frame/accounts.ts';
import { isPasswordOf } from '../system/passwords.ts';
import { Channel, ProtocolError, SSH_PORT, type SessionRequest } from './channel.ts';

/** pam_unix's delay. */
const WRONG_PASSWORD_MS = 2000;

const KEY_PATH = '/etc/ssh/ssh_host_ed25519_key';
const PATHS = {
  root: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/root/bin',
  others: '/usr/local/bin:/usr/bin:/usr/local/sbin:/usr/sbin',
};

/** sshd(8), in the foreground. */
export const sshd: Program = async (proc) => {
  const hostKey = hostKeyOf(proc);
  const owner = { ...proc.socketOwner, command: 'sshd' };
  using listener = proc.net.sockets.listenTcp({ address: '::', port: SSH_PORT }, { owner, backlog: 128 });
  await proc.stderr.write(
    `Server listening on 0.0.0.0 port ${SSH_PORT}.\nServer listening on :: port ${SSH_PORT}.\n`,
  );
  for (;;) {
    const socket = await proc.interruptible(listener.accept());
    const child = proc.spawn({
      argv: ['sshd: [accepted]'],
      program: (child) => serve(child, proc, socket, hostKey),
    });
    void child.wait().catch(ignoreGone);
  }
};

/** The host's key; made on the first start, as sshd-keygen does. */
function hostKeyOf(proc: Process): string {
  const publicPath = `${KEY_PATH}.pub`;
  if (!proc.fs.exists(publicPath)) {
    const blob = Buffer.concat([
      Buffer.from([0, 0, 0, 11]),
      Buffer.from('ssh-ed25519'),
      Buffer.from([0, 0, 0, 32]),
      proc.random.bytes(32),
    ]);
    if (!proc.fs.exists('/etc/ssh')) proc.fs.mkdir('/etc/ssh', { mode: 0o755 });
    proc.fs.writeFile(publicPath, `ssh-ed25519 ${blob.toString('base64')} \n`, { mode: 0o644 });
  }
  return proc.fs.readText(publicPath).split(/\s+/)[1] ?? '';
}

async function serve(proc: Process, daemon: Process, socket: TcpSocket, hostKey: string): Promise<number> {
  const channel = new Channel(socket);
  try {
    await proc.interruptible(channel.greet());
    await channel.send('hello', { hostKey });
    const record = await proc.interruptible(channel.receive());
    if (record?.kind !== 'request') return 255;
    const request = JSON.parse(record.content.toString()) as SessionRequest;
    const user = userByName(proc, request.user);
    const from = `${user === undefined ? 'invalid user ' : ''}${request.user} from ${socket.remote.address} port ${socket.remote.port} ssh2`;
    const method = await authenticate(proc, channel, user, request, (text) =>
      daemon.stderr.write(`${text} ${from}\n`),
    );
    if (method === undefined || user === undefined) return 255;
    await daemon.stderr.write(`Accepted ${method} for ${from}\n`);
    await channel.send('accepted');
    await new Session(proc, channel, user, request, socket).run();
    return 0;
  } catch (error) {
    if (error instanceof ProcessExit) throw error;
    if (!(error instanceof ErrnoError || error instanceof ProtocolError || error instanceof SyntaxError))
      throw error;
    return 255;
  } finally {
    socket.close();
  }
}

/** MaxAuthTries of passwords. */
const PASSWORD_TRIES = 3;

/** How the client proved who it is; undefined: it did not. */
async function authenticate(
  proc: Process,
  channel: Channel,
  user: User | undefined,
  request: SessionRequest,
  tell: (text: string) => Promise<unknown>,
): Promise<'publickey' | 'password' | undefined> {
  const trusted = request.clientUid === 0 && user?.uid === 0;
  if (user !== undefined && (trusted || holdsKey(proc, user, request.keys))) return 'publickey';
  for (let tries = 0; tries < PASSWORD_TRIES; tries++) {
    await channel.send('refused');
    const record = await proc.interruptible(channel.receive());
    if (record?.kind !== 'password') break;
    if (user !== undefined && isPasswordOf(proc, user.name, record.content.toString())) return 'password';
    await tell('Failed password for');
    await proc.sleep(WRONG_PASSWORD_MS);
  }
  await channel.send('refused');
  return undefined;
}

/** ~/.ssh/authorized_keys */
function holdsKey(proc: Process, { home }: User, keys: readonly string[]): boolean {
  const path = `${home}/.ssh/authorized_keys`;
  if (keys.length === 0 || !proc.fs.exists(path)) return false;
  const words = proc.fs.readText(path).split(/\s+/);
  return keys.some((key) => words.includes(key));
}

/** One shell or command of somebody elsewhere. */
class Session {
  private readonly proc: Process;
  private readonly channel: Channel;
  private readonly user: User;
  private readonly request: SessionRequest;
  private readonly socket: TcpSocket;

  constructor(proc: Process, channel: Channel, user: User, request: SessionRequest, socket: TcpSocket) {
    this.proc = proc;
    this.channel = channel;
    this.user = user;
    this.request = request;
    this.socket = socket;
  }

  async run(): Promise<void> {
    const { terminal } = this.request;
    if (terminal === undefined) return this.withPipes();
    const master = this.proc.kernel.openTty({ columns: terminal.columns, rows: terminal.rows });
    const task = this.start({ tty: master });
    void this.takeInput(
      task,
      (bytes) => master.input(bytes),
      () => undefined,
      master,
    ).catch(ignoreGone);
    const show = async (): Promise<void> => {
      for (;;) {
        const bytes = await master.output();
        if (bytes === undefined) return;
        await this.channel.send('stdout', bytes);
      }
    };
    await this.end(task, [show()]);
  }

  private async withPipes(): Promise<void> {
    const { proc, channel } = this;
    const [input, output, errors] = [proc.kernel.pipe(), proc.kernel.pipe(), proc.kernel.pipe()];
    const own = [input.writer, output.reader, errors.reader].map((file) => proc.setFd(file, undefined, 10));
    const task = this.start({ stdio: [input.reader, output.writer, errors.writer] });
    let isOpen = true;
    const closeInput = (): void => {
      if (isOpen) proc.closeFd(own[0]!);
      isOpen = false;
    };
    void this.takeInput(task, (bytes) => (isOpen ? input.writer.write(bytes) : undefined), closeInput).catch(
      ignoreGone,
    );
    proc.onSignal('SIGPIPE', 'ignore');
    const pass = async (file: typeof output.reader, kind: 'stdout' | 'stderr'): Promise<void> => {
      for (;;) {
        const bytes = await file.read();
        if (bytes.length === 0) return;
        await channel.send(kind, bytes);
      }
    };
    await this.end(task, [pass(output.reader, 'stdout'), pass(errors.reader, 'stderr')]);
    closeInput();
  }

  private async end(task: Task, outputs: readonly Promise<void>[]): Promise<void> {
    const [status] = await this.proc.interruptible(Promise.all([task.ended, ...outputs]));
    await this.channel.send(
      'exit',
      status.kind === 'exited'
        ? { exitCode: status.exitCode }
        : { exitCode: 128 + SIGNAL_NUMBERS[status.signal], signal: status.signal },
    );
    this.socket.end();
  }

  private start(io: Pick<Parameters<Process['kernel']['start']>[0], 'tty' | 'stdio'>): Task {
    const { proc, user, request, socket } = this;
    const shell = user.shell === '' ? '/bin/sh' : user.shell;
    const base = shell.slice(shell.lastIndexOf('/') + 1);
    const groups = listGroups(proc).filter((group) => group.members.includes(user.name));
    return proc.kernel.start({
      argv: request.command === undefined ? [`-${base}`] : [base, '-c', request.command],
      path: shell,
      cwd: proc.fs.exists(user.home) ? user.home : '/',
      credentials: { uid: user.uid, gid: user.gid, groups: [user.gid, ...groups.map((group) => group.gid)] },
      env: new Map([
        ['USER', user.name],
        ['LOGNAME', user.name],
        ['HOME', user.home],
        ['PATH', user.uid === 0 ? PATHS.root : PATHS.others],
        ['MAIL', `/var/spool/mail/${user.name}`],
        ['SHELL', shell],
        ['LANG', 'en_US.UTF-8'],
        ['SSH_CLIENT', `${socket.remote.address} ${socket.remote.port} ${SSH_PORT}`],
        [
          'SSH_CONNECTION',
          `${socket.remote.address} ${socket.remote.port} ${socket.local.address} ${SSH_PORT}`,
        ],
        ...(request.terminal === undefined ? [] : ([['TERM', request.terminal.term]] as const)),
      ]),
      ...io,
    });
  }

  /** What the client types, until it goes away: then the session hangs up. */
  private async takeInput(
    task: Task,
    write: (bytes: Buffer) => void | Promise<void>,
    close: () => void,
    master?: TtyMaster,
  ): Promise<void> {
    for (;;) {
      const record = await this.channel.receive();
      if (record === undefined) break;
      if (record.kind === 'stdin') await write(record.content);
      else if (record.kind === 'eof') close();
      else if (record.kind === 'resize')
        master?.resize(JSON.parse(record.content.toString()) as { columns: number; rows: number });
    }
    try {
      this.proc.kernel.kill(task.pid, 'SIGHUP');
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error; // It has ended already.
    }
  }
}

/** The other side, the command or this process is no more; the session's end tells. */
function ignoreGone(error: unknown): void {
  if (!(error instanceof ErrnoError || error instanceof ProcessExit || error instanceof ProtocolError))
    throw error;
}
