// nslookup(1), BIND's and busybox's, and host(1).
import type { Answer } from 'dns-packet';

import { ErrnoError, parseIpv4 } from '../../../network/index.ts';
import type { Process, Program } from '../../kernel/index.ts';
import { dialectOf } from '../frame/command.ts';
import { Output } from '../frame/output.ts';
import { dotted, recordData } from './dns-text.ts';
import {
  isRecordType,
  lookupHost,
  queryOnce,
  readResolvConf,
  searchCandidates,
  type DnsReply,
} from '../../libc/index.ts';

type Outcome = DnsReply | { readonly problem: string };

async function ask(
  proc: Process,
  name: string,
  type: string,
  servers: readonly string[],
  options: {
    port?: number;
    timeoutMs?: number;
    tries?: number;
    onProblem?: (text: string) => Promise<void>;
  } = {},
): Promise<Outcome> {
  const { port = 53, timeoutMs = 5000, tries = 3 } = options;
  let problem = 'timed out';
  for (let attempt = 0; attempt < tries; attempt++) {
    for (const server of servers) {
      try {
        const reply = await queryOnce(proc, { name, type, server, port, timeoutMs });
        if (reply !== undefined) return reply;
        problem = 'timed out';
      } catch (error) {
        if (!(error instanceof ErrnoError) || error.code === 'EINTR') throw error;
        problem =
          error.code === 'ECONNREFUSED'
            ? 'connection refused'
            : error.code === 'EHOSTUNREACH'
              ? 'host unreachable'
              : error.code === 'ENETUNREACH'
                ? 'network unreachable'
                : error.message.toLowerCase();
      }
      await options.onProblem?.(`;; communications error to ${server}#${port}: ${problem}`);
    }
  }
  return { problem };
}

function reverseName(address: string): string {
  return `${address.split('.').toReversed().join('.')}.in-addr.arpa`;
}

async function serverAddresses(
  proc: Process,
  server: string | undefined,
): Promise<readonly string[] | undefined> {
  if (server === undefined) return readResolvConf(proc).nameservers;
  if (parseIpv4(server) !== undefined) return [server];
  const found = await lookupHost(proc, server);
  return found.addresses.length > 0 ? found.addresses : undefined;
}

/** nslookup(1) without its interactive mode. */
export const nslookup: Program = async (proc) => (dialectOf(proc) === 'busybox' ? busybox(proc) : bind(proc));

async function bind(proc: Process): Promise<number> {
  const out = new Output(proc, proc.stdout);
  let type: string | undefined;
  let [port, timeoutMs, tries] = [53, 5000, 3];
  const words: string[] = [];
  for (const arg of proc.argv.slice(1)) {
    if (!arg.startsWith('-') || arg === '-') words.push(arg);
    else {
      const [key = '', value = ''] = arg.slice(1).split('=', 2);
      if (/^(?:type|ty|q|querytype|query)$/.test(key)) type = value.toUpperCase();
      else if (key === 'port') port = Number(value);
      else if (key === 'timeout') timeoutMs = Number(value) * 1000;
      else if (key === 'retry') tries = Math.max(1, Number(value));
      else if (key === 'version') {
        await proc.stdout.write('nslookup 9.18.49-1~deb12u3-Debian\n');
        return 0;
      } else if (!/^(?:no)?(?:debug|search|recurse|vc|fail|all)$/.test(key))
        await out.line(`*** Invalid option: ${key}`);
    }
  }
  const [name, server] = words;
  if (name === undefined || name === '-') {
    await proc.stderr.write("drydock: nslookup's interactive mode isn't simulated\n");
    return 1;
  }
  if (type !== undefined && !isRecordType(type)) {
    await out.line(`unknown query type: ${type}`);
    type = undefined;
  }
  const servers = await serverAddresses(proc, server);
  if (servers === undefined) {
    await proc.stderr.write(`nslookup: couldn't get address for '${server}': not found\n`);
    return 1;
  }
  const conf = readResolvConf(proc);
  const reverse = parseIpv4(name) !== undefined && (type === undefined || type === 'PTR');
  const first = reverse ? 'PTR' : (type ?? 'A');
  const candidates = reverse ? [reverseName(name)] : searchCandidates(conf, name);
  const header = async (used: string): Promise<void> => {
    if (!reverse) await out.put(`Server:\t\t${server ?? used}\nAddress:\t${used}#${port}\n\n`);
  };
  let reply: DnsReply | undefined;
  for (const candidate of candidates) {
    const outcome = await ask(proc, candidate, first, servers, {
      port,
      timeoutMs,
      tries,
      onProblem: async (text) => void (await out.line(text)),
    });
    if ('problem' in outcome) {
      await out.put(';; no servers could be reached\n\n');
      await out.flush();
      return 1;
    }
    reply = outcome;
    if (!outcome.packet.flag_ra) await out.line(`;; Got recursion not available from ${outcome.server}`);
    if (outcome.rcode === 'SERVFAIL') await out.line(`;; Got SERVFAIL reply from ${outcome.server}`);
    if (outcome.rcode !== 'NXDOMAIN' && outcome.rcode !== 'SERVFAIL') break;
  }
  await header(reply!.server);
  if (reply!.rcode !== 'NOERROR') {
    await out.put(
      `** server can't find ${reverse ? reverseName(name) : reply!.rcode === 'NXDOMAIN' && candidates.length > 1 ? name : name.replace(/\.$/, '')}: ${reply!.rcode}\n\n`,
    );
    await out.flush();
    return 1;
  }
  if (!reply!.packet.flag_aa && !reverse) await out.line('Non-authoritative answer:');
  const asked = reply!.packet.questions?.[0]?.name ?? name;
  await records(out, reply!.answers);
  let any = reply!.answers.length > 0;
  if (type === undefined && !reverse) {
    const six = await ask(proc, asked, 'AAAA', servers, { port, timeoutMs, tries });
    if (!('problem' in six)) {
      if (!six.packet.flag_ra && !reply!.answers.some((answer) => answer.type === 'CNAME'))
        await out.line(`;; Got recursion not available from ${six.server}`);
      await records(
        out,
        six.answers.filter((answer) => answer.type === 'AAAA'),
      );
      any ||= six.answers.length > 0;
    }
  }
  if (!any) await out.line(`*** Can't find ${name}: No answer`);
  await out.put('\n');
  await out.flush();
  return 0;
}

async function records(out: Output, answers: readonly Answer[]): Promise<void> {
  for (const answer of answers) {
    const name = answer.name;
    switch (answer.type) {
      case 'A':
      case 'AAAA':
        await out.put(`Name:\t${name}\nAddress: ${answer.data}\n`);
        break;
      case 'CNAME':
        await out.line(`${name}\tcanonical name = ${dotted(answer.data)}`);
        break;
      case 'PTR':
        await out.line(`${name}\tname = ${dotted(answer.data)}`);
        break;
      case 'MX':
        await out.line(`${name}\tmail exchanger = ${recordData(answer)}`);
        break;
      case 'NS':
        await out.line(`${name}\tnameserver = ${dotted(answer.data)}`);
        break;
      case 'TXT':
        await out.line(`${name}\ttext = ${recordData(answer)}`);
        break;
      case 'SRV':
        await out.line(`${name}\tservice = ${recordData(answer)}`);
        break;
      case 'SOA': {
        const { mname, rname, serial, refresh, retry, expire, minimum } = answer.data;
        await out.put(
          `${name}\n\torigin = ${mname}\n\tmail addr = ${rname}\n\tserial = ${serial}\n\trefresh = ${refresh}\n\tretry = ${retry}\n\texpire = ${expire}\n\tminimum = ${minimum}\n`,
        );
        break;
      }
      default:
        await out.line(`${name}\trdata_${answer.type} = ${recordData(answer)}`);
    }
  }
}

async function busybox(proc: Process): Promise<number> {
  const out = new Output(proc, proc.stdout);
  const types = proc.argv
    .slice(1)
    .filter((arg) => /^-(?:type|querytype|q)=/.test(arg))
    .map((arg) => arg.slice(arg.indexOf('=') + 1).toUpperCase());
  const [name, server] = proc.argv.slice(1).filter((arg) => !arg.startsWith('-'));
  if (name === undefined) {
    await proc.stderr.write(
      'BusyBox v1.36.1 (2024-05-14 09:12:33 UTC) multi-call binary.\n\nUsage: nslookup [-type=QUERY_TYPE] [-debug] HOST [DNS_SERVER]\n\nQuery DNS about HOST\n\nQUERY_TYPE: soa,ns,a,aaaa,cname,mx,txt,ptr,srv,any\n',
    );
    return 1;
  }
  const servers = await serverAddresses(proc, server);
  if (servers === undefined) {
    await proc.stderr.write(`nslookup: bad address '${server}'\n`);
    return 1;
  }
  const conf = readResolvConf(proc);
  const reverse = parseIpv4(name) !== undefined;
  // Like musl's tools: with a dot the search list isn't used.
  const candidates = reverse
    ? [reverseName(name)]
    : name.includes('.') || conf.search.length === 0
      ? [name.replace(/\.$/, '')]
      : conf.search.map((domain) => `${name}.${domain.replace(/\.$/, '')}`);
  const wanted = types.length > 0 ? types : reverse ? ['PTR'] : ['A', 'AAAA'];
  const outcomes: Outcome[] = [];
  for (const type of wanted)
    for (const candidate of candidates)
      outcomes.push(
        await ask(proc, candidate, type, servers, { timeoutMs: conf.timeoutMs, tries: conf.attempts }),
      );
  if (outcomes.every((outcome) => 'problem' in outcome)) {
    const refused = outcomes.some(
      (outcome) => 'problem' in outcome && outcome.problem === 'connection refused',
    );
    await out.put(
      refused
        ? `nslookup: read: Connection refused\n;; connection timed out; no servers could be reached\n\n`
        : ';; connection timed out; no servers could be reached\n\n',
    );
    await out.flush();
    return 1;
  }
  const used = outcomes.find((outcome) => !('problem' in outcome)) as DnsReply;
  await out.put(`Server:\t\t${server ?? used.server}\nAddress:\t${used.server}:53\n\n`);
  let failed = false;
  let index = 0;
  for (let t = 0; t < wanted.length; t++) {
    for (const candidate of candidates) {
      const outcome = outcomes[index++]!;
      if ('problem' in outcome) continue;
      if (outcome.rcode !== 'NOERROR') {
        failed = true;
        await out.put(`** server can't find ${candidate}: ${outcome.rcode}\n\n`);
        continue;
      }
      if (!outcome.packet.flag_aa) await out.line('Non-authoritative answer:');
      for (const answer of outcome.answers) {
        switch (answer.type) {
          case 'A':
          case 'AAAA':
            await out.put(`Name:\t${answer.name}\nAddress: ${answer.data}\n`);
            break;
          case 'CNAME':
            await out.line(`${answer.name}\tcanonical name = ${answer.data}`);
            break;
          case 'PTR':
            await out.line(`${answer.name}\tname = ${answer.data}`);
            break;
          case 'MX':
            await out.line(
              `${answer.name}\tmail exchanger = ${answer.data.preference} ${answer.data.exchange}`,
            );
            break;
          case 'NS':
            await out.line(`${answer.name}\tnameserver = ${answer.data}`);
            break;
          case 'SRV':
            await out.line(`${answer.name}\tservice = ${recordData(answer).replace(/\.$/, '')}`);
            break;
          case 'TXT':
            await out.line(`${answer.name}\ttext = ${recordData(answer)}`);
            break;
          default:
            await out.line(`${answer.name}\t${answer.type} = ${recordData(answer)}`);
        }
      }
      await out.put('\n');
    }
  }
  await out.flush();
  return failed ? 1 : 0;
}

/** host(1) */
export const host: Program = async (proc) => {
  const out = new Output(proc, proc.stdout);
  const words: string[] = [];
  let type: string | undefined;
  let [timeoutMs, tries] = [5000, 2];
  const args = proc.argv.slice(1);
  while (args.length > 0) {
    const arg = args.shift()!;
    if (arg === '-t') type = args.shift()?.toUpperCase();
    else if (arg === '-W') timeoutMs = Number(args.shift()) * 1000;
    else if (arg === '-R') tries = Number(args.shift());
    else if (/^-[cmNpT46adlrsvwCU]/.test(arg)) continue;
    else words.push(arg);
  }
  const [name, server] = words;
  if (name === undefined) {
    await proc.stderr.write(
      'Usage: host [-aCdilrTvVw] [-c class] [-N ndots] [-t type] [-W time]\n            [-R number] [-m flag] [-p port] hostname [server]\n',
    );
    return 1;
  }
  const servers = await serverAddresses(proc, server);
  if (servers === undefined) {
    await proc.stderr.write(`host: couldn't get address for '${server}': not found\n`);
    return 1;
  }
  const reverse = parseIpv4(name) !== undefined;
  const candidates = reverse ? [reverseName(name)] : searchCandidates(readResolvConf(proc), name);
  let reply: DnsReply | undefined;
  for (const candidate of candidates) {
    const outcome = await ask(proc, candidate, reverse ? 'PTR' : (type ?? 'A'), servers, {
      timeoutMs,
      tries,
      onProblem: async (text) => void (await out.line(text)),
    });
    if ('problem' in outcome) {
      await out.line(';; no servers could be reached');
      await out.flush();
      return 1;
    }
    reply = outcome;
    if (outcome.rcode === 'NOERROR') break;
  }
  if (server !== undefined)
    await out.put(`Using domain server:\nName: ${server}\nAddress: ${reply!.server}#53\nAliases: \n\n`);
  if (reply!.rcode !== 'NOERROR') {
    const codes: Readonly<Record<string, number>> = {
      FORMERR: 1,
      SERVFAIL: 2,
      NXDOMAIN: 3,
      NOTIMP: 4,
      REFUSED: 5,
    };
    await out.line(
      `Host ${reverse ? `${reverseName(name)}.` : name} not found: ${codes[reply!.rcode] ?? 2}(${reply!.rcode})`,
    );
    await out.flush();
    return 1;
  }
  const answers = [...reply!.answers];
  const asked = reply!.packet.questions?.[0]?.name ?? name;
  if (type === undefined && !reverse) {
    for (const more of ['AAAA', 'MX']) {
      const outcome = await ask(proc, asked, more, servers, { timeoutMs, tries });
      if (!('problem' in outcome)) answers.push(...outcome.answers.filter((answer) => answer.type === more));
    }
  }
  if (answers.length === 0) await out.line(`${asked} has no ${type ?? 'A'} record`);
  for (const answer of answers) await out.line(hostLine(answer));
  await out.flush();
  return 0;
};

function hostLine(answer: Answer): string {
  switch (answer.type) {
    case 'A':
      return `${answer.name} has address ${answer.data}`;
    case 'AAAA':
      return `${answer.name} has IPv6 address ${answer.data}`;
    case 'CNAME':
      return `${answer.name} is an alias for ${dotted(answer.data)}`;
    case 'PTR':
      return `${answer.name} domain name pointer ${dotted(answer.data)}`;
    case 'MX':
      return `${answer.name} mail is handled by ${recordData(answer)}`;
    case 'NS':
      return `${answer.name} name server ${dotted(answer.data)}`;
    case 'TXT':
      return `${answer.name} descriptive text ${recordData(answer)}`;
    default:
      return `${answer.name} has ${answer.type} record ${recordData(answer)}`;
  }
}
