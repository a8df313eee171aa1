// ipvsadm's command line, with what it says when an option doesn't go with a command.

export type IpvsadmCommand =
  | 'add-service'
  | 'edit-service'
  | 'delete-service'
  | 'clear'
  | 'restore'
  | 'save'
  | 'add-server'
  | 'edit-server'
  | 'delete-server'
  | 'list'
  | 'zero'
  | 'set'
  | 'start-daemon'
  | 'stop-daemon';

/** Commands that ipvsadm-restore takes. */
export const ADD_COMMANDS: readonly IpvsadmCommand[] = ['add-service', 'add-server'];

/** Printed alone when popt doesn't understand something. */
export const TRY_HELP = "Try `ipvsadm -h' or 'ipvsadm --help' for more information.";

export class IpvsadmError extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

const COMMANDS: Readonly<Record<string, IpvsadmCommand>> = {
  A: 'add-service',
  E: 'edit-service',
  D: 'delete-service',
  C: 'clear',
  R: 'restore',
  S: 'save',
  a: 'add-server',
  e: 'edit-server',
  d: 'delete-server',
  L: 'list',
  l: 'list',
  Z: 'zero',
};
const LONG: Readonly<Record<string, string>> = {
  'add-service': 'A',
  'edit-service': 'E',
  'delete-service': 'D',
  clear: 'C',
  restore: 'R',
  save: 'S',
  'add-server': 'a',
  'edit-server': 'e',
  'delete-server': 'd',
  list: 'L',
  zero: 'Z',
  'tcp-service': 't',
  'udp-service': 'u',
  'sctp-service': 'sctp-service',
  'fwmark-service': 'f',
  scheduler: 's',
  persistent: 'p',
  netmask: 'M',
  'real-server': 'r',
  masquerading: 'm',
  ipip: 'i',
  gatewaying: 'g',
  weight: 'w',
  'u-threshold': 'x',
  'l-threshold': 'y',
  numeric: 'n',
  connection: 'c',
  ipv6: '6',
  ops: 'o',
  'sched-flags': 'b',
  pe: 'pe',
  stats: 'stats',
  rate: 'rate',
  thresholds: 'thresholds',
  'persistent-conn': 'persistent-conn',
  timeout: 'timeout',
  daemon: 'daemon',
  sort: 'sort',
  nosort: 'nosort',
  exact: 'exact',
  set: 'set',
  'start-daemon': 'start-daemon',
  'stop-daemon': 'stop-daemon',
  'mcast-interface': 'mcast-interface',
  syncid: 'syncid',
  'tun-type': 'tun-type',
  'tun-port': 'tun-port',
};
const TAKES = new Set([
  't',
  'u',
  'sctp-service',
  'f',
  's',
  'M',
  'r',
  'w',
  'x',
  'y',
  'b',
  'pe',
  'mcast-interface',
  'syncid',
  'start-daemon',
  'stop-daemon',
  'tun-type',
  'tun-port',
]);
const SHORT = 'AEDCRSaedLlZtufspMrmigwxync6ob';

const NAMES: Readonly<Record<string, string>> = {
  n: 'numeric',
  c: 'connection',
  s: 'scheduler',
  r: 'real-server',
  w: 'weight',
  p: 'persistent',
  M: 'netmask',
  m: 'masquerading',
  i: 'ipip',
  g: 'gatewaying',
  x: 'u-threshold',
  y: 'l-threshold',
  b: 'sched-flags',
  o: 'ops',
};
const SERVICE_COMMANDS: readonly IpvsadmCommand[] = [
  'add-service',
  'edit-service',
  'delete-service',
  'add-server',
  'edit-server',
  'delete-server',
];
const SERVER_COMMANDS: readonly IpvsadmCommand[] = ['add-server', 'edit-server', 'delete-server'];
const ALLOWED: Readonly<Record<string, readonly IpvsadmCommand[]>> = {
  s: ['add-service', 'edit-service'],
  p: ['add-service', 'edit-service'],
  M: ['add-service', 'edit-service'],
  o: ['add-service', 'edit-service'],
  b: ['add-service', 'edit-service'],
  pe: ['add-service', 'edit-service'],
  r: SERVER_COMMANDS,
  m: ['add-server', 'edit-server'],
  i: ['add-server', 'edit-server'],
  g: ['add-server', 'edit-server'],
  w: ['add-server', 'edit-server'],
  x: ['add-server', 'edit-server'],
  y: ['add-server', 'edit-server'],
  n: ['list', 'save'],
  c: ['list'],
  stats: ['list'],
  rate: ['list'],
  thresholds: ['list'],
  'persistent-conn': ['list'],
  timeout: ['list'],
  daemon: ['list'],
  sort: ['list'],
  nosort: ['list'],
  exact: ['list'],
};

export interface IpvsadmArguments {
  readonly command: IpvsadmCommand;
  readonly service: { readonly kind: 't' | 'u' | 'sctp' | 'f'; readonly text: string } | undefined;
  readonly options: ReadonlyMap<string, string>;
  readonly timeouts: readonly number[] | undefined;
}

/** Throws IpvsadmError. */
export function parseIpvsadm(args: readonly string[]): IpvsadmArguments {
  const usage = (): never => {
    throw new IpvsadmError(TRY_HELP, 255);
  };
  let command: IpvsadmCommand | undefined;
  let service: IpvsadmArguments['service'];
  let timeouts: number[] | undefined;
  const options = new Map<string, string>();
  const extra: string[] = [];
  const queue = [...args];

  const take = (key: string, shown: string, attached: string | undefined): void => {
    const found =
      COMMANDS[key] ??
      (key === 'set' ? 'set' : key === 'start-daemon' || key === 'stop-daemon' ? key : undefined);
    if (found !== undefined) {
      if (command !== undefined) throw new IpvsadmError(`invalid option \`${shown}'`, 2);
      command = found;
      if (key === 'set') timeouts = queue.splice(0, 3).map(Number);
      if (
        timeouts !== undefined &&
        (timeouts.length < 3 || timeouts.some((value) => !Number.isInteger(value) || value < 0))
      )
        throw new IpvsadmError('--set option requires 3 timeout values', 2);
      return;
    }
    if (command === undefined) usage();
    if (key === 'p') {
      const next = attached ?? (queue[0] !== undefined && !queue[0].startsWith('-') ? queue.shift()! : '');
      if (next !== '' && (!/^\d+$/.test(next) || Number(next) === 0 || Number(next) > 31 * 86_400))
        throw new IpvsadmError(`invalid timeout value \`${next}' specified`, 2);
      options.set('p', next);
      return;
    }
    const value = TAKES.has(key) ? (attached ?? queue.shift()) : '';
    if (value === undefined) return usage();
    if (key === 't' || key === 'u' || key === 'f' || key === 'sctp-service') {
      if (service !== undefined) throw new IpvsadmError("multiple 'service-address' options specified", 2);
      service = { kind: key === 'sctp-service' ? 'sctp' : key, text: value };
      return;
    }
    if (options.has(key) && key !== 'n')
      throw new IpvsadmError(`multiple '${NAMES[key] ?? key}' options specified`, 2);
    options.set(key, value);
  };

  while (queue.length > 0) {
    const arg = queue.shift()!;
    if (arg.startsWith('--')) {
      const [name = '', attached] = arg.slice(2).split('=', 2);
      const key = LONG[name] ?? usage();
      take(key, arg, attached);
    } else if (arg.startsWith('-') && arg.length > 1) {
      for (let i = 1; i < arg.length; i++) {
        const letter = arg[i]!;
        if (!SHORT.includes(letter)) usage();
        const rest = arg.slice(i + 1);
        const takes = TAKES.has(letter) || letter === 'p';
        take(letter, `-${letter}`, takes && rest !== '' ? rest : undefined);
        if (takes) break;
      }
    } else extra.push(arg);
  }
  if (command === undefined) return usage();
  if (extra.length > 0) throw new IpvsadmError(`unexpected argument ${extra[0]}`, 2);
  if (service === undefined && SERVICE_COMMANDS.includes(command))
    throw new IpvsadmError(`You need to supply the 'service-address' option for the '${command}' command`, 2);
  if (!options.has('r') && SERVER_COMMANDS.includes(command))
    throw new IpvsadmError(`You need to supply the 'real-server' option for the '${command}' command`, 2);
  for (const key of options.keys()) {
    const allowed = ALLOWED[key];
    if (allowed !== undefined && !allowed.includes(command))
      throw new IpvsadmError(`Illegal '${NAMES[key] ?? key}' option with the '${command}' command`, 2);
  }
  return { command, service, options, timeouts };
}

/** `ipvsadm -h`: what can be given. */
export const IPVSADM_HELP = `ipvsadm v1.31 2019/12/24 (compiled with popt and IPVS v1.2.1)
Usage:
  ipvsadm -A|E virtual-service [-s scheduler] [-p [timeout]] [-M netmask] [--pe persistence_engine] [-b sched-flags]
  ipvsadm -D virtual-service
  ipvsadm -C
  ipvsadm -R
  ipvsadm -S [-n]
  ipvsadm -a|e virtual-service -r server-address [options]
  ipvsadm -d virtual-service -r server-address
  ipvsadm -L|l [virtual-service] [options]
  ipvsadm -Z [virtual-service]
  ipvsadm --set tcp tcpfin udp
  ipvsadm --start-daemon {master|backup} [daemon-options]
  ipvsadm --stop-daemon {master|backup}
  ipvsadm -h
`;
