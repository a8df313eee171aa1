// Runs a shell command with text for its input, and gives what it wrote.
import { ErrnoError } from '../../../../network/index.ts';
import type { Process } from '../../../kernel/index.ts';

/** `output` holds both streams, as vi's filters take them. */
export interface Captured {
  readonly output: string;
  readonly exitCode: number;
}

/** `sh -c command` with `input`. */
export async function capture(proc: Process, command: string, input: string): Promise<Captured> {
  const into = proc.kernel.pipe();
  const from = proc.kernel.pipe();
  const child = proc.spawn({
    argv: ['sh', '-c', command],
    path: '/bin/sh',
    fds: new Map([
      [0, into.reader],
      [1, from.writer],
      [2, from.writer],
    ]),
  });
  const own = { in: proc.setFd(into.writer, undefined, 10), out: proc.setFd(from.reader, undefined, 10) };
  proc.onSignal('SIGPIPE', 'ignore');
  const feeding = into.writer
    .write(input)
    .catch((error: unknown) => {
      if (!(error instanceof ErrnoError)) throw error; // A command may leave its input unread.
    })
    .finally(() => proc.closeFd(own.in));
  const output = await from.reader.readText();
  await feeding;
  proc.closeFd(own.out);
  const status = await child.wait();
  return { output, exitCode: status.kind === 'exited' ? status.exitCode : 1 };
}
