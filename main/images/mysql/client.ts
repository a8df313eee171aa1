// mysql and mysqladmin: the clients that come with the server.
import { Resolver, ResolveError } from '../../network/dns/index.ts';
import { ErrnoError, type TcpSocket } from '../../network/index.ts';
import type { Process, Program } from '../../linux/kernel/index.ts';
import { loginPacket, PacketStream, readGreeting, readStrings, scramble } from './protocol.ts';

interface Options {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string | undefined;
  readonly statement: string | undefined;
  readonly isBatch: boolean;
  readonly hasTitles: boolean;
  readonly operands: readonly string[];
}

interface Result {
  readonly error?: { readonly code: number; readonly state: string; readonly message: string };
  readonly affected: number;
  readonly columns?: readonly string[];
  readonly rows?: readonly (readonly (string | null)[])[];
}

const PING = 14;
const QUERY = 3;

async function readOptions(proc: Process): Promise<Options> {
  const values = new Map<string, string>();
  const operands: string[] = [];
  const words = proc.argv.slice(1);
  const named: Readonly<Record<string, string>> = {
    h: 'host',
    P: 'port',
    u: 'user',
    p: 'password',
    D: 'database',
    e: 'execute',
  };
  let isBatch = proc.stdout.tty === undefined;
  let hasTitles = true;
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    const long = /^--([\w-]+)(?:=(.*))?$/s.exec(word);
    const short = /^-([hPupDe])(.*)$/s.exec(word);
    if (/^-[NsBtvrf]+$/.test(word)) {
      if (word.includes('N') || word.includes('ss')) hasTitles = false;
      if (/[sB]/.test(word)) isBatch = true;
      if (word.includes('t')) isBatch = false;
    } else if (long !== null) {
      const takesNext =
        long[2] === undefined &&
        ['host', 'port', 'user', 'database', 'execute', 'protocol', 'connect-timeout'].includes(long[1]!);
      values.set(long[1]!, long[2] ?? (takesNext ? (words[++index] ?? '') : ''));
    } else if (short !== null) {
      const needsNext = short[2] === '' && short[1] !== 'p';
      values.set(named[short[1]!]!, needsNext ? (words[++index] ?? '') : short[2]!);
    } else operands.push(word);
  }
  if (values.has('skip-column-names')) hasTitles = false;
  if (values.has('batch') || values.has('silent')) isBatch = true;
  let password = values.get('password') ?? proc.env.get('MYSQL_PWD');
  if (password === '' && values.has('password') && proc.stdin.tty !== undefined)
    password = await askPassword(proc);
  else if (values.has('password'))
    await proc.stderr.write(
      `${nameOf(proc)}: [Warning] Using a password on the command line interface can be insecure.\n`,
    );
  return {
    host: values.get('host') ?? 'localhost',
    port: Number(values.get('port') ?? 3306),
    user: values.get('user') ?? 'root',
    password,
    database: values.get('database'),
    statement: values.get('execute'),
    isBatch,
    hasTitles,
    operands,
  };
}

function nameOf(proc: Process): string {
  return proc.argv[0]!.slice(proc.argv[0]!.lastIndexOf('/') + 1);
}

async function askPassword(proc: Process): Promise<string> {
  const { tty } = proc.stdin;
  await proc.stdout.write('Enter password: ');
  const saved = { ...tty!.modes };
  tty!.setModes({ echo: false });
  try {
    return Buffer.from(await proc.stdin.read(4096))
      .toString()
      .replace(/\n$/, '');
  } finally {
    tty!.setModes(saved);
    await proc.stdout.write('\n');
  }
}

/** A logged-in connection, or the text of why there is none. */
async function connect(
  proc: Process,
  options: Options,
): Promise<{ socket: TcpSocket; packets: PacketStream; version: string } | string> {
  const host = options.host === 'localhost' ? '127.0.0.1' : options.host;
  const read = (path: string): string | undefined =>
    proc.fs.exists(path) ? proc.fs.readText(path) : undefined;
  const resolver = new Resolver({
    sockets: proc.net.sockets,
    clock: proc.clock,
    random: proc.random.fork('mysql'),
    hosts: () => read('/etc/hosts'),
    resolvConf: () => read('/etc/resolv.conf'),
  });
  let socket: TcpSocket;
  try {
    const [address = ''] = (await proc.interruptible(resolver.resolve(host))).addresses;
    socket = await proc.interruptible(
      proc.net.sockets.connectTcp({ address, port: options.port }, { owner: proc.socketOwner }),
    );
  } catch (error) {
    if (error instanceof ResolveError)
      return `ERROR 2005 (HY000): Unknown MySQL server host '${options.host}' (-2)`;
    if (!(error instanceof ErrnoError) || error.code === 'EINTR') throw error;
    if (options.host === 'localhost')
      return "ERROR 2002 (HY000): Can't connect to local MySQL server through socket '/var/run/mysqld/mysqld.sock' (2)";
    const number =
      { ECONNREFUSED: 111, ETIMEDOUT: 110, EHOSTUNREACH: 113, ENETUNREACH: 101 }[error.code as string] ?? 111;
    return `ERROR 2003 (HY000): Can't connect to MySQL server on '${options.host}:${options.port}' (${number})`;
  }
  const packets = new PacketStream(socket);
  const first = await proc.interruptible(packets.read());
  if (first === undefined || first[0] !== 10)
    return "ERROR 2013 (HY000): Lost connection to MySQL server at 'reading initial communication packet', system error: 0";
  const { salt, version } = readGreeting(first);
  await packets.write(
    loginPacket({
      user: options.user,
      answer: scramble(options.password ?? '', salt),
      database: options.database ?? options.operands[0],
    }),
  );
  const reply = await proc.interruptible(packets.read());
  if (reply === undefined)
    return "ERROR 2013 (HY000): Lost connection to MySQL server at 'reading authorization packet', system error: 0";
  if (reply[0] === 0xff) {
    const { code, state, message } = errorOf(reply);
    socket.close();
    return `ERROR ${code} (${state}): ${message}`;
  }
  return { socket, packets, version };
}

function errorOf(payload: Buffer): { code: number; state: string; message: string } {
  return {
    code: payload.readUInt16LE(1),
    state: payload.toString('utf8', 4, 9),
    message: payload.toString('utf8', 9),
  };
}

async function query(proc: Process, packets: PacketStream, sql: string): Promise<Result | undefined> {
  packets.sequence = 0;
  await packets.write(Buffer.concat([Buffer.from([QUERY]), Buffer.from(sql, 'utf8')]));
  const next = (): Promise<Buffer | undefined> => proc.interruptible(packets.read());
  const head = await next();
  if (head === undefined) return undefined;
  if (head[0] === 0xff) return { error: errorOf(head), affected: 0 };
  if (head[0] === 0) return { affected: head[1] ?? 0 };
  const columns: string[] = [];
  for (let packet = await next(); packet !== undefined && !isEnd(packet); packet = await next())
    columns.push(readStrings(packet.subarray(0, packet.length - 13))[4] ?? '');
  const rows: (string | null)[][] = [];
  for (let packet = await next(); packet !== undefined && !isEnd(packet); packet = await next())
    rows.push(readStrings(packet));
  return { affected: 0, columns, rows };
}

function isEnd(packet: Buffer): boolean {
  return packet[0] === 0xfe && packet.length < 9;
}

/** mysql(1). */
export function makeMysql(version: string): Program {
  return async (proc) => {
    if (proc.argv.includes('--version') || proc.argv.includes('-V')) {
      await proc.stdout.write(`mysql  Ver ${version} for Linux on x86_64 (MySQL Community Server - GPL)\n`);
      return 0;
    }
    const options = await readOptions(proc);
    const connection = await connect(proc, options);
    if (typeof connection === 'string') {
      await proc.stderr.write(`${connection}\n`);
      return 1;
    }
    const { socket, packets } = connection;
    try {
      if (options.statement !== undefined) return await runAll(proc, packets, options, options.statement);
      if (proc.stdin.tty === undefined)
        return await runAll(proc, packets, options, await proc.stdin.readText());
      await proc.stdout.write(
        `Welcome to the MySQL monitor.  Commands end with ; or \\g.\nYour MySQL connection id is 8\nServer version: ${connection.version} MySQL Community Server - GPL\n\nType 'help;' or '\\h' for help. Type '\\c' to clear the current input statement.\n\n`,
      );
      return await prompt(proc, packets, { ...options, isBatch: false });
    } finally {
      socket.close();
    }
  };
}

async function runAll(proc: Process, packets: PacketStream, options: Options, text: string): Promise<number> {
  for (const [index, sql] of statements(text).entries()) {
    const status = await runOne(proc, packets, options, sql, index + 1);
    if (status !== 0) return status;
  }
  return 0;
}

/** Statements at the semicolons that aren't in quotes. */
function statements(text: string): string[] {
  const parts = text.match(/(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`|[^;'"`])+/g) ?? [];
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

async function runOne(
  proc: Process,
  packets: PacketStream,
  options: Options,
  sql: string,
  line: number | undefined,
): Promise<number> {
  const startMs = proc.clock.now();
  const result = await query(proc, packets, sql);
  if (result === undefined) {
    await proc.stderr.write('ERROR 2013 (HY000): Lost connection to MySQL server during query\n');
    return 1;
  }
  if (result.error !== undefined) {
    const { code, state, message } = result.error;
    await proc.stderr.write(
      `ERROR ${code} (${state})${line === undefined ? '' : ` at line ${line}`}: ${message}\n`,
    );
    return 1;
  }
  const took = `(${((proc.clock.now() - startMs) / 1000).toFixed(2)} sec)`;
  const talks = line === undefined;
  const rows = result.rows ?? [];
  if (result.columns === undefined) {
    if (talks)
      await proc.stdout.write(
        /^use\b/i.test(sql)
          ? 'Database changed\n'
          : `Query OK, ${result.affected} row${result.affected === 1 ? '' : 's'} affected ${took}\n\n`,
      );
    return 0;
  }
  if (rows.length > 0) {
    const shown = [
      ...(options.hasTitles ? [result.columns] : []),
      ...rows.map((row) => row.map((value) => value ?? 'NULL')),
    ];
    await proc.stdout.write(
      options.isBatch
        ? shown.map((row) => `${row.join('\t')}\n`).join('')
        : grid(shown, rows, options.hasTitles),
    );
  }
  if (talks)
    await proc.stdout.write(
      rows.length === 0
        ? `Empty set ${took}\n\n`
        : `${rows.length} row${rows.length === 1 ? '' : 's'} in set ${took}\n\n`,
    );
  return 0;
}

function grid(
  shown: readonly (readonly string[])[],
  rows: readonly (readonly (string | null)[])[],
  hasTitles: boolean,
): string {
  const widths = shown[0]!.map((_, column) => Math.max(...shown.map((row) => row[column]!.length)));
  const numeric = widths.map((_, column) =>
    rows.every((row) => row[column] === null || /^-?\d+(\.\d+)?$/.test(row[column] ?? '')),
  );
  const rule = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+\n`;
  const line = (row: readonly string[], isTitle: boolean): string =>
    `|${row.map((value, column) => ` ${numeric[column] === true && !isTitle ? value.padStart(widths[column]!) : value.padEnd(widths[column]!)} `).join('|')}|\n`;
  return `${rule}${hasTitles ? line(shown[0]!, true) + rule : ''}${shown
    .slice(hasTitles ? 1 : 0)
    .map((row) => line(row, false))
    .join('')}${rule}`;
}

async function prompt(proc: Process, packets: PacketStream, options: Options): Promise<number> {
  let text = '';
  for (;;) {
    await proc.stdout.write(text === '' ? 'mysql> ' : '    -> ');
    const chunk = await proc.stdin.read(65_536);
    if (chunk.length === 0) {
      await proc.stdout.write('Bye\n');
      return 0;
    }
    text += Buffer.from(chunk).toString();
    const whole = text.trim();
    if (/^(quit|exit|\\q)\s*;?$/i.test(whole)) {
      await proc.stdout.write('Bye\n');
      return 0;
    }
    if (whole === '') text = '';
    else if (whole.endsWith('\\c')) text = '';
    else if (/;$|\\g$/.test(whole) || /^use\s+\S+$/i.test(whole)) {
      for (const sql of statements(whole.replace(/\\g$/, '')))
        await runOne(proc, packets, options, sql, undefined);
      text = '';
    }
  }
}

/** mysqladmin(1): ping, status, version, processlist, create, drop. */
export function makeMysqladmin(version: string): Program {
  return async (proc) => {
    const options = await readOptions(proc);
    const [verb = '', name = ''] = options.operands;
    if (verb === '') {
      await proc.stdout.write(
        `mysqladmin  Ver ${version} for Linux on x86_64 (MySQL Community Server - GPL)\nUsage: mysqladmin [OPTIONS] command command....\n`,
      );
      return 1;
    }
    const connection = await connect(proc, { ...options, operands: [], database: undefined });
    if (typeof connection === 'string') {
      const denied = connection.startsWith('ERROR 1045');
      if (verb === 'ping' && denied) {
        await proc.stdout.write('mysqld is alive\n');
        return 0;
      }
      const host = options.host;
      await proc.stderr.write(
        `mysqladmin: connect to server at '${host}' failed\nerror: '${connection.replace(/^ERROR \d+ \(\w+\): /, '')}'\n${denied ? '' : `Check that mysqld is running on ${host} and that the port is ${options.port}.\n`}`,
      );
      return 1;
    }
    const { packets, socket } = connection;
    try {
      if (verb === 'ping') {
        packets.sequence = 0;
        await packets.write(Buffer.from([PING]));
        await proc.interruptible(packets.read());
        await proc.stdout.write('mysqld is alive\n');
        return 0;
      }
      if (verb === 'version' || verb === 'status') {
        await proc.stdout.write(
          `Uptime: 0  Threads: 2  Questions: 1  Slow queries: 0  Opens: 0  Flush tables: 0  Open tables: 0  Queries per second avg: 0.0\n`,
        );
        return 0;
      }
      const sql = {
        create: `CREATE DATABASE \`${name}\``,
        drop: `DROP DATABASE \`${name}\``,
        processlist: 'SHOW PROCESSLIST',
      }[verb];
      if (sql === undefined) {
        await proc.stderr.write(
          verb === 'shutdown'
            ? "drydock: mysqladmin shutdown isn't simulated\n"
            : `mysqladmin: Unknown command: '${verb}'\n`,
        );
        return 1;
      }
      return await runOne(proc, packets, { ...options, isBatch: false }, sql, 1);
    } finally {
      socket.close();
    }
  };
}
