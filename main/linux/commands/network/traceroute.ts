// traceroute(8) and tracepath(8): the way to an address, by packets that die on it.
import { ErrnoError, formatIpv4, Packet, parseIpv4, type CapturedFrame } from '../../../network/index.ts';
import type { Process, Program } from '../../kernel/index.ts';
import { Output } from '../frame/output.ts';
import { OptionError, parseOptions, type Options } from '../frame/options.ts';
import { lookupHost, reverseLookup } from '../../libc/index.ts';

const [ICMP, TCP, UDP] = [1, 6, 17];
const FIRST_UDP_PORT = 33_434;
/** Probes under way at the same time (-N). */
const AT_ONCE = 16;
const WAIT_MS = 5000;
const TRACEPATH_PORT = 44_444;
const TRACEPATH_HOPS_MAX = 30;

/** How traceroute marks an ICMP unreachable by its code; the port's own is the goal. */
const MARKS = [' !N', ' !H', ' !P', '', ' !F', ' !S', '', '', '', ' !X', ' !X', '', '', ' !X'];

interface Answer {
  readonly from: string;
  readonly elapsedMs: number;
  readonly mark: string;
  /** It is the destination's, or one that says that there is no further. */
  readonly isFinal: boolean;
  /** TTL it arrived with, for tracepath's way back. */
  readonly ttl: number;
  readonly mtu: number | undefined;
}

interface Probe {
  readonly key: string;
  readonly sentMs: number;
  answer: Answer | undefined;
}

/** Sends probes and hears what comes back about them, as a raw socket does. */
class Prober implements Disposable {
  private readonly proc: Process;
  private readonly protocol: number;
  private readonly destination: number;
  private readonly id: number;
  private readonly tap: Disposable;
  private readonly probes = new Map<string, Probe>();
  private wake: (() => void) | undefined = undefined;

  constructor(proc: Process, protocol: number, destination: string) {
    this.proc = proc;
    this.protocol = protocol;
    this.destination = parseIpv4(destination)!;
    this.id = 32_768 + proc.random.integer(28_000);
    this.tap = proc.net.capture.open(undefined, (captured) => this.receive(captured));
  }

  /** Throws ErrnoError, such as ENETUNREACH. */
  send(options: {
    ttl: number;
    sequence: number;
    port: number;
    sizeBytes: number;
    dontFragment?: boolean;
  }): Probe {
    const packet = new Packet();
    packet.protocol = this.protocol;
    packet.destination = this.destination;
    packet.ttl = options.ttl;
    packet.dontFragment = options.dontFragment ?? false;
    if (this.protocol === ICMP) {
      packet.icmpType = 8;
      packet.icmpId = this.id;
      packet.icmpSequence = options.sequence;
    } else {
      packet.sourcePort = this.protocol === TCP ? this.id + (options.sequence % 1000) : this.id;
      packet.destinationPort = options.port;
      if (this.protocol === TCP) {
        packet.flags = 2;
        packet.window = 5840;
        packet.mss = 1460;
        packet.sequence = this.proc.random.integer(0x7fffffff);
      }
    }
    const headBytes = this.protocol === TCP ? 60 : 28;
    if (this.protocol !== TCP) packet.payload = new Uint8Array(Math.max(0, options.sizeBytes - headBytes));
    const probe: Probe = { key: keyOf(packet), sentMs: this.proc.clock.now(), answer: undefined };
    this.probes.set(probe.key, probe);
    const failure = this.proc.net.stack.sendLocal(packet);
    if (failure !== undefined) throw new ErrnoError(failure);
    return probe;
  }

  /** Waits until an answer comes, or until `ms` have passed. */
  async wait(ms: number): Promise<void> {
    const woken = new Promise<void>((resolve) => {
      this.wake = resolve;
    });
    const timer = this.proc.clock.after(ms, () => this.wake?.());
    try {
      await this.proc.interruptible(woken);
    } finally {
      timer[Symbol.dispose]();
    }
  }

  private receive({ frame, direction, link }: CapturedFrame): void {
    const packet = frame.payload;
    if (!(packet instanceof Packet) || (direction === 'out' && link.kind !== 'loopback')) return;
    if (this.proc.net.routes.get({ destination: formatIpv4(packet.destination) }).type !== 'local') return;
    const { original } = packet;
    if (packet.protocol === ICMP && original !== undefined) {
      const isTimeExceeded = packet.icmpType === 11;
      const isGoal = packet.icmpType === 3 && packet.icmpCode === 3;
      this.answer(
        keyOf(original),
        packet,
        isTimeExceeded || isGoal ? '' : (MARKS[packet.icmpCode] ?? ` !<${packet.icmpCode}>`),
        !isTimeExceeded,
      );
    } else if (packet.source === this.destination && packet.protocol === this.protocol) {
      if (this.protocol === ICMP && packet.icmpType === 0)
        this.answer(`${packet.icmpId}/${packet.icmpSequence}`, packet, '', true);
      else if (this.protocol === TCP)
        this.answer(`${packet.destinationPort}/${packet.sourcePort}`, packet, '', true);
    }
  }

  private answer(key: string, packet: Packet, mark: string, isFinal: boolean): void {
    const probe = this.probes.get(key);
    if (probe === undefined || probe.answer !== undefined) return;
    probe.answer = {
      from: formatIpv4(packet.source),
      elapsedMs: this.proc.clock.now() - probe.sentMs,
      mark,
      isFinal,
      ttl: packet.ttl,
      mtu: packet.icmpType === 3 && packet.icmpCode === 4 ? packet.icmpMtu : undefined,
    };
    this.wake?.();
  }

  [Symbol.dispose](): void {
    this.tap[Symbol.dispose]();
  }
}

/** What an answer names a probe by. */
function keyOf(packet: Packet): string {
  return packet.protocol === ICMP
    ? `${packet.icmpId}/${packet.icmpSequence}`
    : `${packet.sourcePort}/${packet.destinationPort}`;
}

const SHORT = '46dFITnreAUDVf:g:i:m:N:p:t:l:w:q:s:z:M:O:P:';
const LONG = [
  'help',
  'version>V',
  'icmp>I',
  'tcp>T',
  'udp>U',
  'first:>f',
  'max-hops:>m',
  'sim-queries:>N',
  'port:>p',
  'wait:>w',
  'queries:>q',
  'interface:>i',
  'source:>s',
  'dont-fragment>F',
];
const NOT_SIMULATED = ['6', 'g', 'i', 's', 'r', 'e', 'A', 'D', 'M', 'O', 'P', 'U'];

/** traceroute(8) of Dmitry Butskoy: UDP, -I and -T. */
export const traceroute: Program = async (proc) => {
  const args = proc.argv.slice(1);
  let options: Options;
  try {
    options = parseOptions(args, { short: SHORT, long: LONG });
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    const at = args.findIndex((arg) => arg.startsWith('-') && arg !== '-');
    await proc.stderr.write(`Bad option \`${args[at] ?? ''}' (argc ${at + 1})\n`);
    return 2;
  }
  const [host, size] = options.operands;
  if (options.has('V')) {
    await proc.stdout.write(
      'Modern traceroute for Linux, version 2.1.2\nCopyright (c) 2016  Dmitry Butskoy,   License: GPL v2 or any later\n',
    );
    return 0;
  }
  if (host === undefined || options.has('help')) {
    await proc.stdout.write(USAGE);
    return 0;
  }
  const missing = NOT_SIMULATED.find((letter) => options.has(letter));
  if (missing !== undefined) {
    await proc.stderr.write(`drydock: traceroute -${missing} isn't simulated\n`);
    return 2;
  }
  const [address] = (await lookupHost(proc, host)).addresses;
  if (address === undefined) {
    await proc.stderr.write(
      `${host}: Name or service not known\nCannot handle "host" cmdline arg \`${host}' on position 1 (argc ${args.indexOf(host) + 1})\n`,
    );
    return 2;
  }
  return trace(proc, options, host, address, size === undefined ? 60 : Math.max(28, Number(size)));
};

async function trace(
  proc: Process,
  options: Options,
  host: string,
  address: string,
  sizeBytes: number,
): Promise<number> {
  const number = (letter: string, fallback: number): number => Number(options.value(letter) ?? fallback);
  const [hopsMax, queries, first] = [number('m', 30), number('q', 3), number('f', 1)];
  const waitMs = Number((options.value('w') ?? '').split(',')[0] || WAIT_MS / 1000) * 1000;
  const protocol = options.has('I') ? ICMP : options.has('T') ? TCP : UDP;
  const atOnce = number('N', AT_ONCE);
  const out = new Output(proc, proc.stdout);
  await out.line(`traceroute to ${host} (${address}), ${hopsMax} hops max, ${sizeBytes} byte packets`);
  await out.flush();
  using prober = new Prober(proc, protocol, address);
  const probes: Probe[] = [];
  const total = (hopsMax - first + 1) * queries;
  const isSettled = (probe: Probe | undefined): boolean =>
    probe !== undefined && (probe.answer !== undefined || proc.clock.now() - probe.sentMs >= waitMs);
  let printed = 0;
  let hop = '';
  let before: string | undefined;
  let isDone = false;
  while (printed < total) {
    while (
      probes.length < total &&
      probes.filter((probe) => !isSettled(probe)).length < atOnce &&
      (!isDone || probes.length % queries !== 0)
    ) {
      const index = probes.length;
      const base = options.value('p');
      try {
        probes.push(
          prober.send({
            ttl: first + Math.floor(index / queries),
            sequence: index + (protocol === ICMP ? number('p', 1) : 0),
            port: protocol === UDP ? Number(base ?? FIRST_UDP_PORT) + index : Number(base ?? 80),
            sizeBytes,
            dontFragment: options.has('F'),
          }),
        );
      } catch (error) {
        if (!(error instanceof ErrnoError) || error.code === 'EINTR') throw error;
        if (error.code !== 'ENETUNREACH' && error.code !== 'EHOSTUNREACH') throw error;
        await out.flush();
        await proc.stderr.write(`connect: ${error.message}\n`);
        return 1;
      }
    }
    const probe = probes[printed];
    if (probe === undefined) break;
    if (!isSettled(probe)) {
      await out.flush();
      await prober.wait(probe.sentMs + waitMs - proc.clock.now());
      continue;
    }
    if (printed % queries === 0) {
      hop = String(first + printed / queries).padStart(2);
      before = undefined;
      await out.put(`${hop} `);
    }
    const { answer } = probe;
    if (answer === undefined) await out.put(' *');
    else {
      if (answer.from !== before) {
        const name = options.has('n') ? undefined : ((await reverseLookup(proc, answer.from)) ?? answer.from);
        await out.put(` ${name === undefined ? answer.from : `${name.replace(/\.$/, '')} (${answer.from})`}`);
        before = answer.from;
      }
      await out.put(`  ${answer.elapsedMs.toFixed(3)} ms${answer.mark}`);
      if (answer.isFinal) isDone = true;
    }
    printed++;
    if (printed % queries === 0) {
      await out.line('');
      if (isDone) break;
    }
  }
  await out.flush();
  return 0;
}

/** tracepath(8) of iputils: UDP with DF, learning the path's MTU. */
export const tracepath: Program = async (proc) => {
  let options: Options;
  try {
    options = parseOptions(proc.argv.slice(1), { short: '46nbl:m:p:V' });
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    await proc.stderr.write(`tracepath: ${error.message}\n\nUsage\n  tracepath [options] <destination>\n`);
    return 255;
  }
  const [host] = options.operands;
  const [address] = host === undefined ? [] : (await lookupHost(proc, host)).addresses;
  if (host === undefined || address === undefined) {
    await proc.stderr.write(
      host === undefined
        ? '\nUsage\n  tracepath [options] <destination>\n'
        : `tracepath: ${host}: Name or service not known\n`,
    );
    return host === undefined ? 255 : 1;
  }
  const out = new Output(proc, proc.stdout);
  let route;
  try {
    route = proc.net.routes.get({ destination: address });
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    await proc.stderr.write(`tracepath: ${error.message}\n`);
    return 1;
  }
  let mtu = route.link.mtu;
  const hopsMax = Number(options.value('m') ?? TRACEPATH_HOPS_MAX);
  using prober = new Prober(proc, UDP, address);
  let port = Number(options.value('p') ?? TRACEPATH_PORT);
  await out.line(`${' 1?: [LOCALHOST]'.padEnd(37)} pmtu ${mtu}`);
  let back = -1;
  for (let ttl = 1; ttl <= hopsMax; ttl++) {
    // The first hop is asked again once the device's MTU is known.
    for (let round = 0; round < (ttl === 1 ? 2 : 1); round++) {
      const answer = await ask(proc, prober, out, { ttl, port: port++, sizeBytes: mtu });
      const label = `${String(ttl).padStart(2)}: `;
      if (answer === undefined) {
        await out.line(`${label} no reply`);
        continue;
      }
      const name = options.has('n') ? undefined : await reverseLookup(proc, answer.from);
      const shown = name === undefined ? answer.from : name.replace(/\.$/, '');
      if (answer.mtu !== undefined) {
        mtu = answer.mtu;
        await out.line(`${label} ${shown.padEnd(52)} ${answer.elapsedMs.toFixed(3)}ms pmtu ${mtu}`);
        round--;
        continue;
      }
      const initial = answer.ttl <= 64 ? 65 : answer.ttl <= 128 ? 129 : 256;
      const distance = initial - answer.ttl;
      const asymmetry = !answer.isFinal && distance !== ttl ? `asymm ${String(distance).padStart(2)} ` : '';
      const end = answer.isFinal ? (answer.mark === '' ? 'reached' : answer.mark.trim()) : asymmetry;
      await out.line(`${label} ${shown.padEnd(52)} ${answer.elapsedMs.toFixed(3)}ms ${end}`);
      if (!answer.isFinal) continue;
      back = distance;
      await out.line(`     Resume: pmtu ${mtu} hops ${ttl} back ${back} `);
      await out.flush();
      return 0;
    }
  }
  await out.line(`     Too many hops: pmtu ${mtu}`);
  await out.line(`     Resume: pmtu ${mtu} `);
  await out.flush();
  return 1;
};

/** One probe, up to three times. */
async function ask(
  proc: Process,
  prober: Prober,
  out: Output,
  options: { ttl: number; port: number; sizeBytes: number },
): Promise<Answer | undefined> {
  for (let attempt = 0; attempt < 3; attempt++) {
    const probe = prober.send({ ...options, sequence: 0, dontFragment: true });
    const untilMs = probe.sentMs + 1000;
    while (probe.answer === undefined && proc.clock.now() < untilMs) {
      await out.flush();
      await prober.wait(untilMs - proc.clock.now());
    }
    if (probe.answer !== undefined) return probe.answer;
  }
  return undefined;
}

const USAGE = `Usage:
  traceroute [ -46dFITnreAUDV ] [ -f first_ttl ] [ -g gate,... ] [ -i device ] [ -m max_ttl ] [ -N squeries ] [ -p port ] [ -t tos ] [ -l flow_label ] [ -w MAX,HERE,NEAR ] [ -q nqueries ] [ -s src_addr ] [ -z sendwait ] [ --fwmark=num ] host [ packetlen ]
Options:
  -4                          Use IPv4
  -6                          Use IPv6
  -d  --debug                 Enable socket level debugging
  -F  --dont-fragment         Do not fragment packets
  -f first_ttl  --first=first_ttl
                              Start from the first_ttl hop (instead from 1)
  -g gate,...  --gateway=gate,...
                              Route packets through the specified gateway
                              (maximum 8 for IPv4 and 127 for IPv6)
  -I  --icmp                  Use ICMP ECHO for tracerouting
  -T  --tcp                   Use TCP SYN for tracerouting (default port is 80)
  -i device  --interface=device
                              Specify a network interface to operate with
  -m max_ttl  --max-hops=max_ttl
                              Set the max number of hops (max TTL to be
                              reached). Default is 30
  -N squeries  --sim-queries=squeries
                              Set the number of probes to be tried
                              simultaneously (default is 16)
  -n                          Do not resolve IP addresses to their domain names
  -p port  --port=port        Set the destination port to use. It is either
                              initial udp port value for "default" method
                              (incremented by each probe, default is 33434), or
                              initial seq for "icmp" (incremented as well,
                              default from 1), or some constant destination
                              port for other methods (with default of 80 for
                              "tcp", 53 for "udp", etc.)
  -t tos  --tos=tos           Set the TOS (IPv4 type of service) or TC (IPv6
                              traffic class) value for outgoing packets
  -l flow_label  --flowlabel=flow_label
                              Use specified flow_label for IPv6 packets
  -w MAX,HERE,NEAR  --wait=MAX,HERE,NEAR
                              Wait for a probe no more than HERE (default 3)
                              times longer than a response from the same hop,
                              or no more than NEAR (default 10) times than some
                              next hop, or MAX (default 5.0) seconds (float
                              point values allowed too)
  -q nqueries  --queries=nqueries
                              Set the number of probes per each hop. Default is
                              3
  -r                          Bypass the normal routing and send directly to a
                              host on an attached network
  -s src_addr  --source=src_addr
                              Use source src_addr for outgoing packets
  -z sendwait  --sendwait=sendwait
                              Minimal time interval between probes (default 0).
                              If the value is more than 10, then it specifies a
                              number in milliseconds, else it is a number of
                              seconds (float point values allowed too)
  -e  --extensions            Show ICMP extensions (if present), including MPLS
  -A  --as-path-lookups       Perform AS path lookups in routing registries and
                              print results directly after the corresponding
                              addresses
  -M name  --module=name      Use specified module (either builtin or external)
                              for traceroute operations. Most methods have
                              their shortcuts (\`-I' means \`-M icmp' etc.)
  -O OPTS,...  --options=OPTS,...
                              Use module-specific option OPTS for the
                              traceroute module. Several OPTS allowed,
                              separated by comma. If OPTS is "help", print info
                              about available options
  --sport=num                 Use source port num for outgoing packets. Implies
                              \`-N 1'
  --fwmark=num                Set firewall mark for outgoing packets
  -U  --udp                   Use UDP to particular port for tracerouting
                              (instead of increasing the port per each probe),
                              default port is 53
  -UL                         Use UDPLITE for tracerouting (default dest port
                              is 53)
  -D  --dccp                  Use DCCP Request for tracerouting (default port
                              is 33434)
  -P prot  --protocol=prot    Use raw packet of protocol prot for tracerouting
  --mtu                       Discover MTU along the path being traced. Implies
                              \`-F -N 1'
  --back                      Guess the number of hops in the backward path and
                              print if it differs
  -V  --version               Print version info and exit
  --help                      Read this help and exit

Arguments:
+     host          The host to traceroute to
      packetlen     The full packet length (default is the length of an IP
                    header plus 40). Can be ignored or increased to a minimal
                    allowed value
`;
