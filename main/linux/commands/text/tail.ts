// tail(1), with -f and -F.
import { ErrnoError } from '../../../network/index.ts';
import type { OpenFile, Program } from '../../kernel/index.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { parseSize } from '../frame/format.ts';
import { lineBatches } from '../frame/input.ts';
import { quote, quoteAlways } from '../frame/quote.ts';

interface Followed {
  readonly path: string;
  file: OpenFile | undefined;
  inode: number;
  offset: number;
}

/** tail(1) */
export const tail: Program = command(
  {
    short: 'c:fFn:qs:vz',
    long: [
      'bytes:>c',
      'follow::',
      'lines:>n',
      'max-unchanged-stats:',
      'pid:',
      'quiet>q',
      'silent>q',
      'retry',
      'sleep-interval:>s',
      'verbose>v',
      'zero-terminated>z',
    ],
    usage: '[OPTION]... [FILE]...',
    summary: 'Print the last 10 lines of each FILE to standard output.',
    version: '(GNU coreutils) 9.1',
    prepare: (args) =>
      args.map((arg, index) =>
        /^[-+]\d+[fF]?$/.test(arg) && !['-n', '-c'].includes(args[index - 1] ?? '') ? shorthand(arg) : arg,
      ),
  },
  async (it) => {
    const { options } = it;
    const pid = options.value('pid');
    if (pid !== undefined && !/^\d+$/.test(pid)) throw new Failure(`invalid PID: ${quote(pid)}`);
    const unit = options.last('c', 'n') ?? 'n';
    const text = options.value(unit) ?? '10';
    const count = parseSize(text.replace(/^[-+]/, ''));
    if (count === undefined)
      throw new Failure(`invalid number of ${unit === 'n' ? 'lines' : 'bytes'}: ${quote(text)}`);
    const follow = options.has('f', 'F', 'follow');
    const byName = options.has('F') || options.value('follow') === 'name';
    const titled = options.last('q', 'v') === 'v' || (options.last('q', 'v') !== 'q' && it.inputs.length > 1);
    const followed: Followed[] = [];
    let shown: string | undefined;
    const title = async (path: string): Promise<void> => {
      if (titled && shown !== path)
        await it.out.put(
          `${shown === undefined ? '' : '\n'}==> ${path === '-' ? 'standard input' : path} <==\n`,
        );
      shown = path;
    };
    for (const path of it.inputs) {
      try {
        const file = it.open(path);
        await title(path);
        await (unit === 'c'
          ? lastBytes(it, file, count, text.startsWith('+'))
          : lastLines(it, file, count, text.startsWith('+')));
        const stat = file.stat();
        if (path !== '-' && file.kind === 'file')
          followed.push({ path, file, inode: stat.inode, offset: stat.sizeBytes });
      } catch (error) {
        if (!(error instanceof ErrnoError) || error.code === 'EPIPE') throw error;
        const verb =
          error.code === 'EISDIR'
            ? `error reading ${quoteAlways(path)}`
            : `cannot open ${quoteAlways(path)} for reading`;
        await it.warn(`${verb}: ${error.message}`);
        if (byName || options.has('retry')) followed.push({ path, file: undefined, inode: 0, offset: 0 });
      }
    }
    await it.out.flush();
    if (!follow) return;
    if (followed.length === 0) {
      if (it.exitCode !== 0) await it.complain('no files remaining');
      return;
    }
    const interval = Number(options.value('s') ?? 1) * 1000;
    await watchFiles(it, followed, interval, byName, title, pid === undefined ? undefined : Number(pid));
  },
);

function shorthand(arg: string): string {
  const [, sign = '', digits = '', f = ''] = /^([-+])(\d+)([fF]?)$/.exec(arg)!;
  return `-${f}n${sign === '+' ? '+' : ''}${digits}`;
}

async function lastLines(it: Invocation, file: OpenFile, count: number, fromStart: boolean): Promise<void> {
  const separator = it.options.has('z') ? '\0' : '\n';
  const held: string[] = [];
  let number = 0;
  for await (const batch of lineBatches(file, separator)) {
    for (const line of batch) {
      const text = line.text + (line.ended ? separator : '');
      if (fromStart) {
        if (++number >= count) await it.out.put(text);
        continue;
      }
      held.push(text);
      if (held.length > 2 * count + 1024) held.splice(0, held.length - count);
    }
    if (fromStart) await it.out.flush();
  }
  if (!fromStart && count > 0) for (const text of held.slice(-count)) await it.out.put(text);
}

async function lastBytes(it: Invocation, file: OpenFile, count: number, fromStart: boolean): Promise<void> {
  const chunks: Uint8Array[] = [];
  let kept = 0;
  for (;;) {
    const chunk = await file.read(65_536);
    if (chunk.length === 0) break;
    chunks.push(chunk);
    file.keep((kept += chunk.length));
  }
  const all = Buffer.concat(chunks);
  await it.out.put(all.subarray(fromStart ? Math.max(0, count - 1) : Math.max(0, all.length - count)));
}

/** Waits for growth: wakes by the file system's notification, or looks again after the interval. */
async function watchFiles(
  it: Invocation,
  files: Followed[],
  intervalMs: number,
  byName: boolean,
  title: (path: string) => Promise<void>,
  pid: number | undefined,
): Promise<void> {
  const { proc } = it;
  let wake: (() => void) | undefined;
  const watches = files.map((one) => proc.fs.watch(proc.fs.resolve(one.path), () => wake?.()));
  try {
    for (;;) {
      const changed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      for (const one of files) await advance(it, one, byName, title);
      await it.out.flush();
      if (pid !== undefined && proc.kernel.process(pid) === undefined) return;
      await Promise.race([proc.interruptible(changed), proc.sleep(intervalMs)]);
    }
  } finally {
    for (const watch of watches) watch[Symbol.dispose]();
  }
}

async function advance(
  it: Invocation,
  one: Followed,
  byName: boolean,
  title: (path: string) => Promise<void>,
): Promise<void> {
  const { fs } = it.proc;
  if (byName) {
    const now = fs.exists(one.path) ? fs.stat(one.path) : undefined;
    if (now === undefined) {
      if (one.file !== undefined)
        await it.complain(`${quoteAlways(one.path)} has become inaccessible: No such file or directory`);
      one.file = undefined;
      return;
    }
    if (one.file === undefined || now.inode !== one.inode) {
      await it.complain(
        `${quoteAlways(one.path)} has ${one.file === undefined ? 'appeared' : 'been replaced'};  following new file`,
      );
      Object.assign(one, { file: fs.open(one.path), inode: now.inode, offset: 0 });
    }
  }
  if (one.file === undefined) return;
  const size = one.file.stat().sizeBytes;
  if (size < one.offset) {
    await it.complain(`${one.path}: file truncated`);
    one.offset = 0;
  }
  if (size === one.offset) return;
  one.file.seek(one.offset, 'set');
  await title(one.path);
  while (one.offset < size) {
    const chunk = await one.file.read(65_536);
    if (chunk.length === 0) break;
    one.offset += chunk.length;
    await it.out.put(chunk);
  }
}
