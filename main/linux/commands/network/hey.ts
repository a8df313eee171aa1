// hey: a load generator in Go, with a histogram (github.com/rakyll/hey).
import type { Program } from '../../kernel/index.ts';
import { percentile, runLoad, type LoadResult } from './load-test.ts';
import { parseUrl } from './url.ts';

const USAGE = `Usage: hey [options...] <url>

Options:
  -n  Number of requests to run. Default is 200.
  -c  Number of workers to run concurrently. Total number of requests cannot
      be smaller than the concurrency level. Default is 50.
  -q  Rate limit, in queries per second (QPS) per worker. Default is no rate limit.
  -z  Duration of application to send requests. When duration is reached,
      application stops and exits. If duration is specified, n is ignored.
      Examples: -z 10s -z 3m.
  -o  Output type. If none provided, a summary is printed.

  -m  HTTP method, one of GET, POST, PUT, DELETE, HEAD, OPTIONS.
  -H  Custom HTTP header. You can specify as many as needed by repeating the flag.
  -t  Timeout for each request in seconds. Default is 20, use 0 for infinite.
  -A  HTTP Accept header.
  -d  HTTP request body.
  -D  HTTP request body from file.
  -T  Content-type, defaults to "text/html".
  -U  User-Agent, defaults to version "hey/0.0.1".
  -a  Basic authentication, username:password.
  -host	HTTP Host header.

  -disable-keepalive    Disable keep-alive, prevents re-use of TCP
                        connections between different HTTP requests.
`;
const BARS_MAX = 40;

/** hey */
export const hey: Program = async (proc) => {
  const values = new Map<string, string[]>();
  let target: string | undefined;
  const args = proc.argv.slice(1);
  for (let at = 0; at < args.length; at++) {
    const word = args[at]!;
    const name = word.replace(/^--?/, '');
    if (!word.startsWith('-')) target = word;
    else if (name.startsWith('disable-')) values.set(name, ['']);
    else if (/^(?:[ncqzomHtAdDTUax]|host|cpus)$/.test(name))
      values.set(name, [...(values.get(name) ?? []), args[++at] ?? '']);
    else {
      await proc.stderr.write(`flag provided but not defined: -${name}\n${USAGE}`);
      return 2;
    }
  }
  const one = (name: string): string | undefined => values.get(name)?.at(-1);
  const url = target === undefined ? undefined : parseUrl(target);
  if (url === undefined) {
    await proc.stderr.write(USAGE);
    return 1;
  }
  const concurrency = Number(one('c') ?? 50);
  const limitMs = durationOf(one('z'));
  const requests = limitMs === undefined ? Number(one('n') ?? 200) : 1e9;
  if (requests < concurrency) {
    await proc.stderr.write(`-n cannot be less than -c.\n\n${USAGE}`);
    return 1;
  }
  const data = one('d') ?? (one('D') === undefined ? undefined : proc.fs.readText(one('D')!));
  const body = data === undefined ? undefined : Buffer.from(data);
  const user = one('a');
  const isKept = !values.has('disable-keepalive');
  const result = await runLoad(proc, {
    url,
    // hey gives every worker the same number and drops the rest.
    requests: limitMs === undefined ? Math.floor(requests / concurrency) * concurrency : requests,
    concurrency,
    limitMs,
    timeoutMs: Number(one('t') ?? 20) * 1000 || 1e12,
    keepAlive: isKept,
    method: one('m') ?? 'GET',
    version: '1.1',
    rate: one('q') === undefined ? undefined : Number(one('q')),
    body,
    fields: [
      `Host: ${one('host') ?? `${url.host}${url.portSuffix}`}`,
      `User-Agent: ${one('U') ?? 'hey/0.0.1'}`,
      ...(isKept ? [] : ['Connection: close']),
      ...(body === undefined ? [] : [`Content-Length: ${body.length}`]),
      `Content-Type: ${one('T') ?? 'text/html'}`,
      ...(one('A') === undefined ? [] : [`Accept: ${one('A')}`]),
      ...(user === undefined ? [] : [`Authorization: Basic ${Buffer.from(user).toString('base64')}`]),
      ...(values.get('H') ?? []),
      'Accept-Encoding: gzip',
    ],
  });
  await proc.stdout.write(report(result));
  return 0;
};

function durationOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  let sum = 0;
  for (const [, digits, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g))
    sum += Number(digits) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit as 's'];
  return sum;
}

function report({ samples, tookMs }: LoadResult): string {
  const good = samples.filter(({ problem }) => problem === undefined);
  const sorted = good.map(({ totalMs }) => totalMs / 1000).toSorted((a, b) => a - b);
  const total = sorted.reduce((sum, value) => sum + value, 0);
  const [fastest, slowest] = [sorted[0] ?? 0, sorted.at(-1) ?? 0];
  const bytes = good.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);
  let text = `\nSummary:\n  Total:\t${(tookMs / 1000).toFixed(4)} secs\n  Slowest:\t${slowest.toFixed(4)} secs\n  Fastest:\t${fastest.toFixed(4)} secs\n  Average:\t${(sorted.length === 0 ? 0 : total / sorted.length).toFixed(4)} secs\n  Requests/sec:\t${((samples.length * 1000) / tookMs).toFixed(4)}\n`;
  if (bytes > 0)
    text += `  \n  Total data:\t${bytes} bytes\n  Size/request:\t${Math.floor(bytes / good.length)} bytes\n`;
  if (sorted.length > 0)
    text += `\nResponse time histogram:\n${histogram(sorted)}\n\nLatency distribution:\n${latencies(sorted)}\n${details(good)}`;
  const statuses = new Map<number, number>();
  for (const { status } of good) statuses.set(status, (statuses.get(status) ?? 0) + 1);
  text += `\nStatus code distribution:\n${[...statuses].map(([status, count]) => `  [${status}]\t${count} responses\n`).join('')}`;
  const errors = new Map<string, number>();
  for (const { problem, error } of samples)
    if (problem !== undefined) errors.set(error, (errors.get(error) ?? 0) + 1);
  if (errors.size > 0)
    text += `\nError distribution:\n${[...errors].map(([error, count]) => `  [${count}]\t${error}\n`).join('')}`;
  return `${text}\n`;
}

function histogram(sorted: readonly number[]): string {
  const [fastest, slowest] = [sorted[0] ?? 0, sorted.at(-1) ?? 0];
  const step = (slowest - fastest) / 10;
  const marks = Array.from({ length: 11 }, (_, at) => (at === 10 ? slowest : fastest + step * at));
  const counts = marks.map(() => 0);
  let mark = 0;
  for (const value of sorted) {
    while (mark < 10 && value > marks[mark]!) mark++;
    counts[mark]!++;
  }
  const most = Math.max(...counts);
  return marks
    .map(
      (value, at) =>
        `  ${value.toFixed(3)} [${counts[at]}]\t|${'■'.repeat(most === 0 ? 0 : Math.floor((counts[at]! * BARS_MAX + most / 2) / most))}\n`,
    )
    .join('');
}

function latencies(sorted: readonly number[]): string {
  return [10, 25, 50, 75, 90, 95, 99]
    .map(
      (share) =>
        `  ${share}%${share === 0 ? '' : ''} in ${percentile(sorted, share / 100).toFixed(4)} secs\n`,
    )
    .join('');
}

function details(good: LoadResult['samples']): string {
  const row = (name: string, read: (sample: (typeof good)[number]) => number): string => {
    const values = good.map((sample) => read(sample) / 1000);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return `  ${name}:\t${mean.toFixed(4)} secs, ${Math.min(...values).toFixed(4)} secs, ${Math.max(...values).toFixed(4)} secs\n`;
  };
  return `\nDetails (average, fastest, slowest)\n${row('DNS+dialup', ({ connectMs }) => connectMs)}${row('DNS-lookup', () => 0)}${row('req write', () => 0)}${row('resp wait', ({ waitMs }) => waitMs)}${row('resp read', ({ totalMs, connectMs, waitMs }) => totalMs - connectMs - waitMs)}`;
}
