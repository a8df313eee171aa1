// The stub resolver of libc: /etc/hosts, then the name servers and search list of /etc/resolv.conf.
import { decode, encode, RECURSION_DESIRED, type Answer, type DecodedPacket } from 'dns-packet';

import { ErrnoError, parseIpv4 } from '../../network/index.ts';
import type { Process } from '../kernel/index.ts';
import { serviceName, servicePort } from './services.ts';

export interface ResolvConf {
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
  readonly ndots: number;
  readonly timeoutMs: number;
  readonly attempts: number;
}

/** resolv.conf(5) with its defaults. */
export function readResolvConf(proc: Process): ResolvConf {
  const text = proc.fs.exists('/etc/resolv.conf') ? proc.fs.readText('/etc/resolv.conf') : '';
  const nameservers: string[] = [];
  let search: string[] = [];
  let [ndots, timeout, attempts] = [1, 5, 2];
  for (const line of text.split('\n')) {
    const [key, ...values] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    if (key === 'nameserver' && values[0] !== undefined && nameservers.length < 3)
      nameservers.push(values[0]);
    else if (key === 'search' || key === 'domain') search = values;
    else if (key === 'options') {
      for (const option of values) {
        const [name, value = ''] = option.split(':');
        if (name === 'ndots') ndots = Number(value);
        else if (name === 'timeout') timeout = Number(value);
        else if (name === 'attempts') attempts = Number(value);
      }
    }
  }
  return {
    nameservers: nameservers.length > 0 ? nameservers : ['127.0.0.1'],
    search,
    ndots,
    timeoutMs: timeout * 1000,
    attempts,
  };
}

export interface HostEntry {
  readonly address: string;
  readonly names: readonly string[];
}

/** hosts(5) */
export function listHosts(proc: Process): HostEntry[] {
  if (!proc.fs.exists('/etc/hosts')) return [];
  return proc.fs
    .readText('/etc/hosts')
    .split('\n')
    .flatMap((line) => {
      const [address, ...names] = line.replace(/#.*$/, '').trim().split(/\s+/);
      return address === undefined || address === '' || names.length === 0 ? [] : [{ address, names }];
    });
}

export interface HostLookup {
  readonly canonicalName: string;
  readonly aliases: readonly string[];
  /** IPv4. */
  readonly addresses: readonly string[];
  /** Why there are none: the name doesn't exist, or nobody answered. */
  readonly failure: 'not-found' | 'temporary' | undefined;
}

/** getaddrinfo(3) for IPv4, as curl, ping and nc use it. */
export async function lookupHost(proc: Process, name: string): Promise<HostLookup> {
  if (parseIpv4(name) !== undefined) {
    const entry = listHosts(proc).find((host) => host.address === name);
    return {
      canonicalName: entry?.names[0] ?? name,
      aliases: entry?.names.slice(1) ?? [],
      addresses: [name],
      failure: undefined,
    };
  }
  const lower = name.toLowerCase().replace(/\.$/, '');
  const entries = listHosts(proc).filter(
    (host) => !host.address.includes(':') && host.names.some((one) => one.toLowerCase() === lower),
  );
  if (entries.length > 0)
    return {
      canonicalName: entries[0]!.names[0]!,
      aliases: entries[0]!.names.slice(1),
      addresses: entries.map((entry) => entry.address),
      failure: undefined,
    };
  if (lower === 'localhost')
    return { canonicalName: 'localhost', aliases: [], addresses: ['127.0.0.1'], failure: undefined };
  if (name === '' || name.length > 253 || /[^\w.-]/.test(name))
    return { canonicalName: name, aliases: [], addresses: [], failure: 'not-found' };
  let temporary = false;
  for (const candidate of searchCandidates(readResolvConf(proc), name)) {
    const answer = await queryServers(proc, candidate, 'A');
    if (answer === undefined) {
      temporary = true;
      break;
    }
    if (answer.rcode !== 'NOERROR') {
      temporary ||= answer.rcode === 'SERVFAIL' || answer.rcode === 'REFUSED';
      continue;
    }
    const addresses = answer.answers.flatMap((one) => (one.type === 'A' ? [one.data] : []));
    if (addresses.length > 0)
      return {
        canonicalName: answer.answers.find((one) => one.type === 'A')!.name,
        aliases: [],
        addresses,
        failure: undefined,
      };
  }
  return { canonicalName: name, aliases: [], addresses: [], failure: temporary ? 'temporary' : 'not-found' };
}

/** The names tried in turn, by ndots and the search list. */
export function searchCandidates(conf: ResolvConf, name: string): string[] {
  if (name.endsWith('.')) return [name];
  const dots = name.split('.').length - 1;
  const searched = conf.search.map((domain) => `${name}.${domain.replace(/\.$/, '')}`);
  return dots >= conf.ndots ? [name, ...searched] : [...searched, name];
}

export type RecordTypeName = Answer['type'];

export interface DnsReply {
  readonly packet: DecodedPacket;
  readonly rcode: string;
  readonly answers: Answer[];
  readonly server: string;
  readonly port: number;
  readonly sizeBytes: number;
  readonly roundTripMs: number;
}

export interface DnsQuery {
  readonly name: string;
  readonly type: string;
  readonly server: string;
  readonly port?: number;
  readonly timeoutMs: number;
  readonly recursion?: boolean;
  readonly tcp?: boolean;
  readonly edns?: {
    readonly udpPayloadSize: number;
    readonly dnssecOk?: boolean;
    readonly cookie?: Uint8Array;
  };
  readonly source?: string;
  readonly authenticated?: boolean;
}

const TYPE_NUMBERS: Readonly<Record<string, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  ANY: 255,
  CAA: 257,
  DS: 43,
  DNSKEY: 48,
  NAPTR: 35,
  HINFO: 13,
  AXFR: 252,
};

/** Whether a word names a record type that can be asked for. */
export function isRecordType(text: string): boolean {
  return text.toUpperCase() in TYPE_NUMBERS;
}

/** Asks one server once. Undefined: no answer in time. Throws ErrnoError (ECONNREFUSED, ENETUNREACH …). */
export async function queryOnce(proc: Process, query: DnsQuery): Promise<DnsReply | undefined> {
  const id = proc.random.integer(65_536);
  const port = query.port ?? 53;
  const bytes = encode({
    type: 'query',
    id,
    flags: (query.recursion === false ? 0 : RECURSION_DESIRED) | (query.authenticated === true ? 0x20 : 0),
    questions: [
      { name: query.name.replace(/\.$/, '') || '.', type: query.type as RecordTypeName, class: 'IN' },
    ],
    additionals:
      query.edns === undefined
        ? []
        : [
            {
              type: 'OPT',
              name: '.',
              udpPayloadSize: query.edns.udpPayloadSize,
              flags: query.edns.dnssecOk === true ? 0x8000 : 0,
              options:
                query.edns.cookie === undefined ? [] : [{ code: 10, data: Buffer.from(query.edns.cookie) }],
            } as never,
          ],
  });
  const from = proc.clock.now();
  const owner = proc.socketOwner;
  const reply =
    query.tcp === true
      ? await overTcp(proc, query, port, bytes, owner)
      : await overUdp(proc, query, port, bytes, owner);
  if (reply === undefined) return undefined;
  const packet = decode(Buffer.from(reply));
  if (packet.flag_tc && query.tcp !== true) return queryOnce(proc, { ...query, tcp: true });
  return {
    packet,
    rcode: rcodeName(packet),
    answers: packet.answers ?? [],
    server: query.server,
    port,
    sizeBytes: reply.length,
    roundTripMs: proc.clock.now() - from,
  };
}

function rcodeName(packet: DecodedPacket): string {
  return (packet as DecodedPacket & { rcode?: string }).rcode ?? 'NOERROR';
}

async function overUdp(
  proc: Process,
  query: DnsQuery,
  port: number,
  bytes: Uint8Array,
  owner: { pid: number; command: string; uid: number },
): Promise<Uint8Array | undefined> {
  using socket = proc.net.sockets.openUdp({
    remote: { address: query.server, port },
    owner,
    ...(query.source === undefined ? {} : { local: { address: query.source } }),
  });
  socket.send(bytes, { address: query.server, port });
  const stop = new AbortController();
  const deadline = proc.clock.now() + query.timeoutMs;
  using timer = proc.clock.after(query.timeoutMs, () => stop.abort(new ErrnoError('ETIMEDOUT')));
  void timer;
  try {
    for (;;) {
      const datagram = await proc.interruptible(socket.receive(stop.signal));
      if (datagram.bytes.length >= 12 && datagram.bytes[0] === bytes[0] && datagram.bytes[1] === bytes[1])
        return datagram.bytes;
      if (proc.clock.now() >= deadline) return undefined;
    }
  } catch (error) {
    if (error instanceof ErrnoError && error.code === 'ETIMEDOUT') return undefined;
    throw error;
  }
}

async function overTcp(
  proc: Process,
  query: DnsQuery,
  port: number,
  bytes: Uint8Array,
  owner: { pid: number; command: string; uid: number },
): Promise<Uint8Array | undefined> {
  const stream = await proc.interruptible(
    proc.net.sockets.connectTcp({ address: query.server, port }, { owner, signal: proc.signal }),
  );
  try {
    const framed = new Uint8Array(bytes.length + 2);
    framed[0] = bytes.length >> 8;
    framed[1] = bytes.length & 0xff;
    framed.set(bytes, 2);
    await proc.interruptible(stream.write(framed));
    let gathered = Buffer.alloc(0);
    for (;;) {
      const chunk = await proc.interruptible(stream.read());
      if (chunk === undefined) return undefined;
      gathered = Buffer.concat([gathered, chunk]);
      if (gathered.length >= 2 && gathered.length >= 2 + gathered.readUInt16BE(0))
        return gathered.subarray(2, 2 + gathered.readUInt16BE(0));
    }
  } finally {
    stream.close();
  }
}

/** Asks the configured servers as libc does, with retries; undefined when nobody answers. */
async function queryServers(proc: Process, name: string, type: string): Promise<DnsReply | undefined> {
  const conf = readResolvConf(proc);
  for (let attempt = 0; attempt < conf.attempts; attempt++) {
    for (const server of conf.nameservers) {
      try {
        const reply = await queryOnce(proc, { name, type, server, timeoutMs: conf.timeoutMs });
        if (reply !== undefined) return reply;
      } catch (error) {
        if (!(error instanceof ErrnoError) || error.code === 'EINTR') throw error; // Another server may answer.
      }
    }
  }
  return undefined;
}

/** A name for an address, from /etc/hosts or a PTR record (getnameinfo(3)). */
export async function reverseLookup(proc: Process, address: string): Promise<string | undefined> {
  const entry = listHosts(proc).find((host) => host.address === address);
  if (entry !== undefined) return entry.names[0];
  const reply = await queryServers(proc, `${address.split('.').toReversed().join('.')}.in-addr.arpa`, 'PTR');
  const pointer = reply?.answers.find((answer) => answer.type === 'PTR');
  return pointer?.type === 'PTR' ? pointer.data : undefined;
}

/** A port by its service's name, or a service's name by its port. */
export function lookupService(key: string): number | undefined;
export function lookupService(key: number): string | undefined;
export function lookupService(key: string | number): string | number | undefined {
  return typeof key === 'number' ? serviceName(key) : servicePort(key);
}
