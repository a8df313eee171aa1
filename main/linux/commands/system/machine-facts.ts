// lscpu(1), getconf(1), locale(1), swapon(8), swapoff(8), mkswap(8), last(1), lastlog(8), uuidgen(1), whereis(1), renice(1), ethtool(8), man(1), update-alternatives(1)
import type { Process, Program } from '../../kernel/index.ts';
import { listUsers, userName } from '../frame/accounts.ts';
import { command, Failure, UsageError } from '../frame/command.ts';
import { strftime, zoneOf } from '../frame/time.ts';

/** `NAME: value` of the first processor in /proc/cpuinfo. */
function processorFacts({ fs }: Process): Map<string, string> {
  const rows = fs
    .readText('/proc/cpuinfo')
    .split('\n\n')[0]!
    .split('\n')
    .filter((line) => line.includes(':'))
    .map((line) => line.split(':'));
  return new Map(rows.map(([key = '', ...value]) => [key.trim(), value.join(':').trim()]));
}

/** lscpu(1) */
export const lscpu: Program = command(
  {
    short: 'abBcC::eJp::s:xyV',
    long: ['all>a', 'json>J'],
    usage: '[options]',
    version: 'from util-linux 2.38.1',
  },
  async (it) => {
    const { proc, options } = it;
    if (options.has('J', 'p', 'e', 'C')) throw new Failure("drydock: lscpu's other formats aren't simulated");
    const facts = processorFacts(proc);
    const count = proc.kernel.cpuCount;
    const list = count === 1 ? '0' : `0${count === 2 ? ',' : '-'}${count - 1}`;
    const rows: [string, string | undefined][] = [
      ['Architecture', 'x86_64'],
      ['  CPU op-mode(s)', '32-bit, 64-bit'],
      ['  Address sizes', '46 bits physical, 48 bits virtual'],
      ['  Byte Order', 'Little Endian'],
      ['CPU(s)', String(count)],
      ['  On-line CPU(s) list', list],
      ['Vendor ID', facts.get('vendor_id')],
      ['  Model name', facts.get('model name')],
      ['    CPU family', facts.get('cpu family')],
      ['    Model', facts.get('model')],
      ['    Thread(s) per core', '1'],
      ['    Core(s) per socket', '1'],
      ['    Socket(s)', String(count)],
      ['    Stepping', facts.get('stepping')],
      ['    BogoMIPS', facts.get('bogomips')],
      ['    Flags', facts.get('flags')],
      ['Virtualization features', ''],
      ['  Hypervisor vendor', 'KVM'],
      ['  Virtualization type', 'full'],
      ['NUMA', ''],
      ['  NUMA node(s)', '1'],
      ['  NUMA node0 CPU(s)', list],
    ];
    const flat = proc.stdout.tty === undefined;
    const shown = flat
      ? rows.filter(([, value]) => value !== '').map(([key, value]) => [key.trim(), value] as const)
      : rows;
    const width = Math.max(...shown.map(([key]) => key.length)) + 1;
    for (const [key, value] of shown)
      await it.out.line(`${`${key}:`.padEnd(width)}${value === '' ? '' : ` ${value ?? ''}`}`.trimEnd());
  },
);

const CONF: Readonly<Record<string, (proc: Process) => string>> = {
  _NPROCESSORS_ONLN: ({ kernel }) => String(kernel.cpuCount),
  _NPROCESSORS_CONF: ({ kernel }) => String(kernel.cpuCount),
  _PHYS_PAGES: ({ kernel }) => String(Math.floor(kernel.memoryBytes / 4096)),
  PAGESIZE: () => '4096',
  PAGE_SIZE: () => '4096',
  LONG_BIT: () => '64',
  CLK_TCK: () => '100',
  ARG_MAX: () => '2097152',
  OPEN_MAX: ({ limits }) => String(limits.nofile.soft),
  NAME_MAX: () => '255',
  PATH_MAX: () => '4096',
  HOST_NAME_MAX: () => '64',
  PIPE_BUF: () => '4096',
  GNU_LIBC_VERSION: () => 'glibc 2.34',
};

/** getconf(1) */
export const getconf: Program = command(
  { short: 'av:', usage: '[-v specification] variable_name [pathname]' },
  async (it) => {
    if (it.options.has('a')) {
      for (const [name, value] of Object.entries(CONF))
        await it.out.line(`${name.padEnd(35)}${value(it.proc)}`);
      return;
    }
    const [name] = it.operands;
    if (name === undefined) throw new UsageError('missing operand');
    const value = CONF[name];
    if (value === undefined) throw new Failure(`Unrecognized variable \`${name}'`, 2);
    await it.out.line(value(it.proc));
  },
);

/** locale(1) */
export const locale: Program = command(
  { short: 'amck', long: ['all-locales>a', 'charmaps>m'], usage: '[OPTION...] NAME' },
  async (it) => {
    if (it.options.has('a')) return void (await it.out.put('C\nC.utf8\nen_US.utf8\nPOSIX\nzh_CN.utf8\n'));
    if (it.options.has('m')) return void (await it.out.put('UTF-8\n'));
    const { env } = it.proc;
    if (it.operands[0] === 'charmap') {
      const named = env.get('LC_ALL') ?? env.get('LC_CTYPE') ?? env.get('LANG') ?? '';
      return void (await it.out.line(/utf-?8/i.test(named) ? 'UTF-8' : 'ANSI_X3.4-1968'));
    }
    const lang = env.get('LANG') ?? '';
    const all = env.get('LC_ALL') ?? '';
    const names = [
      'CTYPE',
      'NUMERIC',
      'TIME',
      'COLLATE',
      'MONETARY',
      'MESSAGES',
      'PAPER',
      'NAME',
      'ADDRESS',
      'TELEPHONE',
      'MEASUREMENT',
      'IDENTIFICATION',
    ];
    const rows = names.map((name) => {
      const own = env.get(`LC_${name}`);
      return own === undefined || all !== ''
        ? `LC_${name}="${all === '' ? lang || 'POSIX' : all}"`
        : `LC_${name}=${own}`;
    });
    await it.out.put([`LANG=${lang}`, ...rows, `LC_ALL=${all}`].map((line) => `${line}\n`).join(''));
  },
);

/** The areas in use, as /proc/swaps lists them. */
function swaps({ fs }: Process): string[][] {
  return fs
    .readText('/proc/swaps')
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split(/\s+/));
}

/** swapon(8): -s, --show; the machines have no swap to switch on. */
export const swapon: Program = command(
  {
    short: 'ad::efLp:sU:v',
    long: ['all>a', 'summary>s', 'show::', 'noheadings', 'raw', 'bytes', 'verbose>v', 'priority:>p'],
    usage: '[options] [<spec>]',
    version: 'from util-linux 2.38.1',
  },
  async (it) => {
    const { proc, options } = it;
    const rows = swaps(proc);
    if (options.has('s')) {
      if (rows.length > 0) await it.out.put(proc.fs.readText('/proc/swaps'));
      return 0;
    }
    const [spec] = it.operands;
    if (options.has('show') || (spec === undefined && !options.has('a'))) {
      if (rows.length > 0)
        await it.out.put(
          ['NAME TYPE SIZE USED PRIO', ...rows.map((row) => row.join(' '))]
            .map((line) => `${line}\n`)
            .join(''),
        );
      return 0;
    }
    if (proc.credentials.uid !== 0)
      throw new Failure(`${spec ?? 'cannot open /etc/fstab'}: Operation not permitted`);
    if (spec === undefined) return 0;
    if (!proc.fs.exists(spec)) throw new Failure(`cannot open ${spec}: No such file or directory`, 255);
    throw new Failure("drydock: swap isn't simulated");
  },
);

/** swapoff(8) */
export const swapoff: Program = command(
  {
    short: 'aeL:U:vV',
    long: ['all>a', 'verbose>v'],
    usage: '[options] [<spec>]',
    version: 'from util-linux 2.38.1',
  },
  async (it) => {
    const { proc } = it;
    if (!it.options.has('a') && it.operands.length === 0) throw new UsageError('bad usage');
    if (proc.credentials.uid !== 0) throw new Failure('Not superuser.');
    for (const spec of it.operands)
      if (!swaps(proc).some(([name]) => name === spec))
        await it.warn(
          `${spec}: swapoff failed: ${proc.fs.exists(spec) ? 'Invalid argument' : 'No such file or directory'}`,
          4,
        );
  },
);

/** Terminals with somebody on them, as utmp would have it. */
function sessions(proc: Process): { user: string; line: string; from: string; sinceMs: number }[] {
  return proc.kernel
    .listProcesses(proc)
    .filter(({ pid, session, tty }) => pid === session && tty !== undefined)
    .map(({ credentials, tty, startMs, pid }) => ({
      user: userName(proc, credentials.uid),
      line: tty!.replace('/dev/', ''),
      from: proc.kernel.process(pid)?.env.get('SSH_CLIENT')?.split(' ')[0] ?? '',
      sinceMs: startMs,
    }));
}

/** last(1). Differs: sessions that have ended aren't kept. */
export const last: Program = command(
  {
    short: 'adFin:Rwx',
    usage: '[options] [<username>...] [<tty>...]',
    version: 'from util-linux 2.38.1',
    prepare: (args) => args.map((arg) => (/^-\d+$/.test(arg) ? `-n${arg.slice(1)}` : arg)),
  },
  async (it) => {
    const { proc } = it;
    const zone = zoneOf(proc);
    const at = (ms: number): string => strftime('%a %b %e %H:%M', ms, zone);
    const rows = sessions(proc)
      .toSorted((a, b) => b.sinceMs - a.sinceMs)
      .filter(
        ({ user, line }) =>
          it.operands.length === 0 || it.operands.includes(user) || it.operands.includes(line),
      )
      .map(
        ({ user, line, from, sinceMs }) =>
          `${user.padEnd(8)} ${line.padEnd(12)} ${from.padEnd(16)} ${at(sinceMs)}   still logged in\n`,
      );
    const boot = `reboot   system boot  ${proc.kernel.release.slice(0, 16).padEnd(16)} ${at(proc.kernel.bootMs)}   still running\n`;
    const all = it.operands.length === 0 || it.operands.includes('reboot') ? [...rows, boot] : rows;
    const count = Number(it.options.value('n') ?? all.length);
    await it.out.put(
      `${all.slice(0, count).join('')}\nwtmp begins ${strftime('%a %b %e %T %Y', proc.kernel.bootMs, zone)}\n`,
    );
  },
);

/** lastlog(8) */
export const lastlog: Program = command(
  { short: 'b:Ct:u:', long: ['user:>u'], usage: '[options]' },
  async (it) => {
    const { proc, options } = it;
    const zone = zoneOf(proc);
    const here = sessions(proc);
    await it.out.line('Username         Port     From             Latest');
    for (const { name } of listUsers(proc)) {
      if (options.has('u') && options.value('u') !== name) continue;
      const own = here.findLast(({ user }) => user === name);
      await it.out.line(
        own === undefined
          ? `${name.padEnd(16)}                           **Never logged in**`
          : `${name.padEnd(16)} ${own.line.padEnd(8)} ${own.from.padEnd(16)} ${strftime('%a %b %e %T %z %Y', own.sinceMs, zone)}`,
      );
    }
  },
);

/** uuidgen(1) */
export const uuidgen: Program = command(
  { short: 'rtn:N:mx', long: ['random>r', 'time>t'], version: 'from util-linux 2.38.1' },
  async (it) => {
    await it.out.line(it.proc.random.uuid());
  },
);

const PLACES: Readonly<Record<'b' | 'm' | 's', readonly string[]>> = {
  b: [
    '/usr/bin',
    '/usr/sbin',
    '/usr/local/bin',
    '/usr/local/sbin',
    '/usr/lib',
    '/etc',
    '/usr/libexec',
    '/opt',
  ],
  m: ['/usr/share/man/man1', '/usr/share/man/man8'],
  s: ['/usr/src'],
};

/** whereis(1) */
export const whereis: Program = command(
  { short: 'bmsu', usage: '[options] [-BMS <dir>... -f] <name>', version: 'from util-linux 2.38.1' },
  async (it) => {
    const { fs } = it.proc;
    const kinds = (['b', 'm', 's'] as const).filter((kind) => it.options.has(kind));
    const directories = (kinds.length === 0 ? (['b', 'm', 's'] as const) : kinds).flatMap(
      (kind) => PLACES[kind],
    );
    for (const name of it.operands) {
      const found = directories.map((directory) => `${directory}/${name}`).filter((path) => fs.exists(path));
      await it.out.line(`${name}:${found.map((path) => ` ${path}`).join('')}`);
    }
  },
);

/** renice(1). Differs: every process runs at 0, as the scheduler knows no other. */
export const renice: Program = command(
  {
    short: 'n:gpu',
    usage: '[-n] <priority> [-p|--pid] <pid>...',
    version: 'from util-linux 2.38.1',
    prepare: (args) => args.map((arg) => (/^-\d+$/.test(arg) ? `+${arg}` : arg)),
  },
  async () => {
    throw new Failure("drydock: priorities aren't simulated");
  },
);

/** man(1): there are no pages on the machines. */
export const man: Program = async (proc) => {
  const words = proc.argv.slice(1).filter((word) => !word.startsWith('-'));
  const section = /^[1-9]$/.test(words[0] ?? '') ? words.shift() : undefined;
  if (words.length === 0) {
    await proc.stderr.write("What manual page do you want?\nFor example, try 'man man'.\n");
    return 1;
  }
  for (const word of words)
    await proc.stderr.write(
      `No manual entry for ${word}${section === undefined ? '' : ` in section ${section}`}\n`,
    );
  return 16;
};

/** ethtool(8): a virtio card, and what is said of one. */
export const ethtool: Program = async (proc) => {
  const args = proc.argv.slice(1);
  const flag = args[0]?.startsWith('-') === true ? args.shift() : undefined;
  const [device] = args;
  if (device === undefined) {
    await proc.stderr.write('ethtool: bad command line argument(s)\nFor more information run ethtool -h\n');
    return 1;
  }
  const link = proc.net.links.list().find(({ name }) => name === device);
  if (flag === '-i' || flag === '--driver') {
    if (link === undefined) {
      await proc.stderr.write('Cannot get driver information: No such device\n');
      return 71;
    }
    const kind = DRIVERS[link.kind] ?? link.kind;
    await proc.stdout.write(
      `driver: ${kind}\nversion: 1.0.0\nfirmware-version: \nexpansion-rom-version: \nbus-info: ${kind === 'virtio_net' ? '0000:00:04.0' : ''}\nsupports-statistics: yes\nsupports-test: no\nsupports-eeprom-access: no\nsupports-register-dump: no\nsupports-priv-flags: no\n`,
    );
    return 0;
  }
  if (flag !== undefined) {
    await proc.stderr.write(`drydock: ethtool ${flag} isn't simulated\n`);
    return 1;
  }
  if (link === undefined) {
    await proc.stderr.write('netlink error: No such device\n'.repeat(5) + 'No data available\n');
    return 75;
  }
  const paired = link.kind === 'veth';
  const up = link.isUp;
  await proc.stdout.write(
    `Settings for ${device}:\n\tSupported ports: [  ]\n\tSupported link modes:   Not reported\n\tSupported pause frame use: No\n\tSupports auto-negotiation: No\n\tSupported FEC modes: Not reported\n\tAdvertised link modes:  Not reported\n\tAdvertised pause frame use: No\n\tAdvertised auto-negotiation: No\n\tAdvertised FEC modes: Not reported\n\tSpeed: ${paired ? '10000Mb/s' : 'Unknown!'}\n\tDuplex: ${paired ? 'Full' : 'Unknown! (255)'}\n\tAuto-negotiation: off\n\tPort: ${paired ? 'Twisted Pair' : 'Other'}\n\tPHYAD: 0\n\tTransceiver: internal\n${paired ? '\tMDI-X: Unknown\n' : ''}\tLink detected: ${up ? 'yes' : 'no'}\n`,
  );
  return 0;
};

const DRIVERS: Readonly<Record<string, string>> = { ether: 'virtio_net' };
