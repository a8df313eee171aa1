// uname(1), arch(1), nproc(1), sync(1), tty(1), pwd(1), hostid(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { command, Failure, UsageError } from '../frame/command.ts';
import { quote } from '../frame/quote.ts';

/** uname(1) */
export const uname: Program = command(
  {
    short: 'amnioprsv',
    long: [
      'all>a',
      'kernel-name>s',
      'sysname>s',
      'nodename>n',
      'kernel-release>r',
      'release>r',
      'kernel-version>v',
      'machine>m',
      'processor>p',
      'hardware-platform>i',
      'operating-system>o',
    ],
    usage: '[OPTION]...',
    summary: 'Print certain system information.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const { proc, options } = it;
    if (it.operands[0] !== undefined) throw new UsageError(`extra operand ${quote(it.operands[0])}`);
    const all = options.has('a');
    const enterprise = /\.el\d/.test(proc.kernel.release);
    const version = kernelVersion(proc.kernel.release);
    const fields: [string, string][] = [
      ['s', 'Linux'],
      ['n', proc.kernel.hostnameOf(proc.pid)],
      ['r', proc.kernel.release],
      ['v', version],
      ['m', 'x86_64'],
      ['p', enterprise ? 'x86_64' : 'unknown'],
      ['i', enterprise ? 'x86_64' : 'unknown'],
      ['o', it.dialect === 'busybox' ? 'Linux' : 'GNU/Linux'],
    ];
    const shown = fields
      .filter(([letter, text]) =>
        all ? !('pi'.includes(letter) && text === 'unknown') : options.has(letter),
      )
      .map(([, text]) => text);
    await it.out.line(shown.length === 0 ? 'Linux' : shown.join(' '));
  },
);

/** uname -v, and what /proc/version ends with. */
function kernelVersion(release: string): string {
  return /\.el7/.test(release)
    ? '#1 SMP Mon Oct 19 16:18:59 UTC 2020'
    : /\.el\d/.test(release)
      ? '#1 SMP PREEMPT_DYNAMIC Tue May 14 09:12:33 UTC 2024'
      : `#1 SMP PREEMPT_DYNAMIC ${/deb|amd64/.test(release) ? `Debian ${release.replace(/-.*/, '')}-1 (2024-05-14)` : 'Tue May 14 09:12:33 UTC 2024'}`;
}

/** arch(1) */
export const arch: Program = command({ version: '(GNU coreutils) 9.1' }, async (it) => {
  await it.out.line('x86_64');
});

/** nproc(1) */
export const nproc: Program = command(
  {
    long: ['all', 'ignore:'],
    usage: '[OPTION]...',
    summary: 'Print the number of processing units available.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const ignore = it.options.value('ignore') ?? '0';
    if (!/^\d+$/.test(ignore)) throw new Failure(`invalid number: ${quote(ignore)}`);
    await it.out.line(String(Math.max(1, it.proc.kernel.cpuCount - Number(ignore))));
  },
);

/** sync(1): every write is already on the virtual disk. */
export const sync: Program = command(
  {
    short: 'df',
    long: ['data>d', 'file-system>f'],
    usage: '[OPTION] [FILE]...',
    summary: 'Synchronize cached writes to persistent storage.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    for (const path of it.operands)
      if (!it.proc.fs.exists(path)) await it.warn(`error opening '${path}': No such file or directory`);
  },
);

/** tty(1) */
export const tty: Program = command(
  {
    short: 's',
    long: ['silent>s', 'quiet>s'],
    usage: '[OPTION]...',
    summary: 'Print the file name of the terminal connected to standard input.',
    version: '(GNU coreutils) 9.1',
    usageExit: 2,
  },
  async (it) => {
    const terminal = it.proc.stdin.tty;
    if (!it.options.has('s')) await it.out.line(terminal?.path ?? 'not a tty');
    return terminal === undefined ? 1 : 0;
  },
);

/** pwd(1) */
export const pwd: Program = command(
  {
    short: 'LP',
    long: ['logical>L', 'physical>P'],
    usage: '[OPTION]...',
    summary: 'Print the full filename of the current working directory.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const { proc } = it;
    const logical = proc.env.get('PWD');
    if (it.options.last('L', 'P') === 'L' && logical?.startsWith('/') === true && proc.fs.exists(logical))
      return void (await it.out.line(logical));
    try {
      await it.out.line(proc.fs.realpath(proc.cwd));
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      throw new Failure(`couldn't find directory entry in '..' with matching i-node`);
    }
  },
);
