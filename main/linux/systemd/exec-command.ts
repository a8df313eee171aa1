// The commands of ExecStart= and its kin: prefixes, quoting, variables. systemd.service(5), COMMAND LINES.

export interface ExecCommand {
  /** The executable, as written. */
  readonly path: string;
  /** What it sees as argv[0], if that isn't the path (`@`). */
  readonly argv0: string | undefined;
  /** Before variables are filled in. */
  readonly args: readonly string[];
  /** `-`: a failure doesn't count. */
  readonly mayFail: boolean;
  /** `:` keeps variables as they are. */
  readonly literal: boolean;
  /** As systemctl shows it. */
  readonly text: string;
}

/** The commands of one assignment, which `;` separates. Undefined where quotes aren't closed or nothing is to be run. */
export function parseCommands(line: string): ExecCommand[] | undefined {
  const words = splitWords(line);
  if (words === undefined || words.length === 0) return undefined;
  const commands: ExecCommand[] = [];
  let current: string[] = [];
  const finish = (): void => {
    if (current.length > 0) commands.push(commandOf(current));
    current = [];
  };
  for (const word of words) {
    if (word === ';') finish();
    else current.push(word === '\\;' ? ';' : word);
  }
  finish();
  return commands;
}

function commandOf([first = '', ...rest]: readonly string[]): ExecCommand {
  const [prefixes] = /^[-@:+!]*/.exec(first)!;
  const path = first.slice(prefixes.length);
  const named = prefixes.includes('@');
  const args = named ? rest.slice(1) : rest;
  return {
    path,
    argv0: named ? rest[0] : undefined,
    args,
    mayFail: prefixes.includes('-'),
    literal: prefixes.includes(':'),
    text: [path, ...args].join(' '),
  };
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  s: ' ',
  '\\': '\\',
  '"': '"',
  "'": "'",
};

/** Words with quotes and C escapes resolved; undefined: a quote is left open. */
export function splitWords(line: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let i = 0; i < line.length; i++) {
    const char = line[i]!;
    if (quote === '' && /\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (quote === '' && (char === '"' || char === "'") && word === undefined) {
      quote = char;
      word = '';
    } else if (quote !== '' && char === quote) quote = '';
    else if (char === '\\' && line[i + 1] === ';') {
      word = `${word ?? ''}\\;`;
      i++;
    } else if (char === '\\' && i + 1 < line.length) {
      const next = line[++i]!;
      word = `${word ?? ''}${ESCAPES[next] ?? `\\${next}`}`;
    } else word = `${word ?? ''}${char}`;
  }
  if (quote !== '') return undefined;
  if (word !== undefined) words.push(word);
  return words;
}

/** argv: `${NAME}` is filled in inside a word, `$NAME` as a word of its own becomes its words. */
export function argumentsOf(command: ExecCommand, env: ReadonlyMap<string, string>): string[] {
  const head = command.argv0 ?? command.path;
  if (command.literal) return [head, ...command.args];
  const filled = command.args.flatMap((arg) => {
    const whole = /^\$([A-Za-z_]\w*)$/.exec(arg);
    if (whole !== null) return splitWords(env.get(whole[1]!) ?? '') ?? [];
    return [
      arg.replaceAll(/\$\$|\$\{([A-Za-z_]\w*)\}/g, (_, name: string | undefined) =>
        name === undefined ? '$' : (env.get(name) ?? ''),
      ),
    ];
  });
  return [head, ...filled];
}

/** `Environment=` assignments: words of NAME=VALUE, quoted as a whole where they hold blanks. */
export function environmentOf(values: readonly string[]): [string, string][] {
  return values
    .flatMap((value) => splitWords(value) ?? [])
    .flatMap((word): [string, string][] => {
      const equals = word.indexOf('=');
      return equals > 0 ? [[word.slice(0, equals), word.slice(equals + 1)]] : [];
    });
}

/** The lines of an `EnvironmentFile=`. */
export function environmentFile(text: string): [string, string][] {
  return text
    .replaceAll('\\\n', '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^[#;]/.test(line))
    .flatMap((line): [string, string][] => {
      const match = /^(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*)$/.exec(line);
      return match === null ? [] : [[match[1]!, unquoted(match[2]!)]];
    });
}

function unquoted(value: string): string {
  const match = /^(["'])(.*)\1$/s.exec(value);
  return match === null ? value : match[2]!.replaceAll(/\\(["\\$`])/g, '$1');
}
