// Running a command in a container, for crictl, ctr and docker.
import { ErrnoError } from '../../../network/index.ts';
import type { Process, TtyMaster, WaitStatus, WindowSize } from '../../kernel/index.ts';
import type { Container, Containerd, ExecOptions } from '../../containerd/index.ts';
import { signalNumber } from '../frame/child.ts';

/** Runs a command; with a terminal if asked for and there is one. Returns its exit status. */
export function runInContainer(
  proc: Process,
  runtime: Containerd,
  container: Container,
  argv: readonly string[],
  wantsTty: boolean,
  hasInput = true,
): Promise<number> {
  return runOnTerminal(proc, wantsTty, hasInput, (streams) =>
    runtime.exec(container.id, { command: argv, ...streams }),
  );
}

type Streams = Pick<ExecOptions, 'tty' | 'stdio' | 'followSize'>;

/** Lets a command use the caller's streams, or a terminal of its own that shows on the caller's. */
export async function runOnTerminal(
  proc: Process,
  wantsTty: boolean,
  hasInput: boolean,
  run: (streams: Streams) => Promise<WaitStatus>,
): Promise<number> {
  const tty = proc.stdin.tty;
  if (!wantsTty || tty === undefined) {
    const input = hasInput ? proc.stdin : proc.kernel.nullFile();
    const status = await proc.interruptible(run({ stdio: [input, proc.stdout, proc.stderr] }));
    return status.kind === 'exited' ? status.exitCode : 128 + signalNumber(status.signal);
  }
  const master = proc.kernel.openTty(tty.size);
  const saved = { ...tty.modes };
  tty.setModes({ canonical: false, echo: false, signals: false, outputNewline: false, inputNewline: false });
  const sizes = new Set<(size: WindowSize) => void>();
  proc.onSignal('SIGWINCH', () => {
    master.resize(tty.size);
    for (const listener of sizes) listener(tty.size);
  });
  try {
    const running = run({ tty: master, followSize: (listener) => void sizes.add(listener) });
    if (hasInput) {
      const keys = forwardKeys(proc, master);
      keys.catch(() => undefined); // Ends with the terminal or the process; the command's end decides.
    }
    const output = forwardOutput(proc, master);
    const status = await untilOver(proc, running);
    await output;
    return status.kind === 'exited' ? status.exitCode : 128 + signalNumber(status.signal);
  } finally {
    tty.setModes(saved);
    master[Symbol.dispose]();
  }
}

/** A changed window is no end. */
async function untilOver<T>(proc: Process, wait: Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await proc.interruptible(wait);
    } catch (error) {
      if (!(error instanceof ErrnoError && error.code === 'EINTR')) throw error;
    }
  }
}

async function forwardKeys(proc: Process, master: TtyMaster): Promise<void> {
  for (;;) {
    const chunk = await proc.stdin.read(1024);
    if (chunk.length === 0) return;
    master.input(chunk);
  }
}

async function forwardOutput(proc: Process, master: TtyMaster): Promise<void> {
  for (let chunk = await master.output(); chunk !== undefined; chunk = await master.output())
    await proc.stdout.write(chunk);
}
