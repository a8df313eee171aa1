// Sends many requests, some at a time, and keeps what each took: what ab and hey report. Times are virtual, in ms.
import { ErrnoError, type ByteStream } from '../../../network/index.ts';
import type { Process } from '../../kernel/index.ts';
import {
  ExchangeError,
  headerValue,
  keepsAlive,
  ResponseReader,
  type ResponseHead,
} from './http-exchange.ts';
import { lookupHost } from '../../libc/index.ts';
import { openTls, TlsFailure } from './tls.ts';
import type { ParsedUrl } from './url.ts';

/** What a client's own work for one request costs: charged as CPU time, and part of what the request took. */
const REQUEST_CPU_MS = 0.1;

export interface LoadPlan {
  readonly url: ParsedUrl;
  readonly requests: number;
  readonly concurrency: number;
  /** Ends after so long, whatever is left; undefined: never. */
  readonly limitMs: number | undefined;
  readonly timeoutMs: number;
  readonly keepAlive: boolean;
  readonly method: string;
  /** The request's fields, as lines. */
  readonly fields: readonly string[];
  readonly body: Uint8Array | undefined;
  readonly version: '1.0' | '1.1';
  /** Requests per second and worker; undefined: as fast as it goes. */
  readonly rate: number | undefined;
  readonly onDone?: (count: number) => Promise<void>;
  readonly addresses?: readonly string[];
}

export interface Sample {
  readonly status: number;
  readonly connectMs: number;
  /** Until the first byte of the answer, after the connection stood. */
  readonly waitMs: number;
  readonly totalMs: number;
  readonly bytes: number;
  readonly bodyBytes: number;
  /** undefined: it went well. */
  readonly problem: 'connect' | 'receive' | 'timeout' | undefined;
  readonly error: string;
  readonly startMs: number;
  readonly isKept: boolean;
  readonly head: ResponseHead | undefined;
}

export interface LoadResult {
  readonly samples: readonly Sample[];
  readonly tookMs: number;
}

interface Held {
  readonly stream: ByteStream;
  readonly reader: ResponseReader;
}

/** Runs a plan. Rejects only for what ends the program. */
export async function runLoad(proc: Process, plan: LoadPlan): Promise<LoadResult> {
  const addresses = plan.addresses ?? (await lookupHost(proc, plan.url.host)).addresses;
  const startMs = proc.clock.now();
  const samples: Sample[] = [];
  let started = 0;
  const isOver = (): boolean =>
    started >= plan.requests || (plan.limitMs !== undefined && proc.clock.now() - startMs >= plan.limitMs);
  const worker = async (): Promise<void> => {
    let held: Held | undefined;
    while (!isOver()) {
      started++;
      const beginMs = proc.clock.now();
      await proc.cpu(REQUEST_CPU_MS);
      const { sample, kept } = await once(proc, plan, addresses[0] ?? '', held);
      held = kept;
      samples.push(sample);
      await plan.onDone?.(samples.length);
      if (plan.rate !== undefined)
        await proc.sleep(Math.max(0, 1000 / plan.rate - (proc.clock.now() - beginMs)));
    }
    held?.stream.close();
  };
  await Promise.all(Array.from({ length: plan.concurrency }, worker));
  // Small amounts of CPU time are gathered before the clock moves.
  return { samples, tookMs: Math.max(proc.clock.now() - startMs, samples.length * REQUEST_CPU_MS) };
}

async function once(
  proc: Process,
  plan: LoadPlan,
  address: string,
  held: Held | undefined,
): Promise<{ sample: Sample; kept: Held | undefined }> {
  const startMs = proc.clock.now();
  let connectMs = 0;
  let connection = held;
  let problem: Sample['problem'] = 'connect';
  let timer: Disposable | undefined;
  const failed = (error: string): { sample: Sample; kept: undefined } => {
    connection?.stream.close();
    const totalMs = proc.clock.now() - startMs;
    return {
      sample: {
        status: 0,
        connectMs,
        waitMs: totalMs,
        totalMs,
        bytes: 0,
        bodyBytes: 0,
        problem,
        error,
        startMs,
        isKept: false,
        head: undefined,
      },
      kept: undefined,
    };
  };
  try {
    const late = new Promise<never>((_, reject) => {
      timer = proc.clock.after(plan.timeoutMs, () => reject(new ErrnoError('ETIMEDOUT')));
    });
    late.catch(() => undefined);
    connection ??= await Promise.race([open(proc, plan, address), late]);
    connectMs = held === undefined ? proc.clock.now() - startMs : 0;
    problem = 'receive';
    const { url } = plan;
    const head = `${plan.method} ${url.path} HTTP/${plan.version}\r\n${plan.fields.map((line) => `${line}\r\n`).join('')}\r\n`;
    await connection.stream.write(Buffer.concat([Buffer.from(head), plan.body ?? new Uint8Array()]));
    const answer = await Promise.race([connection.reader.head(), late]);
    const waitMs = proc.clock.now() - startMs - connectMs;
    let bodyBytes = 0;
    for await (const piece of connection.reader.body(answer, plan.method)) bodyBytes += piece.length;
    const isKept = plan.keepAlive && keepsAlive(answer);
    if (!isKept) connection.stream.close();
    const headBytes = answer.rawLines.reduce((sum, line) => sum + line.length, 0);
    const totalMs = proc.clock.now() - startMs + REQUEST_CPU_MS;
    return {
      sample: {
        status: answer.status,
        connectMs,
        waitMs,
        totalMs,
        bytes: headBytes + bodyBytes,
        bodyBytes,
        problem: undefined,
        error: '',
        startMs,
        isKept,
        head: answer,
      },
      kept: isKept ? connection : undefined,
    };
  } catch (error) {
    if (error instanceof ErrnoError && error.code === 'EINTR') throw error;
    if (error instanceof ErrnoError && error.code === 'ETIMEDOUT') problem = 'timeout';
    if (!(error instanceof ErrnoError || error instanceof ExchangeError || error instanceof TlsFailure))
      throw error;
    return failed(error.message);
  } finally {
    timer?.[Symbol.dispose]();
  }
}

async function open(proc: Process, { url }: LoadPlan, address: string): Promise<Held> {
  const socket = await proc.interruptible(
    proc.net.sockets.connectTcp(
      { address, port: url.port },
      { owner: proc.socketOwner, signal: proc.signal },
    ),
  );
  if (url.scheme !== 'https') return { stream: socket, reader: new ResponseReader(proc, socket) };
  const { stream } = await openTls(proc, socket, {
    host: url.host,
    insecure: true,
    caFile: undefined,
    certificateFile: undefined,
    keyFile: undefined,
    protocols: ['http/1.1'],
    note: async () => undefined,
  });
  return { stream, reader: new ResponseReader(proc, stream) };
}

/** The value at a share of a sorted list. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** Server of the first answer. */
export function serverSoftware({ samples }: LoadResult): string {
  const first = samples.find(({ head }) => head !== undefined)?.head;
  return first === undefined ? '' : (headerValue(first, 'server')?.replace(/\s.*$/, '') ?? '');
}
