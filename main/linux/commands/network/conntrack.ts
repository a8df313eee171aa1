// conntrack(8) and ipset(8)
import {
  IpSetError,
  type ConntrackEntry,
  type ConntrackTuple,
  type IpSet,
  type IpSetType,
} from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';

function tupleText(entry: ConntrackEntry, tuple: ConntrackTuple, counted: boolean): string {
  const ends = `src=${tuple.source} dst=${tuple.destination}`;
  const inner =
    tuple.icmp === undefined
      ? entry.protocol === 'unknown'
        ? ''
        : ` sport=${tuple.sourcePort} dport=${tuple.destinationPort}`
      : ` type=${tuple.icmp.type} code=${tuple.icmp.code} id=${tuple.icmp.id}`;
  return `${ends}${inner}${counted ? ` packets=${tuple.packets} bytes=${tuple.bytes}` : ''}`;
}

function entryText(it: Invocation, entry: ConntrackEntry): string {
  const counted = it.proc.net.sysctls.get('net.netfilter.nf_conntrack_acct') === '1';
  const state = entry.state === undefined ? '' : `${entry.state} `;
  const timeout = Math.max(0, Math.floor(entry.timeoutSeconds));
  return `${entry.protocol.padEnd(8)} ${entry.protocolNumber} ${timeout} ${state}${tupleText(entry, entry.original, counted)} ${entry.isSeenReply ? '' : '[UNREPLIED] '}${tupleText(entry, entry.reply, counted)} ${entry.isAssured ? '[ASSURED] ' : ''}mark=${entry.mark} use=1`;
}

/** conntrack(8): -L, -E, -D, -F, -C, -S with the usual filters. */
export const conntrack: Program = command(
  {
    short: 'LEDFCSGIUp:s:d:r:q:f:m:o:e:nzjg',
    long: [
      'dump>L',
      'event>E',
      'delete>D',
      'flush>F',
      'count>C',
      'stats>S',
      'proto:>p',
      'orig-src:>s',
      'src:>s',
      'orig-dst:>d',
      'dst:>d',
      'reply-src:>r',
      'reply-dst:>q',
      'family:>f',
      'mark:>m',
      'output:>o',
      'sport:',
      'orig-port-src:>sport',
      'dport:',
      'orig-port-dst:>dport',
      'state:',
      'src-nat>n',
      'dst-nat>g',
      'any-nat>j',
      'status:',
      'reply-port-src:',
      'reply-port-dst:',
    ],
    usage: '[commands] [options]',
    usageExit: 2,
    version: 'v1.4.7 (conntrack-tools)',
  },
  async (it) => {
    const { options, proc } = it;
    if (!proc.can('NET_ADMIN'))
      throw new Failure('v1.4.7 (conntrack-tools): Operation failed: Operation not permitted', 1);
    const table = proc.net.conntrack;
    const matches = (entry: ConntrackEntry): boolean => {
      const { original, reply } = entry;
      const same = (letter: string, value: string | number): boolean =>
        options.value(letter) === undefined || options.value(letter) === String(value);
      return (
        same('p', entry.protocol) &&
        same('s', original.source) &&
        same('d', original.destination) &&
        same('r', reply.source) &&
        same('q', reply.destination) &&
        same('sport', original.sourcePort) &&
        same('dport', original.destinationPort) &&
        (options.value('state') === undefined || entry.state === options.value('state')!.toUpperCase()) &&
        (!options.has('n') || entry.isSourceNat) &&
        (!options.has('g') || entry.isDestinationNat) &&
        (!options.has('j') || entry.isSourceNat || entry.isDestinationNat) &&
        (options.value('m') === undefined || Number(options.value('m')) === entry.mark)
      );
    };
    const report = async (count: number, what: string): Promise<void> => {
      await it.out.flush();
      await proc.stderr.write(
        `conntrack v1.4.7 (conntrack-tools): ${count} flow entries have been ${what}.\n`,
      );
    };
    if (options.has('E')) {
      const queue: string[] = [];
      let wake: (() => void) | undefined;
      using events = table.onEvent((event) => {
        if (!matches(event.entry)) return;
        queue.push(
          ` ${`[${event.kind}]`.padStart(9)} ${entryText(it, event.entry).replace(/ use=1$/, '')}\n`,
        );
        wake?.();
      });
      void events;
      for (;;) {
        while (queue.length > 0) await proc.stdout.write(queue.shift()!);
        await proc.interruptible(
          new Promise<void>((resolve) => {
            wake = resolve;
          }),
        );
      }
    }
    if (options.has('C')) return void (await it.out.line(String(table.count)));
    if (options.has('S')) {
      const { stats } = table;
      await it.out.line(
        `cpu=0   \tfound=${stats.found} invalid=${stats.invalid} insert=${stats.insert} insert_failed=${stats.insertFailed} drop=${stats.drop} early_drop=${stats.earlyDrop} error=${stats.error} search_restart=${stats.searchRestart} `,
      );
      return undefined;
    }
    if (options.has('F')) {
      table.flush();
      await proc.stderr.write(
        'conntrack v1.4.7 (conntrack-tools): connection tracking table has been emptied.\n',
      );
      return undefined;
    }
    if (options.has('D')) {
      const gone = table.delete(matches);
      for (const entry of gone) await it.out.line(entryText(it, entry));
      await report(gone.length, 'deleted');
      return gone.length > 0 ? 0 : 1;
    }
    const shown = table.list().filter(matches);
    for (const entry of shown) await it.out.line(entryText(it, entry));
    await report(shown.length, 'shown');
    return undefined;
  },
);

function setText(set: IpSet, terse: boolean): string {
  const { options } = set;
  const header =
    String(set.type) === 'bitmap:port'
      ? `range ${options.range?.[0] ?? 0}-${options.range?.[1] ?? 65_535}`
      : String(set.type) === 'list:set'
        ? 'size 8'
        : `family ${options.family ?? 'inet'} hashsize ${options.hashSize ?? 1024} maxelem ${options.maxElements ?? 65_536}`;
  const extra = `${options.timeoutSeconds === undefined ? '' : ` timeout ${options.timeoutSeconds}`}${options.counters === true ? ' counters' : ''}${options.comment === true ? ' comment' : ''}`;
  const members = set.list();
  const rows = members
    .map(
      (member) =>
        `${member.text}${member.timeoutSeconds === undefined ? '' : ` timeout ${Math.floor(member.timeoutSeconds)}`}${member.comment === undefined ? '' : ` comment "${member.comment}"`}\n`,
    )
    .join('');
  return `Name: ${set.name}\nType: ${set.type}\nRevision: ${set.revision}\nHeader: ${header}${extra}\nSize in memory: ${set.sizeBytes}\nReferences: ${set.references}\nNumber of entries: ${members.length}\n${terse ? '' : `Members:\n${rows}`}`;
}

/** ipset(8) */
export const ipset: Program = command(
  {
    short: 'LlnNXFAaDdTtSEWRsqro:f:!',
    long: [
      'list>L',
      'name>n',
      'create>N',
      'destroy>X',
      'flush>F',
      'add>A',
      'del>D',
      'test>T',
      'save>S',
      'restore>R',
      'rename>E',
      'swap>W',
      'exist>!',
      'sorted>s',
      'quiet>q',
      'terse>t',
      'output:>o',
      'file:>f',
    ],
    permute: true,
    usage: '[options] COMMAND',
    version: 'v7.17, protocol version: 7',
    prepare: (args) =>
      args.flatMap((arg) =>
        arg === '-exist' ? ['--exist'] : arg === '-terse' ? ['--terse'] : arg === '-q' ? ['--quiet'] : [arg],
      ),
  },
  async (it) => {
    const { proc, options } = it;
    const sets = proc.net.ipsets;
    const flags: Readonly<Record<string, string>> = {
      L: 'list',
      N: 'create',
      X: 'destroy',
      F: 'flush',
      A: 'add',
      D: 'del',
      T: 'test',
      S: 'save',
      R: 'restore',
      E: 'rename',
      W: 'swap',
    };
    const flag = options.last(...Object.keys(flags));
    const operands = flag === undefined ? [...it.operands] : [flags[flag]!, ...it.operands];
    const [verb = '', name = '', ...rest] = operands;
    const exist = options.has('!');
    const value = (key: string): string | undefined =>
      rest.includes(key) ? rest[rest.indexOf(key) + 1] : undefined;
    try {
      if (!proc.can('NET_ADMIN')) throw new Failure('Kernel error received: Operation not permitted', 1);
      const need = (): IpSet => {
        const set = sets.get(name);
        if (set === undefined) throw new IpSetError('no-set', 'The set with the given name does not exist');
        return set;
      };
      switch (verb) {
        case 'list':
        case '-L': {
          const chosen = name === '' ? sets.list() : [need()];
          if (options.has('n')) for (const set of chosen) await it.out.line(set.name);
          else await it.out.put(chosen.map((set) => setText(set, options.has('t'))).join('\n'));
          return 0;
        }
        case 'create': {
          const [type] = rest;
          const timeout = value('timeout');
          const range = value('range')?.split('-').map(Number);
          sets.create(name, type as IpSetType, {
            exist,
            ...(value('family') === undefined ? {} : { family: value('family') as 'inet' }),
            ...(value('hashsize') === undefined ? {} : { hashSize: Number(value('hashsize')) }),
            ...(value('maxelem') === undefined ? {} : { maxElements: Number(value('maxelem')) }),
            ...(timeout === undefined ? {} : { timeoutSeconds: Number(timeout) }),
            ...(range === undefined ? {} : { range: [range[0]!, range[1] ?? range[0]!] as const }),
            ...(rest.includes('counters') ? { counters: true } : {}),
            ...(rest.includes('comment') ? { comment: true } : {}),
          });
          return 0;
        }
        case 'destroy':
          if (name === '') for (const set of sets.list()) sets.destroy(set.name);
          else sets.destroy(name);
          return 0;
        case 'flush':
          if (name === '') for (const set of sets.list()) set.flush();
          else need().flush();
          return 0;
        case 'add': {
          const [timeout, comment] = [value('timeout'), value('comment')];
          need().add(rest[0] ?? '', {
            exist,
            ...(timeout === undefined ? {} : { timeoutSeconds: Number(timeout) }),
            ...(comment === undefined ? {} : { comment }),
          });
          return 0;
        }
        case 'del':
          need().delete(rest[0] ?? '', { exist });
          return 0;
        case 'test': {
          const found = need().test(rest[0] ?? '');
          await proc.stderr.write(
            found ? `${rest[0]} is in set ${name}.\n` : `${rest[0]} is NOT in set ${name}.\n`,
          );
          return found ? 0 : 1;
        }
        case 'save':
          await it.out.put(sets.save(name === '' ? undefined : name));
          return 0;
        case 'restore':
          sets.restore(await proc.stdin.readText(), { exist });
          return 0;
        case 'rename':
          sets.rename(name, rest[0] ?? '');
          return 0;
        case 'swap':
          sets.swap(name, rest[0] ?? '');
          return 0;
        case 'version':
          await it.out.line('ipset v7.17, protocol version: 7');
          return 0;
        case '':
          throw new IpSetError('syntax', 'No command specified.');
        default:
          throw new IpSetError('syntax', `No command specified: unknown argument ${verb}`);
      }
    } catch (error) {
      if (!(error instanceof IpSetError)) throw error;
      await it.out.flush();
      if (!options.has('q')) await proc.stderr.write(`ipset v7.17: ${error.message}\n`);
      return 1;
    }
  },
);
