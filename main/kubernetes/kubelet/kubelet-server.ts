// What a kubelet serves on port 10250: logs, exec, attach and port-forward of its pods' containers.
import { ErrnoError, type ByteStream } from '../../network/index.ts';
import {
  RuntimeError,
  type Container as RuntimeContainer,
  type Containerd,
} from '../../linux/containerd/index.ts';
import type {
  Kernel,
  OpenFile,
  Process,
  TtyMaster,
  WaitStatus,
  WindowSize,
} from '../../linux/kernel/index.ts';
import type { Clock } from '../../simulation/index.ts';
import { StatusError } from '../api/index.ts';
import type { Pod, Stored } from '../api/index.ts';
import type {
  AttachOptions,
  ExecOptions,
  ExecResult,
  ExecSession,
  KubeletConnector,
  LogOptions,
} from '../apiserver/kubelet-connector.ts';
import { exitCodeOf } from './container-exec.ts';
import { readLog } from './logs.ts';
import { CONFIG_MIRROR } from './pod-facts.ts';
import type { PodStatus } from './pod-status.ts';
import { newestOf, previousOf, type RuntimeCache } from './runtime-cache.ts';

export interface ServerWorld {
  /** The kubelet's process, which holds the descriptors of sessions. */
  readonly proc: Process;
  readonly kernel: Kernel;
  readonly containerd: Containerd;
  readonly clock: Clock;
  readonly runtime: RuntimeCache;
  /** The kubelet's own view of a pod's status. */
  readonly statusOf: (podUid: string) => PodStatus | undefined;
}

/** Runs or attaches with a terminal or three pipes; `followSize` is given who wants to know of the terminal's sizes. */
type Run = (
  stdio: { readonly tty?: TtyMaster; readonly stdio?: [OpenFile, OpenFile, OpenFile] },
  followSize: (listener: (size: WindowSize) => void) => void,
) => Promise<WaitStatus>;

const TTY_SIZE = { columns: 80, rows: 24 };

export class KubeletServer implements KubeletConnector {
  private readonly world: ServerWorld;
  /** The sandboxes that sessions were opened to, by the session's pod: they may go before the session does. */
  private readonly forwarded = new WeakMap<Stored<Pod>, string>();

  constructor(world: ServerWorld) {
    this.world = world;
  }

  async logs(pod: Stored<Pod>, container: string, options: LogOptions): Promise<AsyncIterable<Uint8Array>> {
    const { proc, clock, containerd } = this.world;
    const instance = this.instanceForLogs(pod, container, options.previous === true);
    const path = instance.spec.logPath;
    if (path === undefined)
      throw badRequest(`container "${container}" in pod "${pod.metadata.name}" is not available`);
    const isRunning = (): boolean => containerd.containerStatus(instance.id)?.state === 'running';
    return whileAlive(proc, readLog({ fs: proc.fs, clock, isRunning }, path, options));
  }

  async exec(pod: Stored<Pod>, container: string, options: ExecOptions): Promise<ExecSession> {
    const { containerd } = this.world;
    const instance = this.requireRunning(pod, container);
    const { command, signal } = options;
    return this.session(options, (stdio) => containerd.exec(instance.id, { command, signal, ...stdio }));
  }

  async attach(pod: Stored<Pod>, container: string, options: AttachOptions): Promise<ExecSession> {
    const { containerd } = this.world;
    const where = `container ${container} not found in pod ${pod.metadata.name}_${pod.metadata.namespace}`;
    const instance = this.requireRunning(pod, container, where);
    const { signal } = options;
    // How the process ended is in the pod's status; an attached client is only told that it has.
    return this.session(options, async (stdio, followSize) => {
      const hasInput = options.stdin;
      await containerd.attach(instance.id, { command: [], signal, followSize, hasInput, ...stdio });
      return { kind: 'exited', exitCode: 0 };
    });
  }

  async portForward(pod: Stored<Pod>, port: number, signal: AbortSignal): Promise<ByteStream> {
    const [sandbox] = this.world.runtime.get(localUid(pod)).sandboxes;
    const id = sandbox?.id ?? this.forwarded.get(pod);
    if (id === undefined) throw notFound(`pod does not exist`);
    this.forwarded.set(pod, id);
    if (sandbox?.state !== 'ready') {
      const why =
        sandbox === undefined
          ? `failed to find sandbox "${id}" in store: not found`
          : `sandbox container "${id}" is not running`;
      throw internalError(`error forwarding port ${port} to pod ${id}, uid : ${why}`);
    }
    const failed = (error: unknown, inside: string): unknown => {
      if (!(error instanceof ErrnoError)) return error;
      const where = `"${netnsPath(id)}"`;
      return internalError(
        `error forwarding port ${port} to pod ${id}, uid : failed to execute portforward in network namespace ${where}: ${inside}`,
        error,
      );
    };
    try {
      const socket = await sandbox.net.sockets.connectTcp({ address: '127.0.0.1', port }, { signal });
      const ends = `tcp4 ${socket.local.address}:${socket.local.port}->127.0.0.1:${port}`;
      return {
        read: (sizeMax) =>
          socket.read(sizeMax).catch((error: unknown) => {
            throw failed(error, `read ${ends}: read: ${lowerCase(error)}`);
          }),
        write: (bytes) =>
          socket.write(bytes).catch((error: unknown) => {
            throw failed(error, `write ${ends}: write: ${lowerCase(error)}`);
          }),
        end: () => socket.end(),
        close: () => socket.close(),
      };
    } catch (error) {
      throw failed(
        error,
        `failed to connect to localhost:${port} inside namespace "${id}", IPv4: dial tcp4 127.0.0.1:${port}: connect: ${lowerCase(error)} IPv6 dial tcp6: address localhost: no suitable address found `,
      );
    }
  }

  private instanceForLogs(pod: Stored<Pod>, name: string, previous: boolean): RuntimeContainer {
    const runtime = this.world.runtime.get(localUid(pod));
    const podName = pod.metadata.name;
    const current = newestOf(runtime, name);
    if (previous) {
      const before = current?.state === 'created' ? undefined : previousOf(runtime, name);
      if (before === undefined)
        throw badRequest(`previous terminated container "${name}" in pod "${podName}" not found`);
      return before;
    }
    if (current !== undefined && current.state !== 'created') return current;
    const status = this.world.statusOf(localUid(pod));
    const all = [
      ...(status?.initContainerStatuses ?? []),
      ...(status?.containerStatuses ?? []),
      ...(status?.ephemeralContainerStatuses ?? []),
    ];
    const found = all.find((entry) => entry.name === name);
    if (found === undefined) throw badRequest(`container "${name}" in pod "${podName}" is not available`);
    const reason = found.state?.waiting?.reason ?? '';
    const words =
      reason === 'ErrImagePull'
        ? "image can't be pulled"
        : reason === 'ImagePullBackOff'
          ? 'trying and failing to pull image'
          : reason;
    if (reason === '')
      throw badRequest(`container "${name}" in pod "${podName}" is waiting to start - no logs yet`);
    throw badRequest(`container "${name}" in pod "${podName}" is waiting to start: ${words}`);
  }

  private requireRunning(
    pod: Stored<Pod>,
    name: string,
    missing = `container not found ("${name}")`,
  ): RuntimeContainer {
    const current = newestOf(this.world.runtime.get(localUid(pod)), name);
    if (current?.state !== 'running') throw notFound(missing);
    return current;
  }

  private session(options: AttachOptions, run: Run): ExecSession {
    return options.tty ? this.ttySession(options, run) : this.pipeSession(options, run);
  }

  private ttySession(options: AttachOptions, run: Run): ExecSession {
    const master = this.world.kernel.openTty(TTY_SIZE);
    let follow: ((size: WindowSize) => void) | undefined;
    const exit = settle(run({ tty: master }, (listener) => (follow = listener))).finally(() =>
      master[Symbol.dispose](),
    );
    options.signal.addEventListener('abort', () => master[Symbol.dispose](), { once: true });
    return {
      ...(options.stdin
        ? { stdin: { write: async (bytes) => master.input(bytes), end: () => master.input('\x04') } }
        : {}),
      stdout: ttyOutput(master),
      stderr: nothing(),
      resize(columns, rows) {
        master.resize({ columns, rows });
        follow?.({ columns, rows });
      },
      exit: untilGone(exit, options.signal),
    };
  }

  private pipeSession(options: AttachOptions, run: Run): ExecSession {
    const { kernel, proc } = this.world;
    const input = options.stdin ? kernel.pipe() : undefined;
    const output = kernel.pipe();
    const errors = kernel.pipe();
    // Held as descriptors of the kubelet, so that closing the write end is the end of input for the command.
    const inputFd = input === undefined ? undefined : proc.setFd(input.writer);
    const readFds = [proc.setFd(output.reader), proc.setFd(errors.reader)];
    let isOpen = true;
    const endInput = (): void => {
      if (inputFd !== undefined && isOpen && !proc.signal.aborted) proc.closeFd(inputFd);
      isOpen = false;
    };
    const exit = settle(
      run({ stdio: [input?.reader ?? kernel.nullFile(), output.writer, errors.writer] }, () => undefined),
    ).then((result) => {
      endInput();
      return result;
    });
    const release = (): void => {
      endInput();
      // A kubelet that has ended has closed everything itself.
      if (!proc.signal.aborted) for (const fd of readFds.splice(0)) proc.closeFd(fd);
    };
    options.signal.addEventListener('abort', release, { once: true });
    const failed = exit.then(({ error }) => error !== undefined);
    return {
      ...(input === undefined
        ? {}
        : {
            stdin: {
              write: (bytes) => (isOpen ? input.writer.write(bytes) : Promise.resolve()),
              end: endInput,
            },
          }),
      stdout: pipeOutput(output.reader, failed),
      stderr: pipeOutput(errors.reader, failed),
      resize: () => undefined,
      exit: untilGone(exit, options.signal),
    };
  }
}

/** Mirror pods stand for a pod that the kubelet knows by the hash of its file. */
function localUid(pod: Stored<Pod>): string {
  return pod.metadata.annotations?.[CONFIG_MIRROR] ?? pod.metadata.uid;
}

/** How it ended; or, for a client that has gone, an end at once: an attached process runs on. */
function untilGone(exit: Promise<ExecResult>, signal: AbortSignal): Promise<ExecResult> {
  return new Promise((resolve, reject) => {
    const gone = (): void => resolve({ exitCode: -1, error: 'context canceled' });
    if (signal.aborted) gone();
    signal.addEventListener('abort', gone, { once: true });
    exit.then(resolve, reject).finally(() => signal.removeEventListener('abort', gone));
  });
}

async function settle(run: Promise<WaitStatus>): Promise<ExecResult> {
  try {
    return { exitCode: exitCodeOf(await run) };
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    return { exitCode: 1, error: error.message };
  }
}

async function* ttyOutput(master: TtyMaster): AsyncGenerator<Uint8Array> {
  for (let piece = await master.output(); piece !== undefined; piece = await master.output()) yield piece;
}

/** What a kubelet has to say until it is stopped, which cuts its connections. */
async function* whileAlive(proc: Process, text: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* text;
  } catch (error) {
    if (!proc.signal.aborted) throw error;
  }
}

/** What comes through a pipe until its writers are gone, or until the command turns out not to have started. */
async function* pipeOutput(reader: OpenFile, failed: Promise<boolean>): AsyncGenerator<Uint8Array> {
  const never = failed.then((hasFailed) =>
    hasFailed ? new Uint8Array(0) : new Promise<Uint8Array>(() => undefined),
  );
  for (;;) {
    const piece = await Promise.race([readOrEnd(reader), never]);
    if (piece.length === 0) return;
    yield piece;
  }
}

async function readOrEnd(reader: OpenFile): Promise<Uint8Array> {
  try {
    return await reader.read();
  } catch (error) {
    if (error instanceof ErrnoError && error.code === 'EBADF') return new Uint8Array(0); // The client has gone away.
    throw error;
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // A terminal has one output.
}

/** Where the runtime mounts a sandbox's network namespace. */
function netnsPath(id: string): string {
  const part = (from: number, to: number): string => id.slice(from, to);
  return `/var/run/netns/cni-${part(0, 8)}-${part(8, 12)}-${part(12, 16)}-${part(16, 20)}-${part(20, 32)}`;
}

function lowerCase(error: unknown): string {
  return error instanceof Error ? error.message.toLowerCase() : String(error);
}

function internalError(message: string, cause?: unknown): StatusError {
  return new StatusError(
    {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason: 'InternalError',
      code: 500,
    },
    { cause },
  );
}

function badRequest(message: string): StatusError {
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason: 'BadRequest',
    code: 400,
  });
}

function notFound(message: string): StatusError {
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason: 'NotFound',
    code: 404,
  });
}
