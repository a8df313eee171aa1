// mysqld: accepts logins, runs statements, and keeps tables as files in its data directory.
import { ErrnoError, type TcpListener, type TcpSocket } from '../../network/index.ts';
import { untilStopped } from '../../kubernetes/daemon/index.ts';
import type { Process, Program } from '../../linux/kernel/index.ts';
import {
  errorPacket,
  greeting,
  okPacket,
  PacketStream,
  readLogin,
  resultPackets,
  scramble,
} from './protocol.ts';
import { execute, SqlError, type Catalog, type Session, type Table } from './sql.ts';

const PORT = 3306;
const DATA = '/var/lib/mysql';
const ACCOUNTS = `${DATA}/mysql.ibd`;
const QUIT = 1;
const INIT_DB = 2;
const QUERY = 3;
const PING = 14;

interface Accounts {
  readonly [user: string]: string;
}

/** mysqld of one version, such as `8.0.36`. The entrypoint has told it accounts by writing them into its data directory. */
export function makeMysqld(version: string): Program {
  return async (proc) => {
    if (proc.argv.includes('--version') || proc.argv.includes('-V')) {
      await proc.stdout.write(
        `/usr/sbin/mysqld  Ver ${version} for Linux on x86_64 (MySQL Community Server - GPL)\n`,
      );
      return 0;
    }
    const log = (level: string, code: string, text: string): Promise<void> => {
      const now = new Date(Math.floor(proc.clock.now())).toISOString().replace('Z', '000Z');
      return proc.stderr.write(`${now} 0 [${level}] [MY-${code}] [Server] ${text}\n`);
    };
    await log('System', '010116', `/usr/sbin/mysqld (mysqld ${version}) starting as process ${proc.pid}`);
    if (!proc.fs.exists(ACCOUNTS)) {
      await log('ERROR', '010457', '--initialize is needed: the data directory is empty.');
      return 1;
    }
    if (proc.credentials.uid === 0 && !proc.argv.some((word) => word.startsWith('--user'))) {
      await log(
        'ERROR',
        '010123',
        'Fatal error: Please read "Security" section of the manual to find out how to run mysqld as root!',
      );
      return 1;
    }
    const port = Number(proc.argv.find((word) => word.startsWith('--port='))?.slice(7) ?? PORT);
    let listener: TcpListener;
    try {
      listener = proc.net.sockets.listenTcp(
        { address: '0.0.0.0', port },
        { owner: proc.socketOwner, backlog: 151 },
      );
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      await log('ERROR', '010262', `Can't start server: Bind on TCP/IP port: ${error.message}`);
      return 1;
    }
    using _listener = listener;
    const server = new Server(proc, version);
    await log(
      'System',
      '010931',
      `/usr/sbin/mysqld: ready for connections. Version: '${version}'  socket: '/var/run/mysqld/mysqld.sock'  port: ${port}  MySQL Community Server - GPL.`,
    );
    void server.accept(listener);
    const status = await untilStopped(proc);
    await log(
      'System',
      '013172',
      `Received SHUTDOWN from user <via user signal>. Shutting down mysqld (Version: ${version}).`,
    );
    await log(
      'System',
      '010910',
      `/usr/sbin/mysqld: Shutdown complete (mysqld ${version})  MySQL Community Server - GPL.`,
    );
    return status;
  };
}

class Server {
  private readonly proc: Process;
  private readonly version: string;
  private readonly accounts: Accounts;
  private readonly catalog: Catalog;
  private lastId = 7;

  constructor(proc: Process, version: string) {
    this.proc = proc;
    this.version = version;
    this.accounts = JSON.parse(proc.fs.readText(ACCOUNTS)) as Accounts;
    this.catalog = { databases: readData(proc), changed: (database, table) => this.save(database, table) };
  }

  /** A table is a file; Differs: it holds JSON, not InnoDB's pages. */
  private save(database: string, name: string | undefined): void {
    const { fs } = this.proc;
    const tables = this.catalog.databases.get(database);
    const folder = `${DATA}/${database}`;
    if (tables === undefined) return fs.removeAll(folder);
    if (!fs.exists(folder)) fs.mkdir(folder, { mode: 0o750 });
    if (name === undefined) return;
    const table = tables.get(name);
    if (table === undefined) fs.unlink(`${folder}/${name}.ibd`);
    else fs.writeFile(`${folder}/${name}.ibd`, JSON.stringify(table), { mode: 0o640 });
  }

  async accept(listener: TcpListener): Promise<void> {
    for (;;) {
      let socket: TcpSocket;
      try {
        socket = await listener.accept();
      } catch (error) {
        if (error instanceof ErrnoError) return; // The server has ended.
        throw error;
      }
      this.serve(socket)
        .catch((error: unknown) => {
          if (!(error instanceof ErrnoError)) throw error; // The client broke off.
        })
        .finally(() => socket.close());
    }
  }

  private async serve(socket: TcpSocket): Promise<void> {
    const packets = new PacketStream(socket);
    const connectionId = ++this.lastId;
    const salt = Buffer.from(
      this.proc.random.string(20, 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'),
    );
    await packets.write(greeting(this.version, connectionId, salt));
    const payload = await packets.read();
    if (payload === undefined || payload.length < 33) return;
    const login = readLogin(payload);
    const host = socket.remote.address === '127.0.0.1' ? 'localhost' : socket.remote.address;
    const password = this.accounts[login.user];
    if (password === undefined || !scramble(password, salt).equals(login.answer)) {
      await packets.write(
        errorPacket(
          1045,
          '28000',
          `Access denied for user '${login.user}'@'${host}' (using password: ${login.answer.length > 0 ? 'YES' : 'NO'})`,
        ),
      );
      return;
    }
    const session: Session = {
      database: undefined,
      user: login.user,
      host,
      version: this.version,
      hostname: this.proc.kernel.hostnameOf(this.proc.pid),
      connectionId,
      nowMs: () => this.proc.clock.now(),
      lastInsertId: 0,
    };
    if (login.database !== undefined && !(await this.perform(packets, session, `USE \`${login.database}\``)))
      return;
    if (login.database === undefined) await packets.write(okPacket());
    for (;;) {
      packets.sequence = 0;
      const request = await packets.read();
      if (request === undefined || request[0] === QUIT) return;
      const text = request.toString('utf8', 1);
      if (request[0] === PING) await packets.write(okPacket());
      else if (request[0] === INIT_DB) await this.perform(packets, session, `USE \`${text}\``);
      else if (request[0] === QUERY) await this.perform(packets, session, text);
      else await packets.write(errorPacket(1047, '08S01', `drydock: command ${request[0]} isn't simulated`));
    }
  }

  private async perform(packets: PacketStream, session: Session, sql: string): Promise<boolean> {
    try {
      const outcome = execute(sql, session, this.catalog);
      if (outcome.kind === 'ok') await packets.write(okPacket(outcome.affected, session.lastInsertId));
      else await packets.write(...resultPackets(outcome.columns, outcome.rows));
      return true;
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      await packets.write(errorPacket(error.code, error.state, error.message));
      return false;
    }
  }
}

function readData({ fs }: Process): Map<string, Map<string, Table>> {
  const databases = new Map<string, Map<string, Table>>();
  for (const { name, type } of fs.readdir(DATA)) {
    if (type !== 'directory') continue;
    const files = fs.readdir(`${DATA}/${name}`).filter((file) => file.name.endsWith('.ibd'));
    databases.set(
      name,
      new Map(
        files.map((file) => [
          file.name.slice(0, -4),
          JSON.parse(fs.readText(`${DATA}/${name}/${file.name}`)) as Table,
        ]),
      ),
    );
  }
  return databases;
}

/** docker-entrypoint.sh's part in SQL: what the environment says becomes accounts and a database. Runs as `mysql-init`. */
export const mysqlInit: Program = async (proc) => {
  const { env, fs } = proc;
  if (fs.exists(ACCOUNTS)) return 0;
  const root =
    env.get('MYSQL_ROOT_PASSWORD') ??
    (env.has('MYSQL_RANDOM_ROOT_PASSWORD')
      ? proc.random.string(32, 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789')
      : '');
  if (env.has('MYSQL_RANDOM_ROOT_PASSWORD') && !env.has('MYSQL_ROOT_PASSWORD'))
    await proc.stdout.write(`GENERATED ROOT PASSWORD: ${root}\n`);
  const user = env.get('MYSQL_USER');
  const accounts: Accounts = {
    root,
    ...(user === undefined ? {} : { [user]: env.get('MYSQL_PASSWORD') ?? '' }),
  };
  if (!fs.exists(DATA)) fs.mkdir(DATA, { recursive: true, mode: 0o755 });
  fs.writeFile(ACCOUNTS, JSON.stringify(accounts), { mode: 0o640 });
  const database = env.get('MYSQL_DATABASE');
  if (database !== undefined && database !== '' && !fs.exists(`${DATA}/${database}`))
    fs.mkdir(`${DATA}/${database}`, { mode: 0o750 });
  return 0;
};
