// tcpdump(8): frames as devices see them, live or from a pcap file.
import { ErrnoError, type Link } from '../../../network/index.ts';
import type { Process, Program } from '../../kernel/index.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { readAll } from '../frame/input.ts';
import { strftime, UTC, zoneOf } from '../frame/time.ts';
import {
  capturedBytes,
  LINKTYPE_ETHERNET,
  LINKTYPE_LINUX_SLL2,
  LINKTYPE_RAW,
  linkTypeText,
  parsePcap,
  pcapHead,
  pcapRecord,
  SNAPSHOT_BYTES,
  type PcapRecord,
} from './pcap.ts';
import { lookupHost, reverseLookup } from '../../libc/index.ts';
import { dissect, type Dissected } from './tcpdump-dissect.ts';
import { compileFilter, FilterError, namesIn, type Filter } from './tcpdump-filter.ts';
import { asciiText, hexRows, PacketPrinter } from './tcpdump-print.ts';

const VERSION = `tcpdump version 4.99.3
libpcap version 1.10.3 (with TPACKET_V3)
OpenSSL 3.0.22 25 Aug 2026
`;
const USAGE = `${VERSION}Usage: tcpdump [-AbdDefhHIJKlLnNOpqStuUvxX#] [ -B size ] [ -c count ] [--count]
		[ -C file_size ] [ -E algo:secret ] [ -F file ] [ -G seconds ]
		[ -i interface ] [ --immediate-mode ] [ -j tstamptype ]
		[ -M secret ] [ --number ] [ --print ] [ -Q in|out|inout ]
		[ -r file ] [ -s snaplen ] [ -T type ] [ --version ]
		[ -V file ] [ -w file ] [ -W filecount ] [ -y datalinktype ]
		[ --time-stamp-precision precision ] [ --micro ] [ --nano ]
		[ -z postrotate-command ] [ -Z user ] [ expression ]
`;
/** What nobody has here yet. */
const NOT_SIMULATED = ['C', 'd', 'E', 'F', 'G', 'I', 'M', 'V', 'W', 'y', 'z'];
/** Packets that wait for a slow terminal; further ones are dropped by the kernel (a 2 MiB ring). */
const QUEUE_MAX = 8192;

/** tcpdump(8) */
export const tcpdump: Program = command(
  {
    short: 'AbdDefhHIJKlLnNOpqStuUvxX#B:c:C:E:F:G:i:j:M:Q:r:s:T:V:w:W:y:z:Z:',
    long: [
      'count',
      'help>h',
      'interface:>i',
      'number>#',
      'list-interfaces>D',
      'no-promiscuous-mode>p',
      'immediate-mode',
      'print',
      'snapshot-length:>s',
      'packet-buffered>U',
      'dont-verify-checksums>K',
      'absolute-tcp-sequence-numbers>S',
      'direction:>Q',
      'micro',
      'nano',
    ],
    permute: false,
    version: VERSION.replace('tcpdump ', '').trimEnd(),
    hint: () => USAGE,
  },
  async (it) => {
    const { options, out } = it;
    if (options.has('h')) return void (await out.put(USAGE));
    if (options.has('D')) return listDevices(it);
    const missing = NOT_SIMULATED.find((letter) => options.has(letter));
    if (missing !== undefined) throw new Failure(`drydock: tcpdump -${missing} isn't simulated`);
    const count = options.value('c');
    if (count !== undefined && !/^[1-9]\d*$/.test(count)) throw new Failure(`invalid packet count ${count}`);
    const dump = new Dump(it, count === undefined ? Infinity : Number(count));
    return options.has('r') ? dump.fromFile(options.value('r')!) : dump.live();
  },
);

async function listDevices({ proc, out }: Invocation): Promise<number> {
  const links = proc.net.links.list();
  const isUp = (link: Link): boolean => link.isUp && link.kind !== 'loopback';
  const state = (link: Link): string =>
    link.isUp ? ` [Up, Running${link.kind === 'loopback' ? ', Loopback' : ', Connected'}]` : ' [none]';
  const rows = [
    ...links.filter(isUp).map((link) => `${link.name}${state(link)}`),
    'any (Pseudo-device that captures on all interfaces) [Up, Running]',
    ...links.filter((link) => !isUp(link)).map((link) => `${link.name}${state(link)}`),
    'bluetooth-monitor (Bluetooth Linux Monitor) [Wireless]',
    'nflog (Linux netfilter log (NFLOG) interface) [none]',
    'nfqueue (Linux netfilter queue (NFQUEUE) interface) [none]',
    'dbus-system (D-Bus system bus) [none]',
    'dbus-session (D-Bus session bus) [none]',
  ];
  for (const [index, row] of rows.entries()) await out.line(`${index + 1}.${row}`);
  return 0;
}

class Dump {
  private readonly it: Invocation;
  private readonly proc: Process;
  private readonly countMax: number;
  private readonly printer: PacketPrinter;
  private readonly names = new Map<string, string>();
  private readonly numeric: boolean;
  private shown = 0;
  private firstMs: number | undefined = undefined;
  private previousMs: number | undefined = undefined;

  constructor(it: Invocation, countMax: number) {
    this.it = it;
    this.proc = it.proc;
    this.countMax = countMax;
    const { options } = it;
    this.numeric = options.has('n');
    this.printer = new PacketPrinter({
      numeric: this.numeric,
      verbosity: options.count('v'),
      linkHeader: options.has('e'),
      quick: options.has('q'),
      absoluteSequence: options.has('S'),
      nameOf: (address) => this.names.get(address) ?? address,
      interfaceName: (index) => this.proc.net.links.get(index)?.name ?? `if${index}`,
    });
  }

  /** Compiles the expression; the names of hosts are looked up first. */
  private async filter(): Promise<Filter> {
    const text = this.it.operands.join(' ');
    const addresses = new Map<string, readonly string[]>();
    for (const name of namesIn(text)) addresses.set(name, (await lookupHost(this.proc, name)).addresses);
    try {
      return compileFilter(text, (name) => addresses.get(name) ?? []);
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      throw new Failure(`can't parse filter expression: ${error.message}`);
    }
  }

  async fromFile(path: string): Promise<number> {
    const { it, proc } = this;
    let content: Uint8Array;
    try {
      content = await readAll(it.open(path));
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      throw new Failure(`${path}: ${error.message}`);
    }
    const file = parsePcap(content);
    if (file === undefined)
      throw new Failure(
        content.length < 24
          ? `truncated dump file; tried to read 4 file header bytes, only got ${Math.min(4, content.length)}`
          : 'unknown file format',
      );
    await proc.stderr.write(
      `reading from file ${path}, link-type ${linkTypeText(file.linkType)}, snapshot length ${file.snapshotBytes}\n`,
    );
    const accepts = await this.filter();
    const output = await this.openOutput(file.linkType);
    for (const record of file.records) {
      const packet = dissect(record.bytes, file.linkType, record.lengthBytes);
      if (!accepts(packet)) continue;
      this.shown++;
      if (output !== undefined) await output(record);
      else if (!it.options.has('count')) await this.print(packet, record.timeMs);
      if (this.shown >= this.countMax) break;
    }
    if (it.options.has('count')) await it.out.line(`${this.shown} packet${this.shown === 1 ? '' : 's'}`);
    return 0;
  }

  async live(): Promise<number> {
    const { it, proc } = this;
    const { options } = it;
    const links = proc.net.links.list();
    const wanted =
      options.value('i') ?? links.find((link) => link.isUp && link.kind !== 'loopback')?.name ?? 'lo';
    const link = wanted === 'any' ? undefined : (proc.net.links.get(wanted) ?? this.byNumber(wanted));
    if (link === undefined && wanted !== 'any') {
      await proc.stderr.write(`tcpdump: ${wanted}: No such device exists\n(No such device exists)\n`);
      return 1;
    }
    if (!proc.can('NET_RAW')) {
      await proc.stderr.write(
        `tcpdump: ${wanted}: You don't have permission to perform this capture on that device\n(socket: Operation not permitted)\n`,
      );
      return 1;
    }
    if (link !== undefined && !link.isUp) throw new Failure(`${wanted}: That device is not up`);
    const linkType =
      link === undefined ? LINKTYPE_LINUX_SLL2 : link.kind === 'ipip' ? LINKTYPE_RAW : LINKTYPE_ETHERNET;
    const accepts = await this.filter();
    const snapshotBytes = Number(options.value('s') ?? 0) || SNAPSHOT_BYTES;
    const output = await this.openOutput(linkType, snapshotBytes);
    const isQuiet = output === undefined && !options.has('v');
    await proc.stderr.write(
      `${link === undefined ? 'tcpdump: data link type LINUX_SLL2\n' : ''}${isQuiet ? 'tcpdump: verbose output suppressed, use -v[v]... for full protocol decode\n' : 'tcpdump: '}listening on ${wanted}, link-type ${linkTypeText(linkType)}, snapshot length ${snapshotBytes} bytes\n`,
    );
    const direction = options.value('Q') ?? 'inout';
    const queue: PcapRecord[] = [];
    let [received, dropped] = [0, 0];
    let interrupted = false;
    let wake: (() => void) | undefined;
    using tap = proc.net.capture.open(link, (captured) => {
      if (direction !== 'inout' && captured.direction !== direction) return;
      const bytes = capturedBytes(captured, linkType);
      if (!accepts(dissect(bytes, linkType))) return;
      received++;
      if (queue.length >= QUEUE_MAX) dropped++;
      else
        queue.push({
          timeMs: captured.timeMs,
          bytes: bytes.subarray(0, snapshotBytes),
          lengthBytes: bytes.length,
        });
      wake?.();
    });
    void tap;
    const stop = (): void => {
      interrupted = true;
      wake?.();
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) proc.onSignal(signal, stop);
    while (!interrupted && this.shown < this.countMax) {
      const record = queue.shift();
      if (record === undefined) {
        // Differs: what is there is printed at once, as with -l, also into a pipe.
        await it.out.flush();
        await this.wait(
          (resolve) => (wake = resolve),
          () => queue.length > 0 || interrupted,
        );
        continue;
      }
      this.shown++;
      if (output === undefined)
        await this.print(dissect(record.bytes, linkType, record.lengthBytes), record.timeMs);
      else await output(record);
    }
    if (interrupted) await it.out.put('\n');
    await it.out.flush();
    const plural = (number: number): string => `${number} packet${number === 1 ? '' : 's'}`;
    await proc.stderr.write(
      `${plural(this.shown)} captured\n${plural(received)} received by filter\n${plural(dropped)} dropped by kernel\n`,
    );
    return 0;
  }

  private async wait(onWake: (resolve: () => void) => void, isReady: () => boolean): Promise<void> {
    if (isReady()) return;
    try {
      await this.proc.interruptible(new Promise<void>((resolve) => onWake(resolve)));
    } catch (error) {
      if (!(error instanceof ErrnoError) || error.code !== 'EINTR') throw error;
    }
  }

  /** `-i 2`: by its place in the list of -D. */
  private byNumber(text: string): Link | undefined {
    if (!/^\d+$/.test(text)) return undefined;
    const links = this.proc.net.links.list();
    return links.filter((link) => link.isUp && link.kind !== 'loopback')[Number(text) - 1];
  }

  /** Where -w writes; undefined without it. */
  private async openOutput(
    linkType: number,
    snapshotBytes = SNAPSHOT_BYTES,
  ): Promise<((record: PcapRecord) => Promise<void>) | undefined> {
    const path = this.it.options.value('w');
    if (path === undefined) return undefined;
    let file = this.proc.stdout;
    if (path !== '-') {
      try {
        file = this.proc.fs.open(path, { write: true, create: true, truncate: true });
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        throw new Failure(`${path}: ${error.message}`);
      }
    }
    await file.write(pcapHead(linkType, snapshotBytes));
    return (record) => file.write(pcapRecord(record));
  }

  private async print(packet: Dissected, timeMs: number): Promise<void> {
    const { options, out } = this.it;
    if (!this.numeric) await this.resolve(packet);
    const number = options.has('#') ? `${String(this.shown).padStart(5)}  ` : '';
    let text = `${number}${this.time(timeMs)}${this.printer.text(packet)}`;
    const letters = options.list.map((option) => option.name);
    const twice = (letter: string): boolean => letters.filter((each) => each === letter).length > 1;
    const withLink = twice('x') || twice('X');
    const bytes = packet.bytes.subarray(withLink ? 0 : packet.networkAt);
    if (options.has('A')) text += `\n${asciiText(twice('A') ? packet.bytes : bytes)}`;
    else if (options.has('X') || options.has('x')) text += hexRows(bytes, options.has('X'));
    await out.line(text);
  }

  /** Names of both ends, by /etc/hosts and DNS. */
  private async resolve({ ip, arp }: Dissected): Promise<void> {
    const addresses = [ip?.source, ip?.destination, arp?.senderIp, arp?.targetIp];
    for (const address of addresses) {
      if (address === undefined || this.names.has(address)) continue;
      this.names.set(address, address);
      const name = await reverseLookup(this.proc, address);
      if (name !== undefined) this.names.set(address, name.replace(/\.$/, ''));
    }
  }

  private time(timeMs: number): string {
    const microseconds = Math.floor(timeMs * 1000);
    const fraction = (value: number): string => String(value % 1e6).padStart(6, '0');
    const zone = zoneOf(this.proc);
    const level = this.it.options.count('t');
    const since = (startMs: number): string => {
      const passed = microseconds - Math.floor(startMs * 1000);
      return ` ${strftime('%T', passed / 1000, UTC)}.${fraction(passed)} `;
    };
    this.firstMs ??= timeMs;
    const previous = this.previousMs ?? timeMs;
    this.previousMs = timeMs;
    if (level === 1) return '';
    if (level === 2) return `${Math.floor(microseconds / 1e6)}.${fraction(microseconds)} `;
    if (level === 3) return since(previous);
    if (level === 4) return `${strftime('%F %T', timeMs, zone)}.${fraction(microseconds)} `;
    if (level >= 5) return since(this.firstMs);
    return `${strftime('%T', timeMs, zone)}.${fraction(microseconds)} `;
  }
}
