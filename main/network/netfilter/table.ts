// One iptables table with its chains, and the walk of a packet through them.
import type { Packet } from '../ip/packet.ts';
import type { NetworkNamespace } from '../namespace.ts';
import type { HookName } from '../trace/trace.ts';
import { IptablesError } from './iptables-error.ts';
import type { HookContext } from './match.ts';
import { checkChainName, type Rule } from './rule.ts';

export type TableName = 'raw' | 'mangle' | 'nat' | 'filter' | 'security';
export type Policy = 'ACCEPT' | 'DROP';

/** Rules per table; a real one would be long out of memory. */
const RULES_MAX = 500_000;
/** Jumps within jumps (netfilter allows 2 per chain; nf_tables 16). */
const DEPTH_MAX = 64;

export const BUILT_IN_CHAINS: Readonly<Record<TableName, readonly HookName[]>> = {
  raw: ['PREROUTING', 'OUTPUT'],
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
  security: ['INPUT', 'FORWARD', 'OUTPUT'],
};

export class Chain {
  readonly name: string;
  /** Only built-in chains have one. */
  policy: Policy | undefined;
  /** What the policy has counted. */
  packets = 0;
  bytes = 0;
  rules: Rule[] = [];
  /** How many rules jump or go here. */
  references = 0;

  constructor(name: string, policy: Policy | undefined) {
    this.name = name;
    this.policy = policy;
  }

  get isBuiltIn(): boolean {
    return this.policy !== undefined;
  }
}

export class Table {
  readonly name: TableName;
  private readonly namespace: NetworkNamespace;
  private readonly chains = new Map<string, Chain>();
  private readonly onChange: () => void;
  private ruleCount = 0;
  /** Chains of each rule's target, so that a walk needn't look names up. */
  private readonly jumps = new WeakMap<Rule, Chain>();

  constructor(name: TableName, namespace: NetworkNamespace, onChange: () => void) {
    this.name = name;
    this.namespace = namespace;
    this.onChange = onChange;
    for (const hook of BUILT_IN_CHAINS[name]) this.chains.set(hook, new Chain(hook, 'ACCEPT'));
  }

  // ── Reading ──

  /** Built-in chains in hook order, then the others by name, as iptables-nft prints them. */
  listChains(): Chain[] {
    const all = [...this.chains.values()];
    const own = all.filter((chain) => !chain.isBuiltIn).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    return [...all.filter((chain) => chain.isBuiltIn), ...own];
  }

  chain(name: string): Chain | undefined {
    return this.chains.get(name);
  }

  /** Throws `No chain/target/match by that name.` */
  requireChain(name: string): Chain {
    const chain = this.chains.get(name);
    if (chain === undefined) throw noSuchChain();
    return chain;
  }

  /** `-C`. */
  has(chain: string, rule: Rule): boolean {
    return this.requireChain(chain).rules.some((each) => each.toSpec() === rule.toSpec());
  }

  // ── Changing ──

  /** `-N`. */
  newChain(name: string): Chain {
    checkChainName(name);
    if (this.chains.has(name))
      throw new IptablesError('Chain already exists.', { exitCode: 1, kind: 'kernel' });
    const chain = new Chain(name, undefined);
    this.chains.set(name, chain);
    this.onChange();
    return chain;
  }

  /** `-X`. Throws when it's built in, has rules, or is referred to. */
  deleteChain(name: string): void {
    const chain = this.requireChain(name);
    if (chain.isBuiltIn || chain.references > 0 || chain.rules.length > 0) {
      throw new IptablesError(` CHAIN_DEL failed (Device or resource busy): chain ${name}`, { exitCode: 4 });
    }
    this.chains.delete(name);
    this.onChange();
  }

  /** `-X` without a name: every chain of one's own. */
  deleteAllChains(): void {
    for (const chain of this.listChains()) if (!chain.isBuiltIn) this.deleteChain(chain.name);
  }

  /** `-E`. */
  renameChain(from: string, to: string): void {
    const chain = this.requireChain(from);
    checkChainName(to);
    if (this.chains.has(to)) throw new IptablesError('File exists.', { exitCode: 1, kind: 'kernel' });
    const renamed = new Chain(to, undefined);
    renamed.rules = chain.rules;
    renamed.references = chain.references;
    this.chains.delete(from);
    this.chains.set(to, renamed);
    for (const each of this.chains.values()) {
      for (const rule of each.rules) {
        if (this.jumps.get(rule) !== chain) continue;
        this.jumps.set(rule, renamed);
        rule.chainTarget = { ...rule.chainTarget!, name: to };
      }
    }
    this.onChange();
  }

  /** `-P`. */
  setPolicy(name: string, policy: Policy): void {
    const chain = this.chains.get(name);
    if (chain === undefined || !chain.isBuiltIn) {
      throw new IptablesError('Bad built-in chain name.', { exitCode: 1, kind: 'kernel' });
    }
    chain.policy = policy;
    this.onChange();
  }

  /** `-A`, or with a number (from 1) `-I`. */
  insert(name: string, rule: Rule, number?: number): void {
    const chain = this.requireChain(name);
    const index = number === undefined ? chain.rules.length : number - 1;
    if (index < 0 || index > chain.rules.length) throw indexTooBig();
    if (this.ruleCount >= RULES_MAX)
      throw new IptablesError('Memory allocation problem.', { exitCode: 4, kind: 'kernel' });
    this.attach(rule);
    if (index === chain.rules.length) chain.rules.push(rule);
    else chain.rules.splice(index, 0, rule);
    this.onChange();
  }

  /** `-R`. */
  replace(name: string, number: number, rule: Rule): void {
    const chain = this.requireChain(name);
    const old = chain.rules[number - 1];
    if (old === undefined) throw indexTooBig();
    this.attach(rule);
    this.detach(old);
    chain.rules[number - 1] = rule;
    this.onChange();
  }

  /** `-D` by number. */
  deleteNumber(name: string, number: number): void {
    const chain = this.requireChain(name);
    const rule = chain.rules[number - 1];
    if (rule === undefined)
      throw new IptablesError('Index of deletion too big.', { exitCode: 1, kind: 'kernel' });
    this.detach(rule);
    chain.rules.splice(number - 1, 1);
    this.onChange();
  }

  /** `-D` by equal rule. */
  deleteRule(name: string, rule: Rule): void {
    const index = this.requireChain(name).rules.findIndex((each) => each.toSpec() === rule.toSpec());
    if (index < 0) {
      throw new IptablesError('Bad rule (does a matching rule exist in that chain?).', {
        exitCode: 1,
        kind: 'kernel',
      });
    }
    this.deleteNumber(name, index + 1);
  }

  /** `-F` one chain, or all. */
  flush(name?: string): void {
    for (const chain of name === undefined ? this.chains.values() : [this.requireChain(name)]) {
      for (const rule of chain.rules) this.detach(rule);
      chain.rules = [];
    }
    this.onChange();
  }

  /** `-Z`. */
  zero(name?: string, number?: number): void {
    for (const chain of name === undefined ? this.chains.values() : [this.requireChain(name)]) {
      const rules = number === undefined ? chain.rules : chain.rules.slice(number - 1, number);
      for (const rule of rules) rule.packets = rule.bytes = 0;
      if (number === undefined) chain.packets = chain.bytes = 0;
    }
  }

  /** Lets go of what the rules hold elsewhere; the table isn't used afterwards. */
  dispose(): void {
    for (const chain of this.chains.values()) for (const rule of chain.rules) this.detach(rule);
  }

  private attach(rule: Rule): void {
    const { chainTarget, action } = rule;
    if (action?.tables !== undefined && !action.tables.includes(this.name)) {
      throw new IptablesError(` RULE_APPEND failed (Invalid argument): rule in chain`, { exitCode: 4 });
    }
    if (chainTarget !== undefined) {
      const chain = this.chains.get(chainTarget.name);
      if (chain === undefined || chain.isBuiltIn) {
        throw new IptablesError(`Chain '${chainTarget.name}' does not exist`);
      }
      this.jumps.set(rule, chain);
      chain.references++;
    }
    for (const match of rule.matches) match.attach?.(this.namespace);
    this.ruleCount++;
  }

  private detach(rule: Rule): void {
    const chain = this.jumps.get(rule);
    if (chain !== undefined) chain.references--;
    for (const match of rule.matches) match.detach?.(this.namespace);
    this.ruleCount--;
  }

  // ── Packets ──

  /** Walks a packet through a built-in chain; false if it's dropped. */
  accepts(hook: HookName, packet: Packet, context: HookContext): boolean {
    const chain = this.chains.get(hook)!;
    const verdict = this.walk(chain, packet, context, 0);
    if (verdict !== 'RETURN') return verdict === 'ACCEPT';
    chain.packets++;
    chain.bytes += packet.length;
    if (chain.policy === 'DROP' && this.namespace.trace.isOn) {
      const { stack } = this.namespace;
      stack.trace(packet, 'policy', {
        hook,
        table: this.name,
        chain: hook,
        decision: 'DROP',
        reason: 'policy-drop',
      });
    }
    return chain.policy === 'ACCEPT';
  }

  private walk(
    chain: Chain,
    packet: Packet,
    context: HookContext,
    depth: number,
  ): 'ACCEPT' | 'DROP' | 'RETURN' {
    const { rules } = chain;
    for (let i = 0; i < rules.length; i++) {
      const rule = rules[i]!;
      if (!rule.isMet(packet, context)) continue;
      rule.packets++;
      rule.bytes += packet.length;
      if (this.namespace.trace.isOn) this.trace(packet, context, chain, i, rule);
      const target = rule.chainTarget === undefined ? undefined : this.jumps.get(rule);
      let verdict = target === undefined ? rule.action?.apply(packet, context) : undefined;
      if (target !== undefined) {
        if (depth >= DEPTH_MAX) return 'DROP';
        verdict = this.walk(target, packet, context, depth + 1);
        if (verdict === 'RETURN' && rule.chainTarget!.isGoto !== true) verdict = undefined;
      }
      if (verdict !== undefined) return verdict;
    }
    return 'RETURN';
  }

  private trace(packet: Packet, context: HookContext, chain: Chain, index: number, rule: Rule): void {
    const decision = rule.targetName === '' ? 'CONTINUE' : rule.targetName;
    const isEnd = decision === 'DROP' || decision === 'REJECT';
    this.namespace.stack.trace(packet, 'rule', {
      hook: context.hook,
      table: this.name,
      chain: chain.name,
      ruleNumber: index + 1,
      subject: rule.toSpec(),
      decision,
      ...(isEnd ? { reason: decision === 'DROP' ? 'rule-drop' : 'rule-reject' } : {}),
    });
  }
}

function noSuchChain(): IptablesError {
  return new IptablesError('No chain/target/match by that name.', { exitCode: 1, kind: 'kernel' });
}

function indexTooBig(): IptablesError {
  return new IptablesError('Index of insertion too big.', { exitCode: 1, kind: 'kernel' });
}
