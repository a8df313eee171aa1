// tcpdump's line about a DNS message.
import { decode, type Answer } from 'dns-packet';

const RESPONSES = ['', ' FormErr', ' ServFail', ' NXDomain', ' NotImp', ' Refused'];
const OPERATIONS = ['', ' inv_q', ' stat', ' op3', ' notify', ' update'];

function dotted(name: string): string {
  return name === '' || name === '.' ? '.' : name.endsWith('.') ? name : `${name}.`;
}

/** TTLs as `30s`, `5m`, `1h30m` (unsigned_relts_print). */
function relativeTime(seconds: number): string {
  if (seconds === 0) return '0s';
  const units = [
    ['w', 604_800],
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
    ['s', 1],
  ] as const;
  let [rest, text] = [seconds, ''];
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text;
}

function record(answer: Answer, verbosity: number): string {
  const name = verbosity > 0 ? ` ${dotted(answer.name)}` : '';
  if (answer.type === 'OPT') return `${name} OPT UDPsize=${answer.udpPayloadSize}`;
  const ttl = verbosity > 1 && 'ttl' in answer ? ` [${relativeTime(answer.ttl ?? 0)}]` : '';
  return `${name}${ttl} ${answer.type}${data(answer, verbosity)}`;
}

function data(answer: Answer, verbosity: number): string {
  switch (answer.type) {
    case 'A':
    case 'AAAA':
      return ` ${answer.data}`;
    case 'NS':
    case 'CNAME':
    case 'PTR':
      return ` ${dotted(answer.data)}`;
    case 'SOA': {
      const { mname, rname, serial, refresh, retry, expire, minimum } = answer.data;
      return verbosity > 0
        ? ` ${dotted(mname)} ${dotted(rname)} ${serial} ${refresh} ${retry} ${expire} ${minimum}`
        : '';
    }
    case 'MX':
      return ` ${dotted(answer.data.exchange)} ${answer.data.preference}`;
    case 'SRV':
      return ` ${dotted(answer.data.target)}:${answer.data.port} ${answer.data.priority} ${answer.data.weight}`;
    case 'TXT': {
      const texts = Array.isArray(answer.data) ? answer.data : [answer.data];
      return texts.map((text) => ` "${String(text)}"`).join('');
    }
    default:
      return '';
  }
}

/** Undefined for bytes that aren't a DNS message. */
export function dnsText(bytes: Buffer, verbosity: number): string | undefined {
  if (bytes.length < 12) return undefined;
  let packet;
  try {
    packet = decode(bytes);
  } catch (error) {
    if (error instanceof Error) return undefined; // Truncated, or something else on this port.
    throw error;
  }
  const flags = bytes.readUInt16BE(2);
  const has = (bit: number): boolean => (flags & bit) !== 0;
  const operation = OPERATIONS[(flags >> 11) & 15] ?? ` op${(flags >> 11) & 15}`;
  const id = bytes.readUInt16BE(0);
  const counts = [4, 6, 8, 10].map((at) => bytes.readUInt16BE(at));
  const [questions = 0, answers = 0, authorities = 0, additionals = 0] = counts;
  const asked = (packet.questions ?? []).map((one) => ` ${one.type}? ${dotted(one.name)}`).join('');
  const count = (number: number, unit: string): string => (number === 0 ? '' : ` [${number}${unit}]`);
  const size = ` (${bytes.length})`;
  if (!has(0x8000))
    return `${id}${operation}${has(0x0100) ? '+' : ''}${has(0x0010) ? '%' : ''}${questions === 1 ? '' : ` [${questions}q]`}${count(answers, 'a')}${count(authorities, 'n')}${count(additionals, 'au')}${asked}${size}`;
  const code = RESPONSES[flags & 15] ?? ` Resp${flags & 15}`;
  const marks = `${has(0x0400) ? '*' : ''}${has(0x0080) ? '' : '-'}${has(0x0200) ? '|' : ''}${has(0x0020) ? '$' : ''}`;
  const section = (title: string, records: readonly Answer[]): string =>
    records.length === 0 ? '' : `${title}${records.map((one) => record(one, verbosity)).join(',')}`;
  const more =
    verbosity > 1
      ? section(' ns:', packet.authorities ?? []) + section(' ar:', packet.additionals ?? [])
      : '';
  return `${id}${operation}${code}${marks}${questions === 1 ? '' : ` [${questions}q]`}${verbosity > 1 ? ` q:${asked}` : ''} ${answers}/${authorities}/${additionals}${section('', packet.answers ?? [])}${more}${size}`;
}
