// ping(8) and arping(8)
import { ErrnoError, parseIpv4, type EchoReply } from '../../../network/index.ts';
import type { Process, Program } from '../../kernel/index.ts';
import { command, dialectOf, Failure, type Invocation } from '../frame/command.ts';
import { lookupHost, reverseLookup } from '../../libc/index.ts';

const ERRORS = {
  'net-unreachable': 'Destination Net Unreachable',
  'host-unreachable': 'Destination Host Unreachable',
  'port-unreachable': 'Destination Port Unreachable',
  'protocol-unreachable': 'Destination Protocol Unreachable',
  prohibited: 'Packet filtered',
  'time-exceeded': 'Time to live exceeded',
  'fragmentation-needed': 'Frag needed and DF set',
} as const;

function time(ms: number): string {
  if (ms < 1) return ms.toFixed(3);
  if (ms < 10) return ms.toFixed(2);
  return ms < 100 ? ms.toFixed(1) : ms.toFixed(0);
}

interface Tally {
  sent: number;
  received: number;
  errors: number;
  duplicates: number;
  readonly times: number[];
  /** Most requests unanswered at one time. */
  pipe: number;
}

/** ping(8), over IPv4. */
export const ping: Program = command(
  {
    short: 'aAbBc:CdDe:fF:hHi:I:l:LM:m:nN:OpP:qQ:rRs:S:t:T:UvVw:W:46',
    usage: '[options] <destination>',
    help: '\nUsage\n  ping [options] <destination>\n\nOptions:\n  <destination>      dns name or ip address\n  -c <count>         stop after <count> replies\n  -D                 print timestamps\n  -f                 flood ping\n  -i <interval>      seconds between sending each packet\n  -I <interface>     either interface name or address\n  -M <pmtud opt>     define mtu discovery, can be one of <do|dont|want>\n  -n                 no dns name resolution\n  -q                 quiet output\n  -s <size>          use <size> as number of data bytes to be sent\n  -t <ttl>           define time to live\n  -w <deadline>      reply wait <deadline> in seconds\n  -W <timeout>       time to wait for response\n',
    usageExit: 2,
    hint: () => '\nUsage\n  ping [options] <destination>\n',
  },
  async (it) => {
    const { proc, options } = it;
    if (options.has('V'))
      return void (await it.out.put(
        'ping from iputils 20221126\nlibcap: yes, IDN: yes, NLS: no, error.h: yes, getrandom(): yes, __fpending(): yes\n',
      ));
    const host = it.operands.at(-1);
    for (const letter of ['c', 's', 't', 'w']) {
      const text = options.value(letter);
      if (text !== undefined && !/^\d+$/.test(text)) throw new Failure(`invalid argument: '${text}'`);
    }
    if (host === undefined)
      throw new Failure(
        dialectOf(proc) === 'busybox' ? 'no host given' : 'usage error: Destination address required',
      );
    if (host.includes(':') || options.has('6'))
      throw new Failure("drydock: ping over IPv6 isn't simulated", 2);
    const found = await lookupHost(proc, host);
    const [address] = found.addresses;
    if (address === undefined) {
      if (it.dialect === 'busybox') throw new Failure(`bad address '${host}'`);
      throw new Failure(
        `${host}: ${found.failure === 'temporary' ? 'Temporary failure in name resolution' : 'Name or service not known'}`,
        2,
      );
    }
    const target =
      it.dialect === 'busybox' ? host : parseIpv4(host) === undefined ? found.canonicalName : host;
    return new Pinger(it, target, address).run();
  },
);

class Pinger {
  private readonly it: Invocation;
  private readonly proc: Process;
  private readonly target: string;
  private readonly address: string;
  private readonly tally: Tally = { sent: 0, received: 0, errors: 0, duplicates: 0, times: [], pipe: 0 };
  private readonly seen = new Set<number>();
  private readonly busybox: boolean;
  private interrupted = false;
  private name: string | undefined;

  constructor(it: Invocation, target: string, address: string) {
    this.it = it;
    this.proc = it.proc;
    this.target = target;
    this.address = address;
    this.busybox = it.dialect === 'busybox';
  }

  async run(): Promise<number> {
    const { it, proc } = this;
    const { options } = it;
    const count = options.value('c') === undefined ? Infinity : Number(options.value('c'));
    const interval = (options.has('f') ? 0.01 : Number(options.value('i') ?? 1)) * 1000;
    const wait = Number(options.value('W') ?? 10) * 1000;
    const deadline = options.value('w') === undefined ? Infinity : Number(options.value('w')) * 1000;
    const size = Number(options.value('s') ?? 56);
    const device = options.value('I');
    const bound =
      device === undefined ? {} : parseIpv4(device) === undefined ? { device } : { source: device };
    if ('device' in bound && proc.net.links.get(bound.device!) === undefined)
      throw new Failure(`SO_BINDTODEVICE ${device}: No such device`, 2);
    if (proc.net.addresses.list().some((one) => one.broadcast === this.address) && !options.has('b'))
      throw new Failure('Do you want to ping broadcast? Then -b. If not, check your local firewall rules', 2);
    // Without -M the kernel sets DF unless the packet is over the path's MTU (IP_PMTUDISC_WANT).
    const fragmenting = options.value('M') === 'want' ? undefined : options.value('M');
    requireEcho(proc, this.busybox);
    const queue: EchoReply[] = [];
    let wake: (() => void) | undefined;
    using socket = proc.net.sockets.openEcho({
      ...bound,
      owner: proc.socketOwner,
    });
    socket.onReply = (reply) => {
      queue.push(reply);
      wake?.();
    };
    let from = '';
    try {
      proc.net.routes.get({ destination: this.address });
      if (device !== undefined)
        from = ` from ${socket.sourceFor(this.address)} ${'device' in bound ? `${device}` : ''}`.trimEnd();
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      throw new Failure(
        this.busybox ? `sendto: ${error.message}` : `connect: ${error.message}`,
        this.busybox ? 1 : 2,
      );
    }
    await it.out.line(
      this.busybox
        ? `PING ${this.target} (${this.address}): ${size} data bytes`
        : `PING ${this.target} (${this.address})${from}${from === '' ? '' : ':'} ${size}(${size + 28}) bytes of data.`,
    );
    await it.out.flush();
    if (!options.has('n') && parseIpv4(this.target) === undefined && !this.busybox)
      this.name = await reverseLookup(proc, this.address);
    proc.onSignal('SIGINT', () => {
      this.interrupted = true;
      wake?.();
    });
    const startMs = proc.clock.now();
    let lastSentMs = startMs;
    let sequence = 0;
    while (!this.interrupted && sequence < count && proc.clock.now() - startMs < deadline) {
      sequence++;
      lastSentMs = proc.clock.now();
      try {
        socket.send(this.address, {
          sequence: this.busybox ? sequence - 1 : sequence,
          sizeBytes: size,
          ...(options.value('t') === undefined ? {} : { ttl: Number(options.value('t')) }),
          ...(fragmenting === undefined ? {} : { dontFragment: fragmenting === 'do' }),
        });
        this.tally.sent++;
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        this.tally.sent++;
        if (error.code === 'EMSGSIZE') {
          this.tally.errors++;
          await proc.stderr.write(
            `ping: local error: message too long, mtu=${proc.net.routes.get({ destination: this.address }).link.mtu}\n`,
          );
        } else
          await proc.stderr.write(
            this.busybox ? `ping: sendto: ${error.message}\n` : `ping: sendmsg: ${error.message}\n`,
          );
      }
      this.tally.pipe = Math.max(this.tally.pipe, this.tally.sent - this.tally.received - this.errorsBefore);
      const until =
        sequence >= count
          ? lastSentMs + Math.max(wait, interval)
          : Math.min(lastSentMs + interval, startMs + deadline);
      for (;;) {
        while (queue.length > 0) await this.show(queue.shift()!, size);
        const left = until - proc.clock.now();
        if (
          this.interrupted ||
          left <= 0 ||
          (sequence >= count && this.tally.received + this.tally.errors >= this.tally.sent)
        )
          break;
        const arrived = new Promise<void>((resolve) => {
          wake = resolve;
        });
        const timer = proc.clock.after(left, () => wake?.());
        try {
          await proc.interruptible(arrived);
        } catch (error) {
          if (!(error instanceof ErrnoError) || error.code !== 'EINTR') throw error;
        } finally {
          timer[Symbol.dispose]();
        }
      }
      await it.out.flush();
    }
    return await this.summary(
      lastSentMs - startMs,
      deadline !== Infinity && count !== Infinity ? count : undefined,
    );
  }
  private errorsBefore = 0;

  private async show(reply: EchoReply, size: number): Promise<void> {
    const { it, tally } = this;
    const stamp = it.options.has('D') ? `[${(this.proc.clock.now() / 1000).toFixed(6)}] ` : '';
    if (reply.kind === 'error') {
      tally.errors++;
      if (it.options.has('q')) return;
      const name =
        it.options.has('n') || parseIpv4(this.target) !== undefined
          ? undefined
          : await reverseLookup(this.proc, reply.from);
      const from =
        parseIpv4(this.target) !== undefined || it.options.has('n')
          ? reply.from
          : `${name ?? reply.from} (${reply.from})`;
      const text =
        reply.error === 'fragmentation-needed'
          ? `Frag needed and DF set (mtu = ${reply.mtu})`
          : ERRORS[reply.error];
      if (!this.busybox) await it.out.line(`${stamp}From ${from} icmp_seq=${reply.sequence} ${text}`);
      return;
    }
    const duplicate = this.seen.has(reply.sequence);
    this.seen.add(reply.sequence);
    if (duplicate) tally.duplicates++;
    else {
      tally.received++;
      tally.times.push(reply.roundTripMs);
    }
    if (it.options.has('q')) return;
    if (this.busybox)
      await it.out.line(
        `${size + 8} bytes from ${reply.from}: seq=${reply.sequence} ttl=${reply.ttl} time=${reply.roundTripMs.toFixed(3)} ms${duplicate ? ' (DUP!)' : ''}`,
      );
    else {
      const from =
        this.name === undefined
          ? parseIpv4(this.target) === undefined && !it.options.has('n')
            ? `${reply.from} (${reply.from})`
            : reply.from
          : `${this.name} (${reply.from})`;
      await it.out.line(
        `${stamp}${size + 8} bytes from ${from}: icmp_seq=${reply.sequence} ttl=${reply.ttl}${size >= 8 ? ` time=${time(reply.roundTripMs)} ms` : ''}${duplicate ? ' (DUP!)' : ''}`,
      );
    }
    await it.out.flush();
  }

  private async summary(elapsedMs: number, wanted: number | undefined): Promise<number> {
    const { it, tally } = this;
    const loss = tally.sent === 0 ? 0 : (100 * (tally.sent - tally.received)) / tally.sent;
    const { times } = tally;
    const [min, max] = [Math.min(...times), Math.max(...times)];
    const mean = times.reduce((sum, value) => sum + value, 0) / Math.max(1, times.length);
    if (this.busybox) {
      await it.out.put(
        `\n--- ${this.target} ping statistics ---\n${tally.sent} packets transmitted, ${tally.received} packets received, ${Math.floor(loss)}% packet loss\n`,
      );
      if (times.length > 0)
        await it.out.line(
          `round-trip min/avg/max = ${min.toFixed(3)}/${mean.toFixed(3)}/${max.toFixed(3)} ms`,
        );
      return tally.received > 0 ? 0 : 1;
    }
    const percent = Number.isInteger(loss) ? String(loss) : String(Number(loss.toPrecision(6)));
    await it.out.put(
      `\n--- ${this.target} ping statistics ---\n${tally.sent} packets transmitted, ${tally.received} received${tally.duplicates > 0 ? `, +${tally.duplicates} duplicates` : ''}${tally.errors > 0 ? `, +${tally.errors} errors` : ''}, ${percent}% packet loss, time ${Math.floor(elapsedMs)}ms\n`,
    );
    const pipe = tally.pipe > 1 ? `pipe ${tally.pipe}` : '';
    if (times.length > 0) {
      const deviation = Math.sqrt(
        Math.max(0, times.reduce((sum, value) => sum + value * value, 0) / times.length - mean * mean),
      );
      await it.out.line(
        `rtt min/avg/max/mdev = ${min.toFixed(3)}/${mean.toFixed(3)}/${max.toFixed(3)}/${deviation.toFixed(3)} ms${pipe === '' ? '' : `, ${pipe}`}`,
      );
    } else await it.out.line(pipe);
    return tally.received === 0 || (wanted !== undefined && tally.received < wanted) ? 1 : 0;
  }
}

/** arping(8), iputils'. */
export const arping: Program = command(
  {
    short: 'AbDUfqc:w:W:i:I:s:hV',
    usage: '[options] <destination>',
    usageExit: 2,
    hint: () => '\nUsage:\n  arping [options] <destination>\n',
  },
  async (it) => {
    const { proc, options } = it;
    const [host] = it.operands;
    if (host === undefined) throw new Failure('\nUsage:\n  arping [options] <destination>', 2);
    const address = (await lookupHost(proc, host)).addresses[0];
    if (address === undefined) throw new Failure(`${host}: Name or service not known`, 2);
    const name =
      options.value('I') ?? options.value('i') ?? proc.net.routes.get({ destination: address }).link.name;
    const link = proc.net.links.get(name);
    if (link === undefined) throw new Failure(`Device ${name} not available.`, 2);
    const source =
      options.value('s') ??
      proc.net.addresses.list(link).find((one) => one.family === 4)?.address ??
      '0.0.0.0';
    const count = Number(options.value('c') ?? Infinity);
    const deadline = Number(options.value('w') ?? Infinity) * 1000;
    await it.out.line(`ARPING ${address} from ${source} ${link.name}`);
    await it.out.flush();
    let [sent, received, broadcasts] = [0, 0, 0];
    let sentMs = proc.clock.now();
    let interrupted = false;
    let pending: { mac: string; isBroadcast: boolean; ms: number }[] = [];
    let wake: (() => void) | undefined;
    proc.onSignal('SIGINT', () => {
      interrupted = true;
      wake?.();
    });
    const startMs = proc.clock.now();
    while (!interrupted && sent < count && proc.clock.now() - startMs < deadline) {
      sent++;
      broadcasts++;
      sentMs = proc.clock.now();
      using probe = proc.net.neighbours.probe(link, address, (reply) => {
        pending.push({ ...reply, ms: proc.clock.now() - sentMs });
        wake?.();
      });
      void probe;
      const until = sentMs + 1000;
      for (;;) {
        for (const reply of pending) {
          received++;
          await it.out.line(
            `${reply.isBroadcast ? 'Broadcast' : 'Unicast'} reply from ${address} [${reply.mac.toUpperCase()}]  ${reply.ms.toFixed(3)}ms`,
          );
        }
        pending = [];
        await it.out.flush();
        const left = until - proc.clock.now();
        if (interrupted || left <= 0 || (options.has('f') && received > 0)) break;
        const arrived = new Promise<void>((resolve) => {
          wake = resolve;
        });
        const timer = proc.clock.after(left, () => wake?.());
        try {
          await proc.interruptible(arrived);
        } catch (error) {
          if (!(error instanceof ErrnoError) || error.code !== 'EINTR') throw error;
        } finally {
          timer[Symbol.dispose]();
        }
      }
      if (options.has('f') && received > 0) break;
    }
    await it.out.put(`Sent ${sent} probes (${broadcasts} broadcast(s))\nReceived ${received} response(s)\n`);
    return options.has('D') ? Number(received > 0) : received > 0 ? 0 : 1;
  },
);

/** A raw socket is for those who have CAP_NET_RAW, by themselves or from iputils' own file; a ping socket for the groups in net.ipv4.ping_group_range. */
function requireEcho(proc: Process, busybox: boolean): void {
  if (busybox ? proc.can('NET_RAW') : proc.bounding.has('NET_RAW')) return;
  const [first = 1, last = 0] = (proc.net.sysctls.get('net.ipv4.ping_group_range') ?? '')
    .split(/\s+/)
    .map(Number);
  const { gid, groups } = proc.credentials;
  if ([gid, ...groups].some((group) => group >= first && group <= last)) return;
  if (busybox) throw new Failure('permission denied (are you root?)', 1);
  throw new Failure(
    'socktype: SOCK_RAW\nping: socket: Operation not permitted\nping: => missing cap_net_raw+p capability or setuid?',
    2,
  );
}
