// hostname(1), hostnamectl(1), dmesg(1), getent(1)
import type { Process, Program } from '../../kernel/index.ts';
import { groupByName, listGroups, listUsers, userByName } from '../frame/accounts.ts';
import { command, Failure } from '../frame/command.ts';
import { strftime, zoneOf } from '../frame/time.ts';
import { listHosts, lookupHost, lookupService } from '../../libc/index.ts';

const USAGE = `Usage: hostname [-b] {hostname|-F file}         set host name (from file)
       hostname [-a|-A|-d|-f|-i|-I|-s|-y]       display formatted name
       hostname                                 display host name

       {yp,nis,}domainname {nisdomain|-F file}  set NIS domain name (from file)
       {yp,nis,}domainname                      display NIS domain name

       dnsdomainname                            display dns domain name

       hostname -V|--version|-h|--help          print info and exit

Program name:
       {yp,nis,}domainname=hostname -y
       dnsdomainname=hostname -d

Program options:
    -a, --alias            alias names
    -A, --all-fqdns        all long host names (FQDNs)
    -b, --boot             set default hostname if none available
    -d, --domain           DNS domain name
    -f, --fqdn, --long     long host name (FQDN)
    -F, --file             read host name or NIS domain name from given file
    -i, --ip-address       addresses for the host name
    -I, --all-ip-addresses all addresses for the host
    -s, --short            short host name
    -y, --yp, --nis        NIS/YP domain name

Description:
   This command can get or set the host name or the NIS domain name. You can
   also get the DNS domain or the FQDN (fully qualified domain name).
   Unless you are using bind or NIS for host lookups you can change the
   FQDN (Fully Qualified Domain Name) and the DNS domain name (which is
   part of the FQDN) in the /etc/hosts file.
`;

/** hostname(1) */
export const hostname: Program = command(
  {
    short: 'aAbdfF:hiIsvVy',
    long: [
      'alias>a',
      'all-fqdns>A',
      'boot>b',
      'domain>d',
      'fqdn>f',
      'long>f',
      'file:>F',
      'ip-address>i',
      'all-ip-addresses>I',
      'short>s',
      'yp>y',
      'nis>y',
    ],
    help: USAGE,
    hint: () => USAGE,
    usageExit: 255,
  },
  async (it) => {
    const { proc, options } = it;
    const name = proc.kernel.hostnameOf(proc.pid);
    const [wanted] = it.operands;
    if (wanted !== undefined) {
      if (!proc.can('SYS_ADMIN')) throw new Failure('you must be root to change the host name');
      if (name !== proc.kernel.hostname)
        throw new Failure(
          "you don't have permission to set the host name: only the owner of the namespace may",
        );
      proc.kernel.hostname = wanted;
      return undefined;
    }
    if (options.has('I')) {
      const addresses = proc.net.addresses
        .list()
        .filter((one) => one.scope === 'global')
        .map((one) => `${one.address} `);
      await it.out.line(addresses.join(''));
    } else if (options.has('i')) {
      const found = await lookupHost(proc, name);
      if (found.addresses.length === 0) throw new Failure('Name or service not known');
      await it.out.line(found.addresses.join(' '));
    } else if (options.has('f', 'A')) {
      const entry = listHosts(proc).find((host) => host.names.includes(name));
      await it.out.line(entry?.names[0] ?? name);
    } else if (options.has('d')) {
      const fqdn = listHosts(proc).find((host) => host.names.includes(name))?.names[0] ?? name;
      if (fqdn.includes('.')) await it.out.line(fqdn.slice(fqdn.indexOf('.') + 1));
    } else await it.out.line(options.has('s') ? name.split('.')[0]! : name);
    return undefined;
  },
);

/** hostnamectl(1) */
export const hostnamectl: Program = command(
  { long: ['static', 'transient', 'pretty', 'no-ask-password', 'json:'], usage: '[OPTIONS...] COMMAND ...' },
  async (it) => {
    const { proc } = it;
    const [verb = 'status', value] = it.operands;
    const { fs, kernel } = proc;
    if (verb === 'set-hostname' || (verb === 'hostname' && value !== undefined)) {
      if (value === undefined) throw new Failure('Too few arguments.');
      if (proc.credentials.uid !== 0) throw new Failure('Could not set static hostname: Access denied');
      kernel.hostname = value;
      fs.writeFile('/etc/hostname', `${value}\n`);
      return undefined;
    }
    if (verb === 'hostname') return void (await it.out.line(kernel.hostname));
    if (verb !== 'status') {
      await proc.stderr.write(`Unknown command verb ${verb}.\n`);
      return 1;
    }
    const release = fs.exists('/etc/os-release')
      ? (/^PRETTY_NAME="?([^"\n]*)/m.exec(fs.readText('/etc/os-release'))?.[1] ?? 'Linux')
      : 'Linux';
    const machineId = fs.exists('/etc/machine-id')
      ? fs.readText('/etc/machine-id').trim()
      : proc.random.fork('machine-id').uuid().replaceAll('-', '');
    const bootId = fs.exists('/proc/sys/kernel/random/boot_id')
      ? fs.readText('/proc/sys/kernel/random/boot_id').trim().replaceAll('-', '')
      : machineId;
    const rows: [string, string][] = [
      ['Static hostname', kernel.hostname],
      ['Icon name', 'computer-vm'],
      ['Chassis', 'vm'],
      ['Machine ID', machineId],
      ['Boot ID', bootId],
      ['Virtualization', 'kvm'],
      ['Operating System', release],
      ['Kernel', `Linux ${kernel.release}`],
      ['Architecture', 'x86-64'],
    ];
    for (const [label, text] of rows) await it.out.line(`${label.padStart(16)}: ${text}`);
    return undefined;
  },
);

/** dmesg(1) */
export const dmesg: Program = command(
  {
    short: 'cCdDeEF:f:hHkl:LnPrSs:tTuwWx',
    long: [
      'clear>C',
      'read-clear>c',
      'ctime>T',
      'human>H',
      'follow>w',
      'notime>t',
      'level:>l',
      'facility:>f',
      'kernel>k',
      'color::>L',
      'nopager>P',
      'reltime>e',
      'decode>x',
      'time-format:',
      'raw>r',
      'since:',
      'until:',
    ],
    usage: '[options]',
    version: 'from util-linux 2.38.1',
  },
  async (it) => {
    const { proc, options } = it;
    if (proc.credentials.uid !== 0) throw new Failure('read kernel buffer failed: Operation not permitted');
    const names = ['emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info', 'debug'];
    const levels = options
      .value('l')
      ?.split(',')
      .map((name) => names.indexOf(name));
    const show = (message: { timeMs: number; severity: number; text: string }): string => {
      const seconds = (message.timeMs - proc.kernel.bootMs) / 1000;
      const time = options.has('t')
        ? ''
        : options.has('T')
          ? `[${strftime('%a %b %e %T %Y', message.timeMs, zoneOf(proc))}] `
          : `[${seconds.toFixed(6).padStart(12)}] `;
      return `${options.has('x') ? `kern  :${names[message.severity]!.padEnd(6)}: ` : ''}${time}${message.text}\n`;
    };
    const wanted = (message: { severity: number }): boolean =>
      levels === undefined || levels.includes(message.severity);
    for (const message of proc.kernel.messages) if (wanted(message)) await it.out.put(show(message));
    if (!options.has('w', 'W')) return;
    await it.out.flush();
    const queue: string[] = [];
    let wake: (() => void) | undefined;
    using subscription = proc.kernel.onMessage((message) => {
      if (wanted(message)) queue.push(show(message));
      wake?.();
    });
    void subscription;
    for (;;) {
      while (queue.length > 0) await proc.stdout.write(queue.shift()!);
      await proc.interruptible(
        new Promise<void>((resolve) => {
          wake = resolve;
        }),
      );
    }
  },
);

/** getent(1): hosts, ahosts, passwd, group, services. */
export const getent: Program = command(
  { short: 'is:', long: ['no-idn>i', 'service:>s'], usage: '[OPTION...] database [key ...]' },
  async (it) => {
    const { proc } = it;
    const [database, ...keys] = it.operands;
    if (database === undefined)
      throw new Failure(
        "wrong number of arguments\nTry `getent --help' or `getent --usage' for more information.",
      );
    const passwd = (user: {
      name: string;
      uid: number;
      gid: number;
      gecos: string;
      home: string;
      shell: string;
    }): string => `${user.name}:x:${user.uid}:${user.gid}:${user.gecos}:${user.home}:${user.shell}`;
    let missing = false;
    const print = async (text: string | undefined): Promise<void> => {
      if (text === undefined) missing = true;
      else await it.out.line(text);
    };
    switch (database) {
      case 'hosts':
      case 'ahosts':
      case 'ahostsv4':
        if (keys.length === 0)
          for (const host of listHosts(proc))
            await it.out.line(`${host.address.padEnd(15)} ${host.names.join(' ')}`);
        for (const key of keys) await hosts(proc, database, key, print);
        break;
      case 'passwd':
        if (keys.length === 0) for (const user of listUsers(proc)) await it.out.line(passwd(user));
        for (const key of keys) {
          const user = userByName(proc, key) ?? listUsers(proc).find((one) => String(one.uid) === key);
          await print(user === undefined ? undefined : passwd(user));
        }
        break;
      case 'group': {
        const show = (group: { name: string; gid: number; members: readonly string[] }): string =>
          `${group.name}:x:${group.gid}:${group.members.join(',')}`;
        if (keys.length === 0) for (const group of listGroups(proc)) await it.out.line(show(group));
        for (const key of keys) {
          const group = groupByName(proc, key);
          await print(group === undefined ? undefined : show(group));
        }
        break;
      }
      case 'services':
        for (const key of keys) {
          const [name = '', protocol] = key.split('/');
          const port = /^\d+$/.test(name) ? Number(name) : lookupService(name);
          const service = port === undefined ? undefined : /^\d+$/.test(name) ? lookupService(port) : name;
          await print(
            port === undefined || service === undefined
              ? undefined
              : `${String(service).padEnd(21)} ${port}/${protocol ?? 'tcp'}`,
          );
        }
        break;
      default:
        throw new Failure(
          `Unknown database: ${database}\nTry \`getent --help' or \`getent --usage' for more information.`,
        );
    }
    return missing ? 2 : 0;
  },
);

async function hosts(
  proc: Process,
  database: string,
  key: string,
  print: (text: string | undefined) => Promise<void>,
): Promise<void> {
  const found = await lookupHost(proc, key);
  if (found.addresses.length === 0) return print(undefined);
  if (database === 'hosts') {
    for (const address of found.addresses)
      await print(`${address.padEnd(15)} ${[found.canonicalName, ...found.aliases].join(' ')}`);
    return undefined;
  }
  for (const [index, address] of found.addresses.entries()) {
    await print(`${address.padEnd(15)} STREAM ${index === 0 ? found.canonicalName : ''}`.trimEnd());
    await print(`${address.padEnd(15)} DGRAM`);
    await print(`${address.padEnd(15)} RAW`);
  }
  return undefined;
}
