// curl(1), for HTTP and HTTPS over the virtual network.
import { ErrnoError, parseIpv4, type ByteStream, type TcpSocket } from '../../../network/index.ts';
import { ProcessExit, type OpenFile, type Process, type Program } from '../../kernel/index.ts';
import { readAll } from '../frame/input.ts';
import { Output } from '../frame/output.ts';
import { CurlUsageError, parseCurlOptions, type CurlOption } from './curl-options.ts';
import { CurlProgress } from './curl-progress.ts';
import { fillWriteOut, type TransferFacts } from './curl-write-out.ts';
import {
  ExchangeError,
  headerValue,
  keepsAlive,
  ResponseReader,
  type ResponseHead,
} from './http-exchange.ts';
import { lookupHost } from './resolver.ts';
import { openTls, TlsFailure, type TlsSession } from './tls.ts';
import { expandUrl, GlobError, parseUrl, resolveUrl, type ParsedUrl } from './url.ts';

const VERSION = '7.88.1';
const VERSION_TEXT = `curl ${VERSION} (x86_64-pc-linux-gnu) libcurl/${VERSION} OpenSSL/3.0.22 zlib/1.2.13
Release-Date: 2023-02-20
Protocols: http https telnet
Features: HTTPS-proxy IPv6 Largefile SSL threadsafe
`;

/** What ends a transfer; the text follows `curl: (code) `. */
class CurlError extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** curl(1) */
export const curl: Program = async (proc) => {
  let list: CurlOption[];
  try {
    list = parseCurlOptions(proc.argv.slice(1));
  } catch (error) {
    if (!(error instanceof CurlUsageError)) throw error;
    await proc.stderr.write(
      `curl: ${error.message}\ncurl: try 'curl --help' or 'curl --manual' for more information\n`,
    );
    return 2;
  }
  const run = new Run(proc, list);
  return run.main();
};

interface Connection {
  readonly stream: ByteStream;
  readonly reader: ResponseReader;
  readonly socket: TcpSocket;
  readonly key: string;
  readonly number: number;
  readonly tls: TlsSession | undefined;
}

class Run {
  private readonly proc: Process;
  private readonly list: readonly CurlOption[];
  private readonly out: Output;
  private readonly err: OpenFile;
  private connection: Connection | undefined;
  private connections = 0;
  private readonly cookies = new Map<string, string>();
  private facts!: TransferFacts;
  private startMs = 0;
  private deadline: number | undefined;
  private received = 0;
  private expected: number | undefined;

  constructor(proc: Process, list: readonly CurlOption[]) {
    this.proc = proc;
    this.list = list;
    this.out = new Output(proc, proc.stdout);
    this.err = proc.stderr;
  }

  private has(name: string): boolean {
    return this.list.findLast((option) => option.name === name)?.on === true;
  }

  private value(name: string): string | undefined {
    return this.list.findLast((option) => option.name === name)?.value;
  }

  private values(name: string): string[] {
    return this.list.flatMap((option) => (option.name === name ? [option.value] : []));
  }

  private get verbose(): boolean {
    return this.has('verbose');
  }

  private async note(text: string, mark = '* '): Promise<void> {
    if (!this.verbose) return;
    await this.out.flush();
    await this.err.write(`${mark}${text}\n`);
  }

  async main(): Promise<number> {
    if (this.has('version')) {
      await this.proc.stdout.write(VERSION_TEXT);
      return 0;
    }
    if (this.has('help')) {
      await this.proc.stdout.write(
        'Usage: curl [options...] <url>\n -d, --data <data>          HTTP POST data\n -f, --fail                 Fail fast with no output on HTTP errors\n -h, --help <category>      Get help for commands\n -i, --include              Include protocol response headers in the output\n -o, --output <file>        Write to file instead of stdout\n -O, --remote-name          Write output to a file named as the remote file\n -s, --silent               Silent mode\n -T, --upload-file <file>   Transfer local FILE to destination\n -u, --user <user:password> Server user and password\n -A, --user-agent <name>    Send User-Agent <name> to server\n -v, --verbose              Make the operation more talkative\n -V, --version              Show version number and quit\n\nThis is not the full help, this menu is stripped into categories.\nUse "--help category" to get an overview of all categories.\nFor all options use the manual or "--help all".\n',
      );
      return 0;
    }
    const urls = this.values('url');
    if (urls.length === 0) {
      await this.err.write(
        `curl: ${this.list.length > 0 ? 'no URL specified!\ncurl: ' : ''}try 'curl --help' or 'curl --manual' for more information\n`,
      );
      return 2;
    }
    let status = 0;
    const outputs = this.list.filter((option) => option.name === 'output' || option.name === 'remote-name');
    let index = 0;
    for (const text of urls) {
      let expanded: string[];
      try {
        expanded = this.has('globoff') ? [text] : expandUrl(text);
      } catch (error) {
        if (!(error instanceof GlobError)) throw error;
        if (!this.has('silent') || this.has('show-error'))
          await this.err.write(
            `curl: (3) ${error.message} in URL position ${error.column}:\n${text}\n${' '.repeat(error.column - 1)}^\n`,
          );
        return 3;
      }
      for (const url of expanded) {
        status = await this.retrying(
          url,
          this.has('remote-name-all') ? { name: 'remote-name', value: '', on: true } : outputs[index],
        );
        if (status !== 0 && this.has('fail-early')) return status;
      }
      index++;
    }
    this.connection?.stream.close();
    await this.saveCookies();
    return status;
  }

  private async retrying(url: string, output: CurlOption | undefined): Promise<number> {
    const retries = Number(this.value('retry') ?? 0);
    for (let attempt = 0; ; attempt++) {
      const status = await this.transfer(url, output);
      const transient =
        status === 28 ||
        [408, 429, 500, 502, 503, 504].includes(this.facts.status) ||
        (status === 7 && this.has('retry-connrefused')) ||
        (status !== 0 && this.has('retry-all-errors')) ||
        status === 6;
      if (attempt >= retries || !transient) return status;
      const delay =
        this.value('retry-delay') === undefined
          ? Math.min(600, 2 ** attempt)
          : Number(this.value('retry-delay'));
      if (!this.has('silent'))
        await this.err.write(
          `Warning: Problem: ${status === 28 ? 'timeout' : status === 7 ? 'connection refused' : status === 6 ? 'could not resolve host' : 'HTTP error'}. Will retry in ${delay} seconds. ${retries - attempt} ${retries - attempt === 1 ? 'retry' : 'retries'} \nWarning: left.\n`,
        );
      await this.proc.sleep(delay * 1000);
    }
  }

  /** One URL, redirects included. */
  private async transfer(text: string, output: CurlOption | undefined): Promise<number> {
    this.startMs = this.proc.clock.now();
    const limit = this.value('max-time');
    this.deadline = limit === undefined ? undefined : this.startMs + Number(limit) * 1000;
    this.received = 0;
    this.expected = undefined;
    this.facts = {
      url: text,
      effectiveUrl: text,
      status: 0,
      exitCode: 0,
      errorMessage: '',
      method: 'GET',
      httpVersion: '0',
      contentType: '',
      redirects: 0,
      redirectUrl: '',
      remoteIp: '',
      remotePort: 0,
      localIp: '',
      localPort: 0,
      sizeDownload: 0,
      sizeUpload: 0,
      sizeHeader: 0,
      sizeRequest: 0,
      connects: 0,
      scheme: '',
      headers: [],
      fileName: '',
      lookupMs: 0,
      connectMs: 0,
      appConnectMs: 0,
      preTransferMs: 0,
      startTransferMs: 0,
      redirectMs: 0,
      totalMs: 0,
    };
    let status = 0;
    const progress = new CurlProgress(this.proc, this.err);
    try {
      await this.follow(text, output, progress);
    } catch (error) {
      if (error instanceof ProcessExit) throw error;
      const failure = this.asCurlError(error);
      status = failure.code;
      this.facts.exitCode = status;
      this.facts.errorMessage = failure.message;
      await this.out.flush();
      await progress.end(this.received);
      if (error instanceof NamelessError) await this.err.write('curl: Remote file name has no length!\n');
      if (!this.has('silent') || this.has('show-error'))
        await this.err.write(`curl: (${failure.code}) ${failure.message}\n`);
      this.drop();
    }
    this.facts.totalMs = this.proc.clock.now() - this.startMs;
    if (status === 0) await progress.end(this.received);
    const format = this.value('write-out');
    if (format !== undefined) {
      const template = format.startsWith('@')
        ? format === '@-'
          ? await this.proc.stdin.readText()
          : this.proc.fs.readText(format.slice(1))
        : format;
      const filled = fillWriteOut(template, this.facts);
      await this.out.put(filled.stdout);
      if (filled.stderr !== '') await this.err.write(filled.stderr);
    }
    await this.out.flush();
    return status;
  }

  private drop(): void {
    this.connection?.stream.close();
    this.connection = undefined;
  }

  private asCurlError(error: unknown): CurlError {
    if (error instanceof CurlError) return error;
    if (error instanceof TlsFailure) return new CurlError(error.curlCode, error.message);
    if (error instanceof ExchangeError) {
      const codes = {
        empty: 52,
        reset: 56,
        http09: 1,
        partial: 18,
        'too-large': 56,
        weird: 8,
        chunk: 56,
        send: 55,
      } as const;
      return new CurlError(
        codes[error.kind],
        error.kind === 'reset' ? `Recv failure: ${error.message}` : error.message,
      );
    }
    if (error instanceof ErrnoError)
      return new CurlError(
        error.code === 'EPIPE' ? 55 : 56,
        error.code === 'EPIPE' ? `Send failure: ${error.message}` : `Recv failure: ${error.message}`,
      );
    throw error;
  }

  /** Rejects with code 28 when the time of -m (or another limit) is over. */
  private async within<T>(
    work: Promise<T>,
    limitMs: number | undefined,
    onTimeout: () => CurlError,
  ): Promise<T> {
    const now = this.proc.clock.now();
    const until = Math.min(this.deadline ?? Infinity, limitMs === undefined ? Infinity : now + limitMs);
    if (until === Infinity) return work;
    let timer: Disposable | undefined;
    const expired = new Promise<never>((_, reject) => {
      timer = this.proc.clock.after(Math.max(0, until - now), () => reject(onTimeout()));
    });
    try {
      return await Promise.race([work, this.proc.interruptible(expired)]);
    } finally {
      timer?.[Symbol.dispose]();
    }
  }

  private get elapsed(): number {
    return Math.floor(this.proc.clock.now() - this.startMs);
  }

  private async follow(text: string, output: CurlOption | undefined, progress: CurlProgress): Promise<void> {
    let url = text;
    let method: string | undefined;
    let body = await this.requestBody();
    const maxRedirects = Number(this.value('max-redirs') ?? 50);
    for (let redirects = 0; ; redirects++) {
      const parsed = this.parse(url);
      this.facts.effectiveUrl = /:\/\//.test(url)
        ? url
        : `${parsed.scheme}://${url.replace(/#.*$/, '')}${/[/?]/.test(url) ? '' : '/'}`;
      const chosen =
        method ??
        this.value('request') ??
        (this.has('head')
          ? 'HEAD'
          : this.value('upload-file') !== undefined
            ? 'PUT'
            : body === undefined
              ? 'GET'
              : 'POST');
      this.facts.method = chosen;
      const { head, reader } = await this.exchange(parsed, chosen, body, redirects === 0);
      const location = headerValue(head, 'location');
      const redirecting = location !== undefined && head.status >= 300 && head.status < 400;
      this.facts.redirectUrl = redirecting ? resolveUrl(parsed, location) : '';
      const following = redirecting && (this.has('location') || this.has('location-trusted'));
      await this.deliver(parsed, head, reader, chosen, output, following, progress);
      if (!following) return;
      if (redirects >= maxRedirects) throw new CurlError(47, `Maximum (${maxRedirects}) redirects followed`);
      this.facts.redirects++;
      this.facts.redirectMs = this.proc.clock.now() - this.startMs;
      url = resolveUrl(parsed, location);
      await this.note(`Issue another request to this URL: '${url}'`);
      if (body !== undefined && [301, 302, 303].includes(head.status) && !this.has(`post${head.status}`)) {
        body = undefined;
        if (this.value('request') === undefined) method = 'GET';
        await this.note('Switch from POST to GET');
      }
    }
  }

  private parse(url: string): ParsedUrl {
    const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):\/\//.exec(url)?.[1]?.toLowerCase();
    if (scheme !== undefined && !['http', 'https', 'telnet'].includes(scheme))
      throw new CurlError(1, `Protocol "${scheme}" not supported or disabled in libcurl`);
    const parsed = parseUrl(url);
    if (parsed === undefined) throw new CurlError(3, 'URL using bad/illegal format or missing URL');
    this.facts.scheme = parsed.scheme.toUpperCase();
    return parsed;
  }

  private async requestBody(): Promise<{ bytes: Uint8Array; type: string } | undefined> {
    const data = this.list.filter((option) =>
      ['data', 'data-raw', 'data-binary', 'data-ascii', 'data-urlencode', 'json'].includes(option.name),
    );
    const form = this.list.filter((option) => option.name === 'form' || option.name === 'form-string');
    const upload = this.value('upload-file');
    if (upload !== undefined)
      return { bytes: upload === '-' ? await readAll(this.proc.stdin) : this.readFile(upload), type: '' };
    if (form.length > 0) return this.formBody(form);
    if (data.length === 0) return undefined;
    const parts: Uint8Array[] = [];
    for (const [index, option] of data.entries()) {
      if (index > 0 && option.name !== 'json') parts.push(Buffer.from('&'));
      parts.push(await this.dataPart(option));
    }
    const bytes = Buffer.concat(parts);
    if (this.has('get')) {
      const url = this.list.find((option) => option.name === 'url')!;
      (url as { value: string }).value += `${url.value.includes('?') ? '&' : '?'}${bytes.toString()}`;
      return undefined;
    }
    return {
      bytes,
      type: data.some((option) => option.name === 'json')
        ? 'application/json'
        : 'application/x-www-form-urlencoded',
    };
  }

  private async dataPart(option: CurlOption): Promise<Uint8Array> {
    const { name, value } = option;
    if (name === 'data-urlencode') {
      const equals = value.indexOf('=');
      const [key, content] = equals < 0 ? ['', value] : [value.slice(0, equals), value.slice(equals + 1)];
      return Buffer.from(
        (key === '' ? '' : `${key}=`) +
          encodeURIComponent(content).replaceAll(
            /[!'()*]/g,
            (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
          ),
      );
    }
    if (name === 'data-raw' || !value.startsWith('@')) return Buffer.from(value);
    const bytes = value === '@-' ? await readAll(this.proc.stdin) : this.readFile(value.slice(1));
    if (name === 'data-binary' || name === 'json') return bytes;
    return Buffer.from(bytes).filter((byte) => byte !== 10 && byte !== 13 && byte !== 0);
  }

  private readFile(path: string): Uint8Array {
    try {
      return this.proc.fs.readFile(path);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      throw new CurlError(26, `Failed to open ${path}`);
    }
  }

  private formBody(form: readonly CurlOption[]): { bytes: Uint8Array; type: string } {
    const boundary = `------------------------${Buffer.from(this.proc.random.bytes(8)).toString('hex')}`;
    const parts: Uint8Array[] = [];
    for (const { name: kind, value } of form) {
      const equals = value.indexOf('=');
      const [name, content] = [value.slice(0, equals), value.slice(equals + 1)];
      const file = kind === 'form' && /^[@<]/.test(content) ? content.slice(1).split(';')[0]! : undefined;
      const bytes = file === undefined ? Buffer.from(content) : this.readFile(file);
      const filename =
        file !== undefined && content.startsWith('@')
          ? `; filename="${file.slice(file.lastIndexOf('/') + 1)}"`
          : '';
      parts.push(
        Buffer.from(
          `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${filename}\r\n${filename === '' ? '' : 'Content-Type: application/octet-stream\r\n'}\r\n`,
        ),
        bytes,
        Buffer.from('\r\n'),
      );
    }
    parts.push(Buffer.from(`--${boundary}--\r\n`));
    return { bytes: Buffer.concat(parts), type: `multipart/form-data; boundary=${boundary}` };
  }

  private proxyFor(url: ParsedUrl): ParsedUrl | undefined {
    const option = this.value('proxy');
    const { env } = this.proc;
    const text =
      option ??
      env.get(`${url.scheme}_proxy`) ??
      (url.scheme === 'https' ? env.get('HTTPS_PROXY') : undefined) ??
      env.get('all_proxy') ??
      env.get('ALL_PROXY');
    if (text === undefined || text === '') return undefined;
    const exempt = (this.value('noproxy') ?? env.get('no_proxy') ?? env.get('NO_PROXY') ?? '')
      .split(/[, ]+/)
      .filter((one) => one !== '');
    if (
      exempt.some((one) => one === '*' || url.host === one || url.host.endsWith(`.${one.replace(/^\./, '')}`))
    )
      return undefined;
    const parsed = parseUrl(text);
    if (parsed === undefined) throw new CurlError(5, `Unsupported proxy syntax in '${text}'`);
    return /:\d+\/?$/.test(text) ? parsed : { ...parsed, port: 1080 };
  }

  private async exchange(
    url: ParsedUrl,
    method: string,
    body: { bytes: Uint8Array; type: string } | undefined,
    first: boolean,
  ): Promise<{ head: ResponseHead; reader: ResponseReader }> {
    if (
      first &&
      method === this.value('request') &&
      ((body === undefined && method === 'GET' && !this.has('head')) ||
        (body !== undefined && method === 'POST'))
    ) {
      if (this.verbose)
        await this.err.write(`Note: Unnecessary use of -X or --request, ${method} is already inferred.\n`);
    }
    const proxy = this.proxyFor(url);
    const connection = await this.connect(url, proxy);
    await this.send(connection, url, proxy !== undefined && url.scheme === 'http', method, body);
    const onTimeout = (): CurlError =>
      new CurlError(
        28,
        `Operation timed out after ${this.elapsed} milliseconds with ${this.received}${this.expected === undefined ? '' : ` out of ${this.expected}`} bytes received`,
      );
    let head: ResponseHead;
    try {
      head = await this.within(connection.reader.head(), undefined, onTimeout);
      while (head.status >= 100 && head.status < 200)
        head = await this.within(connection.reader.head(), undefined, onTimeout);
    } catch (error) {
      const failure = this.asCurlError(error);
      await this.note(failure.message);
      await this.note(`Closing connection ${connection.number}`);
      throw failure;
    }
    this.facts.startTransferMs = this.proc.clock.now() - this.startMs;
    this.facts.status = head.status;
    this.facts.httpVersion = head.version.replace('HTTP/', '');
    this.facts.contentType = headerValue(head, 'content-type') ?? '';
    this.facts.headers = head.headers;
    this.facts.sizeHeader += head.rawLines.join('').length;
    for (const [name, value] of head.headers) if (name.toLowerCase() === 'set-cookie') this.takeCookie(value);
    return { head, reader: connection.reader };
  }

  private async connect(url: ParsedUrl, proxy: ParsedUrl | undefined): Promise<Connection> {
    const target = proxy ?? url;
    const key = `${url.scheme}://${url.host}:${url.port}${proxy === undefined ? '' : ` via ${proxy.host}:${proxy.port}`}`;
    if (this.connection?.key === key) {
      await this.note(`Found bundle for host: 0x${this.connection.number.toString(16)} [serially]`);
      await this.note(`Re-using existing connection #${this.connection.number} with host ${url.host}`);
      return this.connection;
    }
    if (this.connection !== undefined) this.drop();
    const number = this.connections++;
    let { host, port } = target;
    if (proxy === undefined) ({ host, port } = this.redirectedConnect(host, port));
    const addresses = await this.resolve(host, port, number, proxy !== undefined);
    this.facts.lookupMs = this.proc.clock.now() - this.startMs;
    const socket = await this.open(host, addresses, port, number);
    this.facts.connectMs = this.proc.clock.now() - this.startMs;
    this.facts.connects++;
    Object.assign(this.facts, {
      remoteIp: socket.remote.address,
      remotePort: socket.remote.port,
      localIp: socket.local.address,
      localPort: socket.local.port,
    });
    await this.note(`Connected to ${host} (${socket.remote.address}) port ${port} (#${number})`);
    let stream: ByteStream = socket;
    if (proxy !== undefined && url.scheme === 'https') await this.tunnel(socket, url);
    let tls: TlsSession | undefined;
    if (url.scheme === 'https') {
      try {
        tls = await this.within(
          openTls(this.proc, socket, {
            host: url.host,
            insecure: this.has('insecure'),
            caFile: this.value('cacert'),
            certificateFile: this.value('cert'),
            keyFile: this.value('key'),
            protocols: this.has('http1.1') || this.has('http1.0') ? ['http/1.1'] : ['h2', 'http/1.1'],
            note: (text) => this.note(text),
          }),
          undefined,
          () => new CurlError(28, `SSL connection timeout`),
        );
      } catch (error) {
        if (error instanceof TlsFailure) {
          await this.note(error.message.split('\n')[0]!);
          await this.note(`Closing connection ${number}`);
        }
        throw error;
      }
      ({ stream } = tls);
      this.facts.appConnectMs = this.proc.clock.now() - this.startMs;
    }
    this.connection = { stream, reader: new ResponseReader(this.proc, stream), socket, key, number, tls };
    return this.connection;
  }

  /** --connect-to. */
  private redirectedConnect(host: string, port: number): { host: string; port: number } {
    for (const rule of this.values('connect-to')) {
      const [fromHost = '', fromPort = '', toHost = '', toPort = ''] = rule.split(':');
      if ((fromHost === '' || fromHost === host) && (fromPort === '' || Number(fromPort) === port))
        return { host: toHost === '' ? host : toHost, port: toPort === '' ? port : Number(toPort) };
    }
    return { host, port };
  }

  private async resolve(
    host: string,
    port: number,
    number: number,
    isProxy: boolean,
  ): Promise<readonly string[]> {
    for (const rule of this.values('resolve')) {
      const match = /^\+?([^:]+):(\d+):(.+)$/.exec(rule);
      if (match === null) throw new CurlError(49, `Couldn't parse CURLOPT_RESOLVE entry '${rule}'`);
      await this.note(`Added ${match[1]}:${match[2]}:${match[3]} to DNS cache`);
    }
    for (const rule of this.values('resolve').toReversed()) {
      const [, name = '', rulePort = '', list = ''] = /^\+?([^:]+):(\d+):(.+)$/.exec(rule)!;
      if ((name === '*' || name.toLowerCase() === host.toLowerCase()) && Number(rulePort) === port) {
        await this.note(`Hostname ${host} was found in DNS cache`);
        return list.split(',').map((address) => address.replace(/^\[|\]$/g, ''));
      }
    }
    if (parseIpv4(host) !== undefined) return [host];
    if (host.includes(':')) throw new CurlError(7, `Couldn't connect to server`);
    const limit = this.value('connect-timeout');
    const found = await this.within(
      lookupHost(this.proc, host),
      limit === undefined ? undefined : Number(limit) * 1000,
      () => new CurlError(28, `Resolving timed out after ${this.elapsed} milliseconds`),
    );
    if (found.addresses.length === 0) {
      const text = `Could not resolve ${isProxy ? 'proxy' : 'host'}: ${host}`;
      await this.note(text);
      await this.note(`Closing connection ${number}`);
      throw new CurlError(isProxy ? 5 : 6, text);
    }
    return found.addresses;
  }

  private async open(
    host: string,
    addresses: readonly string[],
    port: number,
    number: number,
  ): Promise<TcpSocket> {
    const limit = this.value('connect-timeout');
    const connectMs = limit === undefined ? 300_000 : Number(limit) * 1000;
    const from = this.proc.clock.now();
    const device = this.value('interface');
    for (const address of addresses) {
      await this.note(`  Trying ${address}:${port}...`, '* ');
      const stop = new AbortController();
      const abort = (): void => stop.abort(new ErrnoError('ECANCELED'));
      this.proc.signal.addEventListener('abort', abort, { once: true });
      try {
        const connecting = this.proc.net.sockets.connectTcp(
          { address, port },
          {
            owner: this.proc.socketOwner,
            signal: stop.signal,
            ...(device === undefined
              ? {}
              : parseIpv4(device) === undefined
                ? { device: device.replace(/^(?:if|host)!/, '') }
                : { local: { address: device } }),
          },
        );
        return await this.within(
          this.proc.interruptible(connecting),
          Math.max(0, connectMs - (this.proc.clock.now() - from)),
          () => {
            stop.abort(new ErrnoError('ETIMEDOUT'));
            return new CurlError(28, '');
          },
        );
      } catch (error) {
        if (error instanceof CurlError) {
          if (this.deadline !== undefined && this.proc.clock.now() >= this.deadline) {
            await this.note(`Connection timed out after ${this.elapsed} milliseconds`);
            await this.note(`Closing connection ${number}`);
            throw new CurlError(28, `Connection timed out after ${this.elapsed} milliseconds`);
          }
          await this.note(`ipv4 connect timeout after ${Math.floor(connectMs)}ms, move on!`);
          const text = `Failed to connect to ${host} port ${port} after ${this.elapsed} ms: Timeout was reached`;
          await this.note(text);
          await this.note(`Closing connection ${number}`);
          throw new CurlError(28, text);
        }
        if (!(error instanceof ErrnoError) || error.code === 'EINTR') throw error;
        await this.note(
          error.code === 'ENETUNREACH' || error.code === 'EADDRNOTAVAIL'
            ? `Immediate connect fail for ${address}: ${error.message}`
            : `connect to ${address} port ${port} failed: ${error.message}`,
        );
      } finally {
        this.proc.signal.removeEventListener('abort', abort);
      }
    }
    const text = `Failed to connect to ${host} port ${port} after ${this.elapsed} ms: Couldn't connect to server`;
    await this.note(text);
    await this.note(`Closing connection ${number}`);
    throw new CurlError(7, text);
  }

  private async tunnel(socket: TcpSocket, url: ParsedUrl): Promise<void> {
    await this.note(`allocate connect buffer`);
    await this.proc.interruptible(
      socket.write(
        Buffer.from(
          `CONNECT ${url.host}:${url.port} HTTP/1.1\r\nHost: ${url.host}:${url.port}\r\nUser-Agent: curl/${VERSION}\r\nProxy-Connection: Keep-Alive\r\n\r\n`,
        ),
      ),
    );
    const head = await new ResponseReader(this.proc, socket).head();
    if (head.status !== 200) throw new CurlError(56, `CONNECT tunnel failed, response ${head.status}`);
  }

  private async send(
    connection: Connection,
    url: ParsedUrl,
    viaProxy: boolean,
    method: string,
    body: { bytes: Uint8Array; type: string } | undefined,
  ): Promise<void> {
    const custom = this.values('header').flatMap((text) =>
      text.startsWith('@') ? this.proc.fs.readText(text.slice(1)).trim().split('\n') : [text],
    );
    const removed = new Set(
      custom
        .filter((text) => /^[^:]+:\s*$/.test(text))
        .map((text) => text.slice(0, text.indexOf(':')).toLowerCase()),
    );
    const given = new Map(
      custom
        .filter((text) => /^[^:]+:\s*\S/.test(text))
        .map((text) => [text.slice(0, text.indexOf(':')).toLowerCase(), text]),
    );
    const emptied = custom.filter((text) => /^[^:;]+;$/.test(text)).map((text) => `${text.slice(0, -1)}:`);
    const lines: string[] = [];
    const version = this.has('http1.0') ? 'HTTP/1.0' : 'HTTP/1.1';
    const shownHost = url.host.includes(':') ? `[${url.host}]` : url.host;
    const target = viaProxy ? `${url.scheme}://${shownHost}${url.portSuffix}${url.path}` : url.path;
    lines.push(`${method} ${target} ${version}`);
    const standard = (name: string, value: string | undefined): void => {
      const lower = name.toLowerCase();
      if (given.has(lower) && lower === 'host') lines.push(given.get(lower)!);
      else if (value !== undefined && !given.has(lower) && !removed.has(lower))
        lines.push(`${name}: ${value}`);
    };
    standard('Host', shownHost + url.portSuffix);
    const user =
      this.value('user') ?? (url.user === undefined ? undefined : `${url.user}:${url.password ?? ''}`);
    if (user !== undefined) {
      const credentials = user.includes(':') ? user : `${user}:`;
      await this.note(
        `Server auth using Basic with user '${credentials.slice(0, credentials.indexOf(':'))}'`,
      );
      standard('Authorization', `Basic ${Buffer.from(credentials).toString('base64')}`);
    }
    const bearer = this.value('oauth2-bearer');
    if (bearer !== undefined) standard('Authorization', `Bearer ${bearer}`);
    standard('Range', this.value('range') === undefined ? undefined : `bytes=${this.value('range')}`);
    standard('User-Agent', this.value('user-agent') ?? `curl/${VERSION}`);
    standard('Accept', body?.type === 'application/json' ? 'application/json' : '*/*');
    standard('Accept-Encoding', this.has('compressed') ? 'deflate, gzip' : undefined);
    standard('Referer', this.value('referer'));
    const cookie = this.cookieHeader();
    standard('Cookie', cookie);
    if (viaProxy) standard('Proxy-Connection', 'Keep-Alive');
    for (const [name, text] of given) if (name !== 'host') lines.push(text);
    lines.push(...emptied);
    if (body !== undefined) {
      standard('Content-Length', String(body.bytes.length));
      if (body.type !== '') standard('Content-Type', body.type);
    }
    // With a body, curl prints user headers before the lengths.
    const ordered =
      body === undefined
        ? lines
        : [
            ...lines.filter((line) => !/^Content-(?:Length|Type): /i.test(line)),
            ...lines.filter((line) => /^Content-Type: /i.test(line) && given.has('content-type')),
            ...lines.filter((line) => /^Content-Length: /i.test(line)),
            ...lines.filter((line) => /^Content-Type: /i.test(line) && !given.has('content-type')),
          ];
    const headText = `${ordered.join('\r\n')}\r\n\r\n`;
    if (this.verbose) {
      await this.out.flush();
      await this.err.write(`${ordered.map((line) => `> ${line}\n`).join('')}> \n`);
    }
    this.facts.preTransferMs = this.proc.clock.now() - this.startMs;
    this.facts.sizeRequest += headText.length;
    this.facts.sizeUpload = body?.bytes.length ?? 0;
    const bytes =
      body === undefined ? Buffer.from(headText) : Buffer.concat([Buffer.from(headText), body.bytes]);
    try {
      await this.within(
        this.proc.interruptible(connection.stream.write(bytes)),
        undefined,
        () =>
          new CurlError(28, `Operation timed out after ${this.elapsed} milliseconds with 0 bytes received`),
      );
    } catch (error) {
      if (!(error instanceof ErrnoError) || error.code === 'EINTR') throw error;
      // The answer, if any, may still be there to read: a reset shows in the next read.
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') throw error;
    }
  }

  private cookieHeader(): string | undefined {
    const option = this.value('cookie');
    const pairs: string[] = [];
    if (option?.includes('=') === true) pairs.push(option);
    else if (option !== undefined && this.cookies.size === 0 && this.proc.fs.exists(option)) {
      for (const line of this.proc.fs.readText(option).split('\n')) {
        const fields = line.replace(/^#HttpOnly_/, '').split('\t');
        if (!line.startsWith('# ') && fields.length >= 7) this.cookies.set(fields[5]!, fields[6]!);
      }
    }
    for (const [name, value] of this.cookies) pairs.push(`${name}=${value}`);
    return pairs.length === 0 ? undefined : pairs.join('; ');
  }

  private takeCookie(text: string): void {
    if (this.value('cookie') === undefined && this.value('cookie-jar') === undefined) return;
    const [pair = ''] = text.split(';');
    this.cookies.set(pair.slice(0, pair.indexOf('=')).trim(), pair.slice(pair.indexOf('=') + 1).trim());
  }

  private async saveCookies(): Promise<void> {
    const jar = this.value('cookie-jar');
    if (jar === undefined) return;
    const host = parseUrl(this.values('url')[0]!)?.host ?? '';
    const lines = [...this.cookies].map(
      ([name, value]) => `${host}\tFALSE\t/\tFALSE\t0\t${name}\t${value}\n`,
    );
    const text = `# Netscape HTTP Cookie File\n# https://curl.se/docs/http-cookies.html\n# This file was generated by libcurl! Edit at your own risk.\n\n${lines.join('')}`;
    if (jar === '-') await this.proc.stdout.write(text);
    else this.proc.fs.writeFile(jar, text);
  }

  private async deliver(
    url: ParsedUrl,
    head: ResponseHead,
    reader: ResponseReader,
    method: string,
    output: CurlOption | undefined,
    skipBody: boolean,
    progress: CurlProgress,
  ): Promise<void> {
    const failing = head.status >= 400 && this.has('fail');
    const connection = this.connection!;
    for (const line of head.rawLines)
      if (this.verbose) await this.err.write(`< ${line.replace(/\r?\n$/, '\n')}`);
    const dump = this.value('dump-header');
    const headText = head.rawLines.join('');
    if (dump !== undefined) {
      if (dump === '-') await this.out.put(headText);
      else this.proc.fs.writeFile(dump, headText, { append: this.facts.redirects > 0 });
    }
    const sink = this.sink(url, head, output);
    const length = headerValue(head, 'content-length');
    this.expected = length === undefined || method === 'HEAD' ? undefined : Number(length);
    if ((this.has('include') || this.has('head')) && !failing)
      await sink.write(this.styled(head, sink.terminal));
    const meter = this.meterNeeded(sink.terminal) ? progress : undefined;
    await meter?.start(this.expected);
    this.received = 0;
    if (failing) {
      this.drop();
      await this.note(`The requested URL returned error: ${head.status}`);
      await this.note(`Closing connection ${connection.number}`);
      throw new CurlError(22, `The requested URL returned error: ${head.status}`);
    }
    if (skipBody) await this.note('Ignoring the response-body');
    try {
      await this.within(
        this.copyBody(head, reader, method, skipBody, sink),
        undefined,
        () =>
          new CurlError(
            28,
            `Operation timed out after ${this.elapsed} milliseconds with ${this.received}${this.expected === undefined ? '' : ` out of ${this.expected}`} bytes received`,
          ),
      );
    } catch (error) {
      const failure = this.asCurlError(error);
      await this.out.flush();
      await this.note(failure.message);
      await this.note(`Closing connection ${connection.number}`);
      throw failure;
    }
    this.facts.sizeDownload = this.received;
    await sink.finish();
    if (keepsAlive(head) || (method === 'HEAD' && headerValue(head, 'connection')?.toLowerCase() !== 'close'))
      await this.note(`Connection #${connection.number} to host ${url.host} left intact`);
    else {
      await this.note(`Closing connection ${connection.number}`);
      this.drop();
    }
    if (head.status >= 400 && this.has('fail-with-body'))
      throw new CurlError(22, `The requested URL returned error: ${head.status}`);
  }

  private meterNeeded(toTerminal: boolean): boolean {
    if (
      this.has('silent') ||
      this.list.findLast((option) => option.name === 'progress-meter')?.on === false ||
      this.has('no-progress-meter')
    )
      return false;
    return !toTerminal;
  }

  private async copyBody(
    head: ResponseHead,
    reader: ResponseReader,
    method: string,
    skip: boolean,
    sink: Sink,
  ): Promise<void> {
    for await (const piece of reader.body(head, method)) {
      this.received += piece.length;
      if (!skip) await sink.write(piece);
    }
  }

  /** Header names in bold and the location as a link, when they go to a terminal. */
  private styled(head: ResponseHead, terminal: boolean): string {
    if (!terminal || this.list.findLast((option) => option.name === 'styled-output')?.on === false)
      return head.rawLines.join('');
    const url = this.facts.effectiveUrl;
    return head.rawLines
      .map((line) => {
        const match = /^([^:\s]+):(.*?)(\r?\n)$/.exec(line);
        if (match === null) return line;
        const [, name = '', value = '', end = ''] = match;
        if (name.toLowerCase() === 'location') {
          const target =
            parseUrl(url) === undefined ? value.trim() : resolveUrl(parseUrl(url)!, value.trim());
          return `\u001b[1m${name}\u001b[0m:\u001b]8;;${target}\u001b\\${value}${end}\u001b]8;;\u001b\\`;
        }
        return `\u001b[1m${name}\u001b[0m:${value}${end}`;
      })
      .join('');
  }

  private sink(url: ParsedUrl, head: ResponseHead, output: CurlOption | undefined): Sink {
    if (output === undefined || (output.name === 'output' && output.value === '-')) {
      const terminal = this.proc.stdout.tty !== undefined;
      return {
        terminal,
        write: async (data) => {
          await this.out.put(data);
          await this.out.flush();
        },
        finish: async () => undefined,
      };
    }
    let path = output.value;
    if (output.name === 'remote-name') {
      const disposition = this.has('remote-header-name')
        ? /filename="?([^";]+)"?/i.exec(headerValue(head, 'content-disposition') ?? '')?.[1]
        : undefined;
      path = disposition ?? url.path.replace(/\?.*$/, '').replace(/^.*\//, '');
      if (path === '') throw new NamelessError();
    }
    const directory = this.value('output-dir');
    const full = directory === undefined ? path : `${directory}/${path}`;
    this.facts.fileName = full;
    let file: OpenFile | undefined;
    const open = async (): Promise<OpenFile> => {
      if (file !== undefined) return file;
      try {
        if (this.has('create-dirs') && full.includes('/'))
          this.proc.fs.mkdir(full.slice(0, full.lastIndexOf('/')), { recursive: true });
        file = this.proc.fs.open(full, { write: true, create: true, truncate: true }, 0o666);
        return file;
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        if (!this.has('silent') || this.has('show-error'))
          await this.err.write(`Warning: Failed to open the file ${full}: ${error.message}\n`);
        throw new CurlError(23, 'Failure writing output to destination');
      }
    };
    return {
      terminal: false,
      write: async (data) => {
        await (await open()).write(data);
      },
      finish: async () => {
        if (full !== '/dev/null') await open();
      },
    };
  }
}

interface Sink {
  readonly terminal: boolean;
  write(data: string | Uint8Array): Promise<void>;
  finish(): Promise<void>;
}

/** -O of a URL that ends in a slash. */
class NamelessError extends CurlError {
  constructor() {
    super(23, 'Failed writing received data to disk/application');
  }
}
