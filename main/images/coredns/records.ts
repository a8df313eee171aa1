// DNS records as the server's plugins pass them along: names with their dot at the end, to and from the wire's form.
import type { DnsMessage, DnsRecord, DnsReply, DnsResponseCode } from '../../network/dns/index.ts';

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

/** `raw` holds records of types that only pass through. */
export interface ResourceRecord {
  readonly name: string;
  readonly type: string;
  readonly ttl: number;
  readonly data: string | SoaData | SrvData | { readonly raw: DnsRecord };
}

export interface Reply {
  readonly rcode: DnsResponseCode;
  readonly isAuthoritative: boolean;
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  readonly additionals: readonly ResourceRecord[];
  /** A CNAME's target that has still to be looked up. */
  readonly target?: string;
}

export interface Query {
  /** Lower case, with its dot. */
  readonly name: string;
  /** As it was asked, whose letters' case the answer repeats. */
  readonly askedName: string;
  readonly type: string;
}

/** What a message asks. */
export function queryOf(message: DnsMessage): Query {
  const { name = '.', type = 'A' } = message.questions[0] ?? {};
  return { name: withDot(name.toLowerCase()), askedName: withDot(name), type };
}

/** An answer of another server. */
export function replyOf(message: DnsMessage): Reply {
  return {
    rcode: message.code,
    isAuthoritative: message.isAuthoritative,
    answers: message.answers.map(fromWire),
    authorities: message.authorities.map(fromWire),
    additionals: message.additionals.map(fromWire),
  };
}

/** A reply as the server sends it. */
export function wireReply(query: Query, reply: Reply): DnsReply {
  const write = (records: readonly ResourceRecord[]): DnsRecord[] =>
    records.map((record) => toWire(record, query));
  return {
    code: reply.rcode,
    isAuthoritative: reply.isAuthoritative,
    isRecursionAvailable: !reply.isAuthoritative,
    answers: write(reply.answers),
    authorities: write(reply.authorities),
    additionals: write(reply.additionals),
  };
}

function toWire(record: ResourceRecord, query: Query): DnsRecord {
  const name = withoutDot(record.name === query.name ? query.askedName : record.name);
  const { type, ttl, data } = record;
  if (typeof data === 'object' && 'raw' in data) return { ...data.raw, name, ttl } as DnsRecord;
  const value: unknown =
    typeof data === 'string'
      ? type === 'CNAME' || type === 'PTR' || type === 'NS'
        ? withoutDot(data)
        : data
      : 'target' in data
        ? { ...data, target: withoutDot(data.target) }
        : { ...data, mname: withoutDot(data.mname), rname: withoutDot(data.rname) };
  return { name, type, ttl, class: 'IN', data: value } as DnsRecord;
}

function fromWire(record: DnsRecord): ResourceRecord {
  const ttl = 'ttl' in record ? (record.ttl ?? 0) : 0;
  const name = withDot(record.name.toLowerCase());
  if (record.type === 'A' || record.type === 'AAAA')
    return { name, type: record.type, ttl, data: record.data };
  if (record.type === 'CNAME' || record.type === 'PTR' || record.type === 'NS') {
    return { name, type: record.type, ttl, data: withDot(record.data) };
  }
  return { name, type: record.type, ttl, data: { raw: record } };
}

function withDot(name: string): string {
  return name.endsWith('.') ? name : `${name}.`;
}

function withoutDot(name: string): string {
  return name === '.' ? '.' : name.replace(/\.$/, '');
}
