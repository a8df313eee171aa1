// DNS messages as the server's plugins pass them along, and their wire format.
import packet from 'dns-packet';

export interface SoaData {
  readonly mname: string;
  readonly rname: string;
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  readonly minimum: number;
}

export interface SrvData {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

/** Names have their dot at the end. `raw` holds records of types that only pass through. */
export interface ResourceRecord {
  readonly name: string;
  readonly type: string;
  readonly ttl: number;
  readonly data: string | SoaData | SrvData | { readonly raw: unknown };
}

export type Rcode = 'NOERROR' | 'FORMERR' | 'SERVFAIL' | 'NXDOMAIN' | 'NOTIMP' | 'REFUSED';
const RCODES: readonly Rcode[] = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];

export interface Reply {
  readonly rcode: Rcode;
  readonly isAuthoritative: boolean;
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  readonly additionals: readonly ResourceRecord[];
  /** A CNAME's target that has still to be looked up. */
  readonly target?: string;
}

export interface Query {
  readonly id: number;
  /** Lower case, with its dot. */
  readonly name: string;
  /** As it was asked, whose letters' case the answer repeats. */
  readonly askedName: string;
  readonly type: string;
  readonly isRecursive: boolean;
  /** UDP size that the client takes; undefined without EDNS. */
  readonly udpBytesMax: number | undefined;
  readonly wantsDnssec: boolean;
}

const QR = 1 << 15;
const AA = 1 << 10;
const TC = 1 << 9;
const RD = 1 << 8;
const RA = 1 << 7;

/** A query from its bytes; undefined for what isn't one. */
export function decodeQuery(bytes: Uint8Array): Query | undefined {
  let message: packet.DecodedPacket;
  try {
    message = packet.decode(Buffer.from(bytes));
  } catch {
    return undefined; // Not DNS: real servers drop it too.
  }
  const question = message.questions?.[0];
  if (message.type !== 'query' || question === undefined) return undefined;
  const opt = message.additionals?.find(({ type }) => type === 'OPT') as packet.OptAnswer | undefined;
  return {
    id: message.id ?? 0,
    name: withDot(question.name.toLowerCase()),
    askedName: withDot(question.name),
    type: question.type,
    isRecursive: ((message.flags ?? 0) & RD) !== 0,
    udpBytesMax: opt?.udpPayloadSize,
    wantsDnssec: opt?.flag_do === true,
  };
}

/** The bytes of a query to another server. */
export function encodeQuery(id: number, name: string, type: string): Uint8Array {
  return packet.encode({
    type: 'query',
    id,
    flags: RD,
    questions: [{ type: type as packet.RecordType, name: withoutDot(name) }],
  });
}

/** An answer of another server; undefined when it isn't one to `id`. */
export function decodeReply(bytes: Uint8Array, id: number): Reply | undefined {
  let message: packet.DecodedPacket;
  try {
    message = packet.decode(Buffer.from(bytes));
  } catch {
    return undefined; // Garbage from upstream is as good as silence.
  }
  if (message.type !== 'response' || message.id !== id) return undefined;
  const flags = message.flags ?? 0;
  const read = (records: readonly packet.Answer[] | undefined): ResourceRecord[] =>
    (records ?? []).filter(({ type }) => type !== 'OPT').map(fromWire);
  return {
    rcode: RCODES[flags & 15] ?? 'SERVFAIL',
    isAuthoritative: (flags & AA) !== 0,
    answers: read(message.answers),
    authorities: read(message.authorities),
    additionals: read(message.additionals),
  };
}

/** The bytes of an answer, cut down to `bytesMax` (with TC set) when it doesn't fit. */
export function encodeReply(query: Query, reply: Reply, bytesMax: number): Uint8Array {
  const write = (records: readonly ResourceRecord[]): packet.Answer[] =>
    records.map((record) => toWire(record, query));
  const encode = (
    answers: packet.Answer[],
    authorities: packet.Answer[],
    additionals: packet.Answer[],
    truncated: boolean,
  ): Uint8Array => {
    const opt: packet.Answer[] =
      query.udpBytesMax === undefined
        ? []
        : [
            {
              type: 'OPT',
              name: '.',
              udpPayloadSize: query.udpBytesMax,
              extendedRcode: 0,
              ednsVersion: 0,
              flags: 0,
              flag_do: query.wantsDnssec,
              options: [],
            },
          ];
    return packet.encode({
      type: 'response',
      id: query.id,
      flags:
        QR |
        (reply.isAuthoritative ? AA : 0) |
        (truncated ? TC : 0) |
        (query.isRecursive ? RD : 0) |
        (reply.isAuthoritative ? 0 : RA) |
        RCODES.indexOf(reply.rcode),
      questions: [{ type: query.type as packet.RecordType, name: withoutDot(query.askedName) }],
      answers,
      authorities,
      additionals: [...additionals, ...opt],
    });
  };
  const answers = write(reply.answers);
  const whole = encode(answers, write(reply.authorities), write(reply.additionals), false);
  if (whole.length <= bytesMax) return whole;
  for (let count = answers.length; count > 0; count--) {
    const cut = encode(answers.slice(0, count), [], [], count < answers.length);
    if (cut.length <= bytesMax) return cut;
  }
  return encode([], [], [], true);
}

function toWire(record: ResourceRecord, query: Query): packet.Answer {
  const name = withoutDot(record.name === query.name ? query.askedName : record.name);
  const { type, ttl, data } = record;
  if (typeof data === 'object' && 'raw' in data)
    return { ...(data.raw as packet.Answer), name, ttl } as packet.Answer;
  const value: unknown =
    typeof data === 'string'
      ? type === 'CNAME' || type === 'PTR' || type === 'NS'
        ? withoutDot(data)
        : data
      : 'target' in data
        ? { ...data, target: withoutDot(data.target) }
        : { ...data, mname: withoutDot(data.mname), rname: withoutDot(data.rname) };
  return { name, type, ttl, class: 'IN', data: value } as packet.Answer;
}

function fromWire(answer: packet.Answer): ResourceRecord {
  const ttl = 'ttl' in answer ? (answer.ttl ?? 0) : 0;
  const name = withDot(answer.name.toLowerCase());
  if (answer.type === 'A' || answer.type === 'AAAA')
    return { name, type: answer.type, ttl, data: answer.data };
  if (answer.type === 'CNAME' || answer.type === 'PTR' || answer.type === 'NS')
    return { name, type: answer.type, ttl, data: withDot(answer.data) };
  return { name, type: answer.type, ttl, data: { raw: answer } };
}

function withDot(name: string): string {
  return name.endsWith('.') ? name : `${name}.`;
}

function withoutDot(name: string): string {
  return name === '.' ? '.' : name.replace(/\.$/, '');
}
