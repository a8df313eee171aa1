// A command on a machine as somebody outside holds it: bytes in, bytes out, an exit code.
import type { Machine } from '../linux/machine/index.ts';
import {
  SIGNAL_NUMBERS,
  type Kernel,
  type OpenFile,
  type Task,
  type TtyMaster,
  type WindowSize,
} from '../linux/kernel/index.ts';

export class MachineProcess {
  /** Everything with a terminal comes here. */
  readonly stdout: AsyncIterable<Uint8Array>;
  readonly stderr: AsyncIterable<Uint8Array>;
  /** As a shell's $?. */
  readonly exitCode: Promise<number>;
  private readonly task: Task;
  private readonly machine: Machine;
  private readonly master: TtyMaster | undefined;
  private readonly stdin: OpenFile | undefined;
  private writes: Promise<unknown> = Promise.resolve();

  /** Throws ErrnoError as execve. */
  constructor(machine: Machine, argv: readonly string[], tty?: WindowSize) {
    this.machine = machine;
    const { kernel } = machine;
    if (tty !== undefined) {
      const master = kernel.openTty(tty);
      this.master = master;
      this.task = machine.exec(argv, { tty: master });
      this.stdout = terminalOutput(master);
      this.stderr = nothing();
    } else {
      const [input, output, errors] = [kernel.pipe(), kernel.pipe(), kernel.pipe()];
      this.stdin = input.writer;
      this.task = machine.exec(argv, { stdio: [input.reader, output.writer, errors.writer] });
      this.stdout = pipeOutput(kernel, output.reader);
      this.stderr = pipeOutput(kernel, errors.reader);
    }
    this.exitCode = this.task.ended.then((status) => {
      if (status.kind === 'exited') return status.exitCode;
      return 128 + SIGNAL_NUMBERS[status.signal];
    });
  }

  /** Bytes for standard input, or keys. */
  write(bytes: Uint8Array): void {
    this.master?.input(bytes);
    const { stdin } = this;
    if (stdin === undefined) return;
    // A command that doesn't read any more is no error of ours (EPIPE).
    this.writes = this.writes.then(() => stdin.write(bytes)).catch(() => undefined);
  }

  endInput(): void {
    if (this.master !== undefined) this.master.input('\x04');
    const { stdin } = this;
    if (stdin !== undefined) void this.writes.then(() => this.machine.kernel.closeFile(stdin));
  }

  resize(size: WindowSize): void {
    this.master?.resize(size);
  }

  /** Whoever held it is gone: the command hangs up, with all that it started in its process group. */
  hangUp(): void {
    const { kernel } = this.machine;
    const { pid } = this.task;
    this.master?.[Symbol.dispose]();
    for (const process of kernel.listProcesses()) {
      if (process.pid === pid || process.processGroup === pid) kernel.kill(process.pid, 'SIGHUP');
    }
  }
}

async function* terminalOutput(master: TtyMaster): AsyncIterable<Uint8Array> {
  for (let bytes = await master.output(); bytes !== undefined; bytes = await master.output()) yield bytes;
}

async function* pipeOutput(kernel: Kernel, reader: OpenFile): AsyncIterable<Uint8Array> {
  for (let bytes = await reader.read(); bytes.length > 0; bytes = await reader.read()) yield bytes;
  kernel.closeFile(reader);
}

async function* nothing(): AsyncIterable<Uint8Array> {
  // A terminal has one stream.
}
