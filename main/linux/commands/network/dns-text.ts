// DNS messages in the words of BIND's tools: records, flags, tab stops.
import type { Answer, DecodedPacket } from 'dns-packet';

/** A record's data in presentation format. */
export function recordData(answer: Answer): string {
  switch (answer.type) {
    case 'A':
    case 'AAAA':
      return answer.data;
    case 'NS':
    case 'CNAME':
    case 'PTR':
    case 'DNAME':
      return dotted(answer.data);
    case 'MX':
      return `${answer.data.preference ?? 0} ${dotted(answer.data.exchange)}`;
    case 'SRV':
      return `${answer.data.priority ?? 0} ${answer.data.weight ?? 0} ${answer.data.port} ${dotted(answer.data.target)}`;
    case 'TXT': {
      const parts = Array.isArray(answer.data) ? answer.data : [answer.data];
      return parts
        .map(
          (part) =>
            `"${Buffer.from(part as Buffer | string)
              .toString()
              .replaceAll(/["\\]/g, '\\$&')}"`,
        )
        .join(' ');
    }
    case 'SOA': {
      const { mname, rname, serial, refresh, retry, expire, minimum } = answer.data;
      return `${dotted(mname)} ${dotted(rname)} ${serial} ${refresh} ${retry} ${expire} ${minimum}`;
    }
    case 'CAA':
      return `${answer.data.flags} ${answer.data.tag} "${answer.data.value}"`;
    case 'HINFO':
      return `"${answer.data.cpu}" "${answer.data.os}"`;
    default:
      return '\\# 0';
  }
}

export function dotted(name: string): string {
  return name === '.' || name === '' ? '.' : name.endsWith('.') ? name : `${name}.`;
}

/** A line of a record with BIND's tab stops (24, 32, 40, 48 …). */
export function recordLine(answer: Answer): string {
  const ttl = 'ttl' in answer ? (answer.ttl ?? 0) : 0;
  let text = dotted(answer.name);
  let column = text.length;
  const to = (goal: number): void => {
    // At least one blank; tabs only while they land on the column asked for.
    if (column >= goal) {
      text += ' ';
      column++;
      return;
    }
    while (column < goal) {
      const next = Math.min(goal, (Math.floor(column / 8) + 1) * 8);
      text += '\t';
      column = next;
    }
  };
  const put = (word: string): void => {
    text += word;
    column += word.length;
  };
  to(24);
  put(String(ttl));
  to(32);
  put('IN');
  to(40);
  put(answer.type);
  to(48);
  put(recordData(answer));
  return text;
}

/** `;name.	IN	A` */
export function questionLine(name: string, type: string): string {
  let text = `;${dotted(name)}`;
  let column = text.length;
  const to = (goal: number): void => {
    if (column >= goal) {
      text += ' ';
      column++;
      return;
    }
    while (column < goal) {
      text += '\t';
      column = (Math.floor(column / 8) + 1) * 8;
    }
  };
  to(32);
  text += 'IN';
  column += 2;
  to(40);
  return text + type;
}

/** `qr aa rd ra` */
export function flagWords(packet: DecodedPacket): string {
  const flags: [boolean, string][] = [
    [packet.flag_qr, 'qr'],
    [packet.flag_aa, 'aa'],
    [packet.flag_tc, 'tc'],
    [packet.flag_rd, 'rd'],
    [packet.flag_ra, 'ra'],
    [packet.flag_ad, 'ad'],
    [packet.flag_cd, 'cd'],
  ];
  return flags
    .filter(([on]) => on)
    .map(([, word]) => word)
    .join(' ');
}
