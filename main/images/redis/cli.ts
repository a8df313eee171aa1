// redis-cli: one command, commands from a pipe, or a prompt.
import { Resolver, ResolveError } from '../../network/dns/index.ts';
import { ErrnoError, type TcpSocket } from '../../network/index.ts';
import type { Process, Program } from '../../linux/kernel/index.ts';
import { encodeRequest, RespReader, splitInline, type Reply } from './resp.ts';

interface Options {
  readonly host: string;
  readonly port: number;
  readonly database: number;
  readonly password: string | undefined;
  readonly isRaw: boolean;
  readonly repeat: number;
  readonly intervalMs: number;
  readonly words: readonly string[];
}

/** redis-cli of one version. */
export function makeRedisCli(version: string): Program {
  return async (proc) => {
    const words = proc.argv.slice(1);
    if (words[0] === '--version' || words[0] === '-v') {
      await proc.stdout.write(`redis-cli ${version}\n`);
      return 0;
    }
    const options = readOptions(proc, words);
    if (typeof options === 'string') {
      await proc.stderr.write(`${options}\n`);
      return 1;
    }
    return new Cli(proc, options).run();
  };
}

function readOptions(proc: Process, words: readonly string[]): Options | string {
  const values = new Map<string, string>();
  let index = 0;
  let isRaw = proc.stdout.tty === undefined;
  for (; index < words.length; index++) {
    const word = words[index]!;
    if (word === '--raw') isRaw = true;
    else if (word === '--no-raw') isRaw = false;
    else if (word === '--no-auth-warning') continue;
    else if (['-h', '-p', '-a', '-n', '-r', '-i', '-u', '--pass', '--user'].includes(word))
      values.set(word, words[++index] ?? '');
    else if (word.startsWith('-') && word !== '-')
      return `Unrecognized option or bad number of args for: '${word}'`;
    else break;
  }
  const url = /^redis:\/\/(?:[^:@]*:([^@]*)@)?([^:/]+)(?::(\d+))?(?:\/(\d+))?/.exec(values.get('-u') ?? '');
  return {
    host: url?.[2] ?? values.get('-h') ?? '127.0.0.1',
    port: Number(url?.[3] ?? values.get('-p') ?? 6379),
    database: Number(url?.[4] ?? values.get('-n') ?? 0),
    password: url?.[1] ?? values.get('-a') ?? values.get('--pass') ?? proc.env.get('REDISCLI_AUTH'),
    isRaw,
    repeat: Number(values.get('-r') ?? 1),
    intervalMs: Number(values.get('-i') ?? 0) * 1000,
    words: words.slice(index),
  };
}

class Cli {
  private readonly proc: Process;
  private readonly options: Options;
  private socket: TcpSocket | undefined;
  private reader: RespReader | undefined;
  private database: number;

  constructor(proc: Process, options: Options) {
    this.proc = proc;
    this.options = options;
    this.database = options.database;
  }

  async run(): Promise<number> {
    const { proc, options } = this;
    const isPrompting = options.words.length === 0 && proc.stdin.tty !== undefined;
    if (!(await this.connect()) && !isPrompting) return 1;
    let status = 0;
    if (options.words.length > 0) {
      for (let count = 0; options.repeat < 0 || count < options.repeat; count++) {
        if (count > 0) await proc.sleep(options.intervalMs);
        status = await this.perform(options.words);
      }
    } else status = isPrompting ? await this.prompt() : await this.pipe();
    this.socket?.close();
    return status;
  }

  private async connect(): Promise<boolean> {
    const { proc, options } = this;
    const read = (path: string): string | undefined =>
      proc.fs.exists(path) ? proc.fs.readText(path) : undefined;
    const resolver = new Resolver({
      sockets: proc.net.sockets,
      clock: proc.clock,
      random: proc.random.fork('redis-cli'),
      hosts: () => read('/etc/hosts'),
      resolvConf: () => read('/etc/resolv.conf'),
    });
    try {
      const [address = ''] = (await proc.interruptible(resolver.resolve(options.host))).addresses;
      this.socket = await proc.interruptible(
        proc.net.sockets.connectTcp({ address, port: options.port }, { owner: proc.socketOwner }),
      );
    } catch (error) {
      if (!(error instanceof ErrnoError) && !(error instanceof ResolveError)) throw error;
      if (error instanceof ErrnoError && error.code === 'EINTR') throw error;
      await proc.stderr.write(
        `Could not connect to Redis at ${options.host}:${options.port}: ${error.message}\n`,
      );
      return false;
    }
    this.reader = new RespReader(this.socket);
    if (options.password !== undefined) {
      if (!this.proc.argv.includes('--no-auth-warning') && this.proc.argv.includes('-a'))
        await proc.stderr.write(
          "Warning: Using a password with '-a' or '-u' option on the command line interface may not be safe.\n",
        );
      const reply = await this.ask(['AUTH', options.password]);
      if (reply?.kind === 'error') await proc.stderr.write(`AUTH failed: ${reply.text}\n`);
    }
    if (options.database !== 0) await this.ask(['SELECT', String(options.database)]);
    return true;
  }

  private async ask(words: readonly string[]): Promise<Reply | undefined> {
    await this.socket!.write(
      Buffer.from(encodeRequest(words.map((word) => Buffer.from(word, 'utf8').toString('latin1'))), 'latin1'),
    );
    return this.proc.interruptible(this.reader!.reply());
  }

  /** One command and what comes of it; subscriptions go on until the connection or the process ends. */
  private async perform(words: readonly string[]): Promise<number> {
    const { proc, options } = this;
    if (this.socket === undefined && !(await this.connect())) return 1;
    const name = words[0]!.toUpperCase();
    let reply: Reply | undefined;
    try {
      reply = await this.ask(words);
    } catch (error) {
      if (!(error instanceof ErrnoError) || error.code === 'EINTR') throw error;
    }
    if (reply === undefined) {
      this.socket = undefined;
      if (name === 'SHUTDOWN') return 0;
      await proc.stderr.write('Error: Server closed the connection\n');
      return 1;
    }
    await this.print(reply);
    if (name === 'SELECT' && reply.kind === 'simple') this.database = Number(words[1]);
    if (/^P?SUBSCRIBE$/.test(name)) {
      if (!options.isRaw)
        await proc.stdout.write('Reading messages... (press Ctrl-C to quit or any key to type command)\n');
      for (;;) {
        const message = await proc.interruptible(this.reader!.reply());
        if (message === undefined) return 1;
        await this.print(message);
      }
    }
    return reply.kind === 'error' && options.words.length > 0 ? 1 : 0;
  }

  private async print(reply: Reply): Promise<void> {
    const text = this.options.isRaw ? rawText(reply) : shownText(reply, '');
    await this.proc.stdout.write(Buffer.from(`${text}\n`, 'latin1'));
    if (this.options.isRaw && reply.kind === 'error') await this.proc.stdout.write('\n');
  }

  private async prompt(): Promise<number> {
    const { proc, options } = this;
    for (;;) {
      const place =
        this.socket === undefined
          ? 'not connected'
          : `${options.host}:${options.port}${this.database === 0 ? '' : `[${this.database}]`}`;
      await proc.stdout.write(`${place}> `);
      const line = await readLine(proc);
      if (line === undefined) {
        await proc.stdout.write('\n');
        return 0;
      }
      const words = splitInline(line);
      if (words.length === 0) continue;
      if (/^(quit|exit)$/i.test(words[0]!)) return 0;
      if (/^clear$/i.test(words[0]!)) await proc.stdout.write('\u001b[H\u001b[2J');
      else await this.perform(words);
    }
  }

  private async pipe(): Promise<number> {
    for await (const line of this.proc.stdin.lines()) {
      const words = splitInline(line);
      if (words.length > 0) await this.perform(words);
    }
    return 0;
  }
}

/** A line of the terminal, in its canonical mode. */
async function readLine(proc: Process): Promise<string | undefined> {
  let text = '';
  for (;;) {
    const chunk = await proc.stdin.read(4096);
    if (chunk.length === 0) return text === '' ? undefined : text;
    text += Buffer.from(chunk).toString('utf8');
    if (text.endsWith('\n')) return text.slice(0, -1);
  }
}

function rawText(reply: Reply): string {
  switch (reply.kind) {
    case 'simple':
    case 'error':
      return reply.text;
    case 'integer':
      return String(reply.value);
    case 'bulk':
      return reply.value ?? '';
    case 'array':
      return (reply.items ?? []).map(rawText).join('\n');
  }
}

/** As on a terminal: types shown, values quoted, arrays numbered. */
function shownText(reply: Reply, indent: string): string {
  switch (reply.kind) {
    case 'simple':
      return reply.text;
    case 'error':
      return `(error) ${reply.text}`;
    case 'integer':
      return `(integer) ${reply.value}`;
    case 'bulk':
      return reply.value === undefined ? '(nil)' : quoted(reply.value);
    case 'array': {
      const { items } = reply;
      if (items === undefined) return '(nil)';
      if (items.length === 0) return '(empty array)';
      const width = String(items.length).length;
      const deeper = `${indent}${' '.repeat(width + 2)}`;
      return items
        .map(
          (item, index) =>
            `${index === 0 ? '' : indent}${String(index + 1).padStart(width)}) ${shownText(item, deeper)}`,
        )
        .join('\n');
    }
  }
}

function quoted(text: string): string {
  const named: Readonly<Record<string, string>> = {
    '\n': '\\n',
    '\r': '\\r',
    '\t': '\\t',
    '\x07': '\\a',
    '\b': '\\b',
    '"': '\\"',
    '\\': '\\\\',
  };
  return `"${Array.from(text, (letter) => named[letter] ?? (letter < ' ' || letter > '~' ? `\\x${letter.charCodeAt(0).toString(16).padStart(2, '0')}` : letter)).join('')}"`;
}
