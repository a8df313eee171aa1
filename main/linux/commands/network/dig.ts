// dig(1)
import type { Answer } from 'dns-packet';

import { ErrnoError, parseIpv4 } from '../../../network/index.ts';
import type { Process, Program } from '../../kernel/index.ts';
import { Output } from '../frame/output.ts';
import { strftime, zoneOf } from '../frame/time.ts';
import { flagWords, questionLine, recordData, recordLine } from './dns-text.ts';
import {
  isRecordType,
  lookupHost,
  queryOnce,
  readResolvConf,
  searchCandidates,
  type DnsReply,
} from '../../libc/index.ts';

const VERSION = '9.18.49';

interface Query {
  name: string;
  type: string;
  server: string | undefined;
  port: number;
  readonly flags: Map<string, boolean>;
  time: number;
  tries: number;
  ndots: number | undefined;
  bufferSize: number;
}

const ON_BY_DEFAULT = new Set([
  'cmd',
  'comments',
  'question',
  'answer',
  'authority',
  'additional',
  'stats',
  'edns',
  'cookie',
  'recurse',
  'ttlid',
  'cl',
  'header-only',
]);

function isOn(query: Query, flag: string): boolean {
  return query.flags.get(flag) ?? (flag !== 'header-only' && ON_BY_DEFAULT.has(flag));
}

class DigError extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

function parse(args: readonly string[]): { queries: Query[]; servers: number } {
  const make = (from?: Query): Query => ({
    name: '.',
    type: 'A',
    server: from?.server,
    port: from?.port ?? 53,
    flags: new Map(from?.flags),
    time: from?.time ?? 5,
    tries: from?.tries ?? 3,
    ndots: from?.ndots,
    bufferSize: from?.bufferSize ?? 1232,
  });
  const global = make();
  const queries: Query[] = [];
  let pendingType: string | undefined;
  let servers = 0;
  const current = (): Query => queries.at(-1) ?? global;
  const queue = [...args];
  const take = (rest: string, option: string): string => {
    const value = rest !== '' ? rest : queue.shift();
    if (value === undefined) throw new DigError(`Invalid option: ${option}`, 1);
    return value;
  };
  const addName = (name: string, type?: string): void => {
    const query = make(global);
    query.name = name;
    query.type = type ?? pendingType ?? 'A';
    pendingType = undefined;
    queries.push(query);
  };
  while (queue.length > 0) {
    const arg = queue.shift()!;
    if (arg.startsWith('@')) {
      servers++;
      global.server = arg.slice(1);
      for (const query of queries) query.server ??= arg.slice(1);
    } else if (arg.startsWith('+')) plusOption(arg.slice(1), current());
    else if (/^-[a-zA-Z46]/.test(arg)) {
      const [letter, rest] = [arg[1]!, arg.slice(2)];
      if (letter === 't') {
        const type = take(rest, '-t').toUpperCase();
        if (queries.length > 0) current().type = type;
        else pendingType = type;
      } else if (letter === 'c') take(rest, '-c');
      else if (letter === 'p') {
        const port = Number(take(rest, '-p'));
        global.port = port;
        for (const query of queries) query.port = port;
      } else if (letter === 'q') addName(take(rest, '-q'));
      else if (letter === 'x') {
        const address = take(rest, '-x');
        addName(`${address.split('.').toReversed().join('.')}.in-addr.arpa`, 'PTR');
      } else if (letter === 'b' || letter === 'y' || letter === 'k' || letter === 'f') take(rest, arg);
      else if (letter === 'v') throw new DigError(`DiG ${VERSION}-1~deb12u3-Debian`, 0);
      else if (letter === 'h')
        throw new DigError(
          'Usage:  dig [@global-server] [domain] [q-type] [q-class] {q-opt}\n            {global-d-opt} host [@local-server] {local-d-opt}\n            [ host [@local-server] {local-d-opt} [...]]\n\nUse "dig -h" (or "dig -h | more") for complete list of options',
          0,
        );
      else if (!'46mruDi'.includes(letter))
        throw new DigError(
          `Invalid option: ${arg}\nUsage:  dig [@global-server] [domain] [q-type] [q-class] {q-opt}\n            {global-d-opt} host [@local-server] {local-d-opt}\n            [ host [@local-server] {local-d-opt} [...]]\n\nUse "dig -h" (or "dig -h | more") for complete list of options`,
          1,
        );
    } else if (/^(?:IN|CH|HS)$/i.test(arg) && arg.toUpperCase() === 'IN') continue;
    else if (isRecordType(arg) && !arg.includes('.')) {
      if (queries.length > 0 && pendingType === undefined) current().type = arg.toUpperCase();
      else pendingType = arg.toUpperCase();
    } else addName(arg);
  }
  if (queries.length === 0) addName('.', pendingType ?? 'NS');
  for (const query of queries) query.server ??= global.server;
  return { queries, servers };
}

function plusOption(text: string, query: Query): void {
  const on = !text.startsWith('no');
  const [name = '', value] = (on ? text : text.slice(2)).split('=', 2);
  const names = [
    'aaonly',
    'aaflag',
    'additional',
    'adflag',
    'all',
    'answer',
    'authority',
    'besteffort',
    'bufsize',
    'cdflag',
    'class',
    'cl',
    'cmd',
    'comments',
    'cookie',
    'crypto',
    'defname',
    'dnssec',
    'domain',
    'edns',
    'expire',
    'fail',
    'header-only',
    'identify',
    'idnin',
    'idnout',
    'ignore',
    'keepopen',
    'multiline',
    'ndots',
    'nsid',
    'nssearch',
    'onesoa',
    'padding',
    'qr',
    'question',
    'recurse',
    'rdflag',
    'retry',
    'rrcomments',
    'search',
    'short',
    'showsearch',
    'split',
    'stats',
    'subnet',
    'tcp',
    'time',
    'timeout',
    'topdown',
    'trace',
    'tries',
    'ttlid',
    'ttlunits',
    'unknownformat',
    'vc',
    'yaml',
    'zflag',
  ];
  const found = names.includes(name) ? name : names.find((one) => one.startsWith(name));
  if (found === undefined || name === '')
    throw new DigError(
      `Invalid option: +${text}\nUsage:  dig [@global-server] [domain] [q-type] [q-class] {q-opt}\n            {global-d-opt} host [@local-server] {local-d-opt}\n            [ host [@local-server] {local-d-opt} [...]]\n\nUse "dig -h" (or "dig -h | more") for complete list of options`,
      1,
    );
  if (found === 'time' || found === 'timeout') query.time = Math.max(1, Number(value ?? 5));
  else if (found === 'tries') query.tries = Math.max(1, Number(value ?? 3));
  else if (found === 'retry') query.tries = 1 + Number(value ?? 2);
  else if (found === 'ndots') query.ndots = Number(value);
  else if (found === 'bufsize') query.bufferSize = Number(value ?? 1232);
  else if (found === 'all')
    for (const flag of ['question', 'answer', 'authority', 'additional', 'comments', 'stats', 'cmd'])
      query.flags.set(flag, on);
  else if (found === 'short') {
    query.flags.set('short', on);
    if (on)
      for (const flag of ['question', 'authority', 'additional', 'comments', 'stats', 'cmd'])
        query.flags.set(flag, false);
  } else if (found === 'trace' && on) throw new DigError("drydock: dig +trace isn't simulated", 1);
  else query.flags.set({ vc: 'tcp', rdflag: 'recurse', defname: 'search' }[found] ?? found, on);
}

/** dig(1) */
export const dig: Program = async (proc) => {
  const out = new Output(proc, proc.stdout);
  let parsed: { queries: Query[]; servers: number };
  try {
    parsed = parse(proc.argv.slice(1));
  } catch (error) {
    if (!(error instanceof DigError)) throw error;
    await (error.exitCode === 0 ? proc.stdout : proc.stderr).write(`${error.message}\n`);
    return error.exitCode;
  }
  let status = 0;
  const conf = readResolvConf(proc);
  for (const [index, query] of parsed.queries.entries()) {
    if (index === 0 && isOn(query, 'cmd')) {
      await out.put(`\n; <<>> DiG ${VERSION}-1~deb12u3-Debian <<>> ${proc.argv.slice(1).join(' ')}\n`);
      if (query.server !== undefined && proc.argv[1]?.startsWith('@') === true)
        await out.line('; (1 server found)');
      await out.line(';; global options: +cmd');
    }
    status = Math.max(status, await ask(proc, out, query, conf));
    await out.flush();
  }
  return status;
};

async function ask(
  proc: Process,
  out: Output,
  query: Query,
  conf: ReturnType<typeof readResolvConf>,
): Promise<number> {
  let servers = conf.nameservers;
  if (query.server !== undefined) {
    const found =
      parseIpv4(query.server) === undefined
        ? (await lookupHost(proc, query.server)).addresses
        : [query.server];
    if (found.length === 0) {
      await out.flush();
      await proc.stderr.write(`dig: couldn't get address for '${query.server}': not found\n`);
      return 10;
    }
    servers = found;
  }
  const names = isOn(query, 'search')
    ? searchCandidates({ ...conf, ndots: query.ndots ?? conf.ndots }, query.name)
    : [query.name];
  for (const [index, name] of names.entries()) {
    const reply = await exchange(proc, out, query, name, servers);
    if (reply === undefined) return 9;
    if (reply.rcode === 'NXDOMAIN' && index < names.length - 1) continue;
    if (isOn(query, 'short')) for (const answer of reply.answers) await out.line(recordData(answer));
    else await print(proc, out, query, name, reply);
    return 0;
  }
  return 0;
}

async function exchange(
  proc: Process,
  out: Output,
  query: Query,
  name: string,
  servers: readonly string[],
): Promise<DnsReply | undefined> {
  const problems: string[] = [];
  for (let attempt = 0; attempt < query.tries; attempt++) {
    for (const server of servers) {
      try {
        const edns = isOn(query, 'edns')
          ? {
              udpPayloadSize: query.bufferSize,
              dnssecOk: query.flags.get('dnssec') === true,
              ...(isOn(query, 'cookie') ? { cookie: proc.random.bytes(8) } : {}),
            }
          : undefined;
        const reply = await queryOnce(proc, {
          name,
          type: query.type,
          server,
          port: query.port,
          timeoutMs: query.time * 1000,
          recursion: isOn(query, 'recurse'),
          tcp: query.flags.get('tcp') === true,
          ...(edns === undefined ? {} : { edns }),
        });
        if (reply !== undefined) return reply;
        problems.push(`;; communications error to ${server}#${query.port}: timed out`);
      } catch (error) {
        if (!(error instanceof ErrnoError) || error.code === 'EINTR') throw error;
        const text =
          {
            ECONNREFUSED: 'connection refused',
            EHOSTUNREACH: 'host unreachable',
            ENETUNREACH: 'network unreachable',
            ETIMEDOUT: 'timed out',
            ECONNRESET: 'connection reset',
          }[error.code as string] ?? error.message.toLowerCase();
        problems.push(
          query.flags.get('tcp') === true
            ? `;; Connection to ${server}#${query.port}(${server}) for ${name} failed: ${text}.`
            : `;; communications error to ${server}#${query.port}: ${text}`,
        );
      }
      await out.line(problems.at(-1)!);
      await out.flush();
    }
  }
  await out.line(';; no servers could be reached');
  return undefined;
}

async function print(proc: Process, out: Output, query: Query, name: string, reply: DnsReply): Promise<void> {
  const { packet } = reply;
  const comments = isOn(query, 'comments');
  const additionals = packet.additionals ?? [];
  const authorities = packet.authorities ?? [];
  const opt = additionals.find((one) => one.type === 'OPT');
  const sections: readonly (readonly [string, string, readonly Answer[]])[] = [
    ['answer', 'ANSWER', reply.answers],
    ['authority', 'AUTHORITY', authorities],
    ['additional', 'ADDITIONAL', additionals.filter((one) => one.type !== 'OPT')],
  ];
  if (comments) {
    await out.line(';; Got answer:');
    if (/(?:^|\.)local\.?$/.test(name))
      await out.put(
        ';; WARNING: .local is reserved for Multicast DNS\n;; You are currently testing what happens when an mDNS query is leaked to DNS\n',
      );
    await out.put(
      `;; ->>HEADER<<- opcode: QUERY, status: ${reply.rcode}, id: ${packet.id}\n;; flags: ${flagWords(packet)}; QUERY: ${packet.questions?.length ?? 0}, ANSWER: ${reply.answers.length}, AUTHORITY: ${authorities.length}, ADDITIONAL: ${additionals.length}\n`,
    );
    if (packet.flag_rd && !packet.flag_ra)
      await out.line(';; WARNING: recursion requested but not available');
    await out.put('\n');
    if (opt !== undefined && opt.type === 'OPT') {
      const flags = (opt.flags & 0x8000) !== 0 ? ' do' : '';
      await out.put(
        `;; OPT PSEUDOSECTION:\n; EDNS: version: 0, flags:${flags}; udp: ${opt.udpPayloadSize}\n`,
      );
      for (const option of opt.options ?? []) {
        const data = (option as { data?: Uint8Array }).data;
        if (Number(option.code) === 10 && data !== undefined)
          await out.line(
            `; COOKIE: ${Buffer.from(data).toString('hex')}${data.length === 8 ? ' (echoed)' : ' (good)'}`,
          );
      }
    }
  }
  if (isOn(query, 'question')) {
    if (comments) await out.line(';; QUESTION SECTION:');
    for (const question of packet.questions ?? [])
      await out.line(questionLine(question.name === '' ? '.' : question.name, question.type));
    if (comments) await out.put('\n');
  }
  for (const [flag, title, records] of sections) {
    if (!isOn(query, flag) || records.length === 0) continue;
    if (comments) await out.line(`;; ${title} SECTION:`);
    for (const record of records) await out.line(recordLine(record));
    if (comments) await out.put('\n');
  }
  if (isOn(query, 'stats')) {
    const protocol = query.flags.get('tcp') === true ? 'TCP' : 'UDP';
    await out.put(
      `;; Query time: ${Math.floor(reply.roundTripMs)} msec\n;; SERVER: ${reply.server}#${reply.port}(${query.server ?? reply.server}) (${protocol})\n;; WHEN: ${strftime('%a %b %d %H:%M:%S %Z %Y', proc.clock.now(), zoneOf(proc))}\n;; MSG SIZE  rcvd: ${reply.sizeBytes}\n\n`,
    );
  }
}
