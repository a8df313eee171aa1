// DNS messages: wire format by dns-packet, with the few things it leaves out.
import dnsPacket, { type Answer, type DecodedPacket, type Question, type RecordType } from 'dns-packet';
import { compressDns } from './compression.ts';

export type DnsRecord = Answer;
export type DnsQuestion = Question;
export type DnsRecordType = RecordType;

export type DnsResponseCode = 'NOERROR' | 'FORMERR' | 'SERVFAIL' | 'NXDOMAIN' | 'NOTIMP' | 'REFUSED';

const RESPONSE_CODES: readonly DnsResponseCode[] = [
  'NOERROR',
  'FORMERR',
  'SERVFAIL',
  'NXDOMAIN',
  'NOTIMP',
  'REFUSED',
];

const FLAG_RESPONSE = 0x8000;
const FLAG_AUTHORITATIVE = 0x0400;
const FLAG_TRUNCATED = 0x0200;
const FLAG_RECURSION_DESIRED = 0x0100;
const FLAG_RECURSION_AVAILABLE = 0x0080;
const FLAG_AUTHENTIC_DATA = 0x0020;

/** What a UDP answer may hold without EDNS (RFC 1035, 4.2.1). */
export const UDP_BYTES_MAX = 512;

/** A message, asked or answered, with its flags taken apart. */
export interface DnsMessage {
  readonly id: number;
  readonly isResponse: boolean;
  readonly code: DnsResponseCode;
  readonly isAuthoritative: boolean;
  readonly isTruncated: boolean;
  readonly isRecursionDesired: boolean;
  readonly isRecursionAvailable: boolean;
  readonly isAuthenticData: boolean;
  readonly questions: readonly DnsQuestion[];
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
  /** EDNS: the largest UDP payload its sender takes; undefined without EDNS. */
  readonly udpPayloadBytes: number | undefined;
}

/** Undefined for what isn't a DNS message. */
export function decodeDns(bytes: Uint8Array): DnsMessage | undefined {
  let packet: DecodedPacket;
  try {
    packet = dnsPacket.decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (error) {
    if (error instanceof Error) return undefined; // dns-packet throws plain Errors and RangeErrors for bad bytes.
    throw error;
  }
  const flags = packet.flags ?? 0;
  const additionals = packet.additionals ?? [];
  const opt = additionals.find((record) => record.type === 'OPT');
  return {
    id: packet.id ?? 0,
    isResponse: packet.type === 'response',
    code: RESPONSE_CODES.find((code) => code === (packet as { rcode?: string }).rcode) ?? 'SERVFAIL',
    isAuthoritative: (flags & FLAG_AUTHORITATIVE) !== 0,
    isTruncated: (flags & FLAG_TRUNCATED) !== 0,
    isRecursionDesired: (flags & FLAG_RECURSION_DESIRED) !== 0,
    isRecursionAvailable: (flags & FLAG_RECURSION_AVAILABLE) !== 0,
    isAuthenticData: (flags & FLAG_AUTHENTIC_DATA) !== 0,
    questions: packet.questions ?? [],
    answers: packet.answers ?? [],
    authorities: packet.authorities ?? [],
    additionals: additionals.filter((record) => record.type !== 'OPT'),
    udpPayloadBytes: opt === undefined ? undefined : opt.udpPayloadSize,
  };
}

export function encodeDns(message: DnsMessage): Uint8Array {
  const flags =
    (message.isResponse ? FLAG_RESPONSE : 0) |
    (message.isAuthoritative ? FLAG_AUTHORITATIVE : 0) |
    (message.isTruncated ? FLAG_TRUNCATED : 0) |
    (message.isRecursionDesired ? FLAG_RECURSION_DESIRED : 0) |
    (message.isRecursionAvailable ? FLAG_RECURSION_AVAILABLE : 0) |
    (message.isAuthenticData ? FLAG_AUTHENTIC_DATA : 0) |
    RESPONSE_CODES.indexOf(message.code);
  const opt: DnsRecord[] =
    message.udpPayloadBytes === undefined
      ? []
      : [
          {
            type: 'OPT',
            name: '.',
            udpPayloadSize: message.udpPayloadBytes,
            extendedRcode: 0,
            ednsVersion: 0,
            flags: 0,
            flag_do: false,
            options: [],
          },
        ];
  const bytes = dnsPacket.encode({
    type: message.isResponse ? 'response' : 'query',
    id: message.id,
    flags,
    questions: [...message.questions],
    answers: [...message.answers],
    authorities: [...message.authorities],
    additionals: [...message.additionals, ...opt],
  });
  return message.isResponse ? compressDns(bytes) : bytes;
}

/** A recursive question. */
export function dnsQuery(
  id: number,
  name: string,
  type: DnsRecordType,
  udpPayloadBytes?: number,
): DnsMessage {
  return {
    id,
    isResponse: false,
    code: 'NOERROR',
    isAuthoritative: false,
    isTruncated: false,
    isRecursionDesired: true,
    isRecursionAvailable: false,
    isAuthenticData: false,
    questions: [{ name: name === '.' ? name : name.replace(/\.$/, ''), type, class: 'IN' }],
    answers: [],
    authorities: [],
    additionals: [],
    udpPayloadBytes,
  };
}

/** What an answer adds to its question; the rest follows from that. */
export interface DnsReply {
  readonly code?: DnsResponseCode;
  readonly answers?: readonly DnsRecord[];
  readonly authorities?: readonly DnsRecord[];
  readonly additionals?: readonly DnsRecord[];
  readonly isAuthoritative?: boolean;
  readonly isRecursionAvailable?: boolean;
}

export function dnsResponse(query: DnsMessage, reply: DnsReply): DnsMessage {
  return {
    ...query,
    isResponse: true,
    isTruncated: false,
    isAuthenticData: false,
    code: reply.code ?? 'NOERROR',
    isAuthoritative: reply.isAuthoritative ?? false,
    isRecursionAvailable: reply.isRecursionAvailable ?? false,
    answers: reply.answers ?? [],
    authorities: reply.authorities ?? [],
    additionals: reply.additionals ?? [],
    udpPayloadBytes: query.udpPayloadBytes === undefined ? undefined : 1232,
  };
}
