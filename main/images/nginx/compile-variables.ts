// Variables that a block defines: map, geo, split_clients.
import { errorAt, type Directive } from './config.ts';
import type { DerivedVariable } from './settings.ts';
import { compilePattern, compileTemplate, variablesOf, type Template } from './template.ts';

/** Throws ConfigError. */
export function readDerived(
  directive: Directive,
  used: Set<string>,
): { name: string; variable: DerivedVariable } {
  const { name: kind, args } = directive;
  const target = args.at(-1) ?? '';
  if (!target.startsWith('$')) throw errorAt(directive, `invalid variable name "${target}"`);
  const source = kind === 'geo' && args.length === 1 ? '$remote_addr' : (args[0] ?? '');
  const template = compileTemplate(source, directive);
  for (const each of variablesOf(template)) used.add(each);
  const variable =
    kind === 'map'
      ? readMap(directive, template, used)
      : kind === 'geo'
        ? readGeo(directive, template)
        : readSplit(directive, template);
  return { name: target.slice(1), variable };
}

function readMap(directive: Directive, source: Template, used: Set<string>): DerivedVariable {
  const exact = new Map<string, Template>();
  const wildcards: { pattern: string; value: Template }[] = [];
  const patterns: { pattern: RegExp; value: Template }[] = [];
  let fallback: Template = [];
  let hostnames = false;
  for (const entry of directive.block ?? []) {
    const { name, args } = entry;
    if (name === 'hostnames' && args.length === 0) hostnames = true;
    else if (name === 'volatile' && args.length === 0) continue;
    else {
      if (args.length !== 1) throw errorAt(entry, 'invalid number of the map parameters');
      const value = compileTemplate(args[0]!, entry);
      for (const each of variablesOf(value)) used.add(each);
      if (name === 'default') fallback = value;
      else if (name.startsWith('~')) {
        const isLoose = name.startsWith('~*');
        patterns.push({ pattern: compilePattern(name.slice(isLoose ? 2 : 1), isLoose, entry), value });
      } else if (hostnames && /^\*?\.|\.\*$/.test(name))
        wildcards.push({ pattern: name.toLowerCase(), value });
      else {
        const key = (name.startsWith('\\') ? name.slice(1) : name).toLowerCase();
        if (exact.has(key)) throw errorAt(entry, `conflicting parameter "${name}"`);
        exact.set(key, value);
      }
    }
  }
  return { kind: 'map', source, exact, wildcards, patterns, fallback, hostnames };
}

function readGeo(directive: Directive, source: Template): DerivedVariable {
  const ranges: { from: number; to: number; value: string }[] = [];
  let fallback = '';
  for (const entry of directive.block ?? []) {
    const { name, args } = entry;
    if (name === 'ranges' || name === 'proxy_recursive' || name === 'proxy' || name === 'delete') continue;
    const [value = ''] = args;
    if (name === 'default') fallback = value;
    else {
      const range = addressRange(name);
      if (range === undefined) throw errorAt(entry, `invalid network "${name}"`);
      ranges.push({ ...range, value });
    }
  }
  // The narrowest counts.
  return {
    kind: 'geo',
    source,
    ranges: ranges.toSorted((a, b) => a.to - a.from - (b.to - b.from)),
    fallback,
  };
}

/** `10.0.0.0/8`, `10.0.0.1` or `10.0.0.1-10.0.0.9` as numbers; undefined for what is none of them. */
export function addressRange(text: string): { from: number; to: number } | undefined {
  const [first = '', last] = text.split('-');
  const [base = '', prefix = '32'] = first.split('/');
  const from = addressNumber(base);
  if (from === undefined || !/^\d+$/.test(prefix) || Number(prefix) > 32) return undefined;
  if (last !== undefined) {
    const to = addressNumber(last);
    return to === undefined ? undefined : { from, to };
  }
  const size = 2 ** (32 - Number(prefix));
  const start = Math.floor(from / size) * size;
  return { from: start, to: start + size - 1 };
}

/** An IPv4 address as a number. */
export function addressNumber(text: string): number | undefined {
  const octets = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  if (octets === undefined || octets.some((octet) => octet > 255)) return undefined;
  return octets.reduce((sum, octet) => sum * 256 + octet, 0);
}

function readSplit(directive: Directive, source: Template): DerivedVariable {
  let below = 0;
  const parts = (directive.block ?? []).map((entry) => {
    const { name, args } = entry;
    const [value = ''] = args;
    if (name === '*') return { below: 2 ** 32, value };
    const percent = /^(\d+(?:\.\d{1,2})?)%$/.exec(name)?.[1];
    if (percent === undefined) throw errorAt(entry, `invalid percent value "${name}"`);
    below += Math.floor((2 ** 32 * Math.round(Number(percent) * 100)) / 10_000);
    return { below, value };
  });
  return { kind: 'split', source, parts };
}
