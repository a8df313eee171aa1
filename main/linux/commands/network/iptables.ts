// iptables(8), iptables-save, iptables-restore, ip6tables: tables are read and changed as the kernel holds them.
import { IptablesError, type Chain, type Rule, type Table, type TableName } from '../../../network/index.ts';
import type { Process, Program } from '../../kernel/index.ts';
import { Output } from '../frame/output.ts';
import { reverseLookup } from '../../libc/index.ts';

const VERSION = 'v1.8.9 (nf_tables)';
const TABLES: readonly string[] = ['filter', 'nat', 'mangle', 'raw', 'security'];

const COMMANDS: Readonly<Record<string, string>> = {
  '-A': 'append',
  '--append': 'append',
  '-C': 'check',
  '--check': 'check',
  '-D': 'delete',
  '--delete': 'delete',
  '-I': 'insert',
  '--insert': 'insert',
  '-R': 'replace',
  '--replace': 'replace',
  '-L': 'list',
  '--list': 'list',
  '-S': 'list-rules',
  '--list-rules': 'list-rules',
  '-F': 'flush',
  '--flush': 'flush',
  '-Z': 'zero',
  '--zero': 'zero',
  '-N': 'new-chain',
  '--new-chain': 'new-chain',
  '-X': 'delete-chain',
  '--delete-chain': 'delete-chain',
  '-P': 'policy',
  '--policy': 'policy',
  '-E': 'rename-chain',
  '--rename-chain': 'rename-chain',
};

interface Request {
  table: TableName;
  command: string | undefined;
  /** What follows the command, and the rule's own words. */
  chain: string | undefined;
  number: number | undefined;
  argument: string | undefined;
  rule: string[];
  numeric: boolean;
  verbose: boolean;
  exact: boolean;
  lineNumbers: boolean;
}

function parse(args: readonly string[]): Request {
  const request: Request = {
    table: 'filter',
    command: undefined,
    chain: undefined,
    number: undefined,
    argument: undefined,
    rule: [],
    numeric: false,
    verbose: false,
    exact: false,
    lineNumbers: false,
  };
  const queue = args.flatMap((arg) => splitCluster(arg));
  const optional = (): string | undefined =>
    queue[0] !== undefined && !/^[-!]/.test(queue[0]) ? queue.shift() : undefined;
  while (queue.length > 0) {
    const arg = queue.shift()!;
    const command = COMMANDS[arg];
    if (
      command !== undefined &&
      request.rule.length === 0 &&
      !(request.command !== undefined && arg === '-S')
    ) {
      if (
        request.command !== undefined &&
        !(command === 'zero' && request.command.startsWith('list')) &&
        !(request.command === 'zero' && command.startsWith('list'))
      )
        throw new IptablesError(`Cannot use -${arg.slice(-1)} with -${request.command[0]!.toUpperCase()}`);
      request.command = request.command === undefined || command !== 'zero' ? command : request.command;
      request.chain = optional() ?? request.chain;
      if (
        ['append', 'check', 'delete', 'insert', 'replace', 'new-chain', 'policy', 'rename-chain'].includes(
          command,
        ) &&
        request.chain === undefined
      )
        throw new IptablesError(`option "${arg}" requires an argument`);
      if (
        ['insert', 'replace', 'delete', 'list', 'list-rules', 'zero'].includes(command) &&
        queue[0] !== undefined &&
        /^\d+$/.test(queue[0])
      )
        request.number = Number(queue.shift());
      if (command === 'policy' || command === 'rename-chain') request.argument = optional();
      if (command === 'policy' && request.argument === undefined)
        throw new IptablesError('-P requires a chain and a policy');
      continue;
    }
    if (arg === '-t' || arg === '--table') {
      const name = queue.shift();
      if (name === undefined) throw new IptablesError(`option "${arg}" requires an argument`);
      if (!TABLES.includes(name)) throw new TableMissing(name);
      request.table = name as TableName;
    } else if (arg.startsWith('--table=')) {
      queue.unshift('-t', arg.slice('--table='.length));
    } else if ((arg === '-n' || arg === '--numeric') && request.rule.length === 0) request.numeric = true;
    else if ((arg === '-v' || arg === '--verbose') && request.rule.length === 0) request.verbose = true;
    else if (arg === '-x' || arg === '--exact') request.exact = true;
    else if (arg === '--line-numbers' || arg === '--line-number') request.lineNumbers = true;
    else if (arg === '-w' || arg === '--wait' || arg === '-W' || arg === '--wait-interval') optional();
    else if (arg.startsWith('--wait=') || arg === '-4' || arg === '--ipv4') continue;
    else if ((arg === '-n' || arg === '-v') && request.command?.startsWith('list') === true)
      request[arg === '-n' ? 'numeric' : 'verbose'] = true;
    else request.rule.push(arg);
  }
  return request;
}

/** `-nvL` is three options; a rule's own options stay as they are. */
function splitCluster(arg: string): string[] {
  if (!/^-[nvxLSFZ]{2,}$/.test(arg)) return [arg];
  // Commands go last, so that a chain may follow.
  const letters = [...arg.slice(1)];
  return [
    ...letters.filter((letter) => /[nvx]/.test(letter)),
    ...letters.filter((letter) => !/[nvx]/.test(letter)),
  ].map((letter) => `-${letter}`);
}

class TableMissing extends Error {}

/** iptables(8) */
export const iptables: Program = async (proc) => {
  const out = new Output(proc, proc.stdout);
  const name = proc.argv[0]!.slice(proc.argv[0]!.lastIndexOf('/') + 1);
  try {
    const args = proc.argv.slice(1);
    if (args.includes('-V') || args.includes('--version')) {
      await proc.stdout.write(`${name} ${VERSION}\n`);
      return 0;
    }
    if (args.includes('-h') || args.includes('--help')) {
      await proc.stdout.write(
        `${name} ${VERSION}\n\nUsage: ${name} -[ACD] chain rule-specification [options]\n       ${name} -I chain [rulenum] rule-specification [options]\n       ${name} -R chain rulenum rule-specification [options]\n       ${name} -D chain rulenum [options]\n       ${name} -[LS] [chain [rulenum]] [options]\n       ${name} -[FZ] [chain] [options]\n       ${name} -[NX] chain\n       ${name} -E old-chain-name new-chain-name\n       ${name} -P chain target [options]\n       ${name} -h (print this help information)\n`,
      );
      return 0;
    }
    const request = parse(args);
    if (request.command === undefined) {
      const option = request.rule.find(
        (arg) =>
          arg.startsWith('--') &&
          !/^--(?:source|destination|protocol|jump|match|in-interface|out-interface)/.test(arg),
      );
      throw new IptablesError(option === undefined ? 'no command specified' : `unknown option "${option}"`);
    }
    if (!proc.can('NET_ADMIN')) {
      await proc.stderr.write(
        `${name} ${VERSION}: Could not fetch rule set generation id: Permission denied (you must be root)\n`,
      );
      return 4;
    }
    await new Tool(proc, out).execute(request);
    await out.flush();
    return 0;
  } catch (error) {
    await out.flush();
    if (error instanceof TableMissing) {
      await proc.stderr.write(
        `${name} ${VERSION}: table '${error.message}' does not exist\nPerhaps ${name} or your kernel needs to be upgraded.\n`,
      );
      return 3;
    }
    if (!(error instanceof IptablesError)) throw error;
    await proc.stderr.write(
      error.kind === 'kernel'
        ? `${name}: ${error.message}\n`
        : `${name} ${VERSION}: ${error.message}\n${error.exitCode === 2 ? `Try \`${name} -h' or '${name} --help' for more information.\n` : ''}`,
    );
    return error.exitCode;
  }
};

class Tool {
  private readonly proc: Process;
  private readonly out: Output;
  constructor(proc: Process, out: Output) {
    this.proc = proc;
    this.out = out;
  }

  async execute(request: Request): Promise<void> {
    const { netfilter } = this.proc.net;
    const { command, chain } = request;
    const table = netfilter.table(request.table);
    switch (command) {
      case 'list':
        return this.list(table, request);
      case 'list-rules':
        return this.listRules(table, request);
      case 'flush':
        table.flush(chain);
        return undefined;
      case 'zero':
        table.zero(chain, request.number);
        return undefined;
      case 'new-chain':
        table.newChain(chain!);
        return undefined;
      case 'rename-chain':
        table.renameChain(chain!, request.argument ?? '');
        return undefined;
      case 'delete-chain':
        if (chain !== undefined) table.deleteChain(chain);
        else
          for (const one of table.listChains())
            if (one.policy === undefined && one.references === 0) table.deleteChain(one.name);
        return undefined;
      case 'policy': {
        const target = request.argument!;
        if (table.chain(chain!)?.policy === undefined)
          throw new IptablesError('Bad built-in chain name.', { kind: 'kernel', exitCode: 1 });
        if (target !== 'ACCEPT' && target !== 'DROP')
          throw new IptablesError("Bad policy name. Run `dmesg' for more information.", {
            kind: 'kernel',
            exitCode: 1,
          });
        table.setPolicy(chain!, target);
        return undefined;
      }
      case 'delete':
        if (request.number !== undefined && request.rule.length === 0) {
          table.deleteNumber(chain!, request.number);
          return undefined;
        }
        return this.restore(table, `-D ${chain} ${quoted(request.rule)}`);
      case 'append':
        return this.restore(table, `-A ${chain} ${quoted(request.rule)}`);
      case 'insert':
        return this.restore(table, `-I ${chain} ${request.number ?? 1} ${quoted(request.rule)}`);
      case 'replace':
        return this.restore(table, `-R ${chain} ${request.number} ${quoted(request.rule)}`);
      default:
        return this.restore(table, `-C ${chain} ${quoted(request.rule)}`);
    }
  }

  /** Rules are parsed in one place: iptables-restore's. */
  private restore(table: Table, line: string): undefined {
    try {
      this.proc.net.netfilter.restore(`*${table.name}\n${line}\nCOMMIT\n`, { noFlush: true });
    } catch (error) {
      if (error instanceof IptablesError) error.line = undefined;
      throw error;
    }
    return undefined;
  }

  private chains(table: Table, request: Request): Chain[] {
    if (request.chain === undefined) return table.listChains();
    const chain = table.chain(request.chain);
    if (chain === undefined)
      throw new IptablesError(
        `chain \`${request.chain}' in table \`${table.name}' is incompatible, use 'nft' tool.`,
        { exitCode: 1 },
      );
    return [chain];
  }

  private async listRules(table: Table, request: Request): Promise<void> {
    const chains = this.chains(table, request);
    const counters = (packets: number, bytes: number): string =>
      request.verbose ? ` -c ${packets} ${bytes}` : '';
    if (request.number === undefined)
      for (const chain of chains)
        await this.out.line(
          chain.policy === undefined
            ? `-N ${chain.name}`
            : `-P ${chain.name} ${chain.policy}${counters(chain.packets, chain.bytes)}`,
        );
    for (const chain of chains) {
      for (const [index, rule] of chain.rules.entries()) {
        if (request.number === undefined || request.number === index + 1)
          await this.out.line(
            withCounters(`-A ${chain.name} ${rule.toSpec()}`.trimEnd(), request.verbose ? rule : undefined),
          );
      }
    }
  }

  private async list(table: Table, request: Request): Promise<void> {
    const { verbose, numeric, lineNumbers, exact } = request;
    for (const [index, chain] of this.chains(table, request).entries()) {
      if (request.number === undefined) {
        if (index > 0) await this.out.put('\n');
        const counters = verbose
          ? ` ${count(chain.packets, exact).trim()} packets, ${count(chain.bytes, exact).trim()} bytes`
          : '';
        await this.out.line(
          chain.policy === undefined
            ? `Chain ${chain.name} (${chain.references} references)`
            : `Chain ${chain.name} (policy ${chain.policy}${counters})`,
        );
        await this.out.line(
          `${lineNumbers ? 'num  ' : ''}${verbose ? ' pkts bytes ' : ''}target     prot opt ${verbose ? 'in     out     ' : ''}source               destination         `,
        );
      }
      for (const [number, rule] of chain.rules.entries()) {
        if (request.number !== undefined && request.number !== number + 1) continue;
        await this.out.line(
          `${lineNumbers ? `${String(number + 1).padEnd(4)} ` : ''}${await this.row(rule, verbose, numeric, exact)}`,
        );
      }
    }
  }

  private async row(rule: Rule, verbose: boolean, numeric: boolean, exact: boolean): Promise<string> {
    let text = '';
    if (verbose)
      text += `${exact ? String(rule.packets).padStart(8) : count(rule.packets, exact)} ${exact ? String(rule.bytes).padStart(8) : count(rule.bytes, exact)} `;
    const name = numeric ? String(rule.protocol?.number ?? 0) : (rule.protocol?.name ?? 'all');
    text += `${rule.targetName.padEnd(9)}  ${(rule.protocol?.isInverted === true ? `!${name}` : name).padEnd(4)} -- `;
    if (verbose) {
      const device = (shown: string): string => (shown === '*' && !numeric ? 'any' : shown);
      text += ` ${device(rule.inInterfaceText).padEnd(6)} ${device(rule.outInterfaceText).padEnd(6)} `;
    }
    const address = async (shown: string): Promise<string> => {
      const mark = shown.startsWith('!') ? '!' : ' ';
      const plain = shown.replace(/^!/, '');
      if (plain === '0.0.0.0/0') return `${mark}${(numeric ? plain : 'anywhere').padEnd(19)}`;
      const found =
        numeric || plain.includes('/') ? plain : ((await reverseLookup(this.proc, plain)) ?? plain);
      return `${mark}${found.padEnd(19)}`;
    };
    text += `${await address(rule.sourceText)} ${await address(rule.destinationText)}`;
    const details = rule.describe(numeric);
    return details === '' ? text : `${text} ${details}`;
  }
}

function withCounters(line: string, rule: Rule | undefined): string {
  if (rule === undefined) return line;
  const at = line.search(/ -[jg] /);
  const counters = ` -c ${rule.packets} ${rule.bytes}`;
  return at < 0 ? line + counters : line.slice(0, at) + counters + line.slice(at);
}

/** Five columns, with K, M, G above 99999 (xtables' print_num). */
function count(value: number, exact: boolean): string {
  if (exact || value <= 99_999) return String(value).padStart(5);
  let number = Math.floor((value + 500) / 1000);
  if (number <= 9999) return `${String(number).padStart(4)}K`;
  number = Math.floor((number + 500) / 1000);
  if (number <= 9999) return `${String(number).padStart(4)}M`;
  return `${String(Math.floor((number + 500) / 1000)).padStart(4)}G`;
}

function quoted(words: readonly string[]): string {
  return words
    .map((word) => (word === '' || /[\s"'\\]/.test(word) ? `"${word.replaceAll(/["\\]/g, '\\$&')}"` : word))
    .join(' ');
}

/** iptables-save(8) */
export const iptablesSave: Program = async (proc) => {
  const args = proc.argv.slice(1);
  const at = args.findIndex((arg) => arg === '-t' || arg === '--table');
  const table =
    at >= 0 ? args[at + 1] : args.find((arg) => arg.startsWith('--table='))?.slice('--table='.length);
  if (table !== undefined && !TABLES.includes(table)) {
    await proc.stderr.write(
      `iptables-save ${VERSION}: table '${table}' does not exist\nPerhaps iptables-save or your kernel needs to be upgraded.\n`,
    );
    return 3;
  }
  const text = proc.net.netfilter.save({
    counters: args.some((arg) => arg === '-c' || arg === '--counters'),
    ...(table === undefined ? {} : { table: table as TableName }),
  });
  const file = args.findIndex((arg) => arg === '-f' || arg === '--file');
  if (file >= 0 && args[file + 1] !== undefined) proc.fs.writeFile(args[file + 1]!, text);
  else await proc.stdout.write(text);
  return 0;
};

/** iptables-restore(8) */
export const iptablesRestore: Program = async (proc) => {
  const args = proc.argv.slice(1);
  const name = proc.argv[0]!.slice(proc.argv[0]!.lastIndexOf('/') + 1);
  const at = args.findIndex((arg) => arg === '-T' || arg === '--table');
  const path = args.find((arg, index) => !arg.startsWith('-') && index !== at + 1);
  const text = path === undefined ? await proc.stdin.readText() : proc.fs.readText(path);
  try {
    proc.net.netfilter.restore(text, {
      noFlush: args.some((arg) => arg === '-n' || arg === '--noflush'),
      counters: args.some((arg) => arg === '-c' || arg === '--counters'),
      test: args.some((arg) => arg === '-t' || arg === '--test'),
      ...(at >= 0 ? { table: args[at + 1] as TableName } : {}),
    });
    return 0;
  } catch (error) {
    if (!(error instanceof IptablesError)) throw error;
    if (/^line \d+ failed$/.test(error.message)) await proc.stderr.write(`${name}: ${error.message}\n`);
    else if (error.kind === 'usage')
      await proc.stderr.write(
        `${name} ${VERSION}: ${error.message}\nError occurred at line: ${error.line ?? 1}\nTry \`${name} -h' or '${name} --help' for more information.\n`,
      );
    else await proc.stderr.write(`${name}: line ${error.line ?? 1} failed: ${error.message}\n`);
    return error.exitCode;
  }
};

/** ip6tables(8): the virtual network filters IPv4 only. */
export const ip6tables: Program = async (proc) => {
  await proc.stderr.write("drydock: ip6tables isn't simulated\n");
  return 1;
};
