// ab(1), ApacheBench 2.3: a report of many requests to one URL.
import { readAll } from '../frame/input.ts';
import type { Process, Program } from '../../kernel/index.ts';
import { ErrnoError } from '../../../network/index.ts';
import { percentile, runLoad, serverSoftware, type LoadResult, type Sample } from './load-test.ts';
import { lookupHost } from '../../libc/index.ts';
import { parseUrl, type ParsedUrl } from './url.ts';

const BANNER =
  'This is ApacheBench, Version 2.3 <$Revision$>\nCopyright 1996 Adam Twiss, Zeus Technology Ltd, http://www.zeustech.net/\nLicensed to The Apache Software Foundation, http://www.apache.org/\n\n';
const USAGE = `Usage: ab [options] [http[s]://]hostname[:port]/path
Options are:
    -n requests     Number of requests to perform
    -c concurrency  Number of multiple requests to make at a time
    -t timelimit    Seconds to max. to spend on benchmarking
                    This implies -n 50000
    -s timeout      Seconds to max. wait for each response
                    Default is 30 seconds
    -b windowsize   Size of TCP send/receive buffer, in bytes
    -B address      Address to bind to when making outgoing connections
    -p postfile     File containing data to POST. Remember also to set -T
    -u putfile      File containing data to PUT. Remember also to set -T
    -T content-type Content-type header to use for POST/PUT data, eg.
                    'application/x-www-form-urlencoded'
                    Default is 'text/plain'
    -v verbosity    How much troubleshooting info to print
    -w              Print out results in HTML tables
    -i              Use HEAD instead of GET
    -x attributes   String to insert as table attributes
    -y attributes   String to insert as tr attributes
    -z attributes   String to insert as td or th attributes
    -C attribute    Add cookie, eg. 'Apache=1234'. (repeatable)
    -H attribute    Add Arbitrary header line, eg. 'Accept-Encoding: gzip'
                    Inserted after all normal header lines. (repeatable)
    -A attribute    Add Basic WWW Authentication, the attributes
                    are a colon separated username and password.
    -P attribute    Add Basic Proxy Authentication, the attributes
                    are a colon separated username and password.
    -X proxy:port   Proxyserver and port number to use
    -V              Print version number and exit
    -k              Use HTTP KeepAlive feature
    -d              Do not show percentiles served table.
    -S              Do not show confidence estimators and warnings.
    -q              Do not show progress when doing more than 150 requests
    -l              Accept variable document length (use this for dynamic pages)
    -g filename     Output collected data to gnuplot format file.
    -e filename     Output CSV file with percentages served
    -r              Don't exit on socket receive errors.
    -m method       Method name
    -h              Display usage information (this message)
    -I              Disable TLS Server Name Indication (SNI) extension
    -Z ciphersuite  Specify SSL/TLS cipher suite (See openssl ciphers)
    -f protocol     Specify SSL/TLS protocol
                    (SSL2, TLS1, TLS1.1, TLS1.2, TLS1.3 or ALL)
    -E certfile     Specify optional client certificate chain and private key
`;
const WITH_VALUE = 'nctsbBpuTvxyzCHAPXgemZfE';
const REQUESTS_MAX = 50_000;

interface Flags {
  readonly on: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly operands: readonly string[];
}

function readFlags(args: readonly string[]): Flags | string {
  const on = new Set<string>();
  const values = new Map<string, string[]>();
  const operands: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const word = args[at]!;
    if (!word.startsWith('-') || word === '-') {
      operands.push(word);
      continue;
    }
    for (let k = 1; k < word.length; k++) {
      const letter = word[k]!;
      if (WITH_VALUE.includes(letter)) {
        const value = word.slice(k + 1) || args[++at];
        if (value === undefined) return `ab: option requires an argument -- ${letter}\n`;
        values.set(letter, [...(values.get(letter) ?? []), value]);
        break;
      }
      if (!'wiVkdSqlrhI'.includes(letter)) return `ab: illegal option -- ${letter}\n`;
      on.add(letter);
    }
  }
  return { on, values, operands };
}

/** ab(1) */
export const ab: Program = async (proc) => {
  const flags = readFlags(proc.argv.slice(1));
  const fail = async (text: string, status: number): Promise<number> => {
    await proc.stderr.write(text);
    return status;
  };
  if (typeof flags === 'string') return fail(`${flags}${USAGE}`, 22);
  if (flags.on.has('V')) {
    await proc.stdout.write(BANNER);
    return 0;
  }
  if (flags.on.has('h')) {
    await proc.stdout.write(USAGE);
    return 0;
  }
  if (flags.operands.length !== 1) return fail(`ab: wrong number of arguments\n${USAGE}`, 22);
  const url = parseUrl(flags.operands[0]!);
  if (url === undefined || !/^(?:https?:\/\/)?[^/]+\//.test(flags.operands[0]!))
    return fail(`ab: invalid URL\n${USAGE}`, 22);
  const one = (letter: string): string | undefined => flags.values.get(letter)?.at(-1);
  const limit = one('t');
  const requests = Number(one('n') ?? (limit === undefined ? 1 : REQUESTS_MAX));
  const concurrency = Number(one('c') ?? 1);
  if (!(requests > 0)) return fail(`ab: Invalid number of requests\n${USAGE}`, 22);
  if (concurrency > requests)
    return fail(`ab: Cannot use concurrency level greater than total number of requests\n${USAGE}`, 22);
  if (!(concurrency > 0 && concurrency <= 20_000))
    return fail(`ab: Invalid Concurrency [Range 0..20000]\n${USAGE}`, 22);
  return benchmark(proc, url, flags, {
    requests,
    concurrency,
    limitMs: limit === undefined ? undefined : Number(limit) * 1000,
  });
};

async function benchmark(
  proc: Process,
  url: ParsedUrl,
  flags: Flags,
  amounts: { readonly requests: number; readonly concurrency: number; readonly limitMs: number | undefined },
): Promise<number> {
  const one = (letter: string): string | undefined => flags.values.get(letter)?.at(-1);
  const file = one('p') ?? one('u');
  const body =
    file === undefined ? undefined : file === '-' ? await readAll(proc.stdin) : proc.fs.readFile(file);
  const method =
    one('m') ??
    (flags.on.has('i') ? 'HEAD' : one('p') !== undefined ? 'POST' : one('u') !== undefined ? 'PUT' : 'GET');
  const step = Math.max(100, Math.floor(amounts.requests / 10));
  const showsSteps = !flags.on.has('q') && amounts.requests > 150;
  await proc.stdout.write(`${BANNER}Benchmarking ${url.host} (be patient)${showsSteps ? '\n' : '...'}`);
  const { addresses } = await lookupHost(proc, url.host);
  if (addresses.length === 0) {
    await proc.stderr.write(`apr_sockaddr_info_get() for ${url.host}: Name or service not known (670002)\n`);
    return 2 & 0xff;
  }
  const result = await runLoad(proc, {
    url,
    ...amounts,
    addresses,
    timeoutMs: Number(one('s') ?? 30) * 1000,
    keepAlive: flags.on.has('k'),
    method,
    version: '1.0',
    rate: undefined,
    body,
    fields: fieldsOf(url, flags, body),
    onDone: async (count) => {
      if (showsSteps && count % step === 0 && count <= amounts.requests)
        await proc.stderr.write(`Completed ${count} requests\n`);
    },
  });
  const broken = result.samples.find(({ problem }) => problem === 'connect' || problem === 'timeout');
  if (broken !== undefined && !flags.on.has('r')) {
    const number =
      new ErrnoError('ECONNREFUSED').message === broken.error
        ? 111
        : broken.problem === 'timeout'
          ? 70007
          : 113;
    const text = number === 70007 ? 'The timeout specified has expired' : broken.error;
    const done = result.samples.filter(({ problem }) => problem === undefined).length;
    await proc.stderr.write(
      `${number === 70007 ? 'apr_pollset_poll' : 'apr_socket_recv'}: ${text} (${number})\n${done > 0 ? `Total of ${done} requests completed\n` : ''}`,
    );
    return number & 0xff;
  }
  await (showsSteps
    ? proc.stderr.write(`Finished ${result.samples.length} requests\n`)
    : proc.stdout.write('..done\n'));
  await proc.stdout.write(report(url, result, flags, amounts.concurrency, method, body));
  return 0;
}

function fieldsOf(url: ParsedUrl, flags: Flags, body: Uint8Array | undefined): string[] {
  const one = (letter: string): string | undefined => flags.values.get(letter)?.at(-1);
  const custom = flags.values.get('H') ?? [];
  const given = (name: string): boolean => custom.some((line) => line.toLowerCase().startsWith(`${name}:`));
  const cookies = flags.values.get('C') ?? [];
  const user = one('A');
  return [
    ...(flags.on.has('k') ? ['Connection: Keep-Alive'] : []),
    ...(body === undefined
      ? []
      : [`Content-length: ${body.length}`, `Content-type: ${one('T') ?? 'text/plain'}`]),
    ...(cookies.length === 0 ? [] : [`Cookie: ${cookies.join('; ')}`]),
    ...(user === undefined ? [] : [`Authorization: Basic ${Buffer.from(user).toString('base64')}`]),
    ...(given('host') ? [] : [`Host: ${url.host}${url.portSuffix}`]),
    ...(given('user-agent') ? [] : ['User-Agent: ApacheBench/2.3']),
    ...(given('accept') ? [] : ['Accept: */*']),
    ...custom,
  ];
}

function report(
  url: ParsedUrl,
  result: LoadResult,
  flags: Flags,
  concurrency: number,
  method: string,
  body: Uint8Array | undefined,
): string {
  const good = result.samples.filter(({ problem }) => problem === undefined);
  const first = good[0];
  const length = first?.bodyBytes ?? 0;
  const wrongLength = flags.on.has('l') ? 0 : good.filter(({ bodyBytes }) => bodyBytes !== length).length;
  const bad = result.samples.filter(({ problem }) => problem !== undefined);
  const other = good.filter(({ status }) => status < 200 || status > 299).length;
  const seconds = result.tookMs / 1000;
  const sum = (read: (sample: Sample) => number): number =>
    good.reduce((total, sample) => total + read(sample), 0);
  const per = (amount: number): string => (amount / seconds).toFixed(2);
  let text = `\n\nServer Software:        ${serverSoftware(result)}\nServer Hostname:        ${url.host}\nServer Port:            ${url.port}\n`;
  if (url.scheme === 'https')
    text += `SSL/TLS Protocol:       TLSv1.3,TLS_AES_256_GCM_SHA384,2048,256\nTLS Server Name:        ${url.host}\n`;
  text += `\nDocument Path:          ${url.path}\nDocument Length:        ${flags.on.has('l') ? 'Variable' : `${length} bytes`}\n\nConcurrency Level:      ${concurrency}\nTime taken for tests:   ${seconds.toFixed(3)} seconds\nComplete requests:      ${result.samples.length}\nFailed requests:        ${bad.length + wrongLength}\n`;
  if (bad.length + wrongLength > 0)
    text += `   (Connect: ${bad.filter(({ problem }) => problem === 'connect').length}, Receive: ${bad.filter(({ problem }) => problem !== 'connect').length}, Length: ${wrongLength}, Exceptions: 0)\n`;
  if (other > 0) text += `Non-2xx responses:      ${other}\n`;
  if (flags.on.has('k')) text += `Keep-Alive requests:    ${good.filter(({ isKept }) => isKept).length}\n`;
  text += `Total transferred:      ${sum(({ bytes }) => bytes)} bytes\n`;
  if (body !== undefined) text += `Total body sent:        ${(body.length + 150) * result.samples.length}\n`;
  text += `HTML transferred:       ${sum(({ bodyBytes }) => bodyBytes)} bytes\nRequests per second:    ${per(result.samples.length)} [#/sec] (mean)\nTime per request:       ${((concurrency * result.tookMs) / result.samples.length).toFixed(3)} [ms] (mean)\nTime per request:       ${(result.tookMs / result.samples.length).toFixed(3)} [ms] (mean, across all concurrent requests)\nTransfer rate:          ${per(sum(({ bytes }) => bytes) / 1024)} [Kbytes/sec] received\n`;
  if (body !== undefined)
    text += `                        ${per(((body.length + 150) * result.samples.length) / 1024)} kb/s sent\n                        ${per((sum(({ bytes }) => bytes) + (body.length + 150) * result.samples.length) / 1024)} kb/s total\n`;
  void method;
  if (good.length === 0) return text;
  return text + times(good) + (flags.on.has('d') || good.length < 2 ? '' : percentiles(good));
}

function times(good: readonly Sample[]): string {
  const row = (name: string, values: readonly number[]): string => {
    const sorted = values.toSorted((a, b) => a - b);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const deviation = Math.sqrt(
      values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1),
    );
    const middle =
      sorted.length % 2 === 0
        ? ((sorted[sorted.length / 2] ?? 0) + (sorted[sorted.length / 2 - 1] ?? 0)) / 2
        : (sorted[(sorted.length - 1) / 2] ?? 0);
    const whole = (value: number): string => String(Math.round(value));
    return `${`${name}:`.padEnd(11)} ${whole(sorted[0] ?? 0).padStart(5)} ${whole(mean).padStart(4)} ${deviation.toFixed(1).padStart(5)} ${whole(middle).padStart(6)} ${whole(sorted.at(-1) ?? 0).padStart(7)}\n`;
  };
  return `\nConnection Times (ms)\n              min  mean[+/-sd] median   max\n${row(
    'Connect',
    good.map(({ connectMs }) => connectMs),
  )}${row(
    'Processing',
    good.map(({ totalMs, connectMs }) => totalMs - connectMs),
  )}${row(
    'Waiting',
    good.map(({ waitMs }) => waitMs),
  )}${row(
    'Total',
    good.map(({ totalMs }) => totalMs),
  )}`;
}

function percentiles(good: readonly Sample[]): string {
  const sorted = good.map(({ totalMs }) => totalMs).toSorted((a, b) => a - b);
  const rows = [50, 66, 75, 80, 90, 95, 98, 99, 100].map((share) => {
    const value = share === 100 ? (sorted.at(-1) ?? 0) : percentile(sorted, share / 100);
    return `${String(share).padStart(3)}%  ${String(Math.round(value)).padStart(5)}${share === 100 ? ' (longest request)' : ''}\n`;
  });
  return `\nPercentage of the requests served within a certain time (ms)\n${rows.map((row) => ` ${row}`).join('')}`;
}
