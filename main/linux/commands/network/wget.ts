// wget(1), GNU's and busybox's.
import { ErrnoError, type ByteStream, type TcpSocket } from '../../../network/index.ts';
import type { OpenFile, Process, Program } from '../../kernel/index.ts';
import { command, type Invocation } from '../frame/command.ts';
import { strftime, zoneOf } from '../frame/time.ts';
import { join } from '../coreutils/files.ts';
import { ExchangeError, headerValue, ResponseReader, type ResponseHead } from './http-exchange.ts';
import { lookupHost } from '../../libc/index.ts';
import { openTls, TlsFailure, VERIFY_ERRORS } from './tls.ts';
import { Dots, gnuBar, longSpeed, shortSize } from './wget-meter.ts';
import { parseUrl, resolveUrl, type ParsedUrl } from './url.ts';

const REDIRECTS_MAX = 20;
const LEVELS_DEFAULT = 5;
const LETTERS_OF_N: Readonly<Record<string, string[]>> = {
  '-nv': ['--no-verbose'],
  '-nc': [],
  '-np': ['--no-parent'],
  '-nd': ['--no-directories'],
  '-nH': ['--no-host-directories'],
};
/** busybox's texts of the options, behind its usage line. */
const BUSYBOX_OPTIONS = `
	--spider	Only check URL existence: $? is 0 if exists
	--header STR	Add STR (of form 'header: value') to headers
	--post-data STR	Send STR using POST method
	--post-file FILE	Send FILE using POST method
	--no-check-certificate	Don't validate the server's certificate
	-c		Continue retrieval of aborted transfer
	-q		Quiet
	-P DIR		Save to DIR (default .)
	-S    		Show server response
	-O FILE		Save to FILE ('-' for stdout)
	-o LOGFILE	Log messages to FILE
	-U STR		Use STR for User-Agent header
	-Y on/off	Use proxy
`;

/** wget(1): -q -O -S -T -t -P -U --spider --header --post-data --no-check-certificate -c. */
export const wget: Program = command(
  {
    short: 'cdqSvnbNrkpmHEO:o:P:T:t:U:w:Y:i:a:e:46l:A:R:D:Q:x',
    long: [
      'spider',
      'recursive>r',
      'level:>l',
      'no-parent',
      'no-directories',
      'no-host-directories',
      'input-file:>i',
      'append-output:>a',
      'timestamping>N',
      'mirror>m',
      'page-requisites>p',
      'convert-links>k',
      'accept:>A',
      'reject:>R',
      'content-disposition',
      'trust-server-names',
      'http-user:',
      'http-password:',
      'referer:',
      'compression:',
      'ipv4>4',
      'inet4-only>4',
      'limit-rate:',
      'wait:>w',
      'execute:>e',
      'debug>d',
      'verbose>v',
      'background>b',
      'delete-after',
      'body-file:',
      'auth-no-challenge',
      'certificate:',
      'private-key:',
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
    prepare: (args) => args.flatMap((arg) => LETTERS_OF_N[arg] ?? [arg]),
  },
  async (it) => {
    const { proc, options } = it;
    const list = options.value('i');
    const listed =
      list === undefined
        ? []
        : (list === '-' ? await proc.stdin.readText() : proc.fs.readText(list))
            .split('\n')
            .filter((line) => line.trim() !== '');
    const urls = [...it.operands, ...listed.map((line) => line.trim())];
    if (urls.length === 0) {
      if (it.dialect === 'busybox') {
        await proc.stderr.write(`${busyboxUsage(it)}${BUSYBOX_OPTIONS}`);
        return 1;
      }
      await proc.stderr.write(
        "wget: missing URL\nUsage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.\n",
      );
      return 1;
    }
    const startMs = proc.clock.now();
    const log = openLog(it);
    const totals = { files: 0, bytes: 0, ms: 0 };
    let status = 0;
    for (const url of urls) {
      const fetch = new Fetch(it, log, totals);
      const code =
        options.has('r') || options.has('m') ? await recurse(it, fetch, url) : await fetch.fetch(url);
      // GNU's: a lower number is the graver error, but for 0.
      status = status === 0 ? code : code === 0 ? status : Math.min(status, code);
    }
    const isQuiet = options.has('q') || it.dialect === 'busybox';
    if (!isQuiet && totals.files > 0 && (urls.length > 1 || options.has('r') || options.has('m'))) {
      const wall = proc.clock.now() - startMs;
      await log.write(
        `FINISHED --${strftime('%F %T', proc.clock.now(), zoneOf(proc))}--\nTotal wall clock time: ${(wall / 1000).toFixed(1).replace(/\.0$/, '')}s\nDownloaded: ${totals.files} files, ${shortSize(totals.bytes) || totals.bytes} in ${(totals.ms / 1000).toFixed(1).replace(/\.0$/, '')}s (${longSpeed(totals.bytes, totals.ms)})\n`,
      );
    }
    return status;
  },
);

function busyboxUsage({ proc, name }: Invocation): string {
  const version = proc.fs.exists('/etc/debian_version')
    ? 'v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1)'
    : 'v1.36.1 (2024-06-10 07:11:47 UTC)';
  return `BusyBox ${version} multi-call binary.\n\nUsage: ${name} [-cqS] [--spider] [-O FILE] [-o LOGFILE] [--header STR]\n\t[--post-data STR | --post-file FILE] [-Y on/off]\n\t[--no-check-certificate] [-P DIR] [-U AGENT] URL...\n\nRetrieve files via HTTP or FTP\n`;
}

/** Where messages go: stderr, or the file of -o or -a. */
function openLog({ proc, options }: Invocation): OpenFile {
  const [fresh, more] = [options.value('o'), options.value('a')];
  if (fresh !== undefined) return proc.fs.open(fresh, { write: true, create: true, truncate: true }, 0o666);
  return more === undefined
    ? proc.stderr
    : proc.fs.open(more, { write: true, create: true, append: true }, 0o666);
}

/** -r: follows the links of pages on the same host, as deep as -l says. */
async function recurse(it: Invocation, fetch: Fetch, start: string): Promise<number> {
  const { options } = it;
  const given = options.value('l');
  const levels =
    options.has('m') || given === 'inf' || given === '0' ? Infinity : Number(given ?? LEVELS_DEFAULT);
  const first = parseUrl(/^[a-z]+:\/\//i.test(start) ? start : `http://${start}`);
  if (first === undefined) return fetch.fetch(start);
  const root = `${first.scheme}://${first.host}${first.portSuffix}`;
  const folder = first.path.replace(/[^/]*$/, '');
  const queue = [{ url: root + first.path, level: 0 }];
  const seen = new Set([queue[0]!.url]);
  let status = 0;
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const parsed = parseUrl(next.url)!;
    const path = parsed.path.replace(/\?.*$/, '');
    const file = path.endsWith('/') ? `${path}index.html` : path;
    const base = options.has('no-host-directories') ? '' : `${first.host}${first.portSuffix}`;
    const saved = options.has('no-directories')
      ? file.replace(/^.*\//, '')
      : `${base}${file}`.replace(/^\//, '');
    fetch.savePath = saved;
    const code = await fetch.fetch(next.url);
    if (code !== 0) status = status === 0 ? code : Math.min(status, code);
    if (code !== 0 || next.level >= levels || !/html/.test(fetch.lastType)) continue;
    const name = options.value('P') === undefined ? saved : join(options.value('P')!, saved);
    if (!it.proc.fs.exists(name)) continue;
    for (const link of linksIn(it.proc.fs.readText(name), parsed)) {
      const target = parseUrl(link);
      if (target === undefined || target.host !== first.host || target.port !== first.port || seen.has(link))
        continue;
      if (options.has('no-parent') && !target.path.startsWith(folder)) continue;
      seen.add(link);
      queue.push({ url: link, level: next.level + 1 });
    }
  }
  return status;
}

/** Where the links of a page lead, without fragments. */
function linksIn(html: string, base: ParsedUrl): string[] {
  return [
    ...html.matchAll(
      /<(?:a|link|img|script|frame|iframe)\b[^>]*?\b(?:href|src)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))/gi,
    ),
  ]
    .map(([, one, two, three]) => (one ?? two ?? three ?? '').replace(/#.*$/, '').replaceAll('&amp;', '&'))
    .filter((link) => link !== '' && !/^(?:mailto|javascript|data|ftp):/i.test(link))
    .map((link) => resolveUrl(base, link));
}

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

  private readonly log: OpenFile;
  private readonly totals: { files: number; bytes: number; ms: number };
  private readonly isBrief: boolean;
  private requests = 0;
  /** Where -r wants the next file. */
  savePath: string | undefined = undefined;
  /** The last page's type. */
  lastType = '';

  constructor(it: Invocation, log: OpenFile, totals: { files: number; bytes: number; ms: number }) {
    this.it = it;
    this.log = log;
    this.totals = totals;
    this.isBrief = it.options.has('no-verbose');
    this.proc = it.proc;
    this.busybox = it.dialect === 'busybox';
    this.quiet = it.options.has('q');
  }

  private async say(text: string): Promise<void> {
    if (this.quiet || this.isBrief) return;
    await this.it.out.flush();
    await this.log.write(text);
  }

  /** What -nv leaves of the messages. */
  private async brief(text: string): Promise<void> {
    if (!this.isBrief || this.quiet) return;
    await this.it.out.flush();
    await this.log.write(text);
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
        await this.brief(
          `${error.exitCode === 8 ? `${text}:\n` : ''}${error.message.replace(/\n\n$/, '\n')}`,
        );
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
      this.requests++;
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
        return await this.deliver(parsed, head, reader, url);
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
        throw new WgetError(5, tlsText(error, url.host), `TLS error from peer`);
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
    const user = options.value('user') ?? options.value('http-user') ?? url.user;
    const resume = this.resumeAt(url);
    const lines = [
      `${options.value('method') ?? (post === undefined ? (options.has('spider') && !this.busybox ? 'HEAD' : 'GET') : 'POST')} ${url.path} HTTP/1.1`,
      ...(has('host') ? [] : [`Host: ${url.host}${url.portSuffix}`]),
      ...(has('user-agent')
        ? []
        : [`User-Agent: ${options.value('U') ?? (this.busybox ? 'Wget' : 'Wget/1.21.3')}`]),
      ...(resume > 0 ? [`Range: bytes=${resume}-`] : []),
      ...(this.busybox ? [] : ['Accept: */*', 'Accept-Encoding: identity']),
      ...(options.value('referer') === undefined ? [] : [`Referer: ${options.value('referer')}`]),
      ...(user === undefined
        ? []
        : [
            `Authorization: Basic ${Buffer.from(`${user}:${options.value('password') ?? options.value('http-password') ?? url.password ?? ''}`).toString('base64')}`,
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

  private async deliver(
    url: ParsedUrl,
    head: ResponseHead,
    reader: ResponseReader,
    text: string,
  ): Promise<number> {
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
    this.lastType = type ?? '';
    const total = length === undefined ? undefined : Number(length);
    const rounded = total === undefined ? '' : shortSize(total);
    if (!this.busybox && head.status !== 204 && head.status !== 304)
      await this.say(
        `Length: ${length ?? 'unspecified'}${rounded === '' ? '' : ` (${rounded})`}${type === undefined ? '' : ` [${type}]`}\n`,
      );
    if (options.has('spider')) {
      await this.say(
        this.busybox
          ? 'remote file exists\n'
          : /html/.test(type ?? '')
            ? 'Remote file exists and could contain further links,\nbut recursion is disabled -- not retrieving.\n\n'
            : 'Remote file exists.\n\n',
      );
      await this.brief(`${this.stamp} URL: ${text} ${head.status} ${head.reason}\n`);
      return 0;
    }
    const given = options.value('O');
    const name = given ?? this.savePath ?? this.freeName(url);
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
      file = toStdout ? this.proc.stdout : this.openFile(path, head.status === 206);
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
    const columns = this.proc.stderr.tty?.size.columns;
    const wantsBar = this.it.options.value('progress')?.startsWith('bar') ?? columns !== undefined;
    const dots = this.busybox || wantsBar ? undefined : new Dots(total, startMs);
    const shown = toStdout ? '-' : path.replace(/^.*\//, '');
    const bar = (isDone: boolean): string =>
      this.busybox
        ? `\r${shown.slice(0, 20).padEnd(20)} 100% |${'*'.repeat(Math.max(10, (columns ?? 80) - 48))}| ${String(received).padStart(5)}  0:00:00 ETA\n`
        : `\r${gnuBar(shown, received, total, columns ?? 80, { ms: this.proc.clock.now() - startMs, isDone })}`;
    let drawnMs = startMs;
    if (!this.busybox && dots === undefined) await this.say(bar(false));
    try {
      for await (const piece of reader.body(head, 'GET')) {
        received += piece.length;
        await file.write(piece);
        if (dots !== undefined) await this.say(dots.take(piece.length, this.proc.clock.now()));
        else if (!this.busybox && this.proc.clock.now() - drawnMs >= 200) {
          drawnMs = this.proc.clock.now();
          await this.say(bar(false));
        }
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
    const ms = this.proc.clock.now() - startMs;
    await this.say(
      dots === undefined ? `${bar(true)}${this.busybox ? '' : '\n'}` : dots.end(this.proc.clock.now()),
    );
    this.totals.files++;
    this.totals.bytes += received;
    this.totals.ms += ms;
    const modified = headerValue(head, 'last-modified');
    if (!toStdout && !this.busybox && modified !== undefined && given === undefined)
      this.proc.fs.utimes(path, this.proc.clock.now(), Date.parse(modified));
    await this.say(
      this.busybox
        ? toStdout
          ? 'written to stdout\n'
          : `'${path}' saved\n`
        : `\n${this.stamp} (${longSpeed(received, ms)}) - ${toStdout ? 'written to stdout' : `‘${path}’ saved`} [${received}${length === undefined ? '' : `/${length}`}]\n\n`,
    );
    await this.brief(
      `${this.stamp} URL:${text} [${received}${length === undefined ? '' : `/${length}`}] -> "${toStdout ? '-' : path}" [${this.requests}]\n`,
    );
    return 0;
  }

  /** A file to write to, with the folders -r needs; -c goes on where it ends. */
  private openFile(path: string, goesOn: boolean): OpenFile {
    if (path.includes('/') && (this.savePath !== undefined || this.it.options.value('P') !== undefined))
      this.proc.fs.mkdir(path.slice(0, path.lastIndexOf('/')), { recursive: true });
    return this.proc.fs.open(
      path,
      { write: true, create: true, ...(goesOn ? { append: true } : { truncate: true }) },
      0o666,
    );
  }

  /** -c: where the file that is there already ends. */
  private resumeAt(url: ParsedUrl): number {
    if (!this.it.options.has('c')) return 0;
    const name =
      this.it.options.value('O') ?? (url.path.replace(/\?.*$/, '').replace(/^.*\//, '') || 'index.html');
    return this.proc.fs.exists(name) ? this.proc.fs.stat(name).sizeBytes : 0;
  }

  private freeName(url: ParsedUrl): string {
    const base = url.path.replace(/\?.*$/, '').replace(/^.*\//, '') || 'index.html';
    if (this.busybox || this.it.options.has('c')) return base;
    for (let n = 0; ; n++) {
      const name = n === 0 ? base : `${base}.${n}`;
      if (!this.proc.fs.exists(name)) return name;
    }
  }
}

/** What GNU wget says of a certificate (src/openssl.c). */
function tlsText({ problem, certificate, message }: TlsFailure, host: string): string {
  if (problem === undefined) return `${message.split('\n')[0]}\nUnable to establish SSL connection.\n`;
  const insecurely = `To connect to ${host} insecurely, use \`--no-check-certificate'.\n`;
  if (problem === 'name-mismatch')
    return `ERROR: no certificate subject alternative name matches\n\trequested host name ‘${host}’.\n${insecurely}`;
  const issuer = (certificate?.issuerName ?? '').split('; ').join(',');
  const what =
    {
      'self-signed': '  Self-signed certificate encountered.\n',
      'self-signed-in-chain': '  Self-signed certificate encountered.\n',
      'unknown-authority': "  Unable to locally verify the issuer's authority.\n",
      expired: '  Issued certificate has expired.\n',
      'not-yet-valid': '  Issued certificate not yet valid.\n',
    }[problem] ?? `  ${VERIFY_ERRORS[problem].text}\n`;
  return `ERROR: cannot verify ${host}'s certificate, issued by ‘${issuer}’:\n${what}${insecurely}`;
}
