// wget(1), GNU's and busybox's.
import { ErrnoError, type ByteStream, type TcpSocket } from '../../../network/index.ts';
import type { OpenFile, Process, Program } from '../../kernel/index.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { strftime, zoneOf } from '../frame/time.ts';
import { join } from '../coreutils/files.ts';
import { ExchangeError, headerValue, ResponseReader, type ResponseHead } from './http-exchange.ts';
import { lookupHost } from './resolver.ts';
import { openTls, TlsFailure } from './tls.ts';
import { parseUrl, resolveUrl, type ParsedUrl } from './url.ts';

const REDIRECTS_MAX = 20;

/** wget(1): -q -O -S -T -t -P -U --spider --header --post-data --no-check-certificate -c. */
export const wget: Program = command(
  {
    short: 'cdqSvnbNrkpmO:o:P:T:t:U:w:Y:i:a:e:4l:A:',
    long: [
      'spider',
      'header:',
      'post-data:',
      'post-file:',
      'no-check-certificate',
      'quiet>q',
      'output-document:>O',
      'output-file:>o',
      'directory-prefix:>P',
      'timeout:>T',
      'tries:>t',
      'user-agent:>U',
      'server-response>S',
      'continue>c',
      'no-verbose',
      'method:',
      'body-data:',
      'user:',
      'password:',
      'max-redirect:',
      'connect-timeout:',
      'read-timeout:',
      'content-on-error',
      'no-proxy',
      'ca-certificate:',
      'show-progress',
      'progress:',
      'waitretry:',
      'retry-connrefused',
      'no-cache',
      'no-dns-cache',
    ],
    usage:
      '[-cqS] [--spider] [-O FILE] [-o LOGFILE] [--header STR]\n\t[--post-data STR | --post-file FILE] [-Y on/off]\n\t[--no-check-certificate] [-P DIR] [-U AGENT] URL...',
    summary: 'Retrieve files via HTTP or FTP',
    version: '1.21.3',
    usageExit: 2,
    hint: () => "Usage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.\n",
    prepare: (args) => args.flatMap((arg) => (arg === '-nv' ? ['--no-verbose'] : [arg])),
  },
  async (it) => {
    if (it.operands.length === 0) {
      if (it.dialect === 'busybox') throw new Failure('missing URL');
      await it.proc.stderr.write(
        "wget: missing URL\nUsage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.\n",
      );
      return 1;
    }
    let status = 0;
    for (const url of it.operands) status = Math.max(status, await new Fetch(it).fetch(url));
    return status;
  },
);

/** A failed attempt: GNU's exit status and what each dialect prints. */
class WgetError extends Error {
  readonly exitCode: number;
  readonly busybox: string;
  readonly retries: boolean;
  constructor(exitCode: number, gnu: string, busybox: string, retries = false) {
    super(gnu);
    this.exitCode = exitCode;
    this.busybox = busybox;
    this.retries = retries;
  }
}

class Fetch {
  private readonly it: Invocation;
  private readonly proc: Process;
  private readonly busybox: boolean;
  private readonly quiet: boolean;

  constructor(it: Invocation) {
    this.it = it;
    this.proc = it.proc;
    this.busybox = it.dialect === 'busybox';
    this.quiet = it.options.has('q');
  }

  private async say(text: string): Promise<void> {
    if (this.quiet) return;
    await this.it.out.flush();
    await this.proc.stderr.write(text);
  }

  private get stamp(): string {
    return strftime('%F %T', this.proc.clock.now(), zoneOf(this.proc));
  }

  async fetch(text: string): Promise<number> {
    const tries = this.busybox ? 1 : Number(this.it.options.value('t') ?? 20) || Infinity;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.attempt(text, attempt);
      } catch (error) {
        if (!(error instanceof WgetError)) throw error;
        if (this.busybox) {
          await this.it.out.flush();
          await this.proc.stderr.write(`wget: ${error.busybox}\n`);
          return 1;
        }
        await this.say(error.message);
        if (!error.retries || attempt >= tries) {
          if (error.retries) await this.say('Giving up.\n\n');
          return error.exitCode;
        }
        await this.say('Retrying.\n\n');
        await this.proc.sleep(Math.min(10, attempt) * 1000);
      }
    }
  }

  private async attempt(text: string, attempt: number): Promise<number> {
    const { options } = this.it;
    let url = /^[a-z]+:\/\//i.test(text) ? text : `http://${text}`;
    if (!this.busybox && options.has('spider') && attempt === 1)
      await this.say('Spider mode enabled. Check if remote file exists.\n');
    for (let redirects = 0; ; redirects++) {
      const parsed = parseUrl(url);
      if (parsed === undefined || !['http', 'https'].includes(parsed.scheme))
        throw new WgetError(1, `${url}: Unsupported scheme.\n`, `not an http or ftp url: ${url}`);
      if (!this.busybox)
        await this.say(
          `--${this.stamp}--  ${attempt > 1 ? `(try:${String(attempt).padStart(2)})  ` : ''}${url}${url.endsWith('/') || parsed.path !== '/' ? '' : '/'}\n`,
        );
      const { stream, reader, head } = await this.request(parsed);
      const location = headerValue(head, 'location');
      if (head.status >= 300 && head.status < 400 && location !== undefined) {
        stream.close();
        if (redirects >= REDIRECTS_MAX)
          throw new WgetError(8, `${REDIRECTS_MAX} redirections exceeded.\n`, 'too many redirections');
        if (!this.busybox) await this.say(`Location: ${location} [following]\n`);
        url = resolveUrl(parsed, location);
        continue;
      }
      try {
        return await this.deliver(parsed, head, reader);
      } finally {
        stream.close();
      }
    }
  }

  private get timeoutMs(): number {
    return Number(this.it.options.value('T') ?? this.it.options.value('connect-timeout') ?? 900) * 1000;
  }

  private async within<T>(work: Promise<T>, late: () => WgetError): Promise<T> {
    let timer: Disposable | undefined;
    const expired = new Promise<never>((_, reject) => {
      timer = this.proc.clock.after(this.timeoutMs, () => reject(late()));
    });
    try {
      return await this.proc.interruptible(Promise.race([work, expired]));
    } finally {
      timer?.[Symbol.dispose]();
    }
  }

  private async connect(url: ParsedUrl): Promise<TcpSocket> {
    const found = await lookupHost(this.proc, url.host);
    const numeric = /^[\d.]+$/.test(url.host);
    const port = `:${url.port}`;
    if (found.addresses.length === 0)
      throw new WgetError(
        4,
        `Resolving ${url.host} (${url.host})... failed: Name or service not known.\nwget: unable to resolve host address ‘${url.host}’\n`,
        `bad address '${url.host}'`,
      );
    if (!this.busybox && !numeric)
      await this.say(`Resolving ${url.host} (${url.host})... ${found.addresses.join(', ')}\n`);
    const [address = ''] = found.addresses;
    await this.say(
      this.busybox
        ? `Connecting to ${url.host}${url.portSuffix} (${address}${port})\n`
        : `Connecting to ${numeric ? `${address}${port}` : `${url.host} (${url.host})|${address}|${port}`}... `,
    );
    const stop = new AbortController();
    try {
      const socket = await this.within(
        this.proc.net.sockets.connectTcp(
          { address, port: url.port },
          {
            owner: { pid: this.proc.pid, command: 'wget', uid: this.proc.credentials.uid },
            signal: stop.signal,
          },
        ),
        () => {
          stop.abort(new ErrnoError('ETIMEDOUT'));
          return new WgetError(4, 'failed: Connection timed out.\n', 'download timed out', true);
        },
      );
      if (!this.busybox) await this.say('connected.\n');
      return socket;
    } catch (error) {
      if (!(error instanceof ErrnoError) || error.code === 'EINTR') throw error;
      throw new WgetError(
        4,
        `failed: ${error.message}.\n`,
        `can't connect to remote host (${address}): ${error.message}`,
        error.code !== 'ECONNREFUSED',
      );
    }
  }

  private async request(
    url: ParsedUrl,
  ): Promise<{ stream: ByteStream; reader: ResponseReader; head: ResponseHead }> {
    const { options } = this.it;
    const socket = await this.connect(url);
    let stream: ByteStream = socket;
    if (url.scheme === 'https') {
      try {
        ({ stream } = await openTls(this.proc, socket, {
          host: url.host,
          insecure: options.has('no-check-certificate') || this.busybox,
          caFile: options.value('ca-certificate'),
          certificateFile: undefined,
          keyFile: undefined,
          protocols: ['http/1.1'],
          note: async () => undefined,
        }));
      } catch (error) {
        if (!(error instanceof TlsFailure)) throw error;
        throw new WgetError(
          5,
          `ERROR: cannot verify ${url.host}'s certificate:\n  ${error.message.split('\n')[0]}\nTo connect to ${url.host} insecurely, use \`--no-check-certificate'.\n`,
          `TLS error from peer`,
        );
      }
    }
    const postFile = options.value('post-file');
    const post =
      options.value('post-data') ??
      options.value('body-data') ??
      (postFile === undefined ? undefined : this.proc.fs.readText(postFile));
    const given = options.values('header');
    const has = (name: string): boolean =>
      given.some((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`));
    const user = options.value('user') ?? url.user;
    const lines = [
      `${options.value('method') ?? (post === undefined ? (options.has('spider') && !this.busybox ? 'HEAD' : 'GET') : 'POST')} ${url.path} HTTP/1.1`,
      ...(has('host') ? [] : [`Host: ${url.host}${url.portSuffix}`]),
      ...(has('user-agent')
        ? []
        : [`User-Agent: ${options.value('U') ?? (this.busybox ? 'Wget' : 'Wget/1.21.3')}`]),
      ...(this.busybox ? [] : ['Accept: */*', 'Accept-Encoding: identity']),
      ...(user === undefined
        ? []
        : [
            `Authorization: Basic ${Buffer.from(`${user}:${options.value('password') ?? url.password ?? ''}`).toString('base64')}`,
          ]),
      this.busybox ? 'Connection: close' : 'Connection: Keep-Alive',
      ...given,
      ...(post === undefined
        ? []
        : ['Content-Type: application/x-www-form-urlencoded', `Content-Length: ${Buffer.byteLength(post)}`]),
    ];
    await this.proc.interruptible(stream.write(Buffer.from(`${lines.join('\r\n')}\r\n\r\n${post ?? ''}`)));
    if (!this.busybox) await this.say('HTTP request sent, awaiting response... ');
    const reader = new ResponseReader(this.proc, stream);
    try {
      const head = await this.within(
        reader.head(),
        () => new WgetError(4, 'Read error (Connection timed out) in headers.\n', 'download timed out', true),
      );
      if (options.has('S') && !this.busybox) {
        await this.say('\n');
        await this.it.out.flush();
        await this.proc.stderr.write(
          head.rawLines
            .map((line) => (line.trim() === '' ? '' : `  ${line.replace(/\r?\n$/, '\n')}`))
            .join(''),
        );
      } else if (!this.busybox) await this.say(`${head.status} ${head.reason}\n`);
      else if (options.has('S'))
        await this.proc.stderr.write(
          head.rawLines
            .map((line) => (line.trim() === '' ? '' : `  ${line.replace(/\r?\n$/, '\n')}`))
            .join(''),
        );
      return { stream, reader, head };
    } catch (error) {
      stream.close();
      if (!(error instanceof ExchangeError)) throw error;
      throw error.kind === 'empty'
        ? new WgetError(4, 'No data received.\n', 'error getting response', true)
        : new WgetError(4, `Read error (${error.message}) in headers.\n`, 'error getting response', true);
    }
  }

  private async deliver(url: ParsedUrl, head: ResponseHead, reader: ResponseReader): Promise<number> {
    const { options } = this.it;
    if (head.status >= 400 || head.status < 200) {
      if (options.has('spider') && !this.busybox)
        await this.say('Remote file does not exist -- broken link!!!\n\n');
      else
        throw new WgetError(
          8,
          `${this.stamp} ERROR ${head.status}: ${head.reason === '' ? '(no description)' : head.reason}.\n\n`,
          `server returned error: ${head.version} ${head.status} ${head.reason}`.trimEnd(),
        );
      return 8;
    }
    const length = headerValue(head, 'content-length');
    const type = headerValue(head, 'content-type')?.replace(/;.*$/, '');
    if (!this.busybox)
      await this.say(`Length: ${length ?? 'unspecified'}${type === undefined ? '' : ` [${type}]`}\n`);
    if (options.has('spider')) {
      await this.say(
        this.busybox
          ? 'remote file exists\n'
          : 'Remote file exists and could contain further links,\nbut recursion is disabled -- not retrieving.\n\n',
      );
      return 0;
    }
    const given = options.value('O');
    const name = given ?? this.freeName(url);
    const toStdout = name === '-';
    const path =
      given !== undefined || options.value('P') === undefined ? name : join(options.value('P')!, name);
    await this.say(
      this.busybox
        ? toStdout
          ? 'writing to stdout\n'
          : `saving to '${path}'\n`
        : `Saving to: ‘${toStdout ? 'STDOUT' : path}’\n\n`,
    );
    let file: OpenFile;
    try {
      file = toStdout
        ? this.proc.stdout
        : this.proc.fs.open(path, { write: true, create: true, truncate: true }, 0o666);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      throw new WgetError(
        3,
        `${path}: ${error.message}\n\nCannot write to ‘${path}’ (${error.message}).\n`,
        `can't open '${path}': ${error.message}`,
      );
    }
    const startMs = this.proc.clock.now();
    let received = 0;
    const bar = async (done: boolean): Promise<void> =>
      this.say(
        this.bar(toStdout ? '-' : path, received, length === undefined ? undefined : Number(length), done),
      );
    if (!this.busybox) await bar(false);
    try {
      for await (const piece of reader.body(head, 'GET')) {
        received += piece.length;
        await file.write(piece);
      }
    } catch (error) {
      if (!(error instanceof ExchangeError)) throw error;
      throw new WgetError(
        4,
        `\n\n${this.stamp} Connection closed at byte ${received}.\n`,
        'connection closed prematurely',
        true,
      );
    }
    await bar(true);
    const seconds = (this.proc.clock.now() - startMs) / 1000;
    const speed =
      seconds > 0 ? `${(received / 1024 / seconds).toFixed(1)} KB/s` : `${(received / 1024).toFixed(2)} KB/s`;
    await this.say(
      this.busybox
        ? toStdout
          ? 'written to stdout\n'
          : `'${path}' saved\n`
        : `\n${this.stamp} (${speed}) - ${toStdout ? 'written to stdout' : `‘${path}’ saved`} [${received}${length === undefined ? '' : `/${length}`}]\n\n`,
    );
    return 0;
  }

  private freeName(url: ParsedUrl): string {
    const base = url.path.replace(/\?.*$/, '').replace(/^.*\//, '') || 'index.html';
    if (this.busybox) return base;
    for (let n = 0; ; n++) {
      const name = n === 0 ? base : `${base}.${n}`;
      if (!this.proc.fs.exists(name)) return name;
    }
  }

  private bar(name: string, received: number, total: number | undefined, done: boolean): string {
    const columns = this.proc.stderr.tty?.size.columns ?? 80;
    if (this.busybox) {
      const width = Math.max(10, columns - 48);
      return `${name.slice(0, 20).padEnd(20)} 100% |${'*'.repeat(width)}| ${String(received).padStart(5)}  0:00:00 ETA\n`;
    }
    const percent = !done && total !== 0 ? 0 : 100;
    const width = Math.max(5, columns - 40 - 40);
    const filled = done ? `${'='.repeat(width - 1)}>` : ' '.repeat(width);
    return `${done ? '\r' : ''}${name.slice(0, 39).padEnd(39)} ${String(percent).padStart(3)}%[${filled}] ${String(received).padStart(7)}  --.-KB/s${done ? '    in 0s      \n' : '               '}`;
  }
}
