// Words of an iptables command or restore line, and how texts are quoted in iptables-save.
import { IptablesError } from './iptables-error.ts';

/** Splits a line as iptables-restore does: blanks separate, double quotes hold together, backslash escapes inside them. */
export function splitLine(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let isQuoted = false;
  for (let i = 0; i < line.length; i++) {
    const char = line[i]!;
    if (isQuoted) {
      if (char === '\\' && i + 1 < line.length) word += line[++i]!;
      else if (char === '"') isQuoted = false;
      else word += char;
    } else if (char === '"') {
      isQuoted = true;
      word ??= '';
    } else if (char === ' ' || char === '\t') {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + char;
  }
  if (word !== undefined) words.push(word);
  return words;
}

/** xtables_save_string: quoted unless it's only letters, digits, `_` and `-`. */
export function quote(text: string): string {
  if (/^[\w-]+$/.test(text)) return text;
  return `"${text.replaceAll(/["\\']/g, (char) => `\\${char}`)}"`;
}

/** The words of one rule, read one after the other. */
export class Cursor {
  private readonly words: readonly string[];
  private index = 0;

  constructor(words: readonly string[]) {
    this.words = words;
  }

  get isAtEnd(): boolean {
    return this.index >= this.words.length;
  }

  next(): string {
    return this.words[this.index++]!;
  }

  /** The argument of an option. */
  argument(option: string): string {
    const word = this.words[this.index];
    if (word === undefined) throw new IptablesError(`option "${option}" requires an argument`);
    this.index++;
    return word;
  }

  /** The next word if it isn't an option. */
  optional(): string | undefined {
    const word = this.words[this.index];
    if (word === undefined || word.startsWith('-') || word === '!') return undefined;
    this.index++;
    return word;
  }
}

/** A decimal, octal or hexadecimal number within limits. */
export function parseNumber(text: string, max: number, option: string): number {
  const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text.replace(/^0+(?=[0-9])/, '')) : Number.NaN;
  if (!(value <= max)) throw new IptablesError(`${option}: Bad value for "--${option}" option: "${text}"`);
  return value;
}

/** `value[/mask]`, as marks are given. */
export function parseMark(text: string, option: string): { readonly value: number; readonly mask: number } {
  const [value = '', mask] = text.split('/');
  return {
    value: parseNumber(value, 0xffffffff, option),
    mask: mask === undefined ? 0xffffffff : parseNumber(mask, 0xffffffff, option),
  };
}

export function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

const SERVICES: Readonly<Record<string, number>> = {
  'ftp-data': 20,
  ftp: 21,
  ssh: 22,
  telnet: 23,
  smtp: 25,
  domain: 53,
  bootps: 67,
  bootpc: 68,
  tftp: 69,
  http: 80,
  kerberos: 88,
  pop3: 110,
  sunrpc: 111,
  ntp: 123,
  imap2: 143,
  snmp: 161,
  bgp: 179,
  ldap: 389,
  https: 443,
  ldaps: 636,
  imaps: 993,
  pop3s: 995,
  nfs: 2049,
  mysql: 3306,
  postgresql: 5432,
  'http-alt': 8080,
};
const serviceNames = new Map(Object.entries(SERVICES).map(([name, port]) => [port, name]));

/** A port by number or service name. */
export function parsePort(text: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : SERVICES[text];
  if (port === undefined || port > 65_535)
    throw new IptablesError(`invalid port/service \`${text}' specified`);
  return port;
}

/** The service's name, for listings without -n. */
export function serviceName(port: number): string {
  return serviceNames.get(port) ?? String(port);
}

/** `a`, `a:b`, `a:`, `:b`. */
export function parsePortRange(text: string): readonly [number, number] {
  const [low = '', high] = text.split(':');
  const min = low === '' ? 0 : parsePort(low);
  const max = high === undefined ? min : high === '' ? 65_535 : parsePort(high);
  if (min > max) throw new IptablesError(`invalid portrange (min > max)`);
  return [min, max];
}
