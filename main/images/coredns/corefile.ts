// The Corefile: server blocks with their plugins, as Caddy's grammar has them.

export interface PluginBlock {
  readonly name: string;
  readonly args: readonly string[];
  /** Lines of its braces. */
  readonly lines: readonly (readonly string[])[];
}

export interface ServerBlock {
  readonly zones: readonly { readonly zone: string; readonly port: number }[];
  readonly plugins: readonly PluginBlock[];
}

export class CorefileError extends Error {}

const KNOWN = new Set([
  'errors',
  'health',
  'ready',
  'kubernetes',
  'prometheus',
  'forward',
  'cache',
  'loop',
  'reload',
  'loadbalance',
  'hosts',
  'rewrite',
  'log',
  'bind',
]);

/** Parses a Corefile. Throws CorefileError with CoreDNS's words. */
export function parseCorefile(text: string): ServerBlock[] {
  const lines = text.split('\n').map((line, index) => ({ words: wordsOf(line), number: index + 1 }));
  const blocks: ServerBlock[] = [];
  let position = 0;
  while (position < lines.length) {
    const { words, number } = lines[position++]!;
    if (words.length === 0) continue;
    if (words.at(-1) !== '{')
      throw new CorefileError(`Corefile:${number} - Error during parsing: Unexpected token`);
    const plugins: PluginBlock[] = [];
    for (;;) {
      const line = lines[position++];
      if (line === undefined)
        throw new CorefileError(`Corefile:${number} - Error during parsing: Unexpected EOF`);
      if (line.words.length === 0) continue;
      if (line.words[0] === '}') break;
      const isOpen = line.words.at(-1) === '{';
      const [name = '', ...args] = isOpen ? line.words.slice(0, -1) : line.words;
      if (!KNOWN.has(name))
        throw new CorefileError(
          `Corefile:${line.number} - Error during parsing: Unknown directive '${name}'`,
        );
      const inner: string[][] = [];
      while (isOpen) {
        const next = lines[position++];
        if (next === undefined)
          throw new CorefileError(`Corefile:${line.number} - Error during parsing: Unexpected EOF`);
        if (next.words[0] === '}') break;
        if (next.words.length > 0) inner.push(next.words);
      }
      plugins.push({ name, args, lines: inner });
    }
    blocks.push({ zones: words.slice(0, -1).map(zoneOf), plugins });
  }
  return blocks;
}

function wordsOf(line: string): string[] {
  return line
    .replace(/(^|\s)#.*$/, '')
    .trim()
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word) => word.replace(/^"(.*)"$/, '$1'));
}

function zoneOf(word: string): { zone: string; port: number } {
  const plain = word.replace(/^dns:\/\//, '').replace(/,$/, '');
  const colon = plain.lastIndexOf(':');
  const zone = colon < 0 ? plain : plain.slice(0, colon);
  return { zone: fullName(zone), port: colon < 0 ? 53 : Number(plain.slice(colon + 1)) };
}

/** Lower case, with the dot at the end. */
export function fullName(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith('.') ? lower : `${lower}.`;
}

/** Whether a name is a zone or lies in it. */
export function isWithin(name: string, zone: string): boolean {
  return zone === '.' || name === zone || name.endsWith(`.${zone}`);
}
