// What the info string of a fenced code block says: its language, and attributes in braces, as in
// ```bash {machine=master1 run}   or   ```yaml {file=/root/web.yaml machine=master1}   or   ```{output}

export interface Fence {
  readonly language: string;
  /** The machine that the block belongs on. */
  readonly machine?: string;
  /** The block can be typed into a terminal as it stands. */
  readonly run: boolean;
  /** The block is the content of this file. */
  readonly file?: string;
  /** The block shows what a command prints. */
  readonly output: boolean;
}

/** Reads an info string. Attributes it doesn't know are left alone, so that older apps show newer labs. */
export function parseFence(info: string): Fence {
  const match = /^([^{]*)(?:\{([^}]*)\}?)?/.exec(info.trim())!;
  const attributes = new Map<string, string>();
  for (const [, name, , double, single, bare] of (match[2] ?? '').matchAll(
    /([\w-]+)(=(?:"([^"]*)"|'([^']*)'|(\S+)))?/g,
  )) {
    attributes.set(name!, double ?? single ?? bare ?? '');
  }
  const machine = attributes.get('machine');
  const file = attributes.get('file');
  return {
    language: match[1]!.trim().split(/\s+/)[0] ?? '',
    ...(machine === undefined || machine === '' ? {} : { machine }),
    ...(file === undefined || file === '' ? {} : { file }),
    run: attributes.has('run'),
    output: attributes.has('output'),
  };
}
