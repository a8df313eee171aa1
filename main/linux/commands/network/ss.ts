// ss(8)
import { parseIpv4, type SocketInfo } from '../../../network/index.ts';
import type { Process, Program } from '../../kernel/index.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { lookupService } from '../../libc/index.ts';

const USAGE = `Usage: ss [ OPTIONS ]
       ss [ OPTIONS ] [ FILTER ]
   -h, --help          this message
   -V, --version       output version information
   -n, --numeric       don't resolve service names
   -r, --resolve       resolve host names
   -a, --all           display all sockets
   -l, --listening     display listening sockets
   -o, --options       show timer information
   -e, --extended      show detailed socket information
   -p, --processes     show process using socket
   -i, --info          show internal TCP information
   -s, --summary       show socket usage summary
   -4, --ipv4          display only IP version 4 sockets
   -6, --ipv6          display only IP version 6 sockets
   -t, --tcp           display only TCP sockets
   -u, --udp           display only UDP sockets
   -x, --unix          display only Unix domain sockets
   -H, --no-header     Suppress header line
   -O, --oneline       socket's data printed on a single line
`;

const STATES: Readonly<Record<string, readonly string[]>> = {
  established: ['ESTAB'],
  'syn-sent': ['SYN-SENT'],
  'syn-recv': ['SYN-RECV'],
  'fin-wait-1': ['FIN-WAIT-1'],
  'fin-wait-2': ['FIN-WAIT-2'],
  'time-wait': ['TIME-WAIT'],
  closed: ['UNCONN'],
  'close-wait': ['CLOSE-WAIT'],
  'last-ack': ['LAST-ACK'],
  listening: ['LISTEN', 'UNCONN'],
  closing: ['CLOSING'],
  connected: [
    'ESTAB',
    'SYN-SENT',
    'SYN-RECV',
    'FIN-WAIT-1',
    'FIN-WAIT-2',
    'TIME-WAIT',
    'CLOSE-WAIT',
    'LAST-ACK',
    'CLOSING',
  ],
  synchronized: [
    'ESTAB',
    'SYN-RECV',
    'FIN-WAIT-1',
    'FIN-WAIT-2',
    'TIME-WAIT',
    'CLOSE-WAIT',
    'LAST-ACK',
    'CLOSING',
  ],
  bucket: ['SYN-RECV', 'TIME-WAIT'],
};

type Test = (socket: SocketInfo) => boolean;

/** ss(8) */
export const ss: Program = command(
  {
    short: 'hVnralompTieszZNbE460tuwxdSfKHOM',
    long: [
      'numeric>n',
      'resolve>r',
      'all>a',
      'listening>l',
      'options>o',
      'extended>e',
      'memory>m',
      'processes>p',
      'threads>T',
      'info>i',
      'summary>s',
      'ipv4>4',
      'ipv6>6',
      'tcp>t',
      'udp>u',
      'raw>w',
      'unix>x',
      'no-header>H',
      'oneline>O',
      'kill>K',
      'events>E',
    ],
    help: USAGE,
    usageExit: 255,
    hint: () => USAGE,
  },
  async (it) => {
    const { options, proc } = it;
    if (options.has('h')) return void (await it.out.put(USAGE));
    if (options.has('V')) return void (await it.out.line('ss utility, iproute2-6.1.0'));
    const sockets = proc.net.sockets.list();
    if (options.has('s')) return summary(it, sockets);
    const protocols = (['t', 'u', 'w'] as const)
      .filter((letter) => options.has(letter))
      .map((letter) => ({ t: 'tcp', u: 'udp', w: 'icmp' })[letter]);
    if (options.has('x') && protocols.length === 0)
      return void (await it.out.line(
        'Netid State  Recv-Q Send-Q Local Address:Port  Peer Address:PortProcess',
      ));
    const chosen = protocols.length > 0 ? protocols : ['tcp', 'udp', 'raw'];
    const filter = parseFilter(it.operands);
    const listening = options.has('l');
    const all = options.has('a');
    const wanted = (socket: SocketInfo): boolean => {
      if (!chosen.includes(socket.protocol)) return false;
      if (options.has('6') && !options.has('4')) return false;
      if (filter.states !== undefined) return filter.states.includes(socket.state);
      if (all) return true;
      const isListening =
        socket.state === 'LISTEN' || (socket.state === 'UNCONN' && socket.remote.port === 0);
      return listening
        ? isListening
        : !isListening && socket.state !== 'TIME-WAIT' && socket.state !== 'SYN-RECV';
    };
    const rows = sockets
      .filter((socket) => wanted(socket) && filter.test(socket))
      .toSorted((a, b) => order(a) - order(b));
    await print(it, rows, chosen.length > 1, filter.states === undefined || filter.states.length > 1);
    return undefined;
  },
);

function order(socket: SocketInfo): number {
  return socket.protocol === 'udp' ? 0 : socket.protocol === 'tcp' ? 2 : 1;
}

async function summary(it: Invocation, sockets: readonly SocketInfo[]): Promise<void> {
  const tcp = sockets.filter((one) => one.protocol === 'tcp');
  const udp = sockets.filter((one) => one.protocol === 'udp').length;
  const raw = sockets.length - tcp.length - udp;
  const count = (state: string): number => tcp.filter((one) => one.state === state).length;
  const live = tcp.length - count('TIME-WAIT');
  const row = (name: string, n: number): string =>
    `${name}\t  ${String(n).padEnd(9)} ${String(n).padEnd(9)} ${'0'.padEnd(9)}\n`;
  await it.out.put(
    `Total: ${live + udp + raw}\nTCP:   ${tcp.length} (estab ${count('ESTAB')}, closed ${count('TIME-WAIT')}, orphaned 0, timewait ${count('TIME-WAIT')})\n\nTransport Total     IP        IPv6\n${row('RAW', raw)}${row('UDP', udp)}${row('TCP', live)}${row('INET', live + udp + raw)}${row('FRAG', 0)}\n`,
  );
}

function parseFilter(words: readonly string[]): { states: readonly string[] | undefined; test: Test } {
  const tokens = words.flatMap((word) => word.split(/\s+|(?=[()])|(?<=[()])/)).filter((word) => word !== '');
  let states: string[] | undefined;
  let at = 0;
  while (tokens[at] === 'state' || tokens[at] === 'exclude') {
    const exclude = tokens[at] === 'exclude';
    const name = (tokens[at + 1] ?? '').toLowerCase();
    const found = name === 'all' ? Object.values(STATES).flat() : STATES[name];
    if (found === undefined) throw new Failure(`wrong state name: ${name}`, 255);
    states = exclude
      ? (states ?? Object.values(STATES).flat()).filter((state) => !found.includes(state))
      : [...(states ?? []), ...found];
    at += 2;
  }
  const or = (): Test => {
    let left = and();
    while (tokens[at] === 'or' || tokens[at] === '||' || tokens[at] === '|') {
      at++;
      const [a, b] = [left, and()];
      left = (socket) => a(socket) || b(socket);
    }
    return left;
  };
  const and = (): Test => {
    let left = not();
    while (
      at < tokens.length &&
      tokens[at] !== ')' &&
      tokens[at] !== 'or' &&
      tokens[at] !== '||' &&
      tokens[at] !== '|'
    ) {
      if (tokens[at] === 'and' || tokens[at] === '&&' || tokens[at] === '&') at++;
      const [a, b] = [left, not()];
      left = (socket) => a(socket) && b(socket);
    }
    return left;
  };
  const not = (): Test => {
    if (tokens[at] === 'not' || tokens[at] === '!') {
      at++;
      const test = not();
      return (socket) => !test(socket);
    }
    if (tokens[at] === '(') {
      at++;
      const test = or();
      if (tokens[at++] !== ')') throw new Failure('syntax error', 1);
      return test;
    }
    return primary();
  };
  const primary = (): Test => {
    const key = tokens[at++];
    const local = key === 'sport' || key === 'src';
    if (key === 'sport' || key === 'dport') {
      const operator = /^(?:=|==|eq|!=|ne|neq|>|gt|<|lt|>=|ge|<=|le)$/.test(tokens[at] ?? '')
        ? tokens[at++]!
        : '=';
      const text = (tokens[at++] ?? '').replace(/^[^:]*:/, '');
      const port = /^\d+$/.test(text) ? Number(text) : lookupService(text);
      if (port === undefined)
        throw new SsError(`Error: "${text}" does not look like a port.\nCannot parse dst/src address.`);
      const compare: Readonly<Record<string, (n: number) => boolean>> = {
        '=': (n) => n === port,
        '==': (n) => n === port,
        eq: (n) => n === port,
        '!=': (n) => n !== port,
        ne: (n) => n !== port,
        neq: (n) => n !== port,
        '>': (n) => n > port,
        gt: (n) => n > port,
        '<': (n) => n < port,
        lt: (n) => n < port,
        '>=': (n) => n >= port,
        ge: (n) => n >= port,
        '<=': (n) => n <= port,
        le: (n) => n <= port,
      };
      return (socket) => compare[operator]!(local ? socket.local.port : socket.remote.port);
    }
    if (key === 'src' || key === 'dst') {
      if (tokens[at] === '=' || tokens[at] === '==') at++;
      const text = tokens[at++] ?? '';
      const [address = '', portText] = text.split(':');
      const [base = '', length = '32'] = address.split('/');
      const port = portText === undefined || portText === '*' ? undefined : Number(portText);
      const shift = 32 - Number(length);
      return (socket) => {
        const end = local ? socket.local : socket.remote;
        const same =
          base === '' ||
          base === '*' ||
          (shift >= 32
            ? true
            : (parseIpv4(end.address) ?? 0) >>> shift === (parseIpv4(base) ?? -1) >>> shift);
        return same && (port === undefined || end.port === port);
      };
    }
    throw new SsError(`ss: bison bellows (while parsing filter): "syntax error!" Sorry.`);
  };
  if (at >= tokens.length) return { states, test: () => true };
  try {
    const test = or();
    return { states, test };
  } catch (error) {
    if (error instanceof SsError) throw new PlainFailure(error.message);
    throw error;
  }
}

class SsError extends Error {}

/** A message that stands without the command's name. */
class PlainFailure extends Failure {
  constructor(message: string) {
    super(message, 1);
  }
}

function endpoint(address: string, port: number, numeric: boolean): [string, string] {
  const name = port === 0 ? '*' : numeric ? String(port) : (lookupService(port) ?? String(port));
  return [address, name];
}

function processText(proc: Process, socket: SocketInfo): string {
  const { owner } = socket;
  const holder = owner === undefined ? undefined : proc.kernel.socketHolder(owner);
  if (owner === undefined || holder === undefined) return '';
  const fd = [...holder.process.fds].find(([, file]) => file.kind === 'socket')?.[0] ?? 3;
  return `users:(("${owner.command}",pid=${holder.pid},fd=${fd}))`;
}

interface Column {
  readonly header: string;
  readonly right: boolean;
  /** What separates it from the column before. */
  readonly lead: string;
}

const COLUMNS: readonly Column[] = [
  { header: 'Netid', right: false, lead: '' },
  { header: 'State', right: false, lead: ' ' },
  { header: 'Recv-Q', right: false, lead: ' ' },
  { header: 'Send-Q', right: false, lead: ' ' },
  { header: 'Local Address:', right: true, lead: ' ' },
  { header: 'Port', right: false, lead: '' },
  { header: 'Peer Address:', right: true, lead: ' ' },
  { header: 'Port', right: false, lead: '' },
  { header: 'Process', right: false, lead: '' },
];

/** Lays columns out as ss does: widths of the content, the terminal's spare room shared among the separators. */
async function print(
  it: Invocation,
  rows: readonly SocketInfo[],
  withNetid: boolean,
  withState: boolean,
): Promise<void> {
  const { options, proc } = it;
  const numeric = options.has('n');
  const cells = rows.map((socket) => {
    const [localAddress, localPort] = endpoint(socket.local.address, socket.local.port, numeric);
    const [peerAddress, peerPort] = endpoint(socket.remote.address, socket.remote.port, numeric);
    const extras: string[] = [];
    if (options.has('p')) {
      const text = processText(proc, socket);
      if (text !== '') extras.push(text);
    }
    if (options.has('o') && socket.timer !== undefined)
      extras.push(
        `timer:(${socket.timer.name},${timerText(socket.timer.leftMs)},${socket.timer.retransmits})`,
      );
    if (options.has('e')) extras.push(`ino:${socket.inode} sk:${socket.inode.toString(16)}`);
    const tail = extras.length === 0 ? '' : ` ${extras.join(' ')}`;
    return [
      socket.protocol,
      socket.state,
      String(socket.receiveQueueBytes),
      String(socket.sendQueueBytes),
      `${localAddress}:`,
      localPort,
      `${peerAddress}:`,
      peerPort,
      tail,
    ];
  });
  const used = COLUMNS.map((_, index) => (index === 0 ? withNetid : index === 1 ? withState : true));
  const widths = COLUMNS.map((column, index) =>
    used[index] ? Math.max(column.header.length, ...cells.map((row) => row[index]!.length)) : 0,
  );
  const shownHeader = !options.has('H');
  if (!shownHeader)
    COLUMNS.forEach(
      (_, index) =>
        (widths[index] = used[index] ? Math.max(0, ...cells.map((row) => row[index]!.length)) : 0),
    );
  const columns = proc.stdout.tty?.size.columns;
  const indexes = COLUMNS.map((_, index) => index).filter((index) => used[index]);
  const leadOf = (index: number): string => (index === indexes[0] ? '' : COLUMNS[index]!.lead);
  const total = indexes.reduce((sum, index) => sum + widths[index]! + leadOf(index).length, 0);
  const gaps = new Map<number, number>();
  if (columns !== undefined) {
    // Spare room goes to the columns that have a separator, the rest to the first ones.
    const spaced = indexes.filter((index) => leadOf(index) !== '' || index === 8);
    let spare = Math.max(0, columns - total - 1);
    const each = spaced.length === 0 ? 0 : Math.floor(spare / spaced.length);
    for (const index of spaced) gaps.set(index, each);
    spare -= each * spaced.length;
    for (const index of spaced.slice(0, spare)) gaps.set(index, (gaps.get(index) ?? 0) + 1);
  }
  const line = (row: readonly string[]): string => {
    let text = '';
    for (const index of indexes) {
      const column = COLUMNS[index]!;
      text +=
        leadOf(index) +
        ' '.repeat(gaps.get(index) ?? 0) +
        (column.right ? row[index]!.padStart(widths[index]!) : row[index]!.padEnd(widths[index]!));
    }
    return text;
  };
  if (shownHeader) await it.out.line(line(COLUMNS.map((column) => column.header)));
  for (const row of cells) await it.out.line(line(row));
}

function timerText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds >= 60) return `${Math.floor(seconds / 60)}min${seconds % 60 > 0 ? `${seconds % 60}sec` : ''}`;
  return seconds >= 10
    ? `${seconds}sec`
    : `${seconds > 0 ? `${seconds}.` : ''}${String(Math.floor(ms % 1000)).padStart(seconds > 0 ? 3 : 1, '0')}ms`;
}
