// What the API server asks of a node's kubelet: logs, exec, attach, port-forward, proxy. The kubelet room implements it.
import type { ByteStream } from '../../network/index.ts';
import type { Pod, Stored } from '../api/index.ts';

/** The options of `pods/log`; texts and limits as the API has them. */
export interface LogOptions {
  readonly follow?: boolean;
  readonly previous?: boolean;
  readonly timestamps?: boolean;
  readonly tailLines?: number;
  readonly limitBytes?: number;
  readonly sinceSeconds?: number;
  /** RFC 3339. */
  readonly sinceTime?: string;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
}

export interface ExecOptions {
  readonly command: readonly string[];
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
  readonly signal: AbortSignal;
}

export type AttachOptions = Omit<ExecOptions, 'command'>;

/** How a command in a container ended. `reason` is for what never ran, such as a missing executable. */
export interface ExecResult {
  readonly exitCode: number;
  /** In the runtime's words, such as `OCI runtime exec failed: …`; absent for a command that ran. */
  readonly error?: string;
}

/** A command running in a container. */
export interface ExecSession {
  /** Absent when stdin wasn't asked for. An empty write isn't an end; `end` is. */
  readonly stdin?: { write(bytes: Uint8Array): Promise<void>; end(): void };
  readonly stdout: AsyncIterable<Uint8Array>;
  /** Empty with a tty. */
  readonly stderr: AsyncIterable<Uint8Array>;
  /** The terminal's new size in character cells. */
  resize(columns: number, rows: number): void;
  /** Settles when the command has ended and its output is complete. */
  readonly exit: Promise<ExecResult>;
}

/**
 * The kubelets as the API server reaches them. Methods reject with StatusError when the container can't serve the
 * request (the message is the kubelet's, such as `container "web" in pod "a" is waiting to start: ContainerCreating`),
 * and with ErrnoError when the node can't be reached (which the client sees as `Get "https://…:10250/…": dial tcp …`).
 */
export interface KubeletConnector {
  logs(pod: Stored<Pod>, container: string, options: LogOptions): Promise<AsyncIterable<Uint8Array>>;
  exec(pod: Stored<Pod>, container: string, options: ExecOptions): Promise<ExecSession>;
  attach(pod: Stored<Pod>, container: string, options: AttachOptions): Promise<ExecSession>;
  portForward(pod: Stored<Pod>, port: number, signal: AbortSignal): Promise<ByteStream>;
}
