// Long output on a terminal goes through a pager, as systemctl and journalctl do it: less, unless $SYSTEMD_PAGER or $PAGER name another.
import { ErrnoError } from '../../../network/index.ts';
import type { Process } from '../../kernel/index.ts';
import { runChild } from './child.ts';

/** less: quit if it fits, colours as they are, long lines cut, no other screen, keep what was shown, end on Ctrl-C. */
const LESS = ['less', '-FRSXMK'];

/** Whether output would be paged. */
export function wantsPager(proc: Process): boolean {
  return proc.stdout.tty !== undefined && pagerOf(proc).length > 0;
}

function pagerOf(proc: Process): string[] {
  const named = proc.env.get('SYSTEMD_PAGER') ?? proc.env.get('PAGER');
  if (named === undefined) return LESS;
  return named === 'cat' ? [] : named.split(' ').filter((word) => word !== '');
}

/** Shows a text; where there is no pager to be had, just prints it. */
export async function page(proc: Process, text: string): Promise<void> {
  const argv = pagerOf(proc);
  if (proc.stdout.tty === undefined || argv.length === 0) return void (await proc.stdout.write(text));
  const { reader, writer } = proc.kernel.pipe();
  const feed = async (): Promise<void> => {
    try {
      await writer.write(text);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error; // The pager was left before the end.
    }
    proc.kernel.closeFile(writer);
  };
  try {
    const shown = runChild(proc, { argv, stdin: reader });
    const fed = feed();
    proc.kernel.closeFile(reader);
    await shown;
    await fed;
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    await proc.stdout.write(text);
  }
}
