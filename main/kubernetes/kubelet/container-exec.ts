// Runs a command in a container and gathers what it prints: what exec probes and lifecycle hooks need.
import type { Clock } from '../../simulation/index.ts';
import type { Containerd } from '../../linux/containerd/index.ts';
import type { Kernel, OpenFile, WaitStatus } from '../../linux/kernel/index.ts';

export interface CommandResult {
  readonly exitCode: number;
  /** Standard output and error in the order written, at most OUTPUT_MAX_BYTES. */
  readonly output: string;
  readonly timedOut: boolean;
}

/** Probes keep 10 KiB of a command's output. */
const OUTPUT_MAX_BYTES = 10 * 1024;
const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
};

/** The exit status as shells show it. */
export function exitCodeOf(status: WaitStatus): number {
  return status.kind === 'exited' ? status.exitCode : 128 + (SIGNAL_NUMBERS[status.signal] ?? 0);
}

/** Rejects with RuntimeError when the command can't start. Infinity waits for ever. */
export async function runInContainer(
  machine: { readonly kernel: Kernel; readonly containerd: Containerd; readonly clock: Clock },
  containerId: string,
  command: readonly string[],
  timeoutMs: number,
): Promise<CommandResult> {
  const pipe = machine.kernel.pipe();
  const killer = new AbortController();
  const ended = machine.containerd.exec(containerId, {
    command,
    signal: killer.signal,
    stdio: [machine.kernel.nullFile(), pipe.writer, pipe.writer],
  });
  const output = gather(pipe.reader);
  const alarm = new AbortController();
  const timeout =
    timeoutMs === Infinity
      ? new Promise<never>(() => undefined)
      : machine.clock.sleep(timeoutMs, alarm.signal).then(
          () => undefined,
          () => undefined,
        );
  const status = await Promise.race([ended, timeout]);
  if (status === undefined) {
    killer.abort();
    await ended;
    return { exitCode: -1, output: '', timedOut: true };
  }
  alarm.abort();
  return { exitCode: exitCodeOf(status), output: await output, timedOut: false };
}

async function gather(reader: OpenFile): Promise<string> {
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  for (;;) {
    const piece = await reader.read();
    if (piece.length === 0) break;
    if (sizeBytes < OUTPUT_MAX_BYTES) pieces.push(piece.slice());
    sizeBytes += piece.length;
  }
  return Buffer.concat(pieces).subarray(0, OUTPUT_MAX_BYTES).toString();
}
